"""The pages that installers read: HTML (PEP 503) and JSON (PEP 691), with what later PEPs added.

A web server of files does not negotiate, so the HTML is complete in itself and the JSON lies beside it as
``index.json``. All addresses are relative: the tree works wherever it is served.

In both: hashes, Requires-Python (PEP 503), yanks (PEP 592), metadata files (PEP 658 and 714), sizes, times and versions
(PEP 700, JSON only), signed statements (PEP 740), the project's status (PEP 792).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin

from forge.index.templates_of import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forge.index.model import HeldFile

API_VERSION = "1.4"
"""Of the simple API: PEP 792's."""


def project_pages(name: str, files: Sequence[HeldFile], url: str = "") -> tuple[str, str]:
    """A project's page, as HTML and as JSON.

    Args:
        name: The project, normalised.
        files: Its files, in order.
        url: The address of ``simple/``, or an empty string where nobody said.
    """
    told = own_files(files, url)
    return html_page(name, told), json_page(name, told, dict.fromkeys(str(file.version) for file in files))


def html_page(name: str, files: Sequence[Mapping[str, Any]], tracks: str = "") -> str:
    """A project's page, of files wherever they are from.

    Args:
        name: The project, normalised.
        files: Its files as PEP 691 has them.
        tracks: The address of another index's page where its files are among them (PEP 708), or an empty string.
    """
    return page("simple-project.html", name=name, files=files, api_version=API_VERSION, tracks=tracks)


def json_page(name: str, files: Sequence[Mapping[str, Any]], versions: Iterable[str], tracks: str = "") -> str:
    """The same as JSON.

    Args:
        name: The project, normalised.
        files: Its files.
        versions: Their versions, each once.
        tracks: As for `html_page`.
    """
    meta: dict[str, Any] = {"api-version": API_VERSION}
    if tracks:
        meta["tracks"] = [tracks]
    data = {
        "meta": meta, "name": name, "project-status": {"status": "active"}, "versions": list(versions), "files": files,
    }  # fmt: skip
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"


def own_files(files: Iterable[HeldFile], url: str = "") -> list[dict[str, Any]]:
    """Files as PEP 691 has them.

    Args:
        files: The files.
        url: The address of ``simple/``. Without it there is nothing about provenance, whose address is never relative
            (PEP 740).
    """
    return [_file(file, url) for file in files]


def root_html(names: Iterable[str]) -> str:
    """The list of all projects."""
    return page("simple-root.html", names=sorted(names), api_version=API_VERSION)


def root_json(names: Iterable[str]) -> str:
    """The same as JSON."""
    data = {"meta": {"api-version": API_VERSION}, "projects": [{"name": name} for name in sorted(names)]}
    return json.dumps(data, separators=(",", ":")) + "\n"


def file_url(file: HeldFile) -> str:
    """A file's address as its project's page has it."""
    return f"../../{quote(file.path)}"


def _file(file: HeldFile, url: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "filename": file.filename,
        "url": file_url(file),
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "upload-time": file.uploaded,
        "core-metadata": {"sha256": file.metadata_sha256},
        "dist-info-metadata": {"sha256": file.metadata_sha256},
        "yanked": False if file.yanked is None else file.yanked or True,
    }
    if file.requires_python is not None:
        said["requires-python"] = file.requires_python
    if url and file.provenance_sha256 is not None:
        said["provenance"] = urljoin(url, f"../{quote(file.path)}.provenance")
    return said
