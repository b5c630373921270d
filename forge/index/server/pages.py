"""The pages that the server makes: own files first, then upstream's other files of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forge.index.simple import json_page, own_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forge.index.model import HeldFile


def merged_files(own: Sequence[HeldFile], others: Iterable[dict[str, Any]] | None, url: str) -> list[dict[str, Any]]:
    """A project's files as PEP 691 has them: the own ones, and upstream's that have other names.

    Args:
        own: The index's, in order.
        others: Upstream's.
        url: The address of ``simple/``.
    """
    files = own_files(own, url)
    names = {file["filename"] for file in files}
    return files + [file for file in others or () if file["filename"] not in names]


def merged_json(name: str, files: Sequence[dict[str, Any]], tracks: str = "") -> str:
    """A project's page as JSON (`forge.index.simple.json_page`), the versions taken from the files' names."""
    versions = dict.fromkeys(version for file in files if (version := version_of(file["filename"])))
    return json_page(name, files, versions, tracks)


def version_of(filename: str) -> str:
    """The version in the name of a wheel or an sdist, or an empty string."""
    stem = filename
    for ending in (".whl", ".tar.gz", ".zip"):
        if stem.endswith(ending):
            stem = stem.removesuffix(ending)
            return stem.split("-")[1] if ending == ".whl" and stem.count("-") >= 4 else stem.rpartition("-")[2]
    return ""
