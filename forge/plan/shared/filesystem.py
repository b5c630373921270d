"""Directories and S3 buckets, through fsspec."""

from __future__ import annotations

import contextlib
import uuid
from typing import IO, TYPE_CHECKING, Any

import fsspec

from forge.plan.shared.model import CacheError, IgnoredError, MissingError, PlaceError
from forge.plan.shared.places import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_SECONDS_TO_CONNECT = 10
_SECONDS_TO_READ = 30
_ATTEMPTS = 3


class FilesystemPlace:
    """A directory of one of fsspec's file systems.

    Args:
        name: What it is called in messages.
        files: The file system.
        root: The directory in it.
        renames: Whether a file is written under another name and then renamed. Object stores have no need of that:
            with them an object is there once it is there whole.
    """

    def __init__(self, name: str, files: Any, root: str, *, renames: bool) -> None:
        self.name, self._files, self._root, self._renames = name, files, root.rstrip("/"), renames

    def get(self, path: str, out: IO[bytes], limit: int) -> None:
        """See `forge.plan.shared.places.Place`."""
        with _failures(missing=True):
            file = self._files.open(f"{self._root}/{path}", "rb")
        try:
            while limit >= 0:
                with _failures():
                    chunk = file.read(CHUNK)
                if not chunk:
                    return
                limit -= len(chunk)
                out.write(chunk)  # a full disk of this machine is no failure of the place
        finally:
            with contextlib.suppress(Exception):
                file.close()
        raise IgnoredError("has a file that is larger than was signed")

    def put(self, path: str, content: Path | bytes, go_on: Callable[[], None]) -> None:
        """See `forge.plan.shared.places.Place`."""
        whole = f"{self._root}/{path}"
        if not self._renames:
            go_on()
            with _failures():
                if isinstance(content, bytes):
                    self._files.pipe_file(whole, content)
                else:
                    self._files.put_file(str(content), whole)
            return
        parent, _, base = whole.rpartition("/")
        part = f"{parent}/.{base}.{uuid.uuid4().hex}.part"
        try:
            with _failures():
                self._files.makedirs(parent, exist_ok=True)
                out = self._files.open(part, "wb")
            try:
                for chunk in _chunks(content):
                    go_on()
                    with _failures():
                        out.write(chunk)
            finally:
                with _failures():
                    out.close()
            with _failures():
                self._files.mv(part, whole)
        finally:
            with contextlib.suppress(Exception):
                self._files.rm_file(part)

    def close(self) -> None:
        """See `forge.plan.shared.places.Place`: fsspec keeps its connections for itself."""


def directory_place(path: Path) -> FilesystemPlace:
    """A directory, which is made when the first entry is put there."""
    return FilesystemPlace(str(path), fsspec.filesystem("file"), str(path.absolute()), renames=True)


def s3_place(url: str, where: str) -> FilesystemPlace:
    """A bucket, or what has a prefix in it. Credentials, region and endpoint are those that AWS's own tools take.

    Raises:
        CacheError: s3fs is not installed.
    """
    settings = {
        "connect_timeout": _SECONDS_TO_CONNECT,
        "read_timeout": _SECONDS_TO_READ,
        "retries": {"max_attempts": _ATTEMPTS},
    }
    try:
        # Listings are not kept: other machines add files while this one runs.
        files = fsspec.filesystem("s3", config_kwargs=settings, use_listings_cache=False)
    except ImportError as error:
        raise CacheError(
            f"{where}: {url} takes the package s3fs", hint="install 'forge-ios[s3]', or s3fs beside forge"
        ) from error
    return FilesystemPlace(url, files, url.removeprefix("s3://"), renames=False)


def _chunks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@contextlib.contextmanager
def _failures(*, missing: bool = False) -> Iterator[None]:
    """What a file system raises, as this room's errors."""
    try:
        yield
    except Exception as error:  # each file system has errors of its own, and the network's
        if missing and isinstance(error, FileNotFoundError):
            raise MissingError from error
        raise PlaceError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).splitlines()[0][:200]
