"""FORGE_MIRROR: directories and addresses that hold pinned files, asked before anything else.

For machines without the open network, and for teams that keep what they build from. A file is found by its name, by its
sha256 as its name, or through a ``SHA256SUMS`` file (``sha256sum``'s format) beside it. The hash decides: a file with
another one is passed over, so a mirror need not be trusted.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from forge.base.errors import NetworkError, SourceError
from forge.source.download import download
from forge.source.model import checked_filename, checked_sha256, redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.source.http import Patience
    from forge.source.pip_settings import PipSettings

VARIABLE = "FORGE_MIRROR"
SUMS = "SHA256SUMS"


def mirrors() -> tuple[str, ...]:
    """The mirrors that FORGE_MIRROR names, in order: directories as absolute paths, or URLs.

    They are separated by white space, as in pip's variables; a directory with a space in its name is written as a
    ``file:`` URL.

    Raises:
        SourceError: One is not a directory, or not an address that forge can ask.
    """
    found: list[str] = []
    for word in os.environ.get(VARIABLE, "").split():
        scheme = urlsplit(word).scheme if "://" in word or word.startswith("file:") else ""
        if scheme in ("http", "https"):
            found.append(word.rstrip("/"))
            continue
        if scheme not in ("", "file"):
            raise SourceError(
                f"{VARIABLE}: {redacted(word)} is not a directory or an https, http or file URL",
                hint=f"correct {VARIABLE}, or unset it",
            )
        directory = Path(unquote(urlsplit(word).path)) if scheme else Path(word)
        if not directory.is_dir():
            raise SourceError(f"{VARIABLE}: {directory} is not a directory", hint=f"correct {VARIABLE}, or unset it")
        found.append(str(directory.absolute()))
    return tuple(found)


def candidates(mirror: str, sha256: str, names: Sequence[str]) -> tuple[str, ...]:
    """Where in a mirror a file may be, as URLs.

    Args:
        mirror: As `mirrors` gave it. Of a directory only what is there is returned.
        sha256: 64 hex digits.
        names: What the file may be called.
    """
    usable = [name for name in names if _is_usable(name)]
    if "://" in mirror:
        return tuple(f"{mirror}/{quote(name)}" for name in dict.fromkeys((*usable, sha256)))
    directory = Path(mirror)
    listed = _listed(directory / SUMS, sha256)
    there = (directory / name for name in dict.fromkeys((*usable, *listed, sha256)))
    return tuple(path.as_uri() for path in there if path.is_file())


def from_mirror(
    sha256: str,
    names: Sequence[str],
    home: ForgeHome,
    progress: Progress,
    *,
    patience: Patience | None = None,
    settings: PipSettings | None = None,
) -> Path | None:
    """A file from the first mirror that has it, kept in the cache; None if no mirror has it.

    Args:
        sha256: What the file must have, 64 hex digits.
        names: What it may be called. It is kept under the name it was found by.
        home: The cache.
        progress: Is told of a file that has the name, but another hash.
        patience: Time-outs, attempts and the largest size.
        settings: Pip's options: proxies, certificates.

    Raises:
        SourceError: FORGE_MIRROR, the sha256 or the first name is malformed.
        StorageError: The cache cannot be written.
    """
    sha256 = checked_sha256(sha256)
    filename = checked_filename(names[0])
    for mirror in mirrors():
        for url in candidates(mirror, sha256, names):
            called = PurePosixPath(unquote(urlsplit(url).path)).name
            try:
                return download(
                    [url],
                    sha256=sha256,
                    filename=filename if called == sha256 else called,
                    home=home,
                    progress=progress,
                    patience=patience,
                    settings=settings,
                )
            except NetworkError:
                continue
            except SourceError:
                progress.note(filename, f"{redacted(url)} is another file; its sha256 is not {sha256}")
    return None


def file_names(urls: Sequence[str]) -> tuple[str, ...]:
    """What the file that these URLs name may be called, each once, in order."""
    names: list[str] = []
    for url in urls:
        with contextlib.suppress(ValueError):  # a URL that cannot be taken apart names nothing
            names.append(PurePosixPath(unquote(urlsplit(url).path)).name)
    return tuple(dict.fromkeys(name for name in names if _is_usable(name)))


def _is_usable(name: str) -> bool:
    try:
        return checked_filename(name) == name
    except SourceError:
        return False


def _listed(sums: Path, sha256: str) -> list[str]:
    """The names that a SHA256SUMS file gives for a hash."""
    try:
        lines = sums.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    pairs = (line.split(maxsplit=1) for line in lines)
    names = (pair[1].lstrip("*").strip() for pair in pairs if len(pair) == 2 and pair[0].lower() == sha256)
    return [name for name in names if _is_usable(name)]
