"""Publishing to a server that takes uploads: one file after the other, each after what it requires."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from forge.publish.credentials import find_credentials
from forge.publish.model import PublishError, Sent
from forge.publish.plan import other_bytes
from forge.publish.readback import PublicIndex
from forge.publish.trusted import trusted_credentials
from forge.publish.upload import PATIENCE, Took, Uploader
from forge.source.http import client

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from forge.base.progress import Progress
    from forge.index.add import NewFile
    from forge.publish.credentials import Credentials
    from forge.publish.pypirc import Repository
    from forge.source.index import IndexFile
    from forge.source.pip_settings import PipSettings

UNSEEN = "none"
"""The index address that stands for: do not look."""


class UploadServer:
    """A server with the upload API.

    What is there already is read from its ``simple/``; a server whose ``simple/`` nobody may look at
    (``--index-url none``) is trusted to refuse other bytes itself.

    Args:
        repository: Where it is.
        index_url: The address of its ``simple/``; ``none`` not to look, an empty string for what is known of it.
        settings: How pip reaches servers.

    Raises:
        PublishError: Nobody said where its ``simple/`` is.
    """

    def __init__(self, repository: Repository, index_url: str, settings: PipSettings) -> None:
        self.name = repository.url
        self._repository, self._settings = repository, settings
        self._credentials = find_credentials(repository)
        address = index_url or repository.index_url
        if not address:
            base = repository.url.rstrip("/")
            raise PublishError(
                f"where is the index that {self.name} uploads to?",
                hint=f"give --index-url: often {base}/simple/, with devpi {base}/+simple/; or 'none', not to look at "
                "what is there: then the server alone keeps published files from being replaced",
            )
        self._public: PublicIndex | None = None
        if address != UNSEEN:
            # The index of the same server has the same users.
            same = urlsplit(address)[:2] == urlsplit(repository.url)[:2]
            self._public = PublicIndex(
                self._credentials.into(address) if same and self._credentials else address, settings
            )

    def files(self, project: str) -> Sequence[IndexFile]:
        """See `forge.publish.model.Destination`."""
        return self._public.files(project) if self._public else ()

    def sha256(self, file: IndexFile) -> str:
        """See `forge.publish.model.Destination`."""
        assert self._public is not None  # noqa: S101 - the file is from there
        return self._public.sha256(file)

    def send(self, files: Sequence[NewFile], progress: Progress) -> Sent:
        """See `forge.publish.model.Destination`."""
        with client(PATIENCE, self._settings) as http:
            credentials = self._credentials
            if credentials is None and not self._is_open_to_others():
                credentials = trusted_credentials(self._repository, http)
            return self._send(files, http, credentials, progress)

    def _send(
        self, files: Sequence[NewFile], http: httpx.Client, credentials: Credentials | None, progress: Progress
    ) -> Sent:
        url = self._repository.url
        if credentials and self._is_open_to_others():
            progress.note("publish", f"the password goes to {url} unencrypted: use https if the server has it")
        new: list[str] = []
        same: list[str] = []
        uploader = Uploader(http, url, credentials)
        for number, file in enumerate(files, 1):
            progress.phase("publish", f"upload {number} of {len(files)}: {file.held.filename}")
            took = uploader.upload(file)
            if took is Took.NEW:
                new.append(file.held.filename)
            else:
                self._compare(file, broke=took is Took.EXISTS_AFTER_A_BREAK)
                same.append(file.held.filename)
        return Sent(tuple(new), tuple(same))

    def _is_open_to_others(self) -> bool:
        """Whether others on the way read what is sent."""
        parts = urlsplit(self._repository.url)
        return parts.scheme == "http" and not _is_loopback(parts.hostname or "")

    def _compare(self, file: NewFile, *, broke: bool) -> None:
        """The server has a file of that name: one that came meanwhile, or one that the index does not list."""
        held = file.held
        if self._public is None:
            raise PublishError(
                f"{self.name} has a file {held.filename}; whether it is the same is not known",
                hint="give --index-url, so that forge can compare",
            )
        self._public.forget(held.project)
        there = self._public.files(held.project)
        found = next((one for one in there if one.filename == held.filename), None)
        if found is None:
            raise PublishError(
                f"{self.name} takes no file {held.filename}, which {self._public.name} does not list",
                hint="a name that was used and deleted is not taken again by most servers: use --build-number +1, or "
                "build it with a higher build number",
            )
        if (digest := self._public.sha256(found)) != held.sha256:
            names = [one.filename for one in there]
            raise PublishError(
                f"{held.filename}: {other_bytes(held.filename, digest, held.sha256, names)}",
                hint="the connection broke before, and the server kept what had arrived: delete the file there, then "
                "run the command again"
                if broke
                else "somebody else published it meanwhile: compare the two builds before you publish another",
            )

    def read_back(self, files: Sequence[NewFile], progress: Progress) -> str:
        """See `forge.publish.model.Destination`."""
        if self._public is None:
            return ""
        self._public.read_back(files, progress)
        return self._public.name


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
