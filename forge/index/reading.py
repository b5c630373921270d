"""Reading an index from its place, be it a directory, a bucket or a web server."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from typing import IO, TYPE_CHECKING

from forge.index.model import PackageIndexError
from forge.index.state import read_state
from forge.plan.shared.model import CacheError, IgnoredError, MissingError, PlaceError
from forge.plan.shared.places import open_place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.index.model import IndexState
    from forge.plan.shared.places import Place

MOST_BESIDE = 64 * 1024 * 1024
"""The largest page, or file beside a wheel, that is read; bytes."""


@contextlib.contextmanager
def reading(where: str) -> Iterator[tuple[Place, IndexState]]:
    """The place of an index, and what it holds.

    Args:
        where: A directory, or an ``s3``, ``http`` or ``https`` URL: of the index, not of its ``simple/``.

    Raises:
        PackageIndexError: There is no index, or it cannot be reached.
    """
    try:
        place = open_place(where, "the index")
    except CacheError as error:
        raise PackageIndexError(error.message, hint="name a directory, or an s3, http or https URL") from error
    try:
        yield place, state_of(place)
    finally:
        place.close()


def state_of(place: Place) -> IndexState:
    """What an index holds.

    Raises:
        PackageIndexError: There is none at that place, or it is damaged.
    """
    state = read_state(place)
    if state is None:
        raise PackageIndexError(f"{place.name} is not an index", hint="name the directory above its simple/")
    return state


def problem(place: Place, path: str, size: int, sha256: str, out: IO[bytes] | None = None) -> str:
    """What is wrong with a file, or an empty string.

    Args:
        place: Where it is.
        path: Its path there.
        size: The most bytes that it has.
        sha256: Its hash.
        out: An empty file that gets its content; None for one that is not kept.
    """
    with tempfile.TemporaryFile() if out is None else contextlib.nullcontext(out) as file:
        try:
            place.get(path, file, size)
        except MissingError:
            return "it is not there"
        except IgnoredError:
            return f"it is larger than {size:,} bytes"
        except PlaceError as error:
            return f"it cannot be read: {error}"
        file.seek(0)
        found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # the stubs ask for more
    return "" if found == sha256 else f"its sha256 is {found}, not {sha256}"


def fetch(place: Place, path: str, size: int, sha256: str, out: IO[bytes]) -> None:
    """Get a file that is what the index says.

    Args:
        place: Where it is.
        path: Its path there.
        size: The most bytes that it has.
        sha256: Its hash.
        out: An empty file that gets its content.

    Raises:
        PackageIndexError: It is not there, or is another one.
    """
    if wrong := problem(place, path, size, sha256, out):
        raise PackageIndexError(
            f"{place.name}: {path}: {wrong}", hint="'forge index verify' says all that is wrong with that index"
        )
