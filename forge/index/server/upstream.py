"""Another index behind this one: its files of the same projects beside the own ones, and all other projects."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx
from pypi_simple import ACCEPT_JSON_PREFERRED, ProjectPage

from forge.base.errors import NetworkError
from forge.source.http import Patience, client
from forge.source.model import redacted

if TYPE_CHECKING:
    from pypi_simple import DistributionPackage

    from forge.source.pip_settings import PipSettings

FRESH = 600
"""Seconds for which a page is taken from memory."""

STALE = 86_400
"""Seconds for which it is taken if upstream does not answer."""

MOST_PAGES = 2000
"""How many pages are kept in memory."""

MOST_BYTES = 64 * 1024 * 1024
"""The largest page that is taken."""


class UpstreamError(Exception):
    """Upstream did not answer; holds the reason in a few words."""


@dataclass
class _Page:
    """A page as it came.

    Args:
        files: Its files as PEP 691 has them, or None if upstream has no such project.
        fetched: When, on the monotonic clock.
    """

    files: list[dict[str, Any]] | None
    fetched: float


@dataclass
class Upstream:
    """Asks another index, and keeps what it answered for a while.

    Args:
        url: The address of its ``simple/``.
        settings: How it is reached: proxies, certificates.
    """

    url: str
    settings: PipSettings
    _pages: dict[str, _Page] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _client: httpx.Client | None = None

    async def files(self, name: str) -> list[dict[str, Any]] | None:
        """A project's files, with absolute addresses, or None if upstream does not have it.

        Args:
            name: The project, normalised.

        Raises:
            UpstreamError: It did not answer, and nothing is known.
        """
        known = self._pages.get(name)
        if known is not None and time.monotonic() - known.fetched < FRESH:
            return known.files
        async with self._locks.setdefault(name, asyncio.Lock()):
            known = self._pages.get(name)
            if known is not None and time.monotonic() - known.fetched < FRESH:
                return known.files
            try:
                files = await asyncio.to_thread(self._fetched, name)
            except (
                httpx.HTTPError,
                httpx.InvalidURL,
                NetworkError,
                ValueError,
                TypeError,
                KeyError,
                AttributeError,
            ) as error:
                if known is not None and time.monotonic() - known.fetched < STALE:
                    return known.files
                raise UpstreamError(f"{redacted(self.url)} did not answer: {type(error).__name__}") from error
            while len(self._pages) >= MOST_PAGES:
                self._pages.pop(next(iter(self._pages)))
            self._pages.pop(name, None)
            self._pages[name] = _Page(files, time.monotonic())
            return files

    async def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)
            self._client = None

    def _fetched(self, name: str) -> list[dict[str, Any]] | None:
        """What upstream has now; runs in a thread, with the client that reaches servers as pip would."""
        if self._client is None:
            self._client = client(Patience.of(self.settings), self.settings)
        address = f"{self.url.rstrip('/')}/{name}/"
        headers = {"Accept": ACCEPT_JSON_PREFERRED, "Accept-Encoding": "gzip, identity"}
        with self._client.stream("GET", address, headers=headers) as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            response.raise_for_status()
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise ValueError("the page is too large")
        kind = response.headers.get("content-type", "")
        if "json" in kind:
            page = ProjectPage.from_json_data(json.loads(bytes(content)), base_url=str(response.url))
        else:
            page = ProjectPage.from_html(name, bytes(content), base_url=str(response.url))
        return [_file(package, str(response.url)) for package in page.packages if package.package_type is not None]


def _file(package: DistributionPackage, base: str) -> dict[str, Any]:
    """A file as PEP 691 has it."""
    said: dict[str, Any] = {
        "filename": package.filename,
        "url": urljoin(base, package.url).partition("#")[0],
        "hashes": dict(package.digests),
        "yanked": (package.yanked_reason or True) if package.is_yanked else False,
    }
    if package.requires_python is not None:
        said["requires-python"] = package.requires_python
    if package.has_metadata:
        digests: dict[str, str] | bool = dict(package.metadata_digests or {}) or True
        said["core-metadata"] = said["dist-info-metadata"] = digests
    if package.size is not None:
        said["size"] = package.size
    if package.upload_time is not None:
        said["upload-time"] = package.upload_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if package.provenance_url is not None:
        said["provenance"] = package.provenance_url
    if package.has_sig is not None:
        said["gpg-sig"] = package.has_sig
    return said
