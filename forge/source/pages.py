"""What an index's pages list (PEP 503 HTML and PEP 691 JSON), through pypi_simple's readers.

A module of its own, since pypi_simple takes a third of a second to import: `forge.source.index` does so when needed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.message import Message
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from pypi_simple import (
    DistributionPackage,
    ProjectPage,
    RepositoryPage,
    UnparsableFilenameError,
    UnsupportedRepoVersionError,
    parse_filename,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""The kinds of pages that can be read (PEP 691)."""


@dataclass(frozen=True)
class Listed:
    """A file that a page lists.

    Args:
        filename: Its name.
        version: Of the project, as the file's name has it.
        is_sdist: Whether it is a source distribution.
        url: Where it is.
        digests: By algorithm.
        requires_python: For which Pythons it is (PEP 440), or an empty string.
        is_yanked: Whether it was withdrawn (PEP 592).
        uploaded: When it was uploaded (PEP 700), or None if the page does not say so.
    """

    filename: str
    version: str
    is_sdist: bool
    url: str
    digests: dict[str, str]
    requires_python: str = ""
    is_yanked: bool = False
    uploaded: datetime | None = None


def project_page(content: bytes, content_type: str, url: str, project: str) -> list[Listed]:
    """The files on a project's page.

    Raises:
        ValueError: It is not a page that can be read.
    """
    kind, charset = parse_content_type(content_type)
    try:
        if kind == "application/vnd.pypi.simple.v1+json":
            page = ProjectPage.from_json_data(json.loads(content), url)
        elif kind in ("application/vnd.pypi.simple.v1+html", "text/html"):
            page = ProjectPage.from_html(project, content, url, charset)
        else:
            raise ValueError(f"it answers with {kind}, not with a page of an index")
    except UnsupportedRepoVersionError as error:
        raise ValueError(str(error)) from error
    return list(_listed(page.packages))


def links_page(content: bytes, url: str, project: str) -> list[Listed]:
    """The files of a project that a page of links (``--find-links``) has.

    Raises:
        ValueError: It is not a page that can be read.
    """
    try:
        links = RepositoryPage.from_html(content, url).links
    except UnsupportedRepoVersionError as error:
        raise ValueError(str(error)) from error
    packages = [DistributionPackage.from_link(link, project) for link in links]
    wanted = canonicalize_name(project)
    return list(_listed(each for each in packages if each.project and canonicalize_name(each.project) == wanted))


def version_in_name(filename: str, project: str) -> tuple[str, bool] | None:
    """The version in the name of a project's file, and whether it is an sdist's; None for another's file."""
    try:
        named, version, kind = parse_filename(filename, project)
    except UnparsableFilenameError:
        return None
    return (version, kind == "sdist") if canonicalize_name(named) == canonicalize_name(project) and version else None


def parse_content_type(text: str) -> tuple[str, str | None]:
    """A ``Content-Type`` header's type in lower case, and its charset."""
    message = Message()
    message["Content-Type"] = text or "text/html"
    return message.get_content_type(), message.get_param("charset")  # type: ignore[return-value] # RFC 2231 aside


def _listed(packages: Iterable[DistributionPackage]) -> Iterator[Listed]:
    for each in packages:
        if each.version:
            yield Listed(
                each.filename, each.version, each.package_type == "sdist", each.url, dict(each.digests),
                each.requires_python or "", each.is_yanked, each.upload_time,
            )  # fmt: skip
