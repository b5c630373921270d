"""Reading the bills of materials that a wheel carries in ``.dist-info/sboms`` (PEP 770).

Any tool may have written them, in any format: of CycloneDX JSON the components are read, of anything else only that it
is there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_DEPTH = 16
"""How deep components within components are followed; real documents have two levels."""


@dataclass(frozen=True)
class SbomComponent:
    """A component that a bill of materials names.

    Args:
        name: What it is called.
        version: Its version, or an empty string.
        purl: Its package URL, or an empty string.
        included: Whether it is in the wheel; False for what only took part in the build (CycloneDX's scope
            ``excluded``).
    """

    name: str
    version: str
    purl: str
    included: bool


@dataclass(frozen=True)
class WheelSbom:
    """A bill of materials in a wheel.

    Args:
        member: Its path in the wheel.
        format: E.g. ``CycloneDX 1.6``; empty where it is none that is read here.
        components: In the document's order.
    """

    member: str
    format: str
    components: tuple[SbomComponent, ...] = ()


def is_sbom(member: str) -> bool:
    """Whether a path in a wheel is a bill of materials' (PEP 770: a file below ``.dist-info/sboms``)."""
    directory, _, rest = member.partition("/")
    return directory.endswith(".dist-info") and rest.startswith("sboms/")


def read_sbom(member: str, data: bytes) -> WheelSbom:
    """Read a bill of materials; one that cannot be read has no format and no components."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return WheelSbom(member, "")
    if not isinstance(document, dict) or document.get("bomFormat") != "CycloneDX":
        return WheelSbom(member, "")
    version = document.get("specVersion")
    return WheelSbom(
        member,
        f"CycloneDX {version}" if isinstance(version, str) else "CycloneDX",
        tuple(_components(document, _MAX_DEPTH)),
    )


def _components(parent: Mapping[str, Any], depth: int) -> Iterator[SbomComponent]:
    rows = parent.get("components")
    if not isinstance(rows, list) or not depth:
        return
    for row in rows:
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            continue
        version, purl = (row.get(key) if isinstance(row.get(key), str) else "" for key in ("version", "purl"))
        yield SbomComponent(row["name"], version or "", purl or "", row.get("scope") != "excluded")
        yield from _components(row, depth - 1)
