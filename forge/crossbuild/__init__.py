"""A cross environment and a build in it; one module a back end: PEP 517, meson-python, commands."""
