"""The bill of materials: CycloneDX that says what it must, the same each time."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from forge.wheel.sbom import Component, pypi_purl, render_sbom

SUBJECT = Component("library", "Demo.Package", "1.0", purl=pypi_purl("Demo.Package", "1.0"), license="MIT")
SOURCE = Component("file", "demo-1.0.tar.gz", sha256="0" * 64)
LINKED = Component("library", "openssl", "3.5.7", license="Apache-2.0")
TOOL = Component("application", "setuptools", "80.9.0", purl=pypi_purl("setuptools", "80.9.0"), linked=False)
FORGE = Component("application", "forge", "0.1.0")


def document() -> Any:
    return json.loads(render_sbom(SUBJECT, [SOURCE, LINKED, TOOL], [FORGE]))


def test_is_cyclonedx() -> None:
    made = document()
    assert made["bomFormat"] == "CycloneDX"
    assert made["specVersion"] == "1.6"
    number = made["serialNumber"].removeprefix("urn:uuid:")
    assert uuid.UUID(number).version == 5


def test_names_the_package_and_what_is_in_it() -> None:
    made = document()
    metadata = made["metadata"]
    assert metadata["component"]["purl"] == "pkg:pypi/demo-package@1.0"
    assert metadata["component"]["licenses"] == [{"expression": "MIT"}]
    assert metadata["tools"]["components"][0]["name"] == "forge"
    components = made["components"]
    assert components[0]["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert "scope" not in components[1]
    assert components[2]["scope"] == "excluded"


def test_what_only_took_part_in_the_build_is_no_dependency() -> None:
    (dependency,) = document()["dependencies"]
    assert dependency == {
        "ref": "pkg:pypi/demo-package@1.0",
        "dependsOn": ["file:demo-1.0.tar.gz@", "library:openssl@3.5.7"],
    }


def test_is_the_same_each_time_and_another_for_another_build() -> None:
    assert render_sbom(SUBJECT, [SOURCE], [FORGE]) == render_sbom(SUBJECT, [SOURCE], [FORGE])
    numbers = {json.loads(render_sbom(SUBJECT, parts, [FORGE]))["serialNumber"] for parts in ([], [SOURCE], [LINKED])}
    assert len(numbers) == 3


@pytest.mark.parametrize("name", ["Zope.Interface", "zope_interface", "zope-interface"])
def test_purls_are_normalised(name: str) -> None:
    assert pypi_purl(name, "7.0") == "pkg:pypi/zope-interface@7.0"


def test_every_reference_is_unique_and_declared() -> None:
    made = document()
    components = made["components"]
    references = [component["bom-ref"] for component in components]
    assert len(set(references)) == len(references)
    (dependency,) = made["dependencies"]
    assert set(dependency["dependsOn"]) <= set(references)
