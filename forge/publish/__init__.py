"""Wheels to where users get them: indexes that forge makes, and servers that take uploads."""
