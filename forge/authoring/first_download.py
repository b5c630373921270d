"""Downloading a file whose hash nobody has told yet: what comes is hashed, and kept as a source under that."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx

from forge.base.errors import NetworkError
from forge.source.download import download
from forge.source.http import Patience, client, reason
from forge.source.mirror import file_names
from forge.source.model import Attempt, redacted
from forge.source.places import resolve_urls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.source.pip_settings import PipSettings

_CHUNK = 1 << 20


def download_first(
    urls: tuple[str, ...], home: ForgeHome, progress: Progress, settings: PipSettings
) -> tuple[str, str]:
    """The sha256 of what the first URL that answers gives, and that URL; the file is in the cache then.

    Args:
        urls: As recipes name them, variables expanded.
        home: The cache.
        progress: Is told what is downloaded.
        settings: How servers are reached.

    Raises:
        NetworkError: None of them answers.
    """
    resolved, skipped = resolve_urls(urls)
    failed = list(skipped)
    patience = Patience.of(settings)
    filename = next(iter(file_names((*resolved, *urls))), "source")
    home.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="first-", dir=home.work) as scratch, client(patience, settings) as http:
        file = Path(scratch) / "file"
        for url in resolved:
            progress.phase(filename, f"download from {urlsplit(redacted(url)).netloc or 'this machine'}")
            digest = hashlib.sha256()
            try:
                with file.open("wb") as out:
                    for chunk in _limited(_chunks(http, url), patience.max_bytes):
                        digest.update(chunk)
                        out.write(chunk)
            except (httpx.HTTPError, httpx.InvalidURL, FileNotFoundError, IsADirectoryError, ValueError) as error:
                failed.append(Attempt(redacted(url), reason(error)))
                continue
            sha256 = digest.hexdigest()
            download((file.as_uri(),), sha256=sha256, filename=filename, home=home, progress=progress)
            return sha256, redacted(url)
    tried = "\n".join(str(attempt) for attempt in failed) or "  there is no URL to try"
    raise NetworkError(
        f"cannot download {filename}; tried:\n{tried}", hint="is there such a version? check the network and the URLs"
    )


def _limited(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The chunks of a file that is not too large.

    Raises:
        ValueError: It is.
    """
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > most:
            raise ValueError(f"larger than {most:,} bytes")
        yield chunk


def _chunks(http: httpx.Client, url: str) -> Iterator[bytes]:
    parts = urlsplit(url)
    if parts.scheme == "file":
        with Path(unquote(parts.path)).open("rb") as file:
            yield from iter(lambda: file.read(_CHUNK), b"")
    else:
        with http.stream("GET", url) as response:
            response.raise_for_status()
            yield from response.iter_raw(_CHUNK)
