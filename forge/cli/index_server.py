"""``forge index serve``: the web server, and what it takes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click

from forge.base.printable import printable
from forge.index.model import PackageIndexError
from forge.source.pip_settings import PipSettings

if TYPE_CHECKING:
    from pathlib import Path

_HINT = "install 'forge-ios[serve]', or starlette and uvicorn beside forge"


def serve_index(
    directory: Path, host: str, port: int, upstream: str | None, tokens: Path | None, *, access_log: bool
) -> None:
    """Serve an index until the process is told to end.

    Args:
        directory: The index.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        upstream: The address of another index, ``pip`` for the one that pip is configured for, or None.
        tokens: A file with users and passwords, or None.
        access_log: Whether each request is told in a line.

    Raises:
        PackageIndexError: There is no index, a package is missing, the port is taken, or the file is wrong.
    """
    try:
        import uvicorn  # noqa: PLC0415 - optional

        from forge.index.server.app import make_app  # noqa: PLC0415
        from forge.index.server.upstream import Upstream  # noqa: PLC0415
    except ImportError as error:
        raise PackageIndexError(f"the server takes the package {error.name}", hint=_HINT) from error
    settings = PipSettings.from_pip()
    behind = settings.index_urls[0] if upstream == "pip" else upstream
    if behind is not None and not behind.startswith(("https://", "http://")):
        raise click.BadParameter("it is 'pip', or starts with https:// or http://", param_hint="'--upstream'")
    app = make_app(
        directory, upstream=None if behind is None else Upstream(behind, settings),
        tokens=() if tokens is None else _tokens(tokens),
    )  # fmt: skip
    try:
        listening = socket.create_server((host, port), backlog=1024)
    except OSError as error:
        raise PackageIndexError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", hint="name another port with --port"
        ) from error
    with listening:
        address = f"[{host}]" if ":" in host else host
        click.echo(f"serving {printable(str(directory))} at http://{address}:{listening.getsockname()[1]}/simple/")
        level = "info" if access_log else "warning"
        config = uvicorn.Config(app, log_level=level, access_log=access_log, server_header=False)
        uvicorn.Server(config).run(sockets=[listening])


def _tokens(file: Path) -> tuple[str, ...]:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    tokens = tuple(line for line in lines if line and not line.startswith("#"))
    if not tokens or not all(token.partition(":")[0] and token.partition(":")[2] for token in tokens):
        raise PackageIndexError(f"{file} does not have 'user:password' in each line", hint="write one a line")
    return tokens
