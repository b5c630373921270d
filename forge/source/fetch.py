"""The room's face: a source's description to an archive on disk, and an archive to a patched tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.atomic import atomic_directory, storage_error
from forge.base.errors import SourceError
from forge.base.trees import copy_local
from forge.source.archive import Limits, unpack_into
from forge.source.download import cached, download, is_cached
from forge.source.git import fetch_git, has_commit
from forge.source.mirror import file_names, from_mirror
from forge.source.model import GitSource, PathSource, SdistSource, Source, UrlSource
from forge.source.patch import apply_patches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.source.http import Patience
    from forge.source.model import Attempt
    from forge.source.pip_settings import PipSettings


def fetch(
    source: Source,
    home: ForgeHome,
    progress: Progress,
    *,
    index: PipSettings | None = None,
    patience: Patience | None = None,
) -> Path:
    """The source on disk: an archive in the cache, or the path of a local source.

    Nothing is asked of the network, of pip or of apt if the cache has the file.

    Args:
        source: What to get.
        home: The cache.
        progress: Is told what happens.
        index: Package indexes and how they are reached; None asks pip's configuration when it is needed.
        patience: Time-outs, attempts and the largest size; None is as pip is configured.

    Raises:
        SourceError: It is not what was pinned, or does not exist.
        NetworkError: Nothing answered; says what was tried.
        ToolchainError: git is missing.
        StorageError: The cache cannot be written.
    """
    match source:
        case PathSource(path):
            if not path.exists():
                raise SourceError(f"there is no source {path}")
            return path
        case GitSource():
            return fetch_git(source, home, progress)
        case SdistSource() | UrlSource():
            filename = source.filename if isinstance(source, SdistSource) else None
            return cached(source.sha256, home, progress, filename) or _download(source, home, progress, index, patience)


def _download(
    source: SdistSource | UrlSource, home: ForgeHome, progress: Progress, index: PipSettings | None,
    patience: Patience | None,
) -> Path:  # fmt: skip
    """An archive that is not in the cache: from a mirror, else from the package index or where its URLs say."""
    # Slow to import, and what is in the cache needs none of it.
    from forge.source.http import Patience  # noqa: PLC0415
    from forge.source.index import find_sdists  # noqa: PLC0415
    from forge.source.pip_settings import PipSettings  # noqa: PLC0415
    from forge.source.places import resolve_urls  # noqa: PLC0415

    skipped: tuple[Attempt, ...] = ()
    match source:
        case SdistSource(name, version, sha256, filename):
            names = (filename,) if filename else sdist_names(name, version)
            if mirrored := from_mirror(sha256, names, home, progress, patience=patience, settings=index):
                return mirrored
            progress.phase(name, "look for the sdist")
            index = index or PipSettings.from_pip()
            files = find_sdists(
                name,
                version,
                sha256=sha256,
                config=index,
                filename=filename,
                patience=patience or Patience.of(index),
            )
            urls, filename = tuple(file.url for file in files), files[0].filename
        case UrlSource(given, sha256):
            names = file_names(given) or ("source",)
            if mirrored := from_mirror(sha256, names, home, progress, patience=patience, settings=index):
                return mirrored
            index = index or PipSettings.from_pip()
            urls, skipped = resolve_urls(given)
            filename = next(iter(file_names((*urls, *given))), "source")
    return download(
        urls,
        sha256=sha256,
        filename=filename,
        home=home,
        progress=progress,
        patience=patience or Patience.of(index),
        settings=index,
        skipped=skipped,
    )


def is_fetched(source: Source, home: ForgeHome) -> bool:
    """Whether `fetch` finds a source without the network, as far as can be told without reading it.

    Args:
        source: The source.
        home: The cache.
    """
    match source:
        case PathSource():
            return True
        case GitSource():
            return has_commit(source, home)
        case _:
            return is_cached(source.sha256, home)


def prepare(
    source: Path, patches: Sequence[Path], destination: Path, progress: Progress, limits: Limits | None = None
) -> None:
    """Unpack (or copy) a source and patch it; *destination* is replaced, and there whole or not at all.

    Args:
        source: What `fetch` returned: an archive, or a directory, of which `forge.base.trees` says what counts.
        patches: Unified diffs, in order.
        destination: The directory to make.
        progress: Is told what happens.
        limits: How much an archive may unpack to.

    Raises:
        SourceError: The archive is damaged or unsafe, or a patch does not apply.
        ToolchainError: There is no ``patch`` program.
        StorageError: The disk is full, or may not be written.
    """
    try:
        with atomic_directory(destination) as tree:
            progress.phase(source.name, "unpack")
            if source.is_dir():
                copy_local(source, tree)
            else:
                unpack_into(source, tree, limits)
            if patches:
                progress.phase(source.name, "patch")
            apply_patches(tree, patches)
    except OSError as error:  # shutil.Error is one, and has no number
        raise storage_error(error) or SourceError(f"cannot prepare {source.name}: {error}") from error


def sdist_names(name: str, version: str) -> tuple[str, ...]:
    """What a project's sdist is most likely called: as PEP 625 has it, and as older tools wrote it."""
    bases = dict.fromkeys((canonicalize_name(name).replace("-", "_"), name))
    return tuple(f"{base}-{version}{ending}" for base in bases for ending in (".tar.gz", ".zip"))
