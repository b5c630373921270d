"""The shared cache of a run: entries are taken from it before anything is built, and what is built is offered to it.

It is never a reason for a run to fail, unless nothing may be built. What is wrong with an entry or a place is told in a
line, and the wheel is built. A place that has failed is left alone for the rest of the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from forge.base.atomic import atomic_file, storage_error
from forge.base.errors import StorageError, WheelError
from forge.plan.cache import (
    UNKNOWN_SECONDS,
    CachedWheel,
    LatestBuild,
    find_wheel,
    new_entry,
    read_latest,
    write_checked,
    write_latest,
)
from forge.plan.shared.entry import MAX_MANIFEST, Content, Entry, manifest_path, read_manifest
from forge.plan.shared.model import CacheError, IgnoredError, MissingError, Mode, PlaceError
from forge.plan.shared.places import open_place
from forge.plan.shared.uploads import Upload, Uploads
from forge.plan.verify import checks_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forge.audit.finding import Finding
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.plan.shared.config import Settings
    from forge.plan.shared.places import Place

TAKEN = "taken.json"
"""What a local entry has besides if it is from a shared cache: from where, and who signed it."""


@dataclass(frozen=True)
class Wanted:
    """A build that is wanted.

    Args:
        subject: What it is called on the screen.
        name: What it is called in the cache (`forge.plan.run.build_name`).
        fingerprint: Its fingerprint.
    """

    subject: str
    name: str
    fingerprint: str


class SharedCache:
    """The shared cache of one run; may be used from several threads.

    Args:
        home: The local cache.
        settings: As it is configured.
        progress: Is told what goes wrong.

    Raises:
        CacheError: A place is none, or what it takes is not installed.
    """

    def __init__(self, home: ForgeHome, settings: Settings, progress: Progress) -> None:
        self._home, self._settings, self._progress = home, settings, progress
        self._places = tuple(open_place(each, settings.where) for each in settings.places)
        self._failed: set[str] = set()
        self._known: dict[str, bool] = {}
        self._uploads: Uploads | None = None
        if settings.mode is Mode.WRITE and settings.signing is not None:
            self._uploads = Uploads(self._places[0], settings.signing, settings.trusted, progress)

    def take(self, wanted: Wanted, check: Callable[[Path], tuple[Finding, ...]]) -> CachedWheel | None:
        """The wheel of a fingerprint, put into the local cache; None if no place has one that can be taken.

        The caller holds the local entry's lock.

        Args:
            wanted: The build.
            check: Checks the wheel as one is checked that was built here; raises WheelError.

        Raises:
            CacheError: It is not there, and nothing is to be built.
        """
        for place in self._places:
            if place.name in self._failed:
                continue
            self._progress.phase(wanted.subject, "ask the shared cache")
            try:
                if (taken := self._take(place, wanted, check)) is not None:
                    self._known[wanted.fingerprint] = True
                    return taken
            except MissingError:
                continue
            except IgnoredError as error:
                self._tell(wanted, f"the entry in the shared cache {place.name} {error}; it is ignored")
            except WheelError as error:
                self._tell(wanted, f"the wheel in the shared cache {place.name} is not taken: {error.message}")
            except PlaceError as error:
                self._failed.add(place.name)
                self._tell(wanted, f"the shared cache {place.name} failed: {error}; it is not asked again in this run")
            except (OSError, StorageError) as error:
                told = error if isinstance(error, StorageError) else storage_error(error)
                why = told.message if told is not None else str(error)
                self._tell(wanted, f"the wheel in the shared cache {place.name} cannot be kept: {why}")
        if self._settings.mode is Mode.ONLY:
            where = " and not in ".join(("it is not in this machine's cache", *(place.name for place in self._places)))
            raise CacheError(
                f"{wanted.subject} is not built, since only cached wheels are to be used: {where}\n"
                f"  fingerprint {wanted.fingerprint}",
                hint="'forge plan' says why its fingerprint differs from the last one's; "
                "leave out '--cache only' to build it",
            )
        return None

    def has(self, fingerprint: str) -> bool:
        """Whether `take` will most likely find a wheel, so that nothing need be prepared for building it.

        True where nothing is built in any case. What is wrong with a place is told when a wheel is taken from it.

        Args:
            fingerprint: The build's fingerprint.
        """
        if self._settings.mode is Mode.ONLY:
            return True
        if fingerprint not in self._known:
            self._known[fingerprint] = any(
                self._can_be_taken(place, fingerprint) for place in self._places if place.name not in self._failed
            )
        return self._known[fingerprint]

    def _can_be_taken(self, place: Place, fingerprint: str) -> bool:
        try:
            fetch_entry(place, fingerprint, self._settings)
        except (MissingError, IgnoredError, PlaceError, OSError, StorageError):
            return False
        return True

    def offer(self, wanted: Wanted, wheel: CachedWheel, seconds: float | None = None) -> None:
        """Upload a wheel in the background, if this run writes to the shared cache.

        What was taken from a shared cache is not signed anew: whoever built it has signed it.

        Args:
            wanted: The build.
            wheel: Its wheel in the local cache.
            seconds: How long it took to build, if that was just now; None for one that was found in the local cache,
                which is uploaded unless it is there.
        """
        if self._uploads is None or (wheel.path.parent / TAKEN).exists():
            return
        is_new = seconds is not None
        if seconds is None:
            latest = read_latest(self._home, wanted.name)
            is_this = latest is not None and latest.fingerprint == wanted.fingerprint
            seconds = latest.seconds if latest is not None and is_this else UNKNOWN_SECONDS
        self._uploads.add(Upload(wanted.subject, wanted.name, wanted.fingerprint, wheel, seconds, is_new))

    def finish(self) -> None:
        """Wait for what is being uploaded, tell how it went, and close all connections."""
        if self._uploads is not None:
            self._uploads.drain()
        self._close()

    def stop(self) -> None:
        """End what is being uploaded: nothing half done stays."""
        if self._uploads is not None:
            self._uploads.stop()
        self._close()

    def _close(self) -> None:
        for place in self._places:
            place.close()

    def _tell(self, wanted: Wanted, text: str) -> None:
        self._progress.note(wanted.subject, text)

    def _take(self, place: Place, wanted: Wanted, check: Callable[[Path], tuple[Finding, ...]]) -> CachedWheel | None:
        key = wanted.fingerprint
        entry, signer = fetch_entry(place, key, self._settings)
        with new_entry(self._home, key, entry.inputs) as directory:
            self._progress.phase(wanted.subject, "download from the shared cache")
            _download(place, entry.wheel, directory / entry.filename)
            _download(place, entry.log, directory / "build.log")
            self._progress.phase(wanted.subject, "check")
            warnings = check(directory / entry.filename)
            write_checked(directory, warnings, checks_digest())
            with atomic_file(directory / TAKEN) as file:
                file.write((json.dumps({"place": place.name, "key": signer, "forge": entry.forge}) + "\n").encode())
        write_latest(self._home, wanted.name, LatestBuild(key, entry.seconds))
        return find_wheel(self._home, key)


def fetch_entry(place: Place, key: str, settings: Settings) -> tuple[Entry, str]:
    """The entry of a fingerprint in a place, and the name of the key that signed it.

    Raises:
        MissingError: There is none.
        IgnoredError: It is not to be taken.
        PlaceError: The place failed.
    """
    manifest = io.BytesIO()
    place.get(manifest_path(key), manifest, MAX_MANIFEST)
    return read_manifest(manifest.getvalue(), key, settings.trusted)


@contextlib.contextmanager
def shared_cache(settings: Settings, home: ForgeHome, progress: Progress) -> Iterator[SharedCache | None]:
    """The shared cache while the body runs; then what is being uploaded is waited for.

    After an interruption nothing is waited for.

    Yields:
        The cache; None if none is configured.

    Raises:
        CacheError: It cannot be used as it is configured.
    """
    if not settings.places and settings.mode is not Mode.ONLY:
        yield None
        return
    shared = SharedCache(home, settings, progress)
    try:
        yield shared
    except Exception:  # a build that failed: those before it have not
        shared.finish()
        raise
    except BaseException:
        shared.stop()
        raise
    try:
        shared.finish()
    except BaseException:
        shared.stop()
        raise


def _download(place: Place, content: Content, path: Path) -> None:
    """Get a file, and see that it is the one that was signed for.

    Raises:
        IgnoredError: It is another one, or not there.
    """
    with path.open("w+b") as file:
        try:
            place.get(content.path, file, content.size)
        except MissingError:
            raise IgnoredError("is incomplete: its contents are not there") from None
        file.flush()
        if _sha256(file) != content.sha256:
            raise IgnoredError("is damaged: a file has another sha256 than was signed")


def _sha256(file: IO[bytes]) -> str:
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # the stubs ask for more
