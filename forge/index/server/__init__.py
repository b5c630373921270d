"""A web server for an index that forge made: what a server of files cannot do."""
