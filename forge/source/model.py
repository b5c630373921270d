"""What a source is, as plain values, and what became of each place it was looked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from forge.base.errors import SourceError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SdistSource:
    """A project's sdist in the configured package index.

    Args:
        name: The project, in any spelling.
        version: PEP 440.
        sha256: Of the file, 64 hex digits.
        filename: Its name, where the version has several sdists.
    """

    name: str
    version: str
    sha256: str
    filename: str | None = None


@dataclass(frozen=True)
class UrlSource:
    """One archive at several mirrors.

    Args:
        urls: In the order to try them: ``https://``, ``http://``, ``file://``, or ``debian:pool/…`` for
            Debian's archive as apt is configured for it.
        sha256: Of the file, 64 hex digits.
    """

    urls: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class GitSource:
    """One commit of a repository.

    Args:
        name: What to call the archive; a package's name.
        url: What ``git fetch`` takes.
        revision: The commit, 40 hex digits.
    """

    name: str
    url: str
    revision: str


@dataclass(frozen=True)
class PathSource:
    """A directory or archive of this machine.

    Args:
        path: Absolute.
    """

    path: Path


Source = SdistSource | UrlSource | GitSource | PathSource
"""Where a source comes from."""


@dataclass(frozen=True)
class Attempt:
    """A place that did not give what was wanted.

    Args:
        where: A URL (without credentials) or what else was asked.
        reason: Why not, in a few words.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"  {self.where}: {self.reason}"


def checked_sha256(text: str) -> str:
    """A sha256 in lower case.

    Raises:
        SourceError: It is not 64 hex digits; it names a directory of the cache, so nothing else may pass.
    """
    digest = text.lower()
    if re.fullmatch(r"[0-9a-f]{64}", digest) is None:
        raise SourceError(f"{text[:80]!r} is not a sha256", hint="a sha256 is 64 hex digits")
    return digest


def checked_filename(text: str) -> str:
    """A file's name that cannot leave its directory or hide in it.

    Raises:
        SourceError: It has a slash, starts with a dot, is empty or too long, or holds control characters.
    """
    if not text or text.startswith(".") or "/" in text or len(text.encode()) > 200 or not text.isprintable():
        raise SourceError(f"{text[:80]!r} cannot be the name of an archive")
    return text


def redacted(url: str) -> str:
    """A URL without its user, password and query, which may hold a token, for messages and logs."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "<malformed URL>"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="…" if parts.query else ""))
