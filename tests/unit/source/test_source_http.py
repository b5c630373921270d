"""How servers are reached: proxies, certificates and credentials as pip and the machine have them."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import subprocess
import sys
import threading
import types
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from forge.base.errors import NetworkError
from forge.source.download import download
from forge.source.http import client
from forge.source.pip_settings import PipSettings
from tests.loopback import serving

from .conftest import QUICK, Server, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forge.base.paths import ForgeHome

    from .conftest import Recorder


def get(url: str, settings: PipSettings | None = None) -> bytes:
    with client(QUICK, settings) as http:
        return http.get(url).raise_for_status().content


@pytest.mark.parametrize(
    "no_proxy",
    ["localhost,[::1]", "fe80::/10", "[fd00::]/8", "host:*", "http://x:y", "10.0.0.0/8,127.0.0.1", ",, ,"],
)
def test_any_no_proxy_is_read(server: Server, monkeypatch: pytest.MonkeyPatch, no_proxy: str) -> None:
    server.put("/x", b"content")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert get(f"{server.url}/x") == b"content"


@pytest.mark.parametrize(
    ("proxy", "said"),
    [
        ("http://[::1", "cannot use the proxy"),
        ("http://user:secret@proxy:80a", "cannot use the proxy http://proxy:80a"),
        ("gopher://proxy", "cannot use the proxy gopher://proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, proxy: str, said: str) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(NetworkError, match="cannot use the proxy") as caught:
        get("https://example.invalid/")
    assert said in caught.value.message
    assert "secret" not in caught.value.message


def test_a_socks_proxy_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    with pytest.raises(NetworkError, match=r"the proxy socks5://127\.0\.0\.1:9 is a SOCKS proxy"):
        get("https://example.invalid/")


def test_pips_proxy_is_taken(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    server.put("http://example.invalid/x", b"through the proxy")
    assert get("http://example.invalid/x", PipSettings(proxy=server.url)) == b"through the proxy"
    assert get("http://example.invalid/x", PipSettings(proxy=server.url.removeprefix("http://"))) != b""


def test_netrc(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: ForgeHome) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.put("/x", b"content")
    get(f"{server.url}/x")
    get(server.url.replace("//", "//other:word@") + "/x")
    said = [base64.b64decode(seen["Authorization"].split()[1]) for seen in server.seen]
    assert said == [b"user:secret", b"other:word"]
    (tmp_path / "netrc").write_text("machine\n")
    get(f"{server.url}/x")
    assert "Authorization" not in server.seen[-1]


class Guarded(BaseHTTPRequestHandler):
    """Gives everybody who knows the password what they ask for."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "")
        self.seen.append(base64.b64decode(given.removeprefix("Basic ")).decode())
        known = self.seen[-1] == "user:secret"
        self.send_response(200 if known else 401)
        self.end_headers()
        self.wfile.write(b"content" if known else b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Guarded, "seen", [])
    monkeypatch.setenv("NETRC", os.devnull)
    with serving(Guarded) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, str]]:
    """The package keyring, with what the test puts in."""
    passwords: dict[str, tuple[str, str]] = {}

    def get_credential(service: str, user: str | None) -> types.SimpleNamespace | None:
        found = passwords.get(service)
        if found is None or user not in (None, found[0]):
            return None
        return types.SimpleNamespace(username=found[0], password=found[1])

    module = types.ModuleType("keyring")
    module.get_credential = get_credential  # type: ignore[attr-defined] # of a made-up module
    monkeypatch.setitem(sys.modules, "keyring", module)
    return passwords


def test_the_keyring_is_asked_once_the_server_asks(guarded: str, keyring: dict[str, tuple[str, str]]) -> None:
    index = f"{guarded}/simple/"
    keyring[index] = ("user", "secret")
    settings = PipSettings(index_url=index, keyring_provider="import")
    with client(QUICK, settings) as http:
        assert http.get(f"{guarded}/files/x").content == b"content"
        assert http.get(f"{guarded}/files/y").content == b"content"
    assert Guarded.seen == ["", "user:secret", "user:secret"]  # the second time without being asked


@pytest.mark.parametrize("provider", ["", "auto", "disabled", "subprocess"])
def test_no_keyring_is_asked_that_pip_would_not_ask(
    guarded: str, keyring: dict[str, tuple[str, str]], provider: str
) -> None:
    keyring[guarded.removeprefix("http://")] = ("user", "secret")
    with client(QUICK, PipSettings(keyring_provider=provider)) as http:
        assert http.get(f"{guarded}/x").status_code == 401
    assert Guarded.seen == [""]


def test_an_index_whose_address_is_not_valid_is_passed_over(guarded: str, keyring: dict[str, tuple[str, str]]) -> None:
    keyring[guarded.removeprefix("http://")] = ("user", "secret")
    settings = PipSettings(index_url="https://host:port/x", keyring_provider="import")
    with client(QUICK, settings) as http:
        assert http.get(f"{guarded}/x").content == b"content"


def test_a_password_that_is_wrong_is_tried_once(guarded: str, keyring: dict[str, tuple[str, str]]) -> None:
    keyring[guarded.removeprefix("http://")] = ("user", "old")
    with client(QUICK, PipSettings(index_url=None, keyring_provider="import")) as http:
        assert http.get(f"{guarded}/x").status_code == 401
        assert http.get(guarded.replace("//", "//user:given@")).status_code == 401
    assert Guarded.seen == ["", "user:old", "user:given"]


def test_the_keyrings_program(guarded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = guarded.removeprefix("http://")
    program = tmp_path / "keyring"
    program.write_text(f'#!/bin/sh\n[ "$*" = "get {host} user" ] && echo secret\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with client(QUICK, PipSettings(index_url=None, keyring_provider="subprocess")) as http:
        assert http.get(guarded.replace("//", "//user@") + "/x").content == b"content"
        assert http.get(guarded.replace("//", "//other@") + "/x").status_code == 401
    assert Guarded.seen == ["user:", "user:secret", "other:"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1's own making, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is missing")
    directory = tmp_path_factory.mktemp("certificate")
    file = directory / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", directory / "key.pem", "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + (directory / "key.pem").read_text())
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "6")
            self.end_headers()
            self.wfile.write(b"secure")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust the certificate hangs up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Quiet(("127.0.0.1", 0), Handler) as httpd:
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://127.0.0.1:{httpd.server_port}"
        finally:
            httpd.shutdown()
            thread.join()


def test_certificates(secure: str, certificate: Path, home: ForgeHome, progress: Recorder) -> None:
    port = secure.rpartition(":")[2]
    trusting = [
        PipSettings(cert=str(certificate)),
        PipSettings(trusted_hosts=("127.0.0.1",)),
        PipSettings(trusted_hosts=(f"127.0.0.1:{port}",)),
        PipSettings(cert=str(certificate), client_cert=str(certificate)),
    ]
    assert [get(secure, settings) for settings in trusting] == [b"secure"] * 4
    sha = sha256(b"secure")
    for settings in (PipSettings(), PipSettings(trusted_hosts=("127.0.0.1:1",))):
        with pytest.raises(NetworkError, match="certificate cannot be verified"):
            download(
                [secure + "/x"],
                sha256=sha,
                filename="x",
                home=home,
                progress=progress,
                patience=QUICK,
                settings=settings,
            )
    assert (
        download(
            [secure + "/x"],
            sha256=sha,
            filename="x",
            home=home,
            progress=progress,
            patience=QUICK,
            settings=trusting[0],
        ).read_bytes()
        == b"secure"
    )


@pytest.mark.parametrize("option", ["cert", "client_cert"])
def test_certificates_that_cannot_be_read(tmp_path: Path, option: str) -> None:
    with pytest.raises(NetworkError, match=r"cannot read|does not exist"):
        get("https://example.invalid", PipSettings(**{option: str(tmp_path / "none.pem")}))  # type: ignore[arg-type]
