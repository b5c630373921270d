"""What a project says of itself: core metadata of a wheel (METADATA) or of an sdist (PKG-INFO)."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.metadata import parse_email


@dataclass(frozen=True)
class ProjectMetadata:
    """Core metadata, as far as recipes take it.

    Args:
        license_expression: License-Expression (PEP 639), or empty.
        license: License, the older field of free text, or empty.
        classifiers: Classifier, in order.
        requires_python: Requires-Python, or empty.
        requires_dist: Requires-Dist, in order.
        description: The long description, most often the README.
    """

    license_expression: str = ""
    license: str = ""
    classifiers: tuple[str, ...] = ()
    requires_python: str = ""
    requires_dist: tuple[str, ...] = ()
    description: str = ""


def parse_metadata(data: bytes) -> ProjectMetadata:
    """Read core metadata; what is malformed in it counts as left out.

    Args:
        data: The file's bytes.
    """
    raw, _ = parse_email(data)
    return ProjectMetadata(
        license_expression=raw.get("license_expression", ""),
        license=raw.get("license", "").strip(),
        classifiers=tuple(raw.get("classifiers", ())),
        requires_python=raw.get("requires_python", ""),
        requires_dist=tuple(raw.get("requires_dist", ())),
        description=raw.get("description", ""),
    )
