"""A project's files in the package indexes that pip is configured for (PEP 503 HTML and PEP 691 JSON)."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.errors import NetworkError, SourceError
from forge.base.hashing import file_sha256
from forge.source.http import Patience, client, is_transient, reason
from forge.source.model import Attempt, checked_sha256, redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from forge.source.pip_settings import PipSettings

_FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError)
"""What a page that cannot be had or read raises."""


@dataclass(frozen=True)
class IndexFile:
    """A file that an index offers.

    Args:
        filename: Its name.
        version: Of the project, as the file's name has it.
        is_sdist: Whether it is a source distribution rather than a wheel or something older.
        url: Where it is; has the index's credentials if it lies on the same server.
        sha256: What the index says, or None if it does not.
        source: The index or page that lists it, as configured.
        requires_python: For which Pythons it is (PEP 440), or an empty string.
        is_yanked: Whether it was withdrawn (PEP 592).
        uploaded: When it was uploaded (PEP 700), or None if the index does not say so.
    """

    filename: str
    version: str
    is_sdist: bool
    url: str
    sha256: str | None
    source: str = ""
    requires_python: str = ""
    is_yanked: bool = False
    uploaded: datetime | None = None


def find_sdists(
    name: str,
    version: str,
    *,
    sha256: str,
    config: PipSettings,
    filename: str | None = None,
    patience: Patience | None = None,
) -> tuple[IndexFile, ...]:
    """The sdists of a version that may have this hash: those with it, then those the index has no hash of.

    Args:
        name: The project, in any spelling.
        version: PEP 440.
        sha256: What is pinned, 64 hex digits.
        config: Which indexes.
        filename: The file's name, if the version has several sdists; may also name a wheel.
        patience: Time-outs and attempts.

    Raises:
        SourceError: No index has the project, the version, an sdist of it, or one with this hash.
        NetworkError: An index that might have it did not answer.
    """
    sha256 = checked_sha256(sha256)
    files, failed = _project_files(name, config, patience or Patience())
    matching = _of_version(name, version, files, failed)
    sdists = [file for file in matching if (file.is_sdist if filename is None else file.filename == filename)]
    if not sdists:
        _raise_if_unreachable(name, failed)
        what = f"no sdist named {filename}" if filename else "no sdist"
        have = ", ".join(sorted({file.filename for file in matching})[:5])
        raise SourceError(f"{name} {version} has {what}; the index has {have}", hint="name another source: url or git")
    offered = [file for file in sdists if file.sha256 in (None, sha256)]
    if not offered:
        _raise_if_unreachable(name, failed)
        got = "\n".join(f"  got      {file.sha256}  {redacted(file.url)}" for file in sdists)
        raise SourceError(
            f"the sdist of {name} {version} has the wrong sha256\n  expected {sha256}\n{got}",
            hint="compare the sha256 with the project's own announcement, then correct the recipe",
        )
    return tuple(sorted(offered, key=lambda file: file.sha256 is None))


def project_hashes(
    name: str,
    version: str,
    config: PipSettings,
    patience: Patience | None = None,
    *,
    chosen: tuple[str, str | None] | None = None,
) -> dict[str, str]:
    """The sha256 of every file of a version, by file name; for locks.

    Files of which an index gives no sha256 are left out.

    Args:
        name: The project, in any spelling.
        version: PEP 440.
        config: Which indexes.
        patience: Time-outs and attempts.
        chosen: The URL (and sha256, if it is known) of the file that pip chose. Then only files of the index or page
            that offered it count: a namesake in another index must not slip into a lock.

    Raises:
        SourceError: No index has the project or the version, none offers the chosen file, or without one, a file has
            different hashes in two indexes.
        NetworkError: An index that might have it did not answer.
    """
    files, failed = _project_files(name, config, patience or Patience())
    matching = _of_version(name, version, files, failed)
    if chosen is not None:
        source = _source_of(chosen, matching)
        if source is None:
            _raise_if_unreachable(name, failed)
            raise SourceError(
                f"no package index offers the file of {name} {version} that pip chose: {redacted(chosen[0])}",
                hint="check the indexes in 'pip config list'; was the file replaced meanwhile?",
            )
        matching = [file for file in matching if file.source == source]
    hashes: dict[str, str] = {}
    for file in matching:
        if file.sha256:
            known = hashes.setdefault(file.filename, file.sha256)
            if known != file.sha256:
                message = f"two indexes have different files {file.filename}: {known} and {file.sha256}"
                raise SourceError(message, hint="remove one of the indexes from pip's configuration")
    return hashes


def project_files(name: str, config: PipSettings, patience: Patience | None = None) -> tuple[IndexFile, ...]:
    """Every file of a project that the indexes offer; none if no index has the project.

    Args:
        name: The project, in any spelling.
        config: Which indexes.
        patience: Time-outs and attempts.

    Raises:
        NetworkError: Nothing is known of it, and an index did not answer.
    """
    files, failed = _project_files(name, config, patience or Patience())
    if not files:
        _raise_if_unreachable(name, failed)
    return tuple(files)


def _source_of(chosen: tuple[str, str | None], files: Sequence[IndexFile]) -> str | None:
    """The index or page that offered a file: by its URL, else by its name and hash."""
    url, sha256 = chosen
    filename = unquote(urlsplit(url).path).rpartition("/")[2]
    same = [file for file in files if file.filename == filename and (sha256 is None or file.sha256 in (None, sha256))]
    bare = _bare(url)
    exact = [file for file in same if _bare(file.url) == bare]
    return next((file.source for file in (*exact, *same)), None)


def _bare(url: str) -> str:
    """A URL without credentials, query and fragment."""
    return urlunsplit(urlsplit(redacted(url))._replace(query="", fragment=""))


def _of_version(name: str, version: str, files: Sequence[IndexFile], failed: Sequence[Attempt]) -> list[IndexFile]:
    """The files of a version; there is at least one."""
    try:
        wanted = Version(version)
    except InvalidVersion as error:
        raise SourceError(f"{version!r} is not a valid version", hint="write e.g. 1.2.3 (PEP 440)") from error
    matching = [file for file in files if _version(file.version) == wanted]
    if matching:
        return matching
    _raise_if_unreachable(name, failed)
    versions = sorted({parsed for file in files if (parsed := _version(file.version))}, reverse=True)
    if versions:
        known = ", ".join(str(each) for each in versions[:8]) + (", …" if len(versions) > 8 else "")
        raise SourceError(f"{name} has no version {version}", hint=f"the index has {known}")
    raise SourceError(
        f"no package index has the project {name!r}",
        hint="check its spelling, and the indexes in 'pip config list'",
    )


def _raise_if_unreachable(name: str, failed: Sequence[Attempt]) -> None:
    """An index that did not answer might have had what was not found: that is the network's fault."""
    if failed:
        tried = "\n".join(str(attempt) for attempt in failed)
        raise NetworkError(
            f"cannot look for {name}; tried:\n{tried}",
            hint="check the network, HTTPS_PROXY, and the indexes in 'pip config list'",
        )


def _project_files(name: str, config: PipSettings, patience: Patience) -> tuple[list[IndexFile], list[Attempt]]:
    """Every file of a project in every index, and the indexes that did not answer."""
    files: list[IndexFile] = []
    failed: list[Attempt] = []
    project = canonicalize_name(name)
    with client(patience, config) as http:
        for url in config.index_urls:
            page = f"{url.rstrip('/')}/{project}/"
            try:
                files += _listed(http, page, url, project, patience, is_index=True)
            except _FAILURES as error:
                failed.append(Attempt(redacted(page), _reason(error, url)))
        for link in config.find_links:
            try:
                files += _find_links(http, link, project, patience)
            except _FAILURES as error:
                failed.append(Attempt(redacted(link), _reason(error, link)))
    return files, failed


def _listed(
    http: httpx.Client, page: str, base: str, project: str, patience: Patience, *, is_index: bool
) -> Iterator[IndexFile]:
    """The files on a page; none if there is no such page in an index."""
    from forge.source import pages  # noqa: PLC0415 - a third of a second, and only a project that is looked for needs it

    if urlsplit(page).scheme == "file":
        answer = _local_page(page)
    else:
        answer = _fetched_page(http, page, pages.ACCEPT, patience, missing_is_empty=is_index)
    if answer is None:
        return
    content, content_type, url = answer
    listed = (
        pages.project_page(content, content_type, url, project) if is_index else pages.links_page(content, url, project)
    )
    for each in listed:
        where = _with_credentials(each.url, base)
        yield IndexFile(
            each.filename, each.version, each.is_sdist, where, _sha256(each.digests), base, each.requires_python,
            each.is_yanked, each.uploaded,
        )  # fmt: skip


def _fetched_page(
    http: httpx.Client, page: str, accept: str, patience: Patience, *, missing_is_empty: bool
) -> tuple[bytes, str, str] | None:
    """A page's content, type and URL; None where 'not found' is an answer."""
    for attempt in range(1, patience.attempts + 1):
        try:
            response = http.get(page, headers={"Accept": accept, "Accept-Encoding": "gzip, identity"})
            if response.status_code == httpx.codes.NOT_FOUND and missing_is_empty:
                return None
            response.raise_for_status()
        except httpx.HTTPError as error:
            if attempt == patience.attempts or not is_transient(error):
                raise
            asked = error.response.headers.get("retry-after") if isinstance(error, httpx.HTTPStatusError) else None
            time.sleep(patience.wait(attempt, asked))
        else:
            return response.content, response.headers.get("content-type", ""), str(response.url)
    raise AssertionError("the loop returns or raises")


def _local_page(page: str) -> tuple[bytes, str, str] | None:
    """A page of an index on this machine: ``index.html`` in the project's directory, or the file itself."""
    path = Path(unquote(urlsplit(page).path))
    file = path / "index.html" if path.is_dir() else path
    return (file.read_bytes(), "text/html", file.resolve().as_uri()) if file.is_file() else None


def _find_links(http: httpx.Client, link: str, project: str, patience: Patience) -> Iterator[IndexFile]:
    """What ``--find-links`` means: a directory's files, or a page's links. A missing directory is empty."""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https"):
        yield from _listed(http, link, link, project, patience, is_index=False)
        return
    path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(os.path.expanduser(link))  # noqa: PTH111
    if path.is_file():
        yield from _listed(http, path.resolve().as_uri(), link, project, patience, is_index=False)
    else:
        yield from _directory_files(path, link, project)


def _directory_files(directory: Path, link: str, project: str) -> Iterator[IndexFile]:
    from forge.source import pages  # noqa: PLC0415 - as above

    for file in sorted(directory.iterdir()) if directory.is_dir() else ():
        if found := pages.version_in_name(file.name, project):
            version, is_sdist = found
            yield IndexFile(file.name, version, is_sdist, file.resolve().as_uri(), file_sha256(file), link)


def _with_credentials(url: str, index: str) -> str:
    """A file's URL with the index's user and password if it is on the same server, as pip does."""
    ours, theirs = urlsplit(index), urlsplit(url)
    user = ours.netloc.rpartition("@")[0]
    same = (ours.scheme, ours.netloc.rpartition("@")[2]) == (theirs.scheme, theirs.netloc)
    return urlunsplit(theirs._replace(netloc=f"{user}@{theirs.netloc}")) if user and same else url


def _sha256(digests: Mapping[str, str]) -> str | None:
    try:
        return checked_sha256(digests.get("sha256", ""))
    except SourceError:
        return None


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _reason(error: Exception, url: str) -> str:
    """A failure in a few words, without the password of the URL."""
    text = reason(error).replace(url, redacted(url))
    try:
        user = urlsplit(url).netloc.rpartition("@")[0]
    except ValueError:  # the URL itself is what is wrong
        return f"it is not a valid URL ({error})"
    return (text.replace(f"{user}@", "") if user else text)[:200]
