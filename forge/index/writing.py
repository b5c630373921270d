"""Writing to the place of an index: by one at a time on this machine, and so that readers see it whole.

A file is there before the page that names it, and each page is replaced in one step. What the index holds
(`forge.index.state`) is written last, so that a run that was interrupted is done again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import locked
from forge.index.model import IndexState, PackageIndexError
from forge.index.people import home_page, needs_of, package_page
from forge.index.simple import project_pages, root_html, root_json
from forge.index.state import STATE, read_state, state_text
from forge.plan.shared.model import CacheError, PlaceError
from forge.plan.shared.places import open_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from forge.base.paths import ForgeHome
    from forge.plan.shared.places import Place


@contextlib.contextmanager
def writing(where: str, home: ForgeHome) -> Iterator[Place]:
    """The place of an index, for one writer on this machine; another one is waited for.

    Args:
        where: A directory, or an ``s3`` URL.
        home: The cache; its locks keep two writers on one machine apart.

    Raises:
        PackageIndexError: It is not one that forge writes to, or fails.
    """
    place = writable_place(where)
    try:
        with _alone(where, home):
            yield place
    except PlaceError as error:
        raise PackageIndexError(
            f"cannot write to {place.name}: {error}", hint="run the command again: what is there is whole"
        ) from error
    finally:
        place.close()


def writable_place(where: str) -> Place:
    """The place of an index that forge can write to.

    Raises:
        PackageIndexError: It is none.
    """
    try:
        place = open_place(where, "the index")
    except CacheError as error:
        raise PackageIndexError(error.message, hint="name a directory, or an s3 URL") from error
    if where.startswith(("http://", "https://")):
        raise PackageIndexError(
            f"{place.name} is a web server, which forge does not write to", hint="name its directory or bucket"
        )
    return place


def state_to_add_to(place: Place, where: str) -> IndexState | None:
    """What an index holds; None for a place where one can be made.

    Raises:
        PackageIndexError: There is something else in the directory, or the index is damaged.
    """
    state = read_state(place)
    if state is None and "://" not in where:
        _refuse_others(Path(where))
    return state


def write_pages(place: Place, before: IndexState, after: IndexState, *, every: bool) -> None:
    """The pages that differ, those of projects before the lists that name them, and what the index holds.

    Args:
        place: Where; the files are there.
        before: What the index held.
        after: What it holds.
        every: Write all pages.

    Raises:
        PlaceError: One cannot be written.
    """
    old, new = before.projects, after.projects
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    told = (before.name, before.url) != (after.name, after.url)
    needs, needed = needs_of(new), needs_of(old)
    for name, files in new.items():
        moved = before.url != after.url and any(file.provenance_sha256 for file in files)
        if every or moved or name in changed:
            for kind, text in zip(("html", "json"), project_pages(name, files, after.url), strict=True):
                put(place, f"simple/{name}/index.{kind}", text)
        if every or told or name in changed or needs[name] != needed.get(name):
            put(place, f"packages/{name}/index.html", package_page(after, name, needs[name]))
    if every or list(old) != list(new):
        put(place, "simple/index.html", root_html(new))
        put(place, "simple/index.json", root_json(new))
    if every or before != after:
        put(place, "index.html", home_page(after))
    put(place, STATE, state_text(after))


def put(place: Place, path: str, content: str | bytes | Path) -> None:
    """Store a file.

    Raises:
        PlaceError: It cannot be stored.
    """
    place.put(path, content.encode() if isinstance(content, str) else content, _nothing)


def now() -> str:
    """The time, as `forge.index.model.HeldFile` has it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _nothing() -> None:
    """What a place asks now and then: nothing ends the work but an interruption."""


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
