"""Resolves the build requirements for a recipe's lock, and asks back ends for further ones."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from forge.base.attempts import new_log
from forge.base.errors import BuildError, NetworkError, RecipeError
from forge.base.process import run
from forge.crossbuild.backends.pep517 import ask_back_end
from forge.crossbuild.tools import ensure_tools, install, pip_environment
from forge.recipe.lock import BuildLock, applicable, make_lock, normalized_requires
from forge.source.http import Patience
from forge.source.index import project_hashes
from forge.source.pip_settings import PipSettings
from forge.toolchain.environment import build_environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forge.base.paths import ForgeHome
    from forge.ios_python.build_python import BuildPython

HOOK = "get_requires_for_build_wheel"
"""The back end's hook that names further build requirements (PEP 517)."""

_HOOK_PROGRAMS = (
    "sh", "env", "uname", "git", "cat", "ls", "cp", "mv", "rm", "mkdir", "sed", "grep", "awk", "head", "tr", "sort",
    "dirname", "basename", "cc", "gcc", "c++", "g++", "ld", "as", "ar",
)  # fmt: skip
"""Programs on a hook's PATH. ninja, cmake and cargo are not among them: a back end requires what it does not find, and
a lock must not depend on the machine."""


_UNNEEDED_PROGRAMS = ("patchelf",)
"""Programs that a hook finds but cannot run: builds for iOS do not need them, since they edit ELF files."""


class HookError(BuildError):
    """A back end could not be asked for its requirements: the hook itself failed."""


def resolve_lock(
    home: ForgeHome, requires: Sequence[str], build_python: BuildPython, *, minor: str = "", log: Path | None = None
) -> BuildLock:
    """Resolve build requirements with pip for the build Python, and pin each with its files' hashes.

    The hashes are those of all files of a version in the index from which pip chose one. So the lock works on every
    kind of build machine, and does not admit a project of the same name in another index.

    Args:
        home: The cache.
        requires: PEP 508 requirements.
        build_python: The Python whose markers and tags count.
        minor: Another version of Python (major.minor) to resolve for. Then only wheels are taken, since an sdist's
            requirements are those of the Python that builds it.
        log: The log file; None for one of its own.

    Raises:
        RecipeError: A requirement names a URL, which a lock cannot pin.
        BuildError: pip found no versions that fit together; the log says why.
        NetworkError: The index has no hash for a required file.
        SourceError: The index changed in the meantime.
    """
    if not requires:
        return make_lock([], [])
    for text in normalized_requires(requires):
        if (requirement := Requirement(text)).url:
            raise RecipeError(
                f"the build requirement {requirement.name!r} names a URL, which cannot be locked",
                hint=f"list '{requirement.name}' with a version under build.requires: it replaces the URL",
            )
    settings = PipSettings.from_pip()
    tools = ensure_tools(home, build_python)
    with scratch(home, "resolve") as directory:
        report = directory / "report.json"
        command: list[str | Path] = [
            tools.python, "-m", "pip", "install",
            "--no-input", "--disable-pip-version-check", "--dry-run", "--ignore-installed", "--prefer-binary",
            "--report", report,
        ]  # fmt: skip
        if minor:
            command += ["--python-version", minor, "--only-binary=:all:", "--target", directory / "target"]
        command += applicable(requires, minor) if minor else requires
        environment = pip_environment(home, settings)
        run(
            command, log=log or new_log(home.logs, "resolve"), env=environment, cwd=home.root,
            what="resolving build requirements",
        )  # fmt: skip
        resolved: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    patience = Patience.of(settings)
    pins: list[tuple[str, str, list[str]]] = []
    for item in resolved["install"]:
        name, version = item["metadata"]["name"], item["metadata"]["version"]
        chosen = _chosen(item["download_info"])
        hashes = sorted(set(project_hashes(name, version, settings, patience, chosen=chosen).values()))
        if not hashes:
            raise NetworkError(
                f"the package index has no sha256 hash for {name} {version}", hint="use an index that provides hashes"
            )
        pins.append((name, version, hashes))
    return make_lock(pins, requires)


def _chosen(download: Mapping[str, Any]) -> tuple[str, str | None]:
    """The URL and sha256 of the file that pip chose (PyPA's "direct URL" data, in pip's installation report)."""
    hashes = download.get("archive_info", {}).get("hashes", {})
    return str(download["url"]), hashes.get("sha256")


def hook_requires(
    home: ForgeHome,
    tree: Path,
    lock: BuildLock,
    build_python: BuildPython,
    runs: Sequence[tuple[Mapping[str, Sequence[str]], Mapping[str, str]]],
    *,
    log: Path,
    subject: str,
) -> tuple[str, ...]:
    """What a back end's ``get_requires_for_build_wheel`` hook (PEP 517) asks for beyond ``build-system.requires``.

    Args:
        home: The cache.
        tree: The source.
        lock: The static requirements, resolved; they are installed for the hook.
        build_python: The Python that runs the hook.
        runs: Config settings and environment variables of each distinct build.
        log: The log file.
        subject: The recipe's name in messages.

    Raises:
        BuildError: The requirements cannot be installed.
        HookError: The hook failed; has the end of its output.
    """
    with scratch(home, "hooks") as directory:
        pinned = directory / "requirements.txt"
        pinned.write_text(lock.text(), encoding="utf-8")
        python = _environment(home, directory / "venv", pinned, build_python, log)
        programs = _programs(directory / "bin")
        asked: list[str] = []
        for config_settings, variables in runs:
            # The recipe asks for Rust (build.languages); the back end must not install it.
            own = {"MATURIN_NO_INSTALL_RUST": "1", "PATH": f"{python.parent}:{programs}"}
            env = build_environment(directory, variables={**variables, **own})
            try:
                asked += ask_back_end(
                    lambda builder, settings: builder.get_requires_for_build("wheel", settings),
                    tree=tree, python=python, env=env, config_settings=config_settings, log=log, subject=subject,
                    called=f"the back end's hook {HOOK}",
                )  # fmt: skip
            except BuildError as error:
                raise HookError(error.message, hint=error.hint, log=error.log, tail=error.tail) from error
    return normalized_requires(asked)


def _environment(home: ForgeHome, root: Path, pinned: Path, build_python: BuildPython, log: Path) -> Path:
    """Make a virtual environment with what is pinned; returns its interpreter."""
    env = pip_environment(home)
    what = "virtual environment for build requirements"
    run(
        [build_python.executable, "-I", "-m", "venv", "--without-pip", root], log=log, env=env, cwd=home.root, what=what
    )
    python = root / "bin" / "python"
    install(ensure_tools(home, build_python), python, pinned, log=log, cwd=home.root)
    return python


def _programs(directory: Path) -> Path:
    directory.mkdir()
    for name in _HOOK_PROGRAMS:
        if found := shutil.which(name):
            (directory / name).symlink_to(found)
    for name in _UNNEEDED_PROGRAMS:
        (directory / name).symlink_to(shutil.which("false") or "/bin/false")
    return directory


@contextmanager
def scratch(home: ForgeHome, purpose: str) -> Iterator[Path]:
    """A temporary directory in the cache, removed at the end."""
    home.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{purpose}-", dir=home.work, ignore_cleanup_errors=True) as directory:
        yield Path(directory)
