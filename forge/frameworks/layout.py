"""The paths and texts that tie a module to its framework.

As CPython's build script (``iOS/testbed``) writes and its ``AppleFrameworkLoader`` reads them; paths are relative to
the app, with ``/``.
"""

from __future__ import annotations

from forge.wheel.app_rules import fwork_path

PACKAGES = "app_packages"
FRAMEWORKS = "Frameworks"
XCFRAMEWORKS = "XCFrameworks"
MANIFEST = "frameworks.json"
"""In the output's root: says that forge made the directory, and of what."""

PRIVACY = "PrivacyInfo.xcprivacy"
"""A privacy manifest's name in a framework."""


def framework_path(name: str) -> str:
    """A framework's directory."""
    return f"{FRAMEWORKS}/{name}.framework"


def fwork_text(name: str) -> str:
    """What a ``.fwork`` file says: where the binary is."""
    return f"{framework_path(name)}/{name}\n"


def origin_text(module: str) -> str:
    """What an ``.origin`` file says: where the ``.fwork`` file is.

    Args:
        module: The ``.so``'s path below ``app_packages``.
    """
    return f"{PACKAGES}/{fwork_path(module)}\n"
