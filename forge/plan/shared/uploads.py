"""Uploads in the background: builds do not wait for them, the end of the run does."""

from __future__ import annotations

import io
import json
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import forge
from forge.base.hashing import file_sha256
from forge.plan.shared.entry import MAX_MANIFEST, Content, Entry, manifest_path, read_manifest, write_manifest
from forge.plan.shared.model import IgnoredError, MissingError, PlaceError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.plan.cache import CachedWheel
    from forge.plan.shared.keys import PublicKey, SigningKey
    from forge.plan.shared.places import Place

_SUBJECT = "shared cache"
_SECONDS_TO_STOP = 1.0


@dataclass(frozen=True)
class Upload:
    """A wheel to upload.

    Args:
        subject: What it is called on the screen.
        name: What the build is called in the cache.
        fingerprint: Its fingerprint.
        wheel: The wheel in the local cache.
        seconds: How long it took to build.
        is_new: Whether it is uploaded without asking if it is there.
    """

    subject: str
    name: str
    fingerprint: str
    wheel: CachedWheel
    seconds: float
    is_new: bool


class Uploads:
    """What a run uploads to one place, one after the other, in a thread of its own.

    Args:
        place: Where to.
        key: What entries are signed with.
        trusted: Keys whose entries need not be uploaded again.
        progress: Is told what goes wrong.
    """

    def __init__(self, place: Place, key: SigningKey, trusted: Mapping[str, PublicKey], progress: Progress) -> None:
        self._place, self._key, self._trusted, self._progress = place, key, trusted, progress
        self._changed = threading.Condition()
        self._waiting: deque[Upload] = deque()
        self._seen: set[str] = set()
        self._busy = False
        self._stopped = False
        self._failed = False
        self._done, self._lost = 0, 0
        self._thread: threading.Thread | None = None

    def add(self, upload: Upload) -> None:
        """Upload a wheel when those before it are; once in a run is enough."""
        with self._changed:
            if self._stopped or (upload.fingerprint in self._seen and not upload.is_new):
                return
            self._seen.add(upload.fingerprint)
            self._waiting.append(upload)
            if self._thread is None:
                # A daemon: a place that does not answer must not keep an interrupted forge from ending.
                self._thread = threading.Thread(target=self._loop, name="forge uploads", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self) -> None:
        """Wait until everything is uploaded, and tell how it went."""
        with self._changed:
            remaining = len(self._waiting) + self._busy
            if remaining:
                self._progress.note(_SUBJECT, f"waiting for uploads to {self._place.name} ({remaining} left)")
            while self._waiting or self._busy:
                self._changed.wait(0.2)  # a wait without a limit would not let Ctrl-C through
        if self._done:
            self._progress.note(_SUBJECT, f"uploaded {_wheels(self._done)} to {self._place.name}")
        if self._lost:
            self._progress.note(_SUBJECT, f"{_wheels(self._lost)} could not be uploaded to {self._place.name}")

    def stop(self) -> None:
        """Upload nothing more; what is under way ends at its next step."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_SECONDS_TO_STOP)

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                upload = self._waiting.popleft()
                self._busy = True
            try:
                self._one(upload)
            finally:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _one(self, upload: Upload) -> None:
        if self._failed:
            self._lost += 1
            return
        try:
            if upload.is_new or not self._is_there(upload.fingerprint):
                self._put(upload)
                self._done += 1
        except StoppedError:
            return
        except PlaceError as error:
            self._failed = True
            self._lose(upload, f"{error}; nothing more is uploaded in this run")
        except Exception as error:  # noqa: BLE001 - a run whose wheels are all there does not fail for this
            self._lose(upload, str(error) or type(error).__name__)

    def _lose(self, upload: Upload, why: str) -> None:
        self._lost += 1
        self._progress.note(upload.subject, f"cannot be uploaded to the shared cache {self._place.name}: {why}")

    def _is_there(self, fingerprint: str) -> bool:
        manifest = io.BytesIO()
        try:
            self._place.get(manifest_path(fingerprint), manifest, MAX_MANIFEST)
            read_manifest(manifest.getvalue(), fingerprint, self._trusted)
        except (MissingError, IgnoredError):
            return False
        return True

    def _put(self, upload: Upload) -> None:
        """Contents first, the manifest last: nobody sees an entry that is not whole."""
        directory = upload.wheel.path.parent
        record: dict[str, Any] = json.loads((directory / "build.json").read_text(encoding="utf-8"))
        wheel, log = _content(upload.wheel.path), _content(directory / "build.log")
        if wheel.sha256 != upload.wheel.sha256:
            raise ValueError("the wheel in this machine's cache is damaged")
        entry = Entry(
            upload.fingerprint, upload.name, upload.wheel.path.name, wheel, log, record["inputs"],
            round(upload.seconds, 1), forge.__version__,
        )  # fmt: skip
        manifest = write_manifest(entry, self._key)
        self._place.put(wheel.path, upload.wheel.path, self._go_on)
        self._place.put(log.path, directory / "build.log", self._go_on)
        self._place.put(manifest_path(upload.fingerprint), manifest, self._go_on)

    def _go_on(self) -> None:
        if self._stopped:
            raise StoppedError


def _content(path: Path) -> Content:
    return Content(file_sha256(path), path.stat().st_size)


def _wheels(count: int) -> str:
    return "1 wheel" if count == 1 else f"{count} wheels"
