"""Where shared caches are: a directory, an S3 bucket, an HTTP server. Each gets and puts whole files by path."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from forge.plan.shared.model import CacheError
from forge.source.model import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1024 * 1024


class Place(Protocol):
    """A place that holds files. Its functions may be called from any thread."""

    name: str
    """What it is called in messages; without a password."""

    has_pages_of_directories: bool
    """Whether it keeps a page ``…/index.html`` at the path that ends in a slash, too, as an object store has to."""

    def get(self, path: str, out: IO[bytes], limit: int) -> None:
        """Write a file's content to *out*.

        Args:
            path: Relative, with slashes.
            out: An empty file; what a failed attempt wrote is taken back.
            limit: The most bytes to take.

        Raises:
            MissingError: There is no such file.
            IgnoredError: It is larger than *limit*.
            PlaceError: It cannot be had.
            OSError: *out* cannot be written.
        """

    def put(self, path: str, content: Path | bytes, go_on: Callable[[], None]) -> None:
        """Store a file, in place of one that is there; it is there whole or not at all.

        Args:
            path: Relative, with slashes.
            content: A file, or the bytes.
            go_on: Called now and then; what it raises ends the work.

        Raises:
            PlaceError: It cannot be stored.
            OSError: The file *content* cannot be read.
        """

    def close(self) -> None:
        """Close connections, if there are any; what is under way fails."""


def open_place(text: str, where: str) -> Place:
    """The place of that address.

    Args:
        text: A directory, or an ``http``, ``https``, ``s3`` or ``file`` URL.
        where: Which setting it is from, for the error.

    Raises:
        CacheError: It is none of these, or what it takes is not installed.
    """
    from forge.plan.shared.filesystem import directory_place, s3_place  # noqa: PLC0415 - only where a cache is shared

    try:
        parts = urlsplit(text)
        scheme, host = (parts.scheme, parts.hostname) if "://" in text or text.startswith("file:") else ("", None)
    except ValueError:
        scheme, host = "malformed", None
    match scheme:
        case "":
            return directory_place(Path(text).expanduser())
        case "file" if host in (None, "localhost"):
            return directory_place(Path(unquote(parts.path)))
        case "s3" if host:
            return s3_place(text, where)
        case "http" | "https" if host:
            from forge.plan.shared.web import WebPlace  # noqa: PLC0415 - with an HTTP client

            return WebPlace(text)
        case _:
            raise CacheError(
                f"{where}: {redacted(text)} is not a directory or an https, http, s3 or file URL",
                hint=f"correct {where}, or leave it out to use no shared cache",
            )
