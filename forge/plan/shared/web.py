"""HTTP servers: GET to read, PUT to write. Reached as all of forge's downloads are (`forge.source.http`)."""

from __future__ import annotations

import threading
import time
from functools import cached_property
from typing import IO, TYPE_CHECKING

import httpx

from forge.base.errors import NetworkError
from forge.plan.shared.model import IgnoredError, MissingError, PlaceError
from forge.plan.shared.places import CHUNK
from forge.source.http import Patience, client, is_transient, reason
from forge.source.model import redacted
from forge.source.pip_settings import PipSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = Patience(connect=10.0, read=30.0, attempts=3, backoff=0.5)
"""Less than for sources: what a shared cache does not give is built, and Ctrl-C waits for an answer."""

_MISSING = {404, 410}  # RFC 9110, 15.5.5 and 15.5.11


class WebPlace:
    """A directory of an HTTP server.

    Args:
        url: Its address; user and password may stand in it, or in ``~/.netrc``.
        patience: Time-outs and attempts.
    """

    has_pages_of_directories = False

    def __init__(self, url: str, patience: Patience = PATIENCE) -> None:
        self.name = redacted(url)
        self._url, self._patience = url.rstrip("/"), patience
        self._guard = threading.Lock()

    @cached_property
    def _client(self) -> httpx.Client:
        return client(self._patience, PipSettings.from_pip())

    def get(self, path: str, out: IO[bytes], limit: int) -> None:
        """See `forge.plan.shared.places.Place`."""

        def attempt() -> None:
            out.seek(0)
            out.truncate()
            with self._http().stream("GET", f"{self._url}/{path}") as response:
                if response.status_code in _MISSING:
                    raise MissingError
                response.raise_for_status()
                size = 0
                for chunk in response.iter_raw(CHUNK):
                    size += len(chunk)
                    if size > limit:
                        raise IgnoredError("has a file that is larger than was signed")
                    out.write(chunk)

        self._try(attempt)

    def put(self, path: str, content: Path | bytes, go_on: Callable[[], None]) -> None:
        """See `forge.plan.shared.places.Place`."""

        def attempt() -> None:
            go_on()
            size = len(content) if isinstance(content, bytes) else content.stat().st_size
            # The length is said, since some servers take no body whose length they do not know.
            headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
            body = content if isinstance(content, bytes) else _pieces(content, go_on)
            self._http().put(f"{self._url}/{path}", content=body, headers=headers).raise_for_status()

        self._try(attempt)

    def close(self) -> None:
        """See `forge.plan.shared.places.Place`."""
        if "_client" in vars(self):  # one that was never asked has none
            self._client.close()

    def _http(self) -> httpx.Client:
        with self._guard:  # asking for pip's settings takes a moment, in which another thread may ask too
            return self._client

    def _try(self, attempt: Callable[[], None]) -> None:
        for number in range(1, self._patience.attempts + 1):
            try:
                return attempt()
            # A StreamError is another request for a body that is sent already: after a redirect, or for a password that
            # the keyring has. It is known the next time.
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                # An answer that did not come in time is not waited for again.
                again = is_transient(error) and not isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout)
                again = again or (isinstance(error, httpx.StreamConsumed) and number == 1)
                if number == self._patience.attempts or not again:
                    raise PlaceError(reason(error)) from error
                asked = error.response.headers.get("retry-after") if isinstance(error, httpx.HTTPStatusError) else None
                time.sleep(self._patience.wait(number, asked))
            except RuntimeError as error:  # httpx: it was closed meanwhile
                raise PlaceError(str(error)) from error
            except NetworkError as error:
                raise PlaceError(error.message) from error
        return None


def _pieces(file: Path, go_on: Callable[[], None]) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(CHUNK):
            go_on()
            yield piece
