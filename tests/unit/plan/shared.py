"""A web server that takes PUT, and machines that share a cache: each has a local cache of its own."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from forge.plan.builds import build_requests
from forge.plan.closure import closure
from forge.plan.request import Request, RunOptions
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.shared.keys import make_key
from forge.recipe.read import read_recipe
from forge.recipe.store import RecipeStore
from tests.loopback import serving
from tests.unit.crossbuild.fakes import make_context, write_recipe
from tests.unit.ios_python.fakes import DEVICE, Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    from forge.plan.run import Result

TAKEN = "demo 1.0 arm64-iphoneos: taken from the shared cache"


@dataclass
class WebServer:
    """Files by path, and what is to go wrong.

    Args:
        url: Its address.
        files: What was put, by path.
        requests: Method and path of each request.
        cut: What the path of a file begins with whose answers end half-way.
        status: What to answer instead, by method.
        hold: While it is not set, PUT waits.
    """

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    cut: str = "nothing"
    status: dict[str, int] = field(default_factory=dict)
    hold: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def web_server() -> Iterator[WebServer]:
    class Handler(BaseHTTPRequestHandler):
        def begin(self) -> bool:
            running.requests.append(f"{self.command} {self.path}")
            running.headers.append(dict(self.headers.items()))
            if status := running.status.get(self.command):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            return not status

        def do_GET(self) -> None:
            if not self.begin():
                return
            body = running.files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if body is not None:
                half = self.path.startswith(running.cut)
                self.wfile.write(body[: len(body) // 2] if half else body)
            self.close_connection = True

        def do_PUT(self) -> None:
            running.hold.wait(20)
            if not self.begin():
                return
            running.files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with serving(Handler) as port:
        running = WebServer(f"http://127.0.0.1:{port}/cache")
        running.hold.set()
        try:
            yield running
        finally:
            running.hold.set()


class Team:
    """Machines that build one recipe, and share what they built."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.monkeypatch = root, monkeypatch
        self.recipe = write_recipe(root / "recipes")
        self.key = str(make_key("ci-1", root / "ci.pem"))
        for name in ("FORGE_CACHE_MODE", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {
            "FORGE_CONFIG": "/dev/null", "FORGE_CACHE_TRUSTED_KEYS": self.key, "NO_PROXY": "*",
            "FORGE_CACHE_SIGNING_KEY": "", "PIP_CONFIG_FILE": "/dev/null", "NETRC": "/dev/null",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)

    def place(self, where: object) -> None:
        self.monkeypatch.setenv("FORGE_CACHE", str(where))

    def build(
        self, machine: str, mode: str = "read", *, key: Path | None = None, meanwhile: Callable[[], None] = lambda: None
    ) -> tuple[Result, list[str]]:
        """Build on a machine: what became of it, and what was said."""
        progress = Recorder()
        if mode == "write":
            self.monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", str(key or self.root / "ci.pem"))
        settings = read_settings(mode)
        self.monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", "")
        context = make_context(self.root / machine)
        store = RecipeStore(self.root / "recipes")
        steps = closure([read_recipe(self.recipe)], DEVICE, context.python.minor, store)
        with shared_cache(settings, context.home, progress) as cache:
            (result,) = build_requests(
                [Request(steps, DEVICE, context)], store, self.root / machine / "dist", progress,
                RunOptions(jobs=1, follow=False, cache=cache),
            )  # fmt: skip
            meanwhile()
        return result, progress.said


class Files:
    """The files of a place, whichever it is."""

    def __init__(self, root: Path, web: WebServer | None) -> None:
        self.root, self.web = root, web

    def all(self) -> dict[str, bytes]:
        if self.web is not None:
            return {path.removeprefix("/cache/"): content for path, content in self.web.files.items()}
        return {str(p.relative_to(self.root)): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}

    def one(self, start: str) -> str:
        (path,) = [path for path in self.all() if path.startswith(start)]
        return path

    def write(self, path: str, content: bytes) -> None:
        if self.web is not None:
            self.web.files[f"/cache/{path}"] = content
            return
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_bytes(content)

    def wheel(self, content: bytes) -> str:
        (path,) = [path for path, found in self.all().items() if path.startswith("cas/") and found == content]
        return path


def notes(said: list[str]) -> list[str]:
    """What was said of the shared cache that is wrong."""
    return [line for line in said if "the shared cache" in line and ("ignored" in line or "failed" in line)]


def left(root: Path) -> list[str]:
    """What is half written below a directory."""
    return [str(path) for path in root.rglob("*") if path.name.endswith((".part", ".old"))]
