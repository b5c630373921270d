from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.source.http import Patience
from tests.loopback import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = Patience(connect=2, read=2, attempts=3, backoff=0.0)


@dataclass
class Answer:
    """What the server says to one request."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0  # how many bytes of the body are withheld


@dataclass
class Server:
    """A web server of this process: each path has its answers, given in turn; the last stays."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)

    def put(self, path: str, *answers: Answer | bytes) -> str:
        self.answers[path] = [each if isinstance(each, Answer) else Answer(each) for each in answers]
        return self.url + path


@dataclass
class Recorder:
    """A `Progress` that remembers."""

    phases: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def phase(self, subject: str, phase: str) -> None:
        self.phases.append(f"{subject}: {phase}")

    def whole(self, done: int, total: int, seconds: float) -> None:
        pass

    def note(self, subject: str, text: str) -> None:
        self.notes.append(f"{subject}: {text}")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's proxies, certificates, indexes and mirrors."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "FORGE_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "FORGE_DEBIAN_MIRROR",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "CERT",
        "CLIENT_CERT",
        "INDEX_URL",
        "EXTRA_INDEX_URL",
        "FIND_LINKS",
        "NO_INDEX",
        "PROXY",
        "TRUSTED_HOST",
        "TIMEOUT",
    ):
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    return ForgeHome(tmp_path / "home")


@pytest.fixture
def progress() -> Recorder:
    return Recorder()


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            running.seen.append(dict(self.headers.items()))
            waiting = running.answers.get(self.path, [Answer(status=404)])
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            self.send_response(answer.status)
            headers = {"Content-Length": str(len(answer.body)), **answer.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(answer.body[: len(answer.body) - answer.cut])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with serving(Handler) as port:
        running = Server(f"http://127.0.0.1:{port}")
        yield running


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def plain(text: str, tmp_path: Path) -> str:
    """A message without what differs from run to run."""
    text = text.replace(str(tmp_path), "TMP")
    text = re.sub(r"http://((?:[^@\s/]*@)?)127\.0\.0\.1:\d+", r"http://\1server.example.org", text)
    text = re.sub(r"port=\d+", "port=…", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
