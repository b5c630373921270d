"""METADATA's claims about the wheel's files."""

from __future__ import annotations

import pytest

from forge.wheel.metadata_problems import metadata_problems, missing_licenses

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


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("os_name ~= 'x'", "the marker of 'demo; os_name ~= \"x\"' cannot be evaluated: it compares what"),
        ("python_version >= '3.9' and os_name == 'posix'", None),
        ("extra == 'test'", None),
        ("platform_release >= '20'", None),
    ],
)
def test_a_marker_that_nothing_can_evaluate(marker: str, said: str | None) -> None:
    metadata = f"Metadata-Version: 2.1\nName: example\nVersion: 1.0\nRequires-Dist: demo; {marker}\n".encode()
    found = metadata_problems(f"{INFO}/METADATA", metadata)
    if said is None:
        assert found == []
    else:
        ((text, refused),) = found
        assert text.startswith(said)
        assert refused
