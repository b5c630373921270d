"""Servers of others on the loopback address, each a process of its own for as long as a test needs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(command: Sequence[str], url: str, log: Path) -> Iterator[None]:
    """A server, from when it answers until the end."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=log.parent)
    try:
        for _ in range(600):
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(url, trust_env=False)
                break
            time.sleep(0.1)
        else:
            pytest.fail(log.read_text())
        yield
    finally:
        process.terminate()
        process.wait(30)


_NGINX = """\
daemon off;
{user}
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{}}
http {{
    access_log {root}/access.log;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    {http}
}}
"""


@contextlib.contextmanager
def nginx(root: Path, http: str) -> Iterator[str]:
    """nginx, or a skipped test where there is none.

    Args:
        root: A directory for its files.
        http: What stands in its ``http``; ``PORT`` is where it listens.

    Yields:
        Its address, without a slash at the end.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    port = free_port()
    root.mkdir(parents=True, exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    text = _NGINX.format(root=root, user=user, http=http.replace("PORT", str(port)))
    (root / "nginx.conf").write_text(text)
    command = [program, "-p", str(root), "-e", str(root / "error.log"), "-c", str(root / "nginx.conf")]
    with running(command, f"http://127.0.0.1:{port}", root / "log"):
        yield f"http://127.0.0.1:{port}"
