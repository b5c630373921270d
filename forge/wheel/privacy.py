"""Privacy manifests for what wheels link in.

Apple asks for one of each framework that contains an SDK on its list (ITMS-91061); OpenSSL and BoringSSL are on it.
App builds copy ``<module>.xcprivacy`` from beside a module into its framework as ``PrivacyInfo.xcprivacy``, as that of
CPython's own testbed does.
"""

from __future__ import annotations

import plistlib
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIX = ".xcprivacy"

_CATEGORY = "NSPrivacyAccessedAPICategory"
_REASONS = {
    f"{_CATEGORY}FileTimestamp": {"DDA9.1", "C617.1", "3B52.1", "0A2A.1"},
    f"{_CATEGORY}SystemBootTime": {"35F9.1", "8FFB.1", "3D61.1"},
    f"{_CATEGORY}DiskSpace": {"85F4.1", "E174.1", "7D9E.1", "B728.1"},
    f"{_CATEGORY}ActiveKeyboards": {"3EC4.1", "54BD.1"},
    f"{_CATEGORY}UserDefaults": {"CA92.1", "1C8F.1", "C56D.1", "AC6B.1"},
}
"""The categories and the reasons that Apple knows for each ("Describing use of required reason API")."""

_REQUIRED_REASON = {
    **dict.fromkeys(
        (
            "_stat",
            "_fstat",
            "_fstatat",
            "_lstat",
            "_getattrlist",
            "_getattrlistbulk",
            "_fgetattrlist",
            "_getattrlistat",
        ),
        f"{_CATEGORY}FileTimestamp",
    ),
    "_mach_absolute_time": f"{_CATEGORY}SystemBootTime",
    **dict.fromkeys(("_statfs", "_statvfs", "_fstatfs", "_fstatvfs"), f"{_CATEGORY}DiskSpace"),
}
"""C functions that Apple asks for a reason of, by the linker's names (the same document)."""

_PLIST_ERRORS = (
    plistlib.InvalidFileException, ExpatError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    OverflowError, RecursionError,
)  # fmt: skip

_OPENSSL: dict[str, Any] = {
    "NSPrivacyTracking": False,
    "NSPrivacyTrackingDomains": [],
    "NSPrivacyCollectedDataTypes": [],
    "NSPrivacyAccessedAPITypes": [
        {
            "NSPrivacyAccessedAPIType": "NSPrivacyAccessedAPICategoryFileTimestamp",
            # Inside the app's own container: stat() on the files that it is told to read certificates from.
            "NSPrivacyAccessedAPITypeReasons": ["C617.1"],
        }
    ],
}


def openssl_manifest() -> bytes:
    """What OpenSSL does, as a property list in the terms of Apple's "Describing use of required reason API"."""
    return plistlib.dumps(_OPENSSL)


def manifest_path(module: str) -> str:
    """Where the manifest of an extension module is.

    Args:
        module: The module's file, e.g. ``pkg/_rust.abi3.so``.
    """
    directory, slash, name = module.rpartition("/")
    return f"{directory}{slash}{name.partition('.')[0]}{SUFFIX}"


def required_reason_symbols(imports: Iterable[str]) -> dict[str, list[str]]:
    """The imports that Apple asks for a reason of, by category, without what all categories' names start with."""
    found: dict[str, list[str]] = {}
    for name in sorted(set(imports)):
        if (category := _REQUIRED_REASON.get(name)) is not None:
            found.setdefault(category.removeprefix(_CATEGORY), []).append(name)
    return found


def manifest_problems(data: bytes) -> tuple[str, ...]:
    """What the App Store would reject in a privacy manifest (ITMS-91056)."""
    try:
        manifest = plistlib.loads(data)
    except _PLIST_ERRORS:
        return ("it is not a property list",)
    if not isinstance(manifest, dict):
        return ("its top is not a dictionary",)
    rows = manifest.get("NSPrivacyAccessedAPITypes", [])
    if not isinstance(rows, list):
        return ("NSPrivacyAccessedAPITypes is not an array",)
    problems: list[str] = []
    for row in rows:
        category = row.get("NSPrivacyAccessedAPIType") if isinstance(row, dict) else None
        reasons = row.get("NSPrivacyAccessedAPITypeReasons") if isinstance(row, dict) else None
        if not isinstance(category, str) or category not in _REASONS:
            problems.append(f"{category!r} is not a category of required reason APIs")
        elif not isinstance(reasons, list) or not reasons:
            problems.append(f"{category} has no reason")
        else:
            wrong = [reason for reason in reasons if not isinstance(reason, str) or reason not in _REASONS[category]]
            problems += [f"{reason!r} is not a reason of {category}" for reason in wrong]
    return tuple(problems)
