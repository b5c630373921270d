"""URLs that name a registry rather than a host: ``debian:pool/…`` and ``maven:org/…``."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from forge.source.debian import debian_mirrors
from forge.source.maven import maven_repositories
from forge.source.model import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

_REGISTRIES: dict[str, Callable[[], tuple[tuple[str, ...], str]]] = {
    "debian": debian_mirrors,
    "maven": maven_repositories,
}


def resolve_urls(urls: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Attempt, ...]]:
    """URLs with each registry's name replaced by its addresses.

    Args:
        urls: A source's URLs.

    Returns:
        The URLs, in order, and those that could not be resolved with the reason.
    """
    resolved: list[str] = []
    skipped: list[Attempt] = []
    for url in urls:
        scheme, _, rest = url.partition(":")
        if scheme not in _REGISTRIES:
            resolved.append(url)
            continue
        path = PurePosixPath(rest)
        if ".." in path.parts or path.is_absolute() or (scheme == "debian" and path.parts[:1] != ("pool",)):
            skipped.append(Attempt(url, "only debian:pool/… and maven:… are known"))
            continue
        addresses, reason = _REGISTRIES[scheme]()
        if not addresses:
            skipped.append(Attempt(url, reason))
        resolved += [f"{address}/{path}" for address in addresses]
    return tuple(resolved), tuple(skipped)
