"""Runs PEP 517 back ends in a cross environment, using pypa/build."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from build import BuildBackendException, BuildException, ProjectBuilder

from forge.base.errors import BuildError, ForgeError
from forge.base.process import run
from forge.crossbuild.backends.base import Prepared
from forge.recipe.lock import merge_requires

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forge.crossbuild.context import Build
    from forge.recipe.model import EvaluatedRecipe

Answer = TypeVar("Answer")


class Pep517:
    """Any PEP 517 back end that needs no set-up of its own: setuptools, maturin, and back ends in the source tree."""

    def requires(self, recipe: EvaluatedRecipe, tree: Path) -> tuple[str, ...]:
        """What ``pyproject.toml`` and the recipe declare; the recipe's version of a project counts."""
        return merge_requires(declared_requires(tree), recipe.requires)

    def prepare(self, build: Build) -> Prepared:
        """The recipe's config settings."""
        return Prepared(build.host.expand_all(build.recipe.config_settings))

    def commands(self, build: Build, config_settings: Mapping[str, Sequence[str]], out: Path) -> tuple[str, ...]:
        """A call of the hook ``build_wheel`` in the cross Python."""
        system = pyproject(build.tree).get("build-system", {})  # `requires` has looked at it; the rest is not checked
        module, _, attribute = str(system.get("build-backend", "setuptools.build_meta:__legacy__")).partition(":")
        code = f"import {module} as hooks; hooks{attribute and '.'}{attribute}.build_wheel({str(out)!r}"
        if settings := hook_settings(config_settings):
            code += f", {settings!r}"
        if path := system.get("backend-path"):
            code = f"import sys; sys.path[:0] = {path!r}; {code}"
        # Not with the working directory on sys.path (-P), which PEP 517 rules out.
        return (shlex.join([str(self.interpreter(build)), "-P", "-c", f"{code})"]),)

    def interpreter(self, build: Build) -> Path:
        """The Python that hooks are called in: the one that takes itself for the target's."""
        return build.environment.cross_python

    def run(
        self, build: Build, config_settings: Mapping[str, Sequence[str]], env: Mapping[str, str], out: Path
    ) -> Path:
        """Call the hook ``build_wheel`` in the cross environment."""
        return build_wheel(
            tree=build.tree,
            python=self.interpreter(build),
            env=env,
            config_settings=config_settings,
            out=out,
            log=build.log,
            subject=build.subject,
        )


def declared_requires(tree: Path) -> tuple[str, ...]:
    """A source tree's ``build-system.requires`` (PEP 518); setuptools if there is none (PEP 517).

    Raises:
        BuildError: ``pyproject.toml`` is not valid TOML, or the table is not valid (PEP 518).
    """
    system = pyproject(tree).get("build-system", {})
    requires = system.get("requires", ["setuptools >= 40.8.0"]) if isinstance(system, dict) else None
    if not isinstance(requires, list) or not all(isinstance(r, str) for r in requires):
        raise BuildError("pyproject.toml: build-system.requires is not a list of strings (PEP 518)")
    return tuple(requires)


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
    return Path(made)


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
        where = tree if cwd is None else Path(cwd)
        try:
            run(cmd, log=log, env={**env, **(extra_environ or {})}, cwd=where, what=subject)
        except BuildError as error:  # it names a script of pyproject_hooks, which means nothing to the user
            message = error.message.replace(shlex.join(cmd[:2]), called)
            raise BuildError(message, log=error.log, tail=error.tail) from None
        # Its last argument is the directory through which it talks to the process of the hook.
        _log_warnings(Path(cmd[-1]) / "output.json", log)

    try:
        builder = ProjectBuilder(tree, python_executable=str(python), runner=runner)
        return hook(builder, hook_settings(config_settings))
    except BuildBackendException as error:
        if isinstance(error.exception, (ForgeError, OSError)):  # the runner's own: the log's last lines, a full disk
            raise error.exception from None
        raise BuildError(f"{subject}: {error}", log=log) from error
    except (BuildException, ValueError) as error:  # ValueError: backend-path leaves the tree (PEP 517)
        raise BuildError(f"{subject}: {error}", log=log) from error


def hook_settings(config_settings: Mapping[str, Sequence[str]]) -> dict[str, str | list[str]]:
    """Config settings as hooks take them: a string, or a list where a key has several values."""
    return {key: list(values) if len(values) != 1 else values[0] for key, values in config_settings.items()}


def _log_warnings(answer: Path, log: Path) -> None:
    """Move what a hook warned of from its answer to the log.

    pyproject_hooks (since 1.3) hands a hook's warnings on as warnings of this process: they would be on the screen, and
    errors where ``PYTHONWARNINGS`` says so. What a package's maintainer should do some day is none of that.

    Args:
        answer: The file in which the hook's process leaves what it returns (pyproject_hooks' ``output.json``).
        log: The log file.
    """
    try:
        data = json.loads(answer.read_text(encoding="utf-8"))
        said = data.pop("warnings", [])
    except (OSError, ValueError, AttributeError):  # what is wrong with it is pyproject_hooks' to say
        return
    if said:
        with log.open("a", encoding="utf-8") as file:
            file.writelines(f"warning: {each.get('message', each)}\n" for each in said)
        answer.write_text(json.dumps(data), encoding="utf-8")


def pyproject(tree: Path) -> dict[str, Any]:
    """A source tree's ``pyproject.toml``; empty if there is none.

    Raises:
        BuildError: It is not valid TOML.
    """
    try:
        return tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BuildError(f"pyproject.toml: {error}") from error
