"""Making an index, or adding to one, on a place that holds files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.index.add import additions
from forge.index.model import IndexState, PackageIndexError
from forge.index.state import read_state
from forge.index.writing import now, put, state_to_add_to, write_pages, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.index.add import NewFile
    from forge.index.evidence import Evidence, Witness
    from forge.index.model import HeldFile
    from forge.index.signing import Signer


_LINES = 100
"""About how many files are named, of thousands that are added."""


@dataclass(frozen=True)
class Made:
    """What a run did.

    Args:
        added: Names of the files that are new.
        same: Names of those that were there already.
        libraries: Names of wheels of native libraries, which an index does not take.
        projects: How many projects the index has now.
        files: How many files.
    """

    added: tuple[str, ...]
    same: tuple[str, ...]
    libraries: tuple[str, ...]
    projects: int
    files: int


def make_index(
    where: str, wheels: Iterable[Path], home: ForgeHome, progress: Progress, *, name: str | None = None,
    url: str | None = None, afresh: bool = False, signer: Signer | None = None, witness: Witness | None = None,
) -> Made:  # fmt: skip
    """Add wheels to an index, which is made if there is none.

    Args:
        where: A directory, or an ``s3`` URL.
        wheels: The files to add.
        home: The cache; its locks keep two writers on one machine apart.
        progress: Receives progress updates.
        name: What the index is called, for people; None keeps the name that it has.
        url: The address of ``simple/`` as users will see it, for what they paste; None keeps it.
        afresh: Write every page anew, as after an upgrade of forge.
        signer: Makes signed statements about what is added; None makes none.
        witness: Finds out what else is known of what is added; None asks nobody.

    Raises:
        PackageIndexError: There is something else in the directory; other bytes of a name are there; the place fails.
        WheelError: A wheel cannot be read.
    """
    with writing(where, home) as place:
        before = state_to_add_to(place, where)
        state = before or IndexState()
        offered = additions(wheels, state, now())
        statements = {} if signer is None else _statements(offered.new, signer, progress)
        evidence = {} if witness is None else witness.of(offered.new)
        added = [_told(new.held, statements, evidence) for new in offered.new]
        files = {**state.files, **{held.filename: held for held in added}}
        after = IndexState(files, name or state.name, state.url if url is None else url)
        if before is None or afresh or after != before:
            step = max(len(offered.new) // _LINES, 1)
            for number, new in enumerate(offered.new, 1):
                if number % step == 0:
                    progress.phase("index", f"add {number} of {len(offered.new)}: {new.held.filename}")
                put(place, new.held.path, new.path)
                put(place, f"{new.held.path}.metadata", new.metadata)
                if new.held.filename in statements:
                    put(place, f"{new.held.path}.provenance", statements[new.held.filename])
            progress.phase("index", "write pages")
            write_pages(place, state, after, every=before is None or afresh)
    return Made(
        tuple(held.filename for held in added), offered.same, offered.libraries, len(after.projects), len(after.files)
    )


def rewrite(where: str, home: ForgeHome, change: Callable[[IndexState], IndexState]) -> IndexState:
    """Change what an index says of its files, and write the pages that say it.

    Args:
        where: As for `make_index`.
        home: The cache.
        change: Gives the new state for the old one.

    Raises:
        PackageIndexError: There is no index, the change is refused, or the place fails.
    """
    with writing(where, home) as place:
        state = read_state(place)
        if state is None:
            raise PackageIndexError(f"{place.name} is not an index", hint="make one with 'forge index make'")
        after = change(state)
        write_pages(place, state, after, every=False)
        return after


def _statements(files: Iterable[NewFile], signer: Signer, progress: Progress) -> dict[str, bytes]:
    """The provenance objects of files, by name."""
    progress.phase("index", "sign the files")
    return {new.held.filename: signer.provenance(new.path, new.held.filename, new.held.sha256) for new in files}


def _told(held: HeldFile, statements: Mapping[str, bytes], evidence: Mapping[str, Evidence]) -> HeldFile:
    """A file with the hash of its signed statements, and what else is known of it."""
    if (statement := statements.get(held.filename)) is not None:
        held = replace(held, provenance_sha256=hashlib.sha256(statement).hexdigest())
    if (known := evidence.get(held.filename)) is not None:
        held = replace(held, findings=known.findings, suite=known.suite)
    return held
