"""Files by hash: from several mirrors, checked while they arrive, kept whole or not at all.

The cache is ``sources/<first two digits>/<sha256>/<filename>``. A lock for each hash keeps two processes from
downloading one file twice.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from forge.base.atomic import atomic_file, locked, storage_error
from forge.base.errors import ForgeError, NetworkError, SourceError
from forge.base.hashing import file_sha256
from forge.source.model import Attempt, checked_filename, checked_sha256, redacted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import httpx

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.source.http import Patience
    from forge.source.pip_settings import PipSettings

_CHUNK = 1024 * 1024


class _WrongContentError(Exception):
    """A mirror gave a file with another hash."""

    def __init__(self, got: str) -> None:
        super().__init__(f"wrong sha256 {got}")
        self.got = got


class _TooLargeError(Exception):
    """A mirror gives more than is taken."""


def cached(sha256: str, home: ForgeHome, progress: Progress, filename: str | None = None) -> Path | None:
    """The file of a hash if the cache has it whole; a damaged one is removed.

    Args:
        sha256: 64 hex digits.
        home: The cache.
        progress: Is told of a damaged file.
        filename: The file's name; None takes whatever name it is kept under.

    Raises:
        SourceError: The sha256 or the file's name is malformed.
        StorageError: The cache cannot be read or written.
    """
    directory = _directory(home, sha256)
    try:
        files = [directory / checked_filename(filename)] if filename else sorted(directory.glob("[!.]*"))
        for file in files:
            if not file.is_file():
                continue
            if file_sha256(file) == checked_sha256(sha256):
                return file
            progress.note(file.name, "the cached file is damaged; it is downloaded again")
            file.unlink()
    except OSError as error:
        raise storage_error(error) or SourceError(f"cannot read the cache: {error}") from error
    return None


def is_cached(sha256: str, home: ForgeHome) -> bool:
    """Whether the cache has a file of a hash, be it damaged: quick, for plans."""
    return any(_directory(home, sha256).glob("[!.]*"))


def download(
    urls: Iterable[str],
    *,
    sha256: str,
    filename: str,
    home: ForgeHome,
    progress: Progress,
    patience: Patience | None = None,
    settings: PipSettings | None = None,
    skipped: Sequence[Attempt] = (),
) -> Path:
    """The file with this hash: from the cache, else from the first mirror that has it.

    Args:
        urls: The mirrors, in order: ``https``, ``http`` or ``file``; credentials may stand in them.
        sha256: What the file must have, 64 hex digits.
        filename: What to call it.
        home: The cache.
        progress: Is told what is downloaded.
        patience: Time-outs, attempts and the largest size.
        settings: Pip's options: proxies, certificates.
        skipped: Mirrors that could not be tried, for the error.

    Raises:
        SourceError: A mirror gave a file with another hash, and none the right one; a name or hash is
            malformed.
        NetworkError: No mirror gave a file; says why for each.
        StorageError: The cache cannot be written.
    """
    import httpx  # noqa: PLC0415 - slow to import, and what is in the cache needs none of it

    from forge.source.http import Patience, client, reason  # noqa: PLC0415 - slow to import, and what is in the cache needs none of it

    sha256, filename = checked_sha256(sha256), checked_filename(filename)
    patience = patience or Patience()
    destination = _directory(home, sha256) / filename
    failed = list(skipped)
    wrong: list[str] = []
    try:
        with locked(home.locks, f"source-{sha256}"):
            found = cached(sha256, home, progress, filename)
            if found:
                return found
            with client(patience, settings) as http:
                for url in urls:
                    progress.phase(filename, f"download from {urlsplit(redacted(url)).netloc or 'this machine'}")
                    try:
                        _from_mirror(http, url, sha256, destination, patience)
                    except _WrongContentError as error:
                        wrong.append(error.got)
                        failed.append(Attempt(redacted(url), str(error)))
                    except (
                        httpx.HTTPError,
                        httpx.InvalidURL,
                        _TooLargeError,
                        FileNotFoundError,
                        ValueError,
                    ) as error:
                        failed.append(Attempt(redacted(url), reason(error)))
                    else:
                        return destination
    except OSError as error:
        raise storage_error(error) or SourceError(f"cannot keep {filename}: {error}") from error
    raise _failure(filename, sha256, wrong, failed)


def _failure(filename: str, sha256: str, wrong: list[str], failed: list[Attempt]) -> ForgeError:
    tried = "\n".join(str(attempt) for attempt in failed) or "  there is no mirror to try"
    if wrong:
        return SourceError(
            f"{filename} has the wrong sha256\n  expected {sha256}\n  got      {wrong[0]}\ntried:\n{tried}",
            hint="if the file was replaced on purpose, put the new sha256 into the recipe; "
            "otherwise something on the way changed it",
        )
    hints = ["check the network and HTTPS_PROXY"]
    if any(attempt.where.startswith("debian:") for attempt in failed):
        hints.append("set FORGE_DEBIAN_MIRROR to a mirror of Debian's archive")
    if any(attempt.where.startswith("maven:") for attempt in failed):
        hints.append("set FORGE_MAVEN_MIRROR to a Maven repository")
    return NetworkError(f"cannot download {filename}; tried:\n{tried}", hint="; ".join(hints))


def _from_mirror(http: httpx.Client, url: str, sha256: str, destination: Path, patience: Patience) -> None:
    """Download from one mirror, again if the failure may pass."""
    import httpx  # noqa: PLC0415 - slow to import, and what is in the cache needs none of it

    from forge.source.http import is_transient  # noqa: PLC0415 - slow to import, and what is in the cache needs none of it

    for attempt in range(1, patience.attempts + 1):
        try:
            with _opened(http, url) as chunks:
                _store(chunks, sha256, destination, patience.max_bytes)
        except httpx.HTTPError as error:
            if attempt == patience.attempts or not is_transient(error):
                raise
            asked = error.response.headers.get("retry-after") if isinstance(error, httpx.HTTPStatusError) else None
            time.sleep(patience.wait(attempt, asked))
        else:
            return


@contextmanager
def _opened(http: httpx.Client, url: str) -> Iterator[Iterator[bytes]]:
    """The pieces of what a URL names.

    Raises:
        ValueError: The URL is malformed.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise ValueError("a file URL names another machine")
        with Path(unquote(parts.path)).open("rb") as file:
            yield iter(lambda: file.read(_CHUNK), b"")
    else:
        with http.stream("GET", url) as response:
            response.raise_for_status()
            # Raw: a server that labels x.tar.gz 'Content-Encoding: gzip' must not have it unpacked here.
            yield response.iter_raw(_CHUNK)


def _store(chunks: Iterator[bytes], sha256: str, destination: Path, max_bytes: int) -> None:
    digest = hashlib.sha256()
    size = 0
    with atomic_file(destination) as out:
        for chunk in chunks:
            size += len(chunk)
            if size > max_bytes:
                raise _TooLargeError(f"larger than {max_bytes:,} bytes")
            digest.update(chunk)
            out.write(chunk)
        if digest.hexdigest() != sha256:
            raise _WrongContentError(digest.hexdigest())


def _directory(home: ForgeHome, sha256: str) -> Path:
    sha256 = checked_sha256(sha256)
    return home.sources / sha256[:2] / sha256
