"""Wheels of native libraries, which are for builds: what is where in them."""

from __future__ import annotations

NATIVE_TREE = "opt"
"""The directory that holds all of such a wheel: headers, static libraries, pkg-config files.

It is unpacked beside the packages of the host prefix, and is nothing that Python could import.
"""
