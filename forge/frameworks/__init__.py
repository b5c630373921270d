"""Wheels as an app holds them: Python files in ``app_packages``, every extension module in a framework of its own.

The rules are CPython's (``Doc/using/ios.rst``, ``AppleFrameworkLoader``, the build scripts of its ``iOS/testbed``)
and the App Store's.
"""
