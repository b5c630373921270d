"""A project's files in the package indexes that pip is configured for (PEP 503 HTML and PEP 691 JSON)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pypi_simple import (
    DistributionPackage,
    NoSuchProjectError,
    PyPISimple,
    RepositoryPage,
    UnparsableFilenameError,
    UnsupportedRepoVersionError,
    parse_filename,
)

from forge.base.errors import NetworkError, SourceError
from forge.base.hashing import file_sha256
from forge.source.http import Patience, certificate_authorities
from forge.source.model import Attempt, checked_sha256, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forge.source.pip_config import IndexConfig

_TRANSIENT = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class IndexFile:
    """A file that an index offers.

    Args:
        filename: Its name.
        version: Of the project, as the file's name has it.
        is_sdist: Whether it is a source distribution rather than a wheel or something older.
        url: Where it is; has the index's credentials if it lies on the same server.
        sha256: What the index says, or None if it does not.
    """

    filename: str
    version: str
    is_sdist: bool
    url: str
    sha256: str | None


def find_sdists(
    name: str,
    version: str,
    *,
    sha256: str,
    config: IndexConfig,
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


def project_hashes(name: str, version: str, config: IndexConfig, patience: Patience | None = None) -> dict[str, str]:
    """The sha256 of every file of a version, by file name; for locks.

    Files of which an index gives no sha256 are left out.

    Raises:
        SourceError: No index has the project or the version, or a file has different hashes in two indexes.
        NetworkError: An index that might have it did not answer.
    """
    files, failed = _project_files(name, config, patience or Patience())
    hashes: dict[str, str] = {}
    for file in _of_version(name, version, files, failed):
        if file.sha256:
            known = hashes.setdefault(file.filename, file.sha256)
            if known != file.sha256:
                message = f"two indexes have different files {file.filename}: {known} and {file.sha256}"
                raise SourceError(message, hint="remove one of the indexes from pip's configuration")
    return hashes


def _of_version(name: str, version: str, files: Sequence[IndexFile], failed: Sequence[Attempt]) -> list[IndexFile]:
    """The files of a version; there is at least one."""
    try:
        wanted = Version(version)
    except InvalidVersion as error:
        raise SourceError(f"{version!r} is no version", hint="write e.g. 1.2.3 (PEP 440)") from error
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


def _project_files(name: str, config: IndexConfig, patience: Patience) -> tuple[list[IndexFile], list[Attempt]]:
    """Every file of a project in every index, and the indexes that did not answer."""
    files: list[IndexFile] = []
    failed: list[Attempt] = []
    for url in config.index_urls:
        with PyPISimple(url) as index:
            _set_up(index)
            try:
                packages = _project_page(index, name, patience)
            except NoSuchProjectError:
                continue
            except (
                OSError,
                ValueError,
                UnsupportedRepoVersionError,
            ) as error:  # requests' errors are OSErrors
                failed.append(Attempt(redacted(url), _reason(error, url)))
            else:
                files += _index_files(packages, url)
    for link in config.find_links:
        try:
            files += _find_links(link, name, patience)
        except (OSError, ValueError, UnsupportedRepoVersionError) as error:
            failed.append(Attempt(redacted(link), _reason(error, link)))
    return files, failed


def _set_up(index: PyPISimple) -> None:
    authorities = certificate_authorities()
    if authorities:
        index.s.verify = str(authorities)


def _project_page(index: PyPISimple, name: str, patience: Patience) -> list[DistributionPackage]:
    for attempt in range(1, patience.attempts + 1):
        try:
            return index.get_project_page(name, timeout=(patience.connect, patience.read)).packages
        except OSError as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if attempt == patience.attempts or (status is not None and status not in _TRANSIENT):
                raise
            time.sleep(patience.wait(attempt))
    raise AssertionError("the loop returns or raises")


def _index_files(packages: Iterable[DistributionPackage], base: str) -> Iterator[IndexFile]:
    for package in packages:
        if package.version:
            yield IndexFile(
                package.filename,
                package.version,
                package.package_type == "sdist",
                _with_credentials(package.url, base),
                _sha256(package.digests),
            )


def _find_links(link: str, name: str, patience: Patience) -> Iterator[IndexFile]:
    """What ``--find-links`` means: a directory's files, or a page's links. A missing directory is empty."""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https"):
        with PyPISimple(link) as index:
            _set_up(index)
            answer = index.s.get(link, timeout=(patience.connect, patience.read))
            answer.raise_for_status()
            page = RepositoryPage.from_html(answer.content, answer.url)
        packages = [DistributionPackage.from_link(each, name) for each in page.links]
    else:
        path = Path(unquote(parts.path)) if parts.scheme == "file" else Path(link).expanduser()
        if path.is_file():
            page = RepositoryPage.from_html(path.read_bytes(), path.resolve().as_uri())
            packages = [DistributionPackage.from_link(each, name) for each in page.links]
        else:
            yield from _directory_files(path, name)
            return
    wanted = [each for each in packages if each.project and canonicalize_name(each.project) == canonicalize_name(name)]
    yield from _index_files(wanted, link)


def _directory_files(directory: Path, name: str) -> Iterator[IndexFile]:
    for file in sorted(directory.iterdir()) if directory.is_dir() else ():
        try:
            project, version, kind = parse_filename(file.name, name)
        except UnparsableFilenameError:
            continue
        if canonicalize_name(project) == canonicalize_name(name) and version:
            yield IndexFile(file.name, version, kind == "sdist", file.resolve().as_uri(), file_sha256(file))


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
    """A failure in a few words; requests puts the URL, with its password, into its messages."""
    text = (str(error) or type(error).__name__).splitlines()[0].replace(url, redacted(url))
    user = urlsplit(url).netloc.rpartition("@")[0]
    return (text.replace(f"{user}@", "") if user else text)[:200]
