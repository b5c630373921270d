"""Builds on the workers of a Dask cluster. Only `client` and `worker` know Dask, and only while they are at work."""
