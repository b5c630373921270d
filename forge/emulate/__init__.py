"""Simulator wheels run on Linux: a Mach-O loader and Darwin's system interface inside a Linux CPython."""
