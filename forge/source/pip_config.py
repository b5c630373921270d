"""Where pip gets packages from, and so where forge does: forge has no index address of its own."""

from __future__ import annotations

import ast
import os
import re
import shutil
import sys
from dataclasses import dataclass

from pypi_simple import PYPI_SIMPLE_ENDPOINT

from forge.base.errors import ToolchainError
from forge.base.process import output

_LINE = re.compile(r"(?P<section>[^.=]+)\.(?P<option>[A-Za-z-]+)=(?P<value>'.*'|\".*\")")
_TRUE = {"1", "y", "yes", "t", "true", "on"}  # what pip reads as true (distutils' strtobool)


@dataclass(frozen=True)
class IndexConfig:
    """Package indexes, by pip's own options.

    Args:
        index_url: ``--index-url``; None is ``--no-index``.
        extra_index_urls: ``--extra-index-url``.
        find_links: ``--find-links``: directories, and pages of links.
    """

    index_url: str | None = PYPI_SIMPLE_ENDPOINT
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()

    @classmethod
    def from_pip(cls) -> IndexConfig:
        """What ``pip config`` says: its files and ``PIP_…`` variables; without a pip, only the variables.

        Runs pip, which takes a third of a second: keep the result.
        """
        options = _options()
        index = options.get("index-url", "").strip() or PYPI_SIMPLE_ENDPOINT
        return cls(
            index_url=None if options.get("no-index", "").strip().lower() in _TRUE else index,
            extra_index_urls=tuple(options.get("extra-index-url", "").split()),
            find_links=tuple(options.get("find-links", "").split()),
        )

    @property
    def index_urls(self) -> tuple[str, ...]:
        """All indexes, the main one first; ``--no-index`` leaves none."""
        return (self.index_url, *self.extra_index_urls) if self.index_url else ()


def _options() -> dict[str, str]:
    """Pip's options for ``pip download``: variables, then its own section, then ``[global]``, as in pip."""
    ranked: dict[str, dict[str, str]] = {"global": {}, "download": {}, ":env:": {}}
    listing = _pip_config_list()
    for line in (listing or "").splitlines():
        found = _LINE.fullmatch(line.strip())
        if found and found["section"] in ranked:
            try:
                value = ast.literal_eval(found["value"])
            except (ValueError, SyntaxError):
                continue  # an option that pip prints in a way of its own is none that is used here
            ranked[found["section"]][found["option"]] = str(value)
    if listing is None:
        names = ("index-url", "extra-index-url", "find-links", "no-index")
        variables = {name: os.environ.get(f"PIP_{name.replace('-', '_').upper()}") for name in names}
        ranked[":env:"] = {name: value for name, value in variables.items() if value}
    return {**ranked["global"], **ranked["download"], **ranked[":env:"]}


def _pip_config_list() -> str | None:
    """What ``pip config list`` prints, or None if there is no pip that answers."""
    other = shutil.which("pip")
    for command in ([sys.executable, "-m", "pip"], [other] if other else []):
        if command:
            try:
                return output([*command, "--disable-pip-version-check", "config", "list"], timeout=60)
            except ToolchainError:
                continue
    return None
