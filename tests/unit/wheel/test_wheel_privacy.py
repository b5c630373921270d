from __future__ import annotations

import plistlib
from typing import Any

import pytest

from forge.wheel.privacy import manifest_problems, openssl_manifest, required_reason_symbols


def manifest(*rows: Any) -> bytes:
    return plistlib.dumps({"NSPrivacyAccessedAPITypes": list(rows)})


def row(category: str, *reasons: str) -> dict[str, Any]:
    return {"NSPrivacyAccessedAPIType": category, "NSPrivacyAccessedAPITypeReasons": list(reasons)}


DISK = "NSPrivacyAccessedAPICategoryDiskSpace"


def test_forges_own_is_valid() -> None:
    assert manifest_problems(openssl_manifest()) == ()
    assert manifest_problems(manifest(row(DISK, "85F4.1", "E174.1"))) == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"text", "it is not a property list"),
        (plistlib.dumps([1]), "its top is not a dictionary"),
        (plistlib.dumps({"NSPrivacyAccessedAPITypes": "x"}), "NSPrivacyAccessedAPITypes is not an array"),
        (manifest("x"), "None is not a category of required reason APIs"),
        (manifest(row("DiskSpace", "85F4.1")), "'DiskSpace' is not a category of required reason APIs"),
        (manifest(row(DISK)), f"{DISK} has no reason"),
        (manifest(row(DISK, "C617.1")), f"'C617.1' is not a reason of {DISK}"),
    ],
)
def test_what_the_app_store_rejects(data: bytes, said: str) -> None:
    assert manifest_problems(data) == (said,)


def test_functions_by_category() -> None:
    assert required_reason_symbols(["_fstat", "_free", "_mach_absolute_time", "_statfs", "_stat"]) == {
        "FileTimestamp": ["_fstat", "_stat"],
        "SystemBootTime": ["_mach_absolute_time"],
        "DiskSpace": ["_statfs"],
    }
