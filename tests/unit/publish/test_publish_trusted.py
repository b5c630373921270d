"""Trusted publishing, with a server and a CI service on the loopback address; no token is in any message."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.loopback import serving
from tests.unit.publish.conftest import wheel
from tests.unit.publish.server import read_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge, Said

JOB, IDENTITY, TOKEN = "token-of-the-job", "eyJ.identity.of-the-job", "pypi-for-an-hour"
NAME = "demo-1.0-py3-none-any.whl"
SECRETS = (JOB, IDENTITY, TOKEN)


@dataclass
class Service:
    """A server that has trusted publishing, and a CI service."""

    url: str
    audience: object = "forge-tests"
    mint: tuple[int, object] = (200, {"success": True, "token": TOKEN})
    identity: tuple[int, object] = (200, {"value": IDENTITY})
    asked: list[str] = field(default_factory=list)
    users: list[str | None] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, data: object = None) -> None:
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            running.asked.append(self.path)
            parts = urlsplit(self.path)
            if parts.path == "/_/oidc/audience" and running.audience is not None:
                self.answer(200, {"audience": running.audience})
            elif parts.path == "/ci/token":
                assert self.headers["Authorization"] == f"Bearer {JOB}"
                assert parse_qs(parts.query) == {"api-version": ["2"], "audience": ["forge-tests"]}
                self.answer(*running.identity)
            else:
                self.answer(404)

        def do_POST(self) -> None:
            running.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/_/oidc/mint-token":
                assert json.loads(body) == {"token": IDENTITY}
                self.answer(*running.mint)
                return
            running.users.append(self.headers.get("Authorization"))
            running.files += read_form(self.headers["Content-Type"], body)[0]["filename"]
            self.answer(200)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with serving(Handler) as port:
        running = Service(f"http://127.0.0.1:{port}")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{running.url}/ci/token?api-version=2")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", JOB)
        yield running


@pytest.fixture
def send(forge: Forge, publish: Callable[..., Said], service: Service) -> Callable[..., Said]:
    wheel(forge.root)

    def run(*more: str) -> Said:
        said = publish("wheels", "--to", f"{service.url}/legacy/", "--index-url", "none", *more)
        assert not [secret for secret in SECRETS if secret in said.out + said.err]
        return said

    return run


def test_a_token_for_this_run(service: Service, send: Callable[..., Said]) -> None:
    assert send("--dry-run").code == 0
    assert service.asked == []
    said = send()
    assert (said.code, said.out) == (0, f"published: {NAME}\n"), said.err
    assert service.files == [NAME]
    assert service.users == ["Basic X190b2tlbl9fOnB5cGktZm9yLWFuLWhvdXI="]
    assert [path.partition("?")[0] for path in service.asked] == [
        "/_/oidc/audience", "/ci/token", "/_/oidc/mint-token", "/legacy/",
    ]  # fmt: skip


def test_on_gitlab(service: Service, send: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL")
    monkeypatch.setenv("FORGE_TESTS_ID_TOKEN", IDENTITY)
    assert send().code == 0
    assert service.users == ["Basic X190b2tlbl9fOnB5cGktZm9yLWFuLWhvdXI="]


def test_a_password_comes_first(service: Service, send: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_PUBLISH_PASSWORD", "other")
    assert send().code == 0
    assert service.asked == ["/legacy/"]


@pytest.mark.parametrize("audience", [None, "", 7])
def test_a_server_without_it(service: Service, send: Callable[..., Said], audience: object) -> None:
    service.audience = audience
    assert send().code == 0
    assert service.users == [None]
    assert "/_/oidc/mint-token" not in service.asked


def test_no_ci_job(service: Service, send: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    assert send().code == 0
    assert service.asked == ["/legacy/"]


REFUSALS: dict[str, tuple[int, object]] = {
    "a publisher that is not known": (422, {"message": "no", "errors": [
        {"code": "invalid-publisher", "description": f"valid token {IDENTITY}, but no corresponding publisher"}]}),
    "a message": (403, {"message": "go away"}),
    "no JSON object": (200, [1]),
    "no token": (200, {"token": None}),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSALS)
def test_it_is_refused(service: Service, send: Callable[..., Said], what: str, snapshot: SnapshotAssertion) -> None:
    service.mint = REFUSALS[what]
    said = send()
    assert (said.code, said.err.partition("error")[2].replace(service.url, "SERVER")) == snapshot
    assert service.files == []


def test_a_job_that_may_not_say_who_it_is(
    service: Service, send: Callable[..., Said], snapshot: SnapshotAssertion
) -> None:
    service.identity = (403, {})
    said = send()
    assert (said.code, said.err.partition("error")[2]) == snapshot


def test_nobody_else_reads_the_identity(service: Service, publish: Callable[..., Said], forge: Forge) -> None:
    """It is not sent over a connection that is not encrypted."""
    wheel(forge.root)
    said = publish("wheels", "--to", "http://wheels.invalid/", "--index-url", "none")
    assert said.code == 19
    assert service.asked == []
