"""``forge publish`` to real servers on the loopback address: pypiserver and devpi."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from forge.source.index import project_files
from forge.source.pip_settings import PipSettings
from tests.integration.servers import free_port, running
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BIN = Path(sys.executable).parent
USER, PASSWORD = "me", "s3cret-of-the-tests"
NAME = "demo-1.0-py3-none-any.whl"


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Args:
        upload: Its address for uploads.
        simple: That of its ``simple/``.
        log: What it writes to the terminal.
    """

    upload: str
    simple: str
    log: Path


@contextlib.contextmanager
def pypiserver(where: Path, backend: str) -> Iterator[Server]:
    """A pypiserver that wants a password for everything, and gives MD5 hashes.

    On wsgiref it takes one request at a time, but keeps half of what is cut off. Left to itself it takes waitress,
    which takes no half, but looks and writes in two steps, between which another thread may write.
    """
    port = free_port()
    (where / "packages").mkdir()
    digest = base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()  # noqa: S324 - what htpasswd files have
    (where / "users").write_text(f"{USER}:{{SHA}}{digest}\n")
    url = f"http://127.0.0.1:{port}/"
    command = [
        str(BIN / "pypi-server"), "run", "-i", "127.0.0.1", "-p", str(port), "-a", "update,download,list",
        "-P", "users", "--disable-fallback", "--server", backend, "-v", "packages",
    ]  # fmt: skip
    with running(command, url, where / "log"):
        yield Server(url, f"{url}simple/", where / "log")


@pytest.fixture(scope="module")
def devpi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Server]]:
    """A devpi, and what makes an index in it whose files never change."""
    where, port = tmp_path_factory.mktemp("devpi"), free_port()
    directory = ["--serverdir", str(where / "data")]
    subprocess.run([BIN / "devpi-init", *directory, "--no-root-pypi"], check=True, capture_output=True, cwd=where)
    url = f"http://127.0.0.1:{port}"
    command = [str(BIN / "devpi-server"), *directory, "--host", "127.0.0.1", "--port", str(port), "--offline-mode"]
    with (
        running(command, f"{url}/+status", where / "log"),
        httpx.Client(base_url=url, trust_env=False, headers={"Accept": "application/json"}, timeout=60) as http,
    ):
        http.put(f"/{USER}", json={"password": PASSWORD}).raise_for_status()
        login = http.post("/+login", json={"user": USER, "password": PASSWORD}).raise_for_status()
        token = base64.b64encode(f"{USER}:{login.json()['result']['password']}".encode()).decode()
        numbers = itertools.count()

        def make() -> Server:
            path = f"/{USER}/wheels{next(numbers)}"
            settings = {"type": "stage", "bases": [], "volatile": False}
            http.put(path, json=settings, headers={"X-Devpi-Auth": token}).raise_for_status()
            return Server(f"{url}{path}/", f"{url}{path}/+simple/", where / "log")

        yield make


@pytest.fixture(params=["pypiserver on wsgiref", "devpi"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "devpi":
        ready = request.getfixturevalue("devpi")()
        yield ready
    else:
        (tmp_path / "server").mkdir()
        with pypiserver(tmp_path / "server", request.param.partition(" on ")[2]) as ready:
            yield ready
    assert PASSWORD not in ready.log.read_text(errors="replace")


@dataclass(frozen=True)
class Said:
    """What a run of forge left."""

    code: int
    out: str
    err: str


def publish(root: Path, server: Server, *arguments: str, password: str = PASSWORD) -> Said:
    """Run ``forge publish``; nothing that it says has the password in it."""
    environment = {
        **os.environ, "FORGE_HOME": str(root / "home"), "HOME": str(root), "NO_PROXY": "*", "NETRC": os.devnull,
        "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "FORGE_PUBLISH_USERNAME": USER,
        "FORGE_PUBLISH_PASSWORD": password,
    }  # fmt: skip
    command = [sys.executable, "-m", "forge", "publish", "--to", server.upload, "--index-url", server.simple]
    done = subprocess.run(
        [*command, *arguments], env=environment, cwd=root, capture_output=True, text=True, check=False
    )
    assert password not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def wheel(root: Path, name: str = "demo", version: str = "1.0", body: bytes = b"", requires: str = "") -> Path:
    line = f"Requires-Dist: {requires}\n" if requires else ""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: A demonstration\n{line}"
    return make_wheel(
        root / "wheels",
        {f"{name}/__init__.py": body},
        name=name,
        version=version,
        tag="py3-none-any",
        metadata=metadata,
    )


def listed(server: Server, project: str) -> dict[str, bytes]:
    """What users find of a project, with its bytes."""
    url = server.simple.replace("://", f"://{USER}:{PASSWORD}@")
    found = project_files(project, PipSettings(index_url=url))
    with httpx.Client(trust_env=False) as http:
        return {file.filename: http.get(file.url).raise_for_status().content for file in found}


def test_from_the_first_upload_to_a_new_build(tmp_path: Path, server: Server) -> None:
    first = wheel(tmp_path).read_bytes()
    wheel(tmp_path, "app", requires="demo>=1")
    said = publish(tmp_path, server, "wheels", "--dry-run")
    assert (said.code, said.out.count("new: ")) == (0, 2), said.err
    assert listed(server, "demo") == {}
    said = publish(tmp_path, server, "wheels")
    assert (said.code, said.out) == (0, f"published: {NAME}\npublished: app-1.0-py3-none-any.whl\n"), said.err
    assert "read back from" in said.err
    assert listed(server, "demo") == {NAME: first}

    said = publish(tmp_path, server, "wheels")
    assert (said.code, said.out.count("there already: ")) == (0, 2), said.err

    changed = wheel(tmp_path, body=b"x = 1\n")
    said = publish(tmp_path, server, "wheels")
    assert said.code == 19
    for digest in (hashlib.sha256(first), hashlib.sha256(changed.read_bytes())):
        assert digest.hexdigest() in said.err
    assert "its next build number is 1" in said.err
    assert listed(server, "demo") == {NAME: first}

    said = publish(tmp_path, server, "wheels", "--build-number", "+1")
    assert (said.code, "published: demo-1.0-1-py3-none-any.whl" in said.out) == (0, True), said.err
    assert listed(server, "demo").keys() == {NAME, "demo-1.0-1-py3-none-any.whl"}
    assert publish(tmp_path, server, "wheels", "--build-number", "+1").out.count("there already: ") == 2


def test_a_wrong_password(tmp_path: Path, server: Server) -> None:
    wheel(tmp_path)
    said = publish(tmp_path, server, "wheels", "--index-url", "none", password="wr0ng-password")  # noqa: S106
    assert (said.code, said.out) == (19, "")
    assert "refuses the user and password from the environment (FORGE_PUBLISH_PASSWORD)" in said.err
    assert listed(server, "demo") == {}


@pytest.mark.parametrize("server", ["pypiserver on auto", "devpi"], indirect=True)
def test_a_connection_cut_half_way(tmp_path: Path, server: Server) -> None:
    """What was sent in half is not there, and the next run ends the work."""
    whole = wheel(tmp_path, body=os.urandom(4 << 20)).read_bytes()
    address = httpx.URL(server.upload)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def relay() -> None:
            """Pass half of each upload on, then hang up on both sides."""
            while True:
                try:
                    near, _ = listening.accept()
                except OSError:
                    return
                with near, socket.create_connection((address.host, address.port or 80)) as far:
                    passed = 0
                    while passed < len(whole) // 2 and (data := near.recv(1 << 16)):
                        far.sendall(data)
                        passed += len(data)

        thread = threading.Thread(target=relay, daemon=True)
        thread.start()
        near = server.upload.replace(f":{address.port}", f":{listening.getsockname()[1]}")
        said = publish(tmp_path, Server(near, server.simple, server.log), "wheels", "--index-url", "none")
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(30)
    assert (said.code, said.out) == (19, "")
    assert "run the same command again" in said.err
    assert listed(server, "demo") == {}
    said = publish(tmp_path, server, "wheels")
    assert said.code == 0, said.err
    assert listed(server, "demo") == {NAME: whole}


@pytest.mark.parametrize("same", [True, False], ids=["same", "other"])
def test_two_publishers_at_once(tmp_path: Path, server: Server, same: bool) -> None:
    """Never half of either, and whoever came second is told; readers get whole files all the while."""
    bodies = [os.urandom(1 << 20)] * 2 if same else [os.urandom(1 << 20), os.urandom(1 << 20)]
    roots = [tmp_path / "one", tmp_path / "two"]
    wheels = [wheel(root, body=body).read_bytes() for root, body in zip(roots, bodies, strict=True)]
    said: dict[Path, Said] = {}
    threads = [
        threading.Thread(target=lambda root=root: said.update({root: publish(root, server, "wheels")}))
        for root in roots
    ]
    for thread in threads:
        thread.start()
    seen: list[bytes] = []
    while any(thread.is_alive() for thread in threads):
        seen += listed(server, "demo").values()
    for thread in threads:
        thread.join()
    final = listed(server, "demo")[NAME]
    assert final in wheels
    assert {*seen} <= {final}
    assert sorted(one.code for one in said.values()) == ([0, 0] if same else [0, 19]), said
