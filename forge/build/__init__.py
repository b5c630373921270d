"""A cross environment and a build in it (PEP 517): crossenv, meson-python, setuptools."""
