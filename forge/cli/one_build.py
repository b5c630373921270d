"""What commands on one build share: the options that say which, and getting everything that it needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from forge.base.target import Abi, Arch, Target, parse_multiarch
from forge.cli.options import DEFAULT_PYTHON, IOSVersionType, chosen_provider
from forge.ios_python.choose import minor_of
from forge.plan.closure import plan_builds
from forge.plan.one_build import OneBuild, one_build, steps_up_to
from forge.plan.provision import ensure_context
from forge.plan.which_build import Choice
from forge.trial.emulator import host_arch

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import IOSVersion
    from forge.crossbuild.kept import KeptBuild
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore


def one_build_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--target``, ``--abi``, ``--arch``, ``--ios-version``, ``--python`` and ``--variant``: all narrow a choice."""
    for option in (
        click.option("--variant", "variants", multiple=True, metavar="NAME", help="Variant; can be repeated."),
        click.option("--python", "python_version", metavar="VERSION", help="Python version, e.g. 3.13."),
        click.option("--ios-version", type=IOSVersionType(), help="Minimum iOS version."),
        click.option("--arch", type=click.Choice([arch.value for arch in Arch]), help="CPU architecture."),
        click.option("--abi", type=click.Choice([abi.value for abi in Abi]), help="Device or simulator."),
        click.option("--target", metavar="ARCH-ABI", help="--arch and --abi at once, e.g. arm64-iphonesimulator."),
    ):
        function = option(function)
    return function


def chosen_build(
    target: str | None, abi: str | None, arch: str | None, ios_version: IOSVersion | None, python: str | None,
    variants: tuple[str, ...],
) -> Choice:  # fmt: skip
    """What the options say.

    Raises:
        click.UsageError: --target was given along with --abi or --arch.
        TargetError: There is no such target.
        IOSPythonError: forge builds nothing for that Python.
    """
    if target is not None:
        if abi is not None or arch is not None:
            raise click.UsageError("Give --target, or --abi and --arch, not both.")
        named = parse_multiarch(target)
        abi, arch = named.abi, named.arch
    choice = Choice(
        None if abi is None else Abi(abi), None if arch is None else Arch(arch), ios_version,
        None if python is None else minor_of(python), variants,
    )  # fmt: skip
    likeliest(choice)  # is wrong if there can be no such target
    return choice


def likeliest(choice: Choice) -> Target:
    """The target of a choice that can be run on this machine, or the nearest to it.

    Raises:
        TargetError: There is no such target.
    """
    abi = choice.abi or Abi.IPHONESIMULATOR
    device = Arch.ARM64 if abi is Abi.IPHONEOS else None
    target = Target(abi, choice.arch or device or host_arch() or Arch.X86_64)
    return target if choice.ios_version is None else replace(target, ios_version=choice.ios_version)


def resolve_build(
    recipe: Recipe, store: RecipeStore, home: ForgeHome, progress: Progress, choice: Choice, kept: KeptBuild | None,
    *, python: str | None = None, python_from: str | None = None, jobs: int | None = None,
) -> OneBuild:  # fmt: skip
    """A build with everything that it needs: toolchain, Pythons, host requirements.

    Args:
        recipe: The recipe.
        store: Where recipes are found.
        home: The cache.
        progress: Receives progress updates.
        choice: What was said about the build.
        kept: A build that was kept, whose target, Python and variants count; None for what was said, and defaults.
        python: The version of Python as it was named.
        python_from: Where the iOS Python is to come from.
        jobs: How many processes may run at once.

    Raises:
        ForgeError: A recipe is wrong; something is missing; a host requirement cannot be built.
    """
    target = likeliest(choice) if kept is None else kept.target
    variants = choice.variants if kept is None else kept.variants
    version = python or (DEFAULT_PYTHON if kept is None else kept.python)
    # Every error of recipes is reported before a toolchain or a Python is made.
    (closure,) = plan_builds([recipe], [target], minor_of(version), store, variants)
    context = ensure_context(home, version, [target], progress, chosen_provider(python_from))
    return one_build(steps_up_to(closure, recipe.normalized_name), target, context, store, progress, jobs)
