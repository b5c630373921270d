"""Where pip gets packages from, and how it reaches them, and so how forge does: it has no index address of its own."""

from __future__ import annotations

import ast
import functools
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from forge.base.errors import ToolchainError
from forge.base.process import output

_LINE = re.compile(r"(?P<section>[^.=]+)\.(?P<option>[A-Za-z-]+)=(?P<value>'.*'|\".*\")")
_TRUE = {"1", "y", "yes", "t", "true", "on"}  # what pip reads as true (distutils' strtobool)
_OPTIONS = (
    "index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "cert", "client-cert", "proxy",
    "keyring-provider", "timeout", "retries",
)  # fmt: skip


@dataclass(frozen=True)
class PipSettings:
    """Package indexes and how they are reached, by pip's own options.

    Args:
        index_url: ``--index-url``; empty is pip's default, None is ``--no-index``.
        extra_index_urls: ``--extra-index-url``.
        find_links: ``--find-links``: directories, and pages of links.
        trusted_hosts: ``--trusted-host``: hosts, perhaps with a port, whose certificate is not verified.
        cert: ``--cert``: the bundle of certificate authorities.
        client_cert: ``--client-cert``: a private key and its certificate in one file.
        proxy: ``--proxy``.
        keyring_provider: ``--keyring-provider``: ``import``, ``subprocess``, or what asks no keyring.
        timeout: ``--timeout``, in seconds.
        retries: ``--retries``.
    """

    index_url: str | None = ""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    cert: str = ""
    client_cert: str = ""
    proxy: str = ""
    keyring_provider: str = ""
    timeout: float | None = None
    retries: int | None = None

    @classmethod
    def from_pip(cls) -> PipSettings:
        """What ``pip install`` would take: pip's files and ``PIP_…`` variables; without a pip, only the variables.

        Runs pip, which takes a third of a second, once for each environment that a process has.
        """
        options = {name: value.strip() for name, value in _options().items()}
        no_index = options.get("no-index", "").lower() in _TRUE
        return cls(
            index_url=None if no_index else _absolute(options.get("index-url", "")),
            extra_index_urls=tuple(map(_absolute, options.get("extra-index-url", "").split())),
            find_links=tuple(map(_absolute, options.get("find-links", "").split())),
            trusted_hosts=tuple(options.get("trusted-host", "").split()),
            cert=_path(options.get("cert", "")),
            client_cert=_path(options.get("client-cert", "")),
            proxy=options.get("proxy", ""),
            keyring_provider=options.get("keyring-provider", ""),
            timeout=_number(options.get("timeout", "")),
            retries=None if (count := _number(options.get("retries", ""))) is None else int(count),
        )

    @property
    def index_urls(self) -> tuple[str, ...]:
        """All indexes, the main one first; ``--no-index`` leaves none."""
        if self.index_url is None:
            return ()
        return (self.index_url or _default_index(), *self.extra_index_urls)

    def variables(self) -> dict[str, str]:
        """The same as ``PIP_…`` variables, for a pip that reads nothing else.

        Variables rather than arguments: what a program is called with is in logs, and anybody may see it.
        """
        said = {
            "INDEX_URL": self.index_url or "",
            "EXTRA_INDEX_URL": " ".join(self.extra_index_urls),
            "FIND_LINKS": " ".join(self.find_links),
            "NO_INDEX": "1" if self.index_url is None else "",
            "TRUSTED_HOST": " ".join(self.trusted_hosts),
            "CERT": self.cert,
            "CLIENT_CERT": self.client_cert,
            "PROXY": self.proxy,
            "KEYRING_PROVIDER": self.keyring_provider,
            "TIMEOUT": "" if self.timeout is None else f"{self.timeout:g}",
            "RETRIES": "" if self.retries is None else str(self.retries),
        }
        return {f"PIP_{name}": value for name, value in said.items() if value}


def _default_index() -> str:
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - takes a third of a second, and is seldom needed

    return PYPI_SIMPLE_ENDPOINT


def _options() -> dict[str, str]:
    """Pip's options for ``pip install``: variables, then its own section, then ``[global]``, as in pip."""
    ranked: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    listing = _pip_config_list(frozenset(os.environ.items()))
    for line in (listing or "").splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and found["section"] in ranked:
            try:
                value = ast.literal_eval(found["value"])
            except (ValueError, SyntaxError):
                continue  # an option that pip prints in a way of its own is none that is used here
            ranked[found["section"]][found["option"]] = str(value)
    if listing is None:
        variables = {name: os.environ.get(f"PIP_{name.replace('-', '_').upper()}") for name in _OPTIONS}
        ranked[":env:"] = {name: value for name, value in variables.items() if value}
    return {**ranked["global"], **ranked["install"], **ranked[":env:"]}


@functools.cache
def _pip_config_list(_environment: frozenset[tuple[str, str]]) -> str | None:
    """What ``pip config list`` prints in this environment, or None if there is no pip that answers."""
    other = shutil.which("pip")
    for command in ([sys.executable, "-m", "pip"], [other] if other else []):
        if command:
            try:
                return output([*command, "--disable-pip-version-check", "config", "list"])
            except ToolchainError:
                continue
    return None


def _absolute(place: str) -> str:
    """A URL as it is; a path as a file URL, since it is read from another working directory."""
    if not place or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", place):
        return place
    return Path(_path(place)).as_uri()


def _path(text: str) -> str:
    return os.path.abspath(os.path.expanduser(text)) if text else ""  # noqa: PTH100, PTH111 - never raises


def _number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
