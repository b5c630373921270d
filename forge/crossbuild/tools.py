"""The virtual environment of forge's own tools, and the only module that sets up pip.

pip runs in isolation: with a clean environment, without configuration files, and with only those of the user's settings
that say where package indexes are and how to reach them. What it installs depends on the lock alone, not on
``PIP_TARGET``, ``CFLAGS`` or the user's pip cache.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from forge.base.atomic import locked
from forge.base.attempts import COMPLETE, complete_attempt, new_attempt, new_log
from forge.base.errors import BuildError
from forge.base.hashing import file_sha256, fingerprint
from forge.base.paths import ForgeHome
from forge.base.process import output, run
from forge.recipe.lock import read_lock
from forge.source.pip_settings import PipSettings
from forge.toolchain.environment import build_environment

if TYPE_CHECKING:
    from collections.abc import Collection

    from forge.ios_python.build_python import BuildPython

TOOLS_LOCK = Path(str(resources.files("forge.crossbuild") / "data" / "tools.lock"))
"""The pinned tools, in pip's requirements format with hashes."""

_LISTING = (
    "import json, sys, importlib.metadata as m;"
    "print(json.dumps(['%d.%d' % sys.version_info[:2],"
    " [[d.metadata['Name'], d.version] for d in m.distributions() if d.metadata['Name']]]))"
)
"""Says Python's minor version and lists the installed packages.

It runs in the environment's own interpreter, since not every environment has pip.
"""


@dataclass(frozen=True)
class Tools:
    """Where the tools are.

    Args:
        python: The environment's interpreter; ``-m pip`` and ``-m crossenv`` work in it.
    """

    python: Path


def ensure_tools(home: ForgeHome, build_python: BuildPython) -> Tools:
    """The tools' environment for a build Python, created if necessary.

    Raises:
        BuildError: pip could not install them; the log says why.
    """
    key = fingerprint(
        {
            "lock": file_sha256(TOOLS_LOCK),
            "python": build_python.version,
            "at": str(build_python.executable),
            "code": file_sha256(Path(__file__)),
        }
    )
    name = f"tools-{key[:12]}"
    with locked(home.locks, name):
        root = complete_attempt(home.build_pythons, name)
        if root is None:
            # A virtual environment records its own path, so it is made in place and counts once it is marked.
            root = new_attempt(home.build_pythons, name)
            python = _interpreter(root)
            log = new_log(home.logs, name)
            run(
                [build_python.executable, "-I", "-m", "venv", "--without-pip", root],
                log=log, env=pip_environment(home), cwd=home.root, what="virtual environment for forge's tools",
            )  # fmt: skip
            # With the pip that forge itself has: ensurepip is a package of its own on Debian, and slow everywhere.
            install(Tools(Path(sys.executable)), python, TOOLS_LOCK, log=log, cwd=home.root)
            (root / COMPLETE).touch()
    return Tools(_interpreter(root))


def _interpreter(environment: Path) -> Path:
    return environment / "bin" / "python"


def install(tools: Tools, python: Path, lock: Path, *, log: Path, cwd: Path) -> None:
    """Install exactly what a lock pins into the environment of *python*, and verify the result.

    Raises:
        BuildError: pip failed, or the environment does not match the lock afterwards.
    """
    command: list[str | Path] = [
        tools.python, "-m", "pip", "--python", python, "install",
        "--no-input", "--disable-pip-version-check", "--no-deps", "--no-compile", "--require-hashes", "--prefer-binary",
        "--requirement", lock,
    ]  # fmt: skip
    run(command, log=log, env=pip_environment(), cwd=cwd, what="installing pinned build requirements")
    if wrong := lacking(python, lock):
        raise BuildError(
            f"the environment of {python} does not match {lock.name}: {'; '.join(wrong)}", log=log,
            hint="please report it",
        )  # fmt: skip


def download_locked(tools: Tools, python: Path, lock: Path, into: Path, *, log: Path) -> tuple[Path, ...]:
    """Download exactly what a lock pins, for a Python: wheels where there are any, else sdists.

    Returns:
        The files, those that were there already too.

    Raises:
        BuildError: pip could not download them; the log says why.
    """
    pins = {(pin.name, Version(pin.version)) for pin in read_lock(lock).pins}
    if pins:
        command: list[str | Path] = [
            tools.python, "-m", "pip", "--python", python, "download",
            "--no-input", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--prefer-binary",
            "--requirement", lock, "--dest", into,
        ]  # fmt: skip
        run(command, log=log, env=pip_environment(), cwd=into, what="downloading pinned build requirements")
    return tuple(path for path in sorted(into.iterdir()) if _names_one(path.name, pins))


def _names_one(filename: str, pins: Collection[tuple[str, Version]]) -> bool:
    """Whether a file is a wheel or an sdist of one of some projects' versions."""
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return (str(name), version) in pins


def lacking(python: Path, lock: Path) -> tuple[str, ...]:
    """The pins of a lock that an environment lacks or has in another version, as messages.

    Raises:
        ToolchainError: The interpreter does not run.
        RecipeError: The lock cannot be read.
    """
    minor, listed = json.loads(output([python, "-I", "-c", _LISTING], env=pip_environment()))
    # An environment may inherit another's packages; the first of a name is what is imported.
    have: dict[str, str] = {}
    for name, version in listed:
        have.setdefault(_normal(name), version)
    wrong = []
    for pin in read_lock(lock).for_python(minor).values():
        version = have.get(pin.name)
        if version is None:
            wrong.append(f"{pin.name} is missing")
        elif Version(version) != Version(pin.version):
            wrong.append(f"{pin.name} is {version} instead of {pin.version}")
    return tuple(wrong)


def _normal(name: str) -> str:
    return str(canonicalize_name(name))


def pip_environment(home: ForgeHome | None = None, settings: PipSettings | None = None) -> dict[str, str]:
    """The environment variables to run pip with: nothing is inherited except how to reach package indexes.

    Args:
        home: Where pip's cache and home directory are; None is the user's ``FORGE_HOME``.
        settings: pip's options; None asks the user's configuration.
    """
    home = home or ForgeHome.from_environment()
    settings = settings or PipSettings.from_pip()
    own = home.root / "pip"
    own.mkdir(parents=True, exist_ok=True)
    variables = {
        **settings.variables(),
        "PIP_CONFIG_FILE": os.devnull,  # no configuration file at all, not even the machine's
        "PIP_CACHE_DIR": str(own / "cache"),
        "PIP_NO_INPUT": "1",
    }
    # Credentials of the user's, for pip's HTTP library, which looks for them in HOME otherwise.
    credentials = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")  # noqa: PTH111 - never raises
    if os.path.isfile(credentials):  # noqa: PTH113 - never raises
        variables["NETRC"] = credentials
    return build_environment(own, variables=variables)
