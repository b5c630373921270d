"""A software bill of materials for a wheel: CycloneDX in ``.dist-info/sboms`` (PEP 770).

It names what went into the wheel and cannot be seen in it: the source and its hash, native libraries that were linked
in, and what built it. The document holds no time and no random serial number, so the same build gives the same bytes.
Format: CycloneDX 1.6 (ECMA-424).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from forge.base.hashing import fingerprint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILE_NAME = "forge.cdx.json"
"""The document's name in ``.dist-info/sboms``; tools go by the ending (PEP 770, CycloneDX's recommended names)."""

_NAMESPACE = uuid.UUID("6f1f6a4e-6a2b-5c39-9a55-2f0d7c0b1a77")
"""Of forge's documents; the serial number is a version 5 UUID in it."""


@dataclass(frozen=True)
class Component:
    """Something that a wheel is made of, or was made with.

    Args:
        kind: CycloneDX's type: ``library``, ``application``, ``file``, ``framework``.
        name: What it is called.
        version: Its version, or an empty string.
        purl: Its package URL, or an empty string.
        sha256: Of its archive, 64 hex digits, or an empty string.
        license: An SPDX expression, or an empty string.
        linked: Whether its code is in the wheel; False for what only took part in the build.
        properties: Further facts by name.
    """

    kind: str
    name: str
    version: str = ""
    purl: str = ""
    sha256: str = ""
    license: str = ""
    linked: bool = True
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The name by which the document refers to it."""
        return self.purl or f"{self.kind}:{self.name}@{self.version}"


def pypi_purl(name: str, version: str) -> str:
    """The package URL of a Python project (purl specification, type ``pypi``)."""
    return f"pkg:pypi/{canonicalize_name(name)}@{version}"


def render_sbom(subject: Component, components: Sequence[Component], tools: Sequence[Component]) -> str:
    """The document's text.

    Args:
        subject: The package that the wheel is of.
        components: What it is made of, and what took part in building it.
        tools: What wrote the document.
    """
    body: dict[str, Any] = {
        "metadata": {
            "component": _component(subject),
            "tools": {"components": [_component(tool) for tool in tools]},
        },
        "components": [_component(component) for component in components],
        "dependencies": [
            {"ref": subject.reference, "dependsOn": sorted(c.reference for c in components if c.linked)},
        ],
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, fingerprint(body))}",
        "version": 1,
        **body,
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(component: Component) -> dict[str, Any]:
    made: dict[str, Any] = {"type": component.kind, "bom-ref": component.reference, "name": component.name}
    if component.version:
        made["version"] = component.version
    if not component.linked:
        made["scope"] = "excluded"
    if component.sha256:
        made["hashes"] = [{"alg": "SHA-256", "content": component.sha256}]
    if component.license:
        made["licenses"] = [{"expression": component.license}]
    if component.purl:
        made["purl"] = component.purl
    if component.properties:
        made["properties"] = [{"name": n, "value": v} for n, v in sorted(component.properties.items())]
    return made
