"""The pages that the server makes: own files first, then upstream's other files of the project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forge.index.simple import API_VERSION, own_files
from forge.index.templates_of import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forge.index.model import HeldFile


def merged_files(own: Sequence[HeldFile], others: Iterable[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """A project's files as PEP 691 has them: the own ones, and upstream's that have other names.

    Args:
        own: The index's, in order.
        others: Upstream's.
    """
    files = own_files(own)
    names = {file["filename"] for file in files}
    return files + [file for file in others or () if file["filename"] not in names]


def as_json(name: str, files: Sequence[dict[str, Any]], tracks: str = "") -> bytes:
    """A project's page as JSON.

    Args:
        name: The project, normalised.
        files: Its files.
        tracks: The address of upstream's page where its files are among them (PEP 708), or an empty string.
    """
    versions = dict.fromkeys(version for file in files if (version := version_of(file["filename"])))
    meta: dict[str, Any] = {"api-version": API_VERSION}
    if tracks:
        meta["tracks"] = [tracks]
    data = {
        "meta": meta, "name": name, "project-status": {"status": "active"}, "versions": list(versions), "files": files,
    }  # fmt: skip
    return (json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def as_html(name: str, files: Sequence[dict[str, Any]], tracks: str = "") -> bytes:
    """The same as HTML."""
    return page("merged-project.html", name=name, files=files, api_version=API_VERSION, tracks=tracks).encode()


def version_of(filename: str) -> str:
    """The version in the name of a wheel or an sdist, or an empty string."""
    stem = filename
    for ending in (".whl", ".tar.gz", ".zip"):
        if stem.endswith(ending):
            stem = stem.removesuffix(ending)
            return stem.split("-")[1] if ending == ".whl" and stem.count("-") >= 4 else stem.rpartition("-")[2]
    return ""
