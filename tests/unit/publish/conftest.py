"""A command line whose every output is searched for the password, and a server."""

from __future__ import annotations

import base64
import logging
import os
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from forge.source.pip_settings import PipSettings
from tests.unit.cli.conftest import forge, signals
from tests.unit.publish.server import Server, served
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.cli.runner import Forge, Said

__all__ = ["forge", "signals"]

USER = "me"
PASSWORD = "s3cret/+ %word:x"  # noqa: S105 - of no server but the tests'
FORMS = {
    PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as running:
        yield running


@pytest.fixture(autouse=True)
def of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    """No credentials, proxy or index but the tests', and no waiting."""
    (tmp_path / "user").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("NO_PROXY", "*")
    for name in ("NETRC", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("USERNAME", "PASSWORD"):
        for prefix in ("FORGE_PUBLISH", "TWINE"):
            monkeypatch.delenv(f"{prefix}_{name}", raising=False)
    for name in [each for each in os.environ if "_ID_TOKEN" in each]:  # a CI job's
        monkeypatch.delenv(name)
    monkeypatch.setattr(PipSettings, "from_pip", lambda: PipSettings(index_url=f"{server.url}pip/"))
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def login(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server wants a password, which is in the environment."""
    server.login = f"{USER}:{PASSWORD}"
    monkeypatch.setenv("FORGE_PUBLISH_USERNAME", USER)
    monkeypatch.setenv("FORGE_PUBLISH_PASSWORD", PASSWORD)


@pytest.fixture
def publish(forge: Forge, caplog: pytest.LogCaptureFixture) -> Callable[..., Said]:
    """Runs ``forge publish``; whatever it says, and whatever it leaves behind, has no password in it."""

    def run(*arguments: str) -> Said:
        with caplog.at_level(logging.DEBUG):
            said = forge("publish", *arguments)
        files = [file for file in (forge.root / "home").rglob("*") if file.is_file()]
        texts = [said.out, said.err, caplog.text, *(file.read_text(errors="replace") for file in files)]
        assert not [secret for secret in FORMS for text in texts if secret in text]
        return said

    return run


@pytest.fixture
def plain(forge: Forge, server: Server) -> Callable[[Said], tuple[int, str]]:
    """The exit code, and the error without what differs from run to run."""

    def strip(said: Said) -> tuple[int, str]:
        lines = [line for line in said.err.splitlines() if not re.match(r"\[ *[\d.]+ s\]", line)]
        text = "\n".join(lines).replace(str(forge.root), "TMP").replace(server.url, "SERVER/")
        text = text.replace(server.url.rstrip("/"), "SERVER")
        hashes = iter("ABCDEF")
        known: dict[str, str] = {}
        text = re.sub(r"\b[0-9a-f]{64}\b", lambda found: known.setdefault(found[0], f"HASH-{next(hashes)}"), text)
        return said.code, text

    return strip


def wheel(
    root: Path, name: str = "demo", version: str = "1.0", tag: str = "py3-none-any", *, body: bytes = b"",
    files: dict[str, bytes] | None = None, **said: str,
) -> Path:  # fmt: skip
    headers = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in said.items())
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{headers}"
    return make_wheel(
        root / "wheels", {f"{name}/__init__.py": body, **(files or {})}, name=name, version=version, tag=tag,
        metadata=metadata,
    )  # fmt: skip
