"""A server with the upload API and a ``simple/``, on the loopback address, that fails as it is told."""

from __future__ import annotations

import base64
import contextlib
import email.policy
import hashlib
import threading
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import unquote

from packaging.utils import canonicalize_name

from tests.loopback import serving

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Server:
    """What it has, and how it is to behave.

    Args:
        url: Its address for uploads; ``simple/`` is below it.
        files: Its files by name.
        forms: The forms of all uploads that it read to the end.
        login: The user and password that it asks for, joined by a colon.
        answers: Statuses, reasons and bodies for the next uploads, instead of taking them.
        cuts: How many of the next uploads it breaks off half-way.
        halves: What it keeps of uploads that it broke off, by name.
        hashes: Whether its pages have hashes.
        lists: Whether its pages list anything.
        overwrites: Whether it replaces what is there, without a word.
        location: Where redirections go.
        hold: Uploads wait for it before they are answered.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    forms: list[dict[str, list[str]]] = field(default_factory=list)
    login: str = ""
    answers: list[tuple[int, str, str]] = field(default_factory=list)
    cuts: int = 0
    halves: dict[str, bytes] = field(default_factory=dict)
    hashes: bool = True
    lists: bool = True
    overwrites: bool = False
    location: str = ""
    hold: threading.Event = field(default_factory=threading.Event)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def simple(self) -> str:
        """The address of its index."""
        return f"{self.url}simple/"

    def names(self) -> list[str]:
        """The names of what was uploaded, in order."""
        return [form["filename"][0] for form in self.forms]


def read_form(content_type: str, body: bytes) -> tuple[dict[str, list[str]], bytes]:
    message = BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {content_type}\r\n\r\n".encode("ascii") + body
    )
    form: dict[str, list[str]] = {}
    content = b""
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        if (filename := part.get_filename()) is not None:
            form["filename"] = [filename]
            content = payload
        else:
            name = part.get_param("name", header="content-disposition")
            form.setdefault(str(name), []).append(payload.decode())
    return form, content


@contextlib.contextmanager
def served() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: bytes = b"", reason: str | None = None, kind: str = "text/html") -> None:
            self.send_response(status, reason)
            if 300 <= status < 400:
                self.send_header("Location", running.location)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def is_let_in(self) -> bool:
            wanted = "Basic " + base64.b64encode(running.login.encode()).decode()
            return not running.login or self.headers.get("Authorization") == wanted

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            with running.guard:
                cut = running.cuts > 0
                running.cuts -= cut
            if cut:
                self.rfile.read(length // 2)
                running.files.update(running.halves)
                self.close_connection = True
                self.connection.close()
                return
            body = self.rfile.read(length)
            running.hold.wait(20)
            if not self.is_let_in():
                said = f"not allowed: {self.headers.get('Authorization')} {self.headers.get('User-Agent')}"
                self.answer(401, said.encode())
                return
            with running.guard:
                self.take(body)

        def take(self, body: bytes) -> None:
            if running.answers:
                status, reason, text = running.answers.pop(0)
                self.answer(status, text.encode(), reason or None)
                return
            form, content = read_form(self.headers["Content-Type"], body)
            name = form["filename"][0]
            if name in running.files and not running.overwrites:
                self.answer(409, b"<h1>there is such a file</h1>")
                return
            assert form["sha256_digest"] == [hashlib.sha256(content).hexdigest()]
            running.forms.append(form)
            running.files[name] = content
            self.answer(200)

        def do_GET(self) -> None:
            if self.path.startswith("/pip/"):  # another index, which has nothing
                self.answer(404)
                return
            if not self.is_let_in():
                self.answer(401)
                return
            path = unquote(self.path)
            if path.startswith("/simple/"):
                project = path.split("/")[2]
                names = [n for n in running.files if canonicalize_name(n.split("-")[0]) == project and running.lists]
                sums = {n: hashlib.sha256(running.files[n]).hexdigest() for n in names}
                links = "".join(
                    f'<a href="/files/{n}{f"#sha256={sums[n]}" if running.hashes else ""}">{n}</a>' for n in names
                )
                self.answer(200 if names else 404, f"<!DOCTYPE html><body>{links}</body>".encode())
                return
            body = running.files.get(path.removeprefix("/files/"))
            self.answer(404 if body is None else 200, body or b"", kind="application/octet-stream")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with serving(Handler) as port:
        running = Server(f"http://127.0.0.1:{port}/")
        running.hold.set()
        try:
            yield running
        finally:
            running.hold.set()
