"""The command line: one module a command, each parses, calls and prints, and does no work of its own."""
