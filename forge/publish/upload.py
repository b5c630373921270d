"""One upload by the upload API: a form with a file, as PyPI, pypiserver, devpi, Artifactory and others take it."""

from __future__ import annotations

import enum
import html
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from forge.publish.form import upload_form
from forge.publish.model import PublishError
from forge.source.http import TRANSIENT, Patience, is_transient, reason
from forge.source.model import redacted

if TYPE_CHECKING:
    from forge.index.add import NewFile
    from forge.publish.credentials import Credentials

PATIENCE = Patience(read=300.0, attempts=3, backoff=1.0)
"""Servers look at a file before they answer."""

AGAIN = "run the same command again: what has arrived is not sent again"
_MOST_ANSWER = 64 * 1024
_LONGEST_REASON = 300
_EXISTS = re.compile(
    r"already exist|already been taken|updating asset|overwrite artifact|not allowed to overwrite|not allow updating",
    flags=re.IGNORECASE,
)
"""How servers say that there is a file of that name, if not by HTTP 409 (Conflict)."""


class Took(enum.Enum):
    """What a server did with a file."""

    NEW = "new"
    EXISTS = "exists"
    """It has a file of that name."""
    EXISTS_AFTER_A_BREAK = "exists after a break"
    """The same, and an earlier attempt at this upload was cut off: some servers keep what arrived of it."""


@dataclass(frozen=True)
class Answer:
    """What a server said.

    Args:
        status: HTTP's status.
        said: Its reason, in a line.
        location: Where it sends the client, without credentials, or an empty string.
    """

    status: int
    said: str
    location: str = ""


class Uploader:
    """Uploads to one server.

    Args:
        http: The client.
        url: The server's address for uploads.
        credentials: The user and password, or None.
        patience: Time-outs and attempts.
    """

    def __init__(
        self, http: httpx.Client, url: str, credentials: Credentials | None, patience: Patience = PATIENCE
    ) -> None:
        self._http, self._url, self._credentials, self._patience = http, url, credentials, patience

    def upload(self, file: NewFile) -> Took:
        """Upload a file; what may pass is tried again.

        Args:
            file: The wheel.

        Raises:
            PublishError: The server refuses it, or cannot be reached; the message has no password.
        """
        broke = False
        for attempt in range(1, self._patience.attempts + 1):
            is_last = attempt == self._patience.attempts
            try:
                answer = self._post(file)
            except httpx.HTTPError as error:
                broke = True
                if is_last or not is_transient(error):
                    raise PublishError(
                        f"cannot upload {file.held.filename} to {self._url}: {self._clean(reason(error))}", hint=AGAIN
                    ) from None
            else:
                if 200 <= answer.status < 300:
                    return Took.NEW
                if answer.status == httpx.codes.CONFLICT or (
                    400 <= answer.status < 500 and _EXISTS.search(answer.said)
                ):
                    return Took.EXISTS_AFTER_A_BREAK if broke else Took.EXISTS
                if is_last or answer.status not in TRANSIENT:
                    raise self._refused(file.held.filename, answer)
            time.sleep(self._patience.wait(attempt))
        raise AssertionError("the loop returns or raises")

    def _post(self, file: NewFile) -> Answer:
        auth = httpx.BasicAuth(self._credentials.username, self._credentials.password) if self._credentials else None
        with (
            file.path.open("rb") as content,
            self._http.stream(
                "POST", self._url, data=upload_form(file), auth=auth, follow_redirects=False,
                files={"content": (file.held.filename, content, "application/octet-stream")},
            ) as response,
        ):  # fmt: skip
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MOST_ANSWER:
                    break
            text = body[:_MOST_ANSWER].decode(errors="replace")
            location = response.headers.get("location", "") if response.is_redirect else ""
            return Answer(response.status_code, self._clean(_said(response.reason_phrase, text)), redacted(location))

    def _refused(self, filename: str, answer: Answer) -> PublishError:
        said = f"HTTP {answer.status} {answer.said}".rstrip()
        match answer.status:
            case 401 | 403:
                if self._credentials is None:
                    return PublishError(
                        f"{self._url} takes no upload without a user and password: {said}",
                        hint="set FORGE_PUBLISH_USERNAME and FORGE_PUBLISH_PASSWORD, or use the keyring, ~/.netrc "
                        "or ~/.pypirc",
                    )
                return PublishError(
                    f"{self._url} refuses the user and password from {self._credentials.source}: {said}",
                    hint="correct them there, and check that the user may upload to this project; with a token, "
                    "the user is often __token__",
                )
            case 404 | 405 | 410:
                return PublishError(
                    f"{self._url} takes no uploads: {said}", hint="name the address for uploads, not that of simple/"
                )
            case 413:
                return PublishError(
                    f"{self._url} refuses {filename} since it is too large: {said}",
                    hint="ask whoever runs the server for a higher limit",
                )
            case 507:
                return PublishError(
                    f"the disk of {self._url} is full: {said}", hint=f"have space freed there; then {AGAIN}"
                )
            case status if 300 <= status < 400:
                return PublishError(
                    f"{self._url} sends uploads elsewhere: {answer.location or said}",
                    hint="name that address itself, if you trust it: a password is not passed on",
                )
            case status if status >= 500:
                return PublishError(f"{self._url} failed on {filename}: {said}", hint=f"later, {AGAIN}")
        return PublishError(f"{self._url} refuses {filename}: {said}", hint="correct what it says, then run again")

    def _clean(self, text: str) -> str:
        return self._credentials.scrub(text) if self._credentials else text


def _said(phrase: str, body: str) -> str:
    """A server's reason in one line: the status line's, and the text of the body without HTML."""
    plain = re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", body, flags=re.DOTALL | re.IGNORECASE)
    plain = " ".join(html.unescape(plain).split())
    text = phrase if not plain or plain in phrase else f"{phrase}: {plain}" if phrase else plain
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
