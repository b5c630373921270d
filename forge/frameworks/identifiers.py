"""Names and versions in a framework's Info.plist, within the App Store's rules."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from forge.frameworks.findings import FrameworksError
from forge.wheel.app_rules import is_bundle_identifier

if TYPE_CHECKING:
    from packaging.version import Version

DEFAULT_BUNDLE_ID = "forge.packages"
"""In place of the app's identifier where that is not known: unique within an app is all that it has to be."""

_PLAIN = re.compile(r"[A-Za-z0-9_.]+", flags=re.ASCII)
_FOREIGN = re.compile(r"[^A-Za-z0-9.-]", flags=re.ASCII)
_VERSION = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18}){0,2}", flags=re.ASCII)


def check_bundle_id(text: str) -> str:
    """*text*, if it can be an app's identifier.

    Raises:
        FrameworksError: It cannot.
    """
    if not is_bundle_identifier(text):
        raise FrameworksError(
            f"{text!r} is not a bundle identifier",
            hint="letters, digits and hyphens, with dots between them, e.g. com.example.app",
        )
    return text


def bundle_identifier(bundle_id: str, name: str) -> str:
    """A framework's CFBundleIdentifier: CPython's build script puts ``-`` for ``_`` in the framework's name.

    A name with other characters (modules may have letters of any script) gets a hash too, so that two such names do
    not become one identifier.

    Args:
        bundle_id: The app's identifier.
        name: The framework's name, e.g. ``PIL._imaging``.
    """
    text = _FOREIGN.sub("-", name.replace("_", "-"))
    if _PLAIN.fullmatch(name) is None:
        text += f"-{hashlib.sha256(name.encode('utf-8', errors='backslashreplace')).hexdigest()[:8]}"
    return f"{bundle_id}.{text}"


def bundle_version(version: Version) -> str:
    """A package's version as CFBundleVersion has it: its release's first three integers (ITMS-90060)."""
    return ".".join(map(str, version.release[:3]))


def is_bundle_version(text: str) -> bool:
    """Whether *text* has one to three integers with dots between them."""
    return _VERSION.fullmatch(text) is not None
