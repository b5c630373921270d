"""The virtual environment that forge's own tools for the build Python live in: pip and crossenv, pinned by hash."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import locked
from forge.base.hashing import file_sha256, fingerprint
from forge.base.process import run

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.ios_python.build_python import BuildPython

TOOLS_LOCK = Path(str(resources.files("forge.build") / "data" / "tools.lock"))
"""The pinned tools, in pip's requirements format with hashes."""

_DONE = ".forge-complete"


@dataclass(frozen=True)
class Tools:
    """Where the tools are.

    Args:
        python: The environment's interpreter; ``-m pip`` and ``-m crossenv`` work in it.
    """

    python: Path


def ensure_tools(home: ForgeHome, build_python: BuildPython) -> Tools:
    """The tools' environment for a build Python, made if it is not there yet.

    Raises:
        BuildError: pip could not install them; the log says why.
    """
    key = fingerprint(
        {"lock": file_sha256(TOOLS_LOCK), "python": build_python.version, "at": str(build_python.executable)}
    )
    root = home.build_pythons / f"tools-{key[:12]}"
    python = root / "bin" / "python"
    with locked(home.locks, root.name):
        if not (root / _DONE).is_file():
            # A virtual environment records its own place, so it is made there, and counts only once it is marked.
            shutil.rmtree(root, ignore_errors=True)
            log = home.logs / "tools.log"
            log.unlink(missing_ok=True)
            run(
                [build_python.executable, "-I", "-m", "venv", root],
                log=log, env=pip_environment(), cwd=home.root, what="virtual environment for forge's tools",
            )  # fmt: skip
            install(Tools(python), python, TOOLS_LOCK, log=log, cwd=home.root)
            (root / _DONE).touch()
    return Tools(python)


def install(tools: Tools, python: Path, lock: Path, *, log: Path, cwd: Path) -> None:
    """Install what a lock pins into the environment of *python*, and nothing else.

    Raises:
        BuildError: pip failed; the log has its words.
    """
    command: list[str | Path] = [
        tools.python, "-m", "pip", "--python", python, "install",
        "--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile", "--require-hashes", "--prefer-binary",
        "--requirement", lock,
    ]  # fmt: skip
    run(command, log=log, env=pip_environment(), cwd=cwd, what="installing pinned build requirements")


def pip_environment() -> dict[str, str]:
    """This process's environment for running pip: the user's configuration says where packages come from.

    What would make Python itself behave otherwise is left out.
    """
    hidden = {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
    return {name: value for name, value in os.environ.items() if name not in hidden}
