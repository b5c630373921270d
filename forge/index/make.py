"""Making an index, or adding to one, on a place that holds files.

What readers see is whole at every moment: a file is there before the page that names it, and each page is replaced in
one step. What the index holds (`forge.index.state`) is written last, so that a run that was interrupted is done again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import locked
from forge.index.add import additions
from forge.index.model import IndexState, PackageIndexError
from forge.index.people import home_page, needed_by, package_page
from forge.index.simple import project_html, project_json, root_html, root_json
from forge.index.state import STATE, read_state, state_text
from forge.plan.shared.model import CacheError, PlaceError
from forge.plan.shared.places import open_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.index.add import Additions
    from forge.plan.shared.places import Place


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
    url: str | None = None, afresh: bool = False,
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

    Raises:
        PackageIndexError: There is something else in the directory; other bytes of a name are there; the place fails.
        WheelError: A wheel cannot be read.
    """
    with _writing(where, home) as place:
        before = read_state(place)
        if before is None and "://" not in where:
            _refuse_others(Path(where))
        state = before or IndexState()
        offered = additions(wheels, state, _now())
        files = {**state.files, **{new.held.filename: new.held for new in offered.new}}
        after = IndexState(files, name or state.name, state.url if url is None else url)
        if before is None or afresh or after != before:
            _write(place, offered, state, after, progress, every=before is None or afresh)
    added = tuple(new.held.filename for new in offered.new)
    return Made(added, offered.same, offered.libraries, len(after.projects), len(after.files))


def rewrite(where: str, home: ForgeHome, change: Callable[[IndexState], IndexState]) -> IndexState:
    """Change what an index says of its files, and write the pages that say it.

    Args:
        where: As for `make_index`.
        home: The cache.
        change: Gives the new state for the old one.

    Raises:
        PackageIndexError: There is no index, the change is refused, or the place fails.
    """
    with _writing(where, home) as place:
        state = read_state(place)
        if state is None:
            raise PackageIndexError(f"{place.name} is not an index", hint="make one with 'forge index make'")
        after = change(state)
        _pages(place, state, after, every=False)
        _put(place, STATE, state_text(after))
        return after


@contextlib.contextmanager
def _writing(where: str, home: ForgeHome) -> Iterator[Place]:
    """The place of an index, for one writer on this machine.

    Raises:
        PackageIndexError: It is not one that forge writes to, or fails.
    """
    place = _open(where)
    try:
        with _alone(where, home):
            yield place
    except PlaceError as error:
        raise PackageIndexError(
            f"cannot write to {place.name}: {error}", hint="run the command again: what is there is whole"
        ) from error
    finally:
        place.close()


def _write(
    place: Place, offered: Additions, before: IndexState, after: IndexState, progress: Progress, *, every: bool
) -> None:
    for number, new in enumerate(offered.new, 1):
        progress.phase("index", f"add {number} of {len(offered.new)}: {new.held.filename}")
        place.put(new.held.path, new.path, _nothing)
        _put(place, f"{new.held.path}.metadata", new.metadata)
    progress.phase("index", "write pages")
    _pages(place, before, after, every=every)
    _put(place, STATE, state_text(after))


def _pages(place: Place, before: IndexState, after: IndexState, *, every: bool) -> None:
    """The pages that differ; those of projects before the lists that name them."""
    old, new = before.projects, after.projects
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    told = (before.name, before.url) != (after.name, after.url)
    for name, files in new.items():
        if every or name in changed:
            _put(place, f"simple/{name}/index.html", project_html(name, files))
            _put(place, f"simple/{name}/index.json", project_json(name, files))
        if every or told or not changed.isdisjoint((name, *needed_by(name, old), *needed_by(name, new))):
            _put(place, f"packages/{name}/index.html", package_page(after, name, files))
    if every or list(old) != list(new):
        _put(place, "simple/index.html", root_html(new))
        _put(place, "simple/index.json", root_json(new))
    if every or before != after:
        _put(place, "index.html", home_page(after))


def _put(place: Place, path: str, content: str | bytes) -> None:
    place.put(path, content.encode() if isinstance(content, str) else content, _nothing)


def _nothing() -> None:
    """What a place asks now and then: nothing ends the work but an interruption."""


def _open(where: str) -> Place:
    try:
        place = open_place(where, "the index")
    except CacheError as error:
        raise PackageIndexError(error.message, hint="name a directory, or an s3 URL") from error
    if where.startswith(("http://", "https://")):
        raise PackageIndexError(
            f"{place.name} is a web server, which forge does not write to", hint="name its directory or bucket"
        )
    return place


def _refuse_others(directory: Path) -> None:
    """No index is made among other things."""
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise PackageIndexError(
                f"{directory} is not an index, and not empty", hint="name a new directory, or one that forge made"
            )
    except OSError as error:
        raise PackageIndexError(f"cannot read {directory}: {error.strerror}", hint="check permissions") from error


def _alone(where: str, home: ForgeHome) -> AbstractContextManager[None]:
    """One writer at a time on this machine; another one is waited for."""
    known = where if "://" in where else str(Path(where).resolve())
    return locked(home.locks, f"index-{hashlib.sha256(known.encode()).hexdigest()[:32]}")


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
