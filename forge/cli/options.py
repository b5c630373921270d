"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forge.base.target import Abi, Arch, IOSVersion, Target, TargetError, select_targets
from forge.ios_python.model import Provider
from forge.plan.shared.config import MODE_VARIABLE
from forge.plan.shared.model import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore

DEFAULT_PYTHON = "3.13"
"""What ``--python`` is without being said: the version that most apps of today carry."""


class IOSVersionType(click.ParamType[IOSVersion]):
    """A minimum iOS version on the command line."""

    name = "version"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> IOSVersion:
        """Read the text, or say what is wrong with it."""
        if isinstance(value, IOSVersion):
            return value
        try:
            return IOSVersion.parse(str(value))
        except TargetError as error:
            self.fail(f"{error.message} ({error.hint})", param, ctx)


def ios_version_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--ios-version``."""
    return click.option(
        "--ios-version", type=IOSVersionType(), default="12.0", show_default=True,
        help="Minimum iOS version of the wheels.",
    )(function)  # fmt: skip


def target_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--abi``, ``--arch`` and ``--ios-version``."""
    return target_choice(ios_version_option(function))


def target_choice(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--abi`` and ``--arch``."""
    for option in (
        click.option("--arch", type=click.Choice([*(a.value for a in Arch), "all"]), default="all", show_default=True,
                     help="CPU architecture."),
        click.option("--abi", type=click.Choice([*(a.value for a in Abi), "all"]), default="all", show_default=True,
                     help="Device or simulator."),
    ):  # fmt: skip
        function = option(function)
    return function


def variant_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--variant``."""
    return click.option(
        "--variant", "variants", multiple=True, metavar="NAME",
        help="Build this variant of every recipe that declares it; can be repeated.",
    )(function)  # fmt: skip


def jobs_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--jobs``."""
    return click.option(
        "--jobs", "-j", type=click.IntRange(min=1), metavar="N",
        help="How many processes may run at once.  [default: the number of CPUs]",
    )(function)  # fmt: skip


def cache_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--cache``; the configuration also reads its variable, so that it comes before the file's setting."""
    return click.option(
        "--cache", "cache_mode", type=click.Choice([mode.value for mode in Mode]),
        help="Take wheels from the shared cache (read), also upload what was built (write), or refuse to build what is "
        f"in no cache (only); see docs/cache.md.  [env var: {MODE_VARIABLE}; default: read]",
    )(function)  # fmt: skip


def scheduler_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--scheduler``."""
    return click.option(
        "--scheduler", metavar="ADDRESS", envvar="FORGE_SCHEDULER", show_envvar=True,
        help="Build on the workers of this Dask scheduler, e.g. tcp://192.0.2.1:8786; --jobs is how many wheels they "
        "build at once then.  See docs/cluster.md.",
    )(function)  # fmt: skip


def no_deps_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--no-deps``."""
    return click.option(
        "--no-deps", is_flag=True,
        help="Do not build what the wheels require at run time; what they link is built all the same.",
    )(function)  # fmt: skip


def names_or_all(store: RecipeStore, names: Sequence[str], *, every: bool) -> tuple[Recipe, ...]:
    """The recipes that NAME... or --all names; of all, those that are not disabled.

    Raises:
        click.UsageError: Both were given, or neither.
        RecipeError: One is not there, or is wrong.
    """
    if every and names:
        raise click.UsageError("Give the names of recipes or --all, not both.")
    if not every and not names:
        raise click.UsageError("Missing argument 'NAME...' (or --all).")
    if not every:
        return store.load_all(names)
    return tuple(recipe for recipe in store.load_all(store.names()) if recipe.disabled is None)


def python_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--python``."""
    return click.option(
        "--python", "python_version", default=DEFAULT_PYTHON, show_default=True, help="Python version, e.g. 3.13."
    )(function)


def pythons_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--python``, where several versions may be named."""
    return click.option(
        "--python", "python_versions", default=DEFAULT_PYTHON, show_default=True, metavar="VERSIONS",
        help="Python versions, e.g. 3.13,3.14, or 'all'.",
    )(function)  # fmt: skip


def test_pythons_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--python`` of commands that run wheels; None where it is not given."""
    return click.option(
        "--python", "python_versions", metavar="VERSIONS",
        help=f"Python versions, e.g. 3.13,3.14, or 'all'.  [default: the wheel's own; {DEFAULT_PYTHON} for recipes]",
    )(function)  # fmt: skip


def python_from_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--python-from``."""
    return click.option(
        "--python-from",
        type=click.Choice([provider.value for provider in Provider]),
        envvar="FORGE_PYTHON_FROM",
        show_envvar=True,
        help="Which iOS Python to build against; by default the first of these that is there.",
    )(function)


def provided_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--provided``: what the app brings itself."""
    return click.option(
        "--provided", multiple=True, metavar="NAME",
        help="A framework that the app brings itself, e.g. SDL3, or a library's install name; patterns such as 'Qt*' "
        "and '@rpath/libav*.dylib' match several. May be given several times.",
    )(function)  # fmt: skip


def chosen_provider(python_from: str | None) -> Provider | None:
    """The provider that ``--python-from`` names."""
    return None if python_from is None else Provider(python_from)


def chosen_targets(abi: str, arch: str, ios_version: IOSVersion) -> tuple[Target, ...]:
    """The targets that the options name."""
    return select_targets(str(abi), str(arch), ios_version)


def wheels_in(paths: Iterable[Path]) -> list[Path]:
    """The wheels that arguments name: of a directory, those in it and below it; a file is taken whatever its name."""
    return [file for path in paths for file in (sorted(path.rglob("*.whl")) if path.is_dir() else [path])]
