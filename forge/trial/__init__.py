"""Running wheels' tests: emulated on Linux, in CPython's testbed on a Mac."""
