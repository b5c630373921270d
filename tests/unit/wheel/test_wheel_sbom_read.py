from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.wheel.sbom import Component, render_sbom
from forge.wheel.sbom_read import SbomComponent, WheelSbom, is_sbom, read_sbom

MEMBER = "example-1.0.dist-info/sboms/forge.cdx.json"


def test_what_forge_writes_is_read() -> None:
    subject = Component("library", "example", "1.0")
    components = [
        Component("library", "openssl", "3.5.7", purl="pkg:generic/openssl@3.5.7"),
        Component("application", "clang", "19.1", linked=False),
    ]
    assert read_sbom(MEMBER, render_sbom(subject, components, []).encode()) == WheelSbom(
        MEMBER,
        "CycloneDX 1.6",
        (
            SbomComponent("openssl", "3.5.7", "pkg:generic/openssl@3.5.7", included=True),
            SbomComponent("clang", "19.1", "", included=False),
        ),
    )


def test_components_within_components_are_read() -> None:
    document = {"bomFormat": "CycloneDX", "components": [{"name": "a", "components": [{"name": "b"}]}, {"name": 1}, 2]}
    assert [one.name for one in read_sbom(MEMBER, json.dumps(document).encode()).components] == ["a", "b"]


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"spdxVersion": "SPDX-2.3"}', b"<bom/>", b"[" * 100_000])
def test_other_formats_have_no_components(data: bytes) -> None:
    assert read_sbom(MEMBER, data) == WheelSbom(MEMBER, "")


@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["components", "name", "version", "purl", "scope", "specVersion"]), x)))  # fmt: skip
def test_any_document_is_read(value: object) -> None:
    document = {"bomFormat": "CycloneDX", "components": value}
    assert read_sbom(MEMBER, json.dumps(document).encode()).format == "CycloneDX"


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (MEMBER, True),
        ("example-1.0.dist-info/sboms/deep/x.json", True),
        ("example-1.0.dist-info/sboms", False),
        ("example/sboms/x.json", False),
    ],
)
def test_only_files_in_the_place_of_pep_770_are_boms(member: str, expected: bool) -> None:
    assert is_sbom(member) is expected
