"""An index as its users see it: what it lists, and what they get."""

from __future__ import annotations

import hashlib
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from forge.base.errors import NetworkError
from forge.plan.shared.model import IgnoredError, MissingError, PlaceError
from forge.plan.shared.places import open_place
from forge.publish.credentials import keep_from_logs
from forge.publish.model import PublishError
from forge.source.http import Patience
from forge.source.index import project_files
from forge.source.model import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.progress import Progress
    from forge.index.add import NewFile
    from forge.source.index import IndexFile
    from forge.source.pip_settings import PipSettings

LATENESS = Patience(attempts=6, backoff=1.0)
"""How long an index may take to list a new file: half a minute."""


class PublicIndex:
    """An index, by the address of its ``simple/``.

    Args:
        url: The address; user and password may stand in it.
        settings: How pip reaches servers: proxies, certificates.
        lateness: How long it may take to list a new file.
    """

    def __init__(self, url: str, settings: PipSettings, lateness: Patience = LATENESS) -> None:
        keep_from_logs()
        self.name = redacted(url)
        self._settings = replace(settings, index_url=url, extra_index_urls=(), find_links=())
        self._lateness = lateness
        self._known: dict[str, Sequence[IndexFile]] = {}

    def files(self, project: str) -> Sequence[IndexFile]:
        """What it lists of a project; asked once.

        Raises:
            NetworkError: It does not answer.
        """
        if project not in self._known:
            try:
                self._known[project] = project_files(project, self._settings, Patience.of(self._settings))
            except NetworkError as error:
                raise NetworkError(error.message, hint="check --index-url, the network, user and password") from error
        return self._known[project]

    def forget(self, project: str) -> None:
        """Ask again the next time."""
        self._known.pop(project, None)

    def sha256(self, file: IndexFile) -> str:
        """The hash of a file: what the index says, or if it says none, that of what it gives.

        Raises:
            NetworkError: The file cannot be had.
        """
        return file.sha256 or self.downloaded(file)

    def downloaded(self, file: IndexFile) -> str:
        """The sha256 of what users get.

        Raises:
            NetworkError: The file cannot be had.
        """
        url = file.url.partition("#")[0]
        base, _, last = url.rpartition("/")
        if urlsplit(url).scheme == "file":
            last = unquote(last)
        place = open_place(base, "the index")
        try:
            with tempfile.TemporaryFile() as out:
                place.get(last, out, Patience.max_bytes)
                out.seek(0)
                return hashlib.file_digest(out, "sha256").hexdigest()
        except (MissingError, IgnoredError, PlaceError) as error:
            why = str(error) or "it is not there"
            raise NetworkError(f"cannot download {redacted(url)}: {why}", hint="run the command again") from error
        finally:
            place.close()

    def read_back(self, files: Sequence[NewFile], progress: Progress) -> None:
        """Get files as users do, and compare their hashes; one that is not listed yet is waited for.

        Args:
            files: What was published.
            progress: Receives progress updates.

        Raises:
            PublishError: One is not listed, or has other bytes.
            NetworkError: The index does not answer.
        """
        for number, file in enumerate(files, 1):
            held = file.held
            progress.phase("publish", f"read back {number} of {len(files)}: {held.filename}")
            digest = self.downloaded(self._listed(held.project, held.filename))
            if digest != held.sha256:
                raise PublishError(
                    f"{self.name} has other bytes of {held.filename} than were published: sha256 {digest}, "
                    f"not {held.sha256}",
                    hint="look for what stands between: another publisher, a cache, a server that changes files",
                )

    def _listed(self, project: str, filename: str) -> IndexFile:
        for attempt in range(1, self._lateness.attempts + 1):
            self.forget(project)
            for file in self.files(project):
                if file.filename == filename:
                    return file
            if attempt < self._lateness.attempts:
                time.sleep(self._lateness.wait(attempt))
        raise PublishError(
            f"{self.name} does not list {filename}, which was published",
            hint="check that --index-url belongs to where the wheels went; some servers take minutes",
        )
