"""What a project says of itself: core metadata of a wheel (METADATA) or of an sdist (PKG-INFO)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.metadata import parse_email

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOMEPAGES = ("homepage", "home", "home page", "source", "source code", "repository", "github", "code", "documentation")
"""Labels of Project-URL, in lower case; the first that a project has is taken."""

_LONGEST_SUMMARY = 100


@dataclass(frozen=True)
class ProjectMetadata:
    """Core metadata, as far as recipes take it.

    Args:
        summary: One line without a full stop, or empty.
        homepage: A URL, or empty.
        license_expression: License-Expression (PEP 639), or empty.
        license: License, the older field of free text, or empty.
        classifiers: Classifier, in order.
        requires_python: Requires-Python, or empty.
        requires_dist: Requires-Dist, in order.
        description: The long description, most often the README.
    """

    summary: str = ""
    homepage: str = ""
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
        summary=_summary(raw.get("summary", "")),
        homepage=_homepage(raw.get("home_page", ""), raw.get("project_urls", {})),
        license_expression=raw.get("license_expression", ""),
        license=raw.get("license", "").strip(),
        classifiers=tuple(raw.get("classifiers", ())),
        requires_python=raw.get("requires_python", ""),
        requires_dist=tuple(raw.get("requires_dist", ())),
        description=raw.get("description", ""),
    )


def _summary(text: str) -> str:
    """A summary as recipes have it: on one line, not too long, without a full stop."""
    line = " ".join(text.split())
    if line == "UNKNOWN":  # what setuptools wrote for nothing
        return ""
    if len(line) > _LONGEST_SUMMARY:
        line = line[:_LONGEST_SUMMARY].rpartition(" ")[0].rstrip(",;:-(")
    return line.rstrip(".").strip()


def _homepage(home_page: str, urls: Mapping[str, str]) -> str:
    labelled = {label.strip().lower(): url for label, url in urls.items()}
    choices = (home_page, *(labelled.get(label, "") for label in _HOMEPAGES), *urls.values())
    return next((url for url in choices if url.startswith(("https://", "http://"))), "")
