"""Runs PEP 517 back ends in a cross environment, using pypa/build."""

from __future__ import annotations

import shlex
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from build import BuildBackendException, BuildException, ProjectBuilder

from forge.base.errors import BuildError, ForgeError
from forge.base.process import run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

Answer = TypeVar("Answer")


def declared_requires(tree: Path) -> tuple[str, ...]:
    """A source tree's ``build-system.requires`` (PEP 518); setuptools if there is none (PEP 517).

    Raises:
        BuildError: ``pyproject.toml`` is not valid TOML, or the table is not valid (PEP 518).
    """
    system = _pyproject(tree).get("build-system", {})
    requires = system.get("requires", ["setuptools >= 40.8.0"]) if isinstance(system, dict) else None
    if not isinstance(requires, list) or not all(isinstance(r, str) for r in requires):
        raise BuildError("pyproject.toml: build-system.requires is not a list of strings (PEP 518)")
    return tuple(requires)


def vendored_meson(tree: Path) -> Path | None:
    """A package's own Meson, which it must be built with (``tool.meson-python.meson``), or None."""
    tool = _pyproject(tree).get("tool")
    own = tool.get("meson-python") if isinstance(tool, dict) else None
    named = own.get("meson") if isinstance(own, dict) else None
    return tree / named if isinstance(named, str) and named.endswith(".py") else None


def build_wheel(
    *,
    tree: Path,
    python: Path,
    env: Mapping[str, str],
    config_settings: Mapping[str, Sequence[str]],
    out: Path,
    log: Path,
    subject: str,
) -> Path:
    """Build a source tree's wheel (PEP 517's ``build_wheel`` hook).

    Args:
        tree: The source.
        python: The interpreter that the back end runs in; its requirements are installed.
        env: The complete environment.
        config_settings: PEP 517's config settings; a key may have several values.
        out: A directory for the wheel.
        log: The log file.
        subject: The build's name in messages.

    Raises:
        BuildError: The back end failed, or is not valid (PEP 517).
    """

    def build(builder: ProjectBuilder, settings: dict[str, str | list[str]]) -> str:
        return builder.build("wheel", out, settings)

    made = ask_back_end(
        build, tree=tree, python=python, env=env, config_settings=config_settings, log=log, subject=subject,
        called="the back end",
    )  # fmt: skip
    return out.__class__(made)


def ask_back_end(
    hook: Callable[[ProjectBuilder, dict[str, str | list[str]]], Answer],
    *,
    tree: Path,
    python: Path,
    env: Mapping[str, str],
    config_settings: Mapping[str, Sequence[str]],
    log: Path,
    subject: str,
    called: str,
) -> Answer:
    """Call one of a back end's hooks (PEP 517).

    Args:
        hook: A function that calls it, given the builder and the config settings.
        tree: The source.
        python: The interpreter that the back end runs in; its requirements are installed.
        env: The complete environment.
        config_settings: PEP 517's config settings; a key may have several values.
        log: The log file.
        subject: The build's name in messages.
        called: The hook's name in error messages.

    Raises:
        BuildError: The back end failed, or is not valid (PEP 517).
    """

    def runner(cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        where = tree if cwd is None else tree.__class__(cwd)
        try:
            run(cmd, log=log, env={**env, **(extra_environ or {})}, cwd=where, what=subject)
        except BuildError as error:  # it names a script of pyproject_hooks, which means nothing to the user
            message = error.message.replace(shlex.join(cmd[:2]), called)
            raise BuildError(message, log=error.log, tail=error.tail) from None

    settings = {key: list(values) if len(values) != 1 else values[0] for key, values in config_settings.items()}
    try:
        return hook(ProjectBuilder(tree, python_executable=str(python), runner=runner), settings)
    except BuildBackendException as error:
        if isinstance(error.exception, (ForgeError, OSError)):  # the runner's own: the log's last lines, a full disk
            raise error.exception from None
        raise BuildError(f"{subject}: {error}", log=log) from error
    except (BuildException, ValueError) as error:  # ValueError: backend-path leaves the tree (PEP 517)
        raise BuildError(f"{subject}: {error}", log=log) from error


def _pyproject(tree: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"pyproject.toml: {error}") from error
