"""METADATA's claims about the wheel's files."""

from __future__ import annotations

import pytest

from forge.wheel.metadata_problems import missing_licenses

INFO = "example-1.0.dist-info"


@pytest.mark.parametrize(
    ("version", "named", "there", "missing"),
    [
        ("2.4", "LICENSE", "licenses/LICENSE", ()),
        ("2.4", "LICENSE", "LICENSE", ("LICENSE",)),
        ("2.10", "LICENSE", "LICENSE", ("LICENSE",)),
        ("2.4", "vendor/COPYING", "licenses/vendor/COPYING", ()),
        ("2.4", "vendor/COPYING", "licenses/COPYING", ("vendor/COPYING",)),
        ("2.1", "LICENSE", "LICENSE", ()),
        ("2.1", "LICENSE", "licenses/LICENSE", ()),
        ("2.1", "vendor/COPYING", "COPYING", ()),
        ("2.1", "LICENSE", "NOTICE", ("LICENSE",)),
    ],
)
def test_licence_files(version: str, named: str, there: str, missing: tuple[str, ...]) -> None:
    metadata = f"Metadata-Version: {version}\nName: example\nLicense-File: {named}\n\ntext\n".encode()
    assert missing_licenses(metadata, INFO, [f"{INFO}/{there}", "LICENSE"]) == missing


def test_no_licence_files() -> None:
    assert missing_licenses(b"\xff", INFO, []) == ()
    assert missing_licenses(b"Metadata-Version: 2.4\nName: x\n", INFO, []) == ()
