"""Resolving build requirements once, for a recipe's lock."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.errors import NetworkError
from forge.base.process import run
from forge.build.tools import ensure_tools, pip_environment
from forge.recipe.lock import BuildLock, make_lock
from forge.source.index import project_hashes
from forge.source.pip_config import IndexConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.ios_python.build_python import BuildPython


def resolve_lock(home: ForgeHome, requires: Sequence[str], build_python: BuildPython) -> BuildLock:
    """Resolve build requirements with pip, as the build Python sees them, and pin each with every file's hash.

    The hashes of all files of a version are kept, so that a lock serves build machines of every kind.

    Args:
        home: The cache.
        requires: PEP 508 requirements.
        build_python: Whose markers and tags count.

    Raises:
        BuildError: pip found no set of versions; the log says why.
        NetworkError: The index gives no hashes for a file that is needed.
        SourceError: The index changed meanwhile.
    """
    if not requires:
        return make_lock([], [])
    tools = ensure_tools(home, build_python)
    log = home.logs / "resolve.log"
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.json"
        command: list[str | Path] = [
            tools.python, "-m", "pip", "install",
            "--no-input", "--disable-pip-version-check", "--dry-run", "--ignore-installed", "--prefer-binary",
            "--report", report, *requires,
        ]  # fmt: skip
        run(command, log=log, env=pip_environment(), cwd=home.root, what="resolving build requirements")
        resolved: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    config = IndexConfig.from_pip()
    pins: list[tuple[str, str, list[str]]] = []
    for item in resolved["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        hashes = sorted(set(project_hashes(name, version, config).values()))
        if not hashes:
            raise NetworkError(f"the package index gives no sha256 for {name} {version}", hint="use an index that does")
        pins.append((name, version, hashes))
    return make_lock(pins, requires)
