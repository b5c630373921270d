"""METADATA's claims about the wheel's files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.metadata import parse_email

from forge.base.errors import WheelError
from forge.wheel.contents import parse_metadata
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


FIELDS = ("Name", "Version", "Metadata-Version", "Requires-Python", "Requires-Dist", "Summary", "License", "Keywords")
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp")), max_size=30)


@given(
    st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=8), st.sampled_from(("\n", "\r\n")),
    st.sampled_from(("", "The description: x\nName: other\n")),
)  # fmt: skip
def test_fields_are_what_packaging_reads(fields: list[tuple[str, str]], end: str, body: str) -> None:
    lines = [f"{name}: {value}{end}" for name, value in [("Name", "example"), ("Version", "1.0"), *fields]]
    data = "".join([*lines, end, body]).encode()
    raw, _ = parse_email(data)
    if "name" not in raw or "version" not in raw:
        with pytest.raises(WheelError, match="or has it twice"):
            parse_metadata(data, "example")
        return
    read = parse_metadata(data, "example")
    assert (read.name, read.version, read.metadata_version) == (
        raw["name"], raw["version"], raw.get("metadata_version", ""),
    )  # fmt: skip
    assert (read.requires_python, read.requires_dist) == (
        raw.get("requires_python"), tuple(raw.get("requires_dist", ())),
    )  # fmt: skip
    assert (read.summary, read.license) == (raw.get("summary") or "", raw.get("license") or "")


def test_what_is_not_utf_8_spoils_its_own_field_alone() -> None:
    read = parse_metadata(b"Metadata-Version: 2.1\nName: example\nVersion: 1.0\nSummary: caf\xe9\n", "example")
    assert (read.name, read.version, read.summary) == ("example", "1.0", "caf\N{REPLACEMENT CHARACTER}")
