"""Directories and S3 buckets, through fsspec."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import uuid
from typing import IO, TYPE_CHECKING, Any, cast

import fsspec

from forge.plan.shared.model import CacheError, IgnoredError, MissingError, PlaceError
from forge.plan.shared.places import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

_SECONDS_TO_CONNECT = 10
_SECONDS_TO_READ = 30
_ATTEMPTS = 3
_PAGE = "index.html"


class FilesystemPlace:
    """A directory of one of fsspec's file systems: files are written under another name and then renamed.

    Args:
        name: What it is called in messages.
        files: The file system.
        root: The directory in it.
    """

    has_pages_of_directories = False

    def __init__(self, name: str, files: Any, root: str) -> None:
        self.name, self._files, self._root = name, files, root.rstrip("/")

    def get(self, path: str, out: IO[bytes], limit: int) -> None:
        """See `forge.plan.shared.places.Place`."""
        with _MISSING:
            file = self._files.open(f"{self._root}/{path}", "rb")
        try:
            while limit >= 0:
                with _FAILURES:
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
        parent, _, base = whole.rpartition("/")
        part = f"{parent}/.{base}.{uuid.uuid4().hex}.part"
        try:
            with _FAILURES:
                out = self._create(part)
            try:
                for chunk in _chunks(content):
                    go_on()
                    with _FAILURES:
                        self._write(out, chunk)
            finally:
                with _FAILURES:
                    out.close()
            with _FAILURES:
                self._rename(part, whole)
        except BaseException:
            with contextlib.suppress(Exception):
                self._files.rm_file(part)
            raise

    def _create(self, path: str) -> IO[bytes]:
        """Open a new file, in a directory that is made if need be."""
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        return cast("IO[bytes]", self._files.open(path, "wb"))

    def _write(self, out: IO[bytes], chunk: bytes) -> None:
        out.write(chunk)

    def _rename(self, path: str, new: str) -> None:
        """Give a file its name, in place of what has it."""
        self._files.mv(path, new)

    def close(self) -> None:
        """See `forge.plan.shared.places.Place`: fsspec keeps its connections for itself."""


class DirectoryPlace(FilesystemPlace):
    """A directory of this machine, without fsspec's detours: an index of 10,000 wheels has 21,000 files."""

    # Strings, since making and parsing paths of pathlib's would take as long as writing the files; no buffers, since
    # chunks are large, or whole files.

    def _create(self, path: str) -> IO[bytes]:
        try:
            return open(path, "wb", buffering=0)  # noqa: PTH123 - see above; the caller closes it
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - see above
            return open(path, "wb", buffering=0)  # noqa: PTH123 - see above; the caller closes it

    def _write(self, out: IO[bytes], chunk: bytes) -> None:
        left = memoryview(chunk)
        while left:  # without a buffer, a part of it may be written
            left = left[out.write(left) :]

    def _rename(self, path: str, new: str) -> None:
        os.replace(path, new)  # noqa: PTH105 - see above


class BucketPlace(FilesystemPlace):
    """What has a prefix in a bucket of S3: an object is there once it is there whole.

    Objects have the types of their contents, since clients go by these. A bucket has no directories, so a page
    ``…/index.html`` is stored under the key that ends in a slash, too: there clients look for it.
    """

    has_pages_of_directories = True

    def get(self, path: str, out: IO[bytes], limit: int) -> None:
        """See `forge.plan.shared.places.Place`."""
        if not path.endswith("/"):
            return super().get(path, out, limit)
        with _MISSING:  # files that are opened have no slash at the end
            content = self._files.cat_file(f"{self._root}/{path}")
        if len(content) > limit:
            raise IgnoredError("has a file that is larger than was signed")
        out.write(content)
        return None

    def put(self, path: str, content: Path | bytes, go_on: Callable[[], None]) -> None:
        """See `forge.plan.shared.places.Place`."""
        keys = [f"{self._root}/{path}"]
        if isinstance(content, bytes) and path.rpartition("/")[2] == _PAGE:
            directory = f"{self._root}/{path.removesuffix(_PAGE)}"
            keys += [directory] if directory.strip("/").count("/") else []  # the bucket itself is no object
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        for key in keys:
            go_on()
            with _FAILURES:
                if isinstance(content, bytes):
                    self._files.pipe_file(key, content, ContentType=kind)
                else:
                    self._files.put_file(str(content), key, ContentType=kind)


def directory_place(path: Path) -> DirectoryPlace:
    """A directory, which is made when the first entry is put there."""
    return DirectoryPlace(str(path), fsspec.filesystem("file"), str(path.absolute()))


def s3_place(url: str, where: str) -> BucketPlace:
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
    return BucketPlace(url, files, url.removeprefix("s3://"))


def _chunks(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


class _Failures:
    """What a file system raises in the block, as this room's errors.

    Args:
        missing: Whether a file that is not there is told apart.
    """

    # A class, and used again and again: for a small file, contextlib's generators take as long as writing it.

    def __init__(self, *, missing: bool = False) -> None:
        self._missing = missing

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception):  # each file system has errors of its own, and the network's
            return
        if self._missing and isinstance(error, FileNotFoundError):
            raise MissingError from error
        raise PlaceError(_reason(error)) from error


_FAILURES = _Failures()
_MISSING = _Failures(missing=True)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error) or type(error).__name__).splitlines()[0][:200]
