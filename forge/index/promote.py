"""Promotion: files of one index into another one, byte for byte, with what the first says of them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.index.model import IndexState, PackageIndexError
from forge.index.reading import MOST_BESIDE, fetch, reading
from forge.index.writing import now, put, state_to_add_to, writable_place, write_pages, writing
from forge.index.yank import chosen_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.index.model import HeldFile
    from forge.plan.shared.places import Place


@dataclass(frozen=True)
class Promotion:
    """What becomes of the files that are meant.

    Args:
        new: Files that the second index gets, as it will hold them.
        same: Names of those that it has, with the same bytes.
        yanked: Names of files that it has, and that are yanked there too now.
        signed: Names of files that it has, and that the first index's signed statements about them come with now.
        changed: The files of the last two, as it will hold them.
        passed_over: Names of files that are yanked in the first index, and were not asked for by version or name.
    """

    new: tuple[HeldFile, ...]
    same: tuple[str, ...]
    yanked: tuple[str, ...]
    signed: tuple[str, ...]
    changed: tuple[HeldFile, ...]
    passed_over: tuple[str, ...]


def promote(
    source: str, target: str, what: Iterable[str], home: ForgeHome, progress: Progress, *, dry_run: bool = False
) -> Promotion:
    """Copy files from one index into another one, which is made if there is none.

    Each file is hashed on the way. Files of the second index never change, and readers see it whole at every moment.

    Args:
        source: The first index: a directory, or an ``s3``, ``http`` or ``https`` URL.
        target: The second one: a directory, or an ``s3`` URL.
        what: ``NAME``, ``NAME==VERSION`` or names of files; all files if there is none.
        home: The cache; its locks keep two writers on one machine apart.
        progress: Receives progress updates.
        dry_run: Say what would be done, and do nothing.

    Raises:
        PackageIndexError: There is no first index, or it has no such file, or other bytes than it says; the second has
            other bytes of a name; one of the places fails.
    """
    with reading(source) as (first, offered):
        if dry_run:
            second = writable_place(target)
            try:
                return _planned(offered, state_to_add_to(second, target) or IndexState(), tuple(what), second.name)
            finally:
                second.close()
        with writing(target, home) as second:
            before = state_to_add_to(second, target)
            state = before or IndexState()
            planned = _planned(offered, state, tuple(what), second.name)
            _copy(first, second, planned, progress)
            changed = {file.filename: file for file in (*planned.new, *planned.changed)}
            after = replace(state, files={**state.files, **changed})
            if before is None or after != before:
                progress.phase("index", "write pages")
                write_pages(second, state, after, every=before is None)
            return planned


def _planned(offered: IndexState, state: IndexState, what: tuple[str, ...], name: str) -> Promotion:
    """What is to be done: where a file is already, it gets a yank and signed statements, and loses neither.

    Raises:
        PackageIndexError: There is no such file, or the second index has other bytes of one.
    """
    chosen, asked = _chosen(offered, what)
    new: list[HeldFile] = []
    same: list[str] = []
    yanked: list[str] = []
    signed: list[str] = []
    changed: list[HeldFile] = []
    passed_over: list[str] = []
    others: list[str] = []
    time = now()
    for file in chosen:
        there = state.files.get(file.filename)
        if there is None and file.yanked is not None and file.filename not in asked:
            passed_over.append(file.filename)
        elif there is None:
            new.append(replace(file, uploaded=time))
        elif there.sha256 != file.sha256:
            others.append(f"{file.filename}: sha256 {there.sha256} there, {file.sha256} here")
        else:
            same.append(file.filename)
            after = there
            if file.yanked is not None and there.yanked is None:
                yanked.append(file.filename)
                after = replace(after, yanked=file.yanked)
            if file.provenance_sha256 is not None and there.provenance_sha256 is None:
                signed.append(file.filename)
                after = replace(after, provenance_sha256=file.provenance_sha256)
            if after != there:
                changed.append(after)
    if others:
        listed = "".join(f"\n  {each}" for each in others)
        raise PackageIndexError(
            f"nothing was promoted: {name} has other bytes under the same name{listed}",
            hint="a published file never changes: build it again with a higher build number, or name other files",
        )
    return Promotion(
        tuple(new), tuple(same), tuple(yanked), tuple(signed), tuple(changed), tuple(passed_over)
    )  # fmt: skip


def _chosen(offered: IndexState, what: tuple[str, ...]) -> tuple[list[HeldFile], set[str]]:
    """The files that are meant, in order, and the names of those that were asked for by version or by name.

    As installers do, forge takes what is yanked only if just that is asked for.
    """
    if not what:
        return [offered.files[name] for name in sorted(offered.files)], set()
    found: dict[str, HeldFile] = {}
    asked: set[str] = set()
    for each in what:
        files = {file.filename: file for file in chosen_files(offered, each, any_version=True)}
        found.update(files)
        if "==" in each or each in offered.files:
            asked.update(files)
    return [found[name] for name in sorted(found)], asked


def _copy(first: Place, second: Place, planned: Promotion, progress: Progress) -> None:
    """Copy files with what lies beside them.

    Raises:
        PackageIndexError: One is not what the first index says.
        PlaceError: One cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="forge-promote-") as temporary:
        for number, file in enumerate(planned.new, 1):
            progress.phase("index", f"copy {number} of {len(planned.new)}: {file.filename}")
            beside = {
                file.path: (file.size, file.sha256), f"{file.path}.metadata": (MOST_BESIDE, file.metadata_sha256),
                **_provenance(file),
            }  # fmt: skip
            _copy_all(first, second, beside, Path(temporary))
        for file in planned.changed:
            if file.filename in planned.signed:
                _copy_all(first, second, _provenance(file), Path(temporary))


def _provenance(file: HeldFile) -> dict[str, tuple[int, str]]:
    digest = file.provenance_sha256
    return {} if digest is None else {f"{file.path}.provenance": (MOST_BESIDE, digest)}


def _copy_all(first: Place, second: Place, files: dict[str, tuple[int, str]], temporary: Path) -> None:
    """Copy files, all of which are read before one is written; their sizes at the most, and hashes, by path."""
    copies = {path: temporary / path.rpartition("/")[2] for path in files}
    for path, (size, digest) in files.items():
        with copies[path].open("w+b") as out:
            fetch(first, path, size, digest, out)
    for path, copy in copies.items():
        put(second, path, copy)
        copy.unlink()
