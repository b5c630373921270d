"""Privacy manifests for what wheels link in.

Apple asks for one of each framework that contains an SDK on its list (ITMS-91061); OpenSSL and BoringSSL are on it.
App builds copy ``<module>.xcprivacy`` from beside a module into its framework as ``PrivacyInfo.xcprivacy``, as that of
CPython's own testbed does.
"""

from __future__ import annotations

import plistlib
from typing import Any

SUFFIX = ".xcprivacy"

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
