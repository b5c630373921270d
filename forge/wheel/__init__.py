"""Wheels as files: names, tags, reading safely, packing reproducibly."""
