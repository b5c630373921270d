"""One build by itself, outside a graph: entered by a person, or gone on with after it failed.

Its host requirements are built, or taken from the cache, as for any build.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from forge.base.atomic import locked
from forge.base.cpus import cpu_count
from forge.base.errors import BuildError
from forge.base.hashing import fingerprint
from forge.base.jobserver import JobServer
from forge.crossbuild.compilers import find_compilers
from forge.crossbuild.kept import kept_builds, source_identity
from forge.crossbuild.recipe_build import prepare_build, run_build
from forge.plan.builds import build_requests
from forge.plan.fingerprint import step_inputs
from forge.plan.request import Request, RunOptions
from forge.plan.run import Result, build_or_find, host_package, publish, subject_of
from forge.plan.verify import verify_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.utils import NormalizedName

    from forge.audit.finding import Finding
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.compilers import Compilers
    from forge.crossbuild.context import Build, BuildContext
    from forge.crossbuild.host_prefix import HostPackage
    from forge.crossbuild.kept import KeptBuild
    from forge.plan.closure import Step
    from forge.recipe.model import EvaluatedRecipe
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class OneBuild:
    """A build, and everything that it needs.

    Args:
        recipe: Evaluated for the target.
        context: Toolchain and Pythons.
        key: Its fingerprint.
        subject: What it is called on the screen.
        host: The built host requirements, including indirect ones.
        compilers: The compilers of the recipe's languages.
        jobs: How many processes may run at once.
    """

    recipe: EvaluatedRecipe
    context: BuildContext
    key: str
    subject: str
    host: tuple[HostPackage, ...]
    compilers: Compilers
    jobs: int


@dataclass(frozen=True)
class Entered:
    """A build that can be entered.

    Args:
        kept: Its work directory.
        is_new: Whether it was prepared just now; otherwise it is as a build, or a person, left it.
    """

    kept: KeptBuild
    is_new: bool


def one_build(
    steps: Sequence[Step], target: Target, context: BuildContext, store: RecipeStore, progress: Progress,
    jobs: int | None = None,
) -> OneBuild:  # fmt: skip
    """What it takes to build the last recipe of a closure; its host requirements are built if they are not there.

    Args:
        steps: The closure of one recipe (`forge.plan.closure`), cut off after the recipe (`steps_up_to`).
        target: The target.
        context: Toolchain and Pythons.
        store: Where recipes are found.
        progress: Receives progress updates.
        jobs: How many processes may run at once; None for as many as there are CPUs.

    Raises:
        ForgeError: A host requirement cannot be built; a compiler is missing.
    """
    step = steps[-1]
    jobs = jobs or cpu_count()
    key = fingerprint(step_inputs(steps, context)[step.recipe.normalized_name])
    needed = [replace(each, wanted=False) for each in steps[:-1]]
    # What is not wanted is not published: these stay in the cache, from which they are taken below.
    if needed:
        options = RunOptions(jobs=jobs, follow=False)
        build_requests([Request(needed, target, context)], store, context.home.work, progress, options)
    packages: dict[NormalizedName, HostPackage] = {}
    for each in needed:
        subject = subject_of(each.recipe.recipe, target)
        result, cached = build_or_find(each.recipe, context, [packages[name] for name in each.host], progress, subject)
        packages[each.recipe.normalized_name] = host_package(each.recipe, result, cached)
    host = tuple(packages[name] for name in step.host)
    subject = subject_of(step.recipe.recipe, target)
    return OneBuild(step.recipe, context, key, subject, host, find_compilers(step.recipe.languages), jobs)


def steps_up_to(steps: Sequence[Step], name: NormalizedName) -> tuple[Step, ...]:
    """The part of a closure that a recipe's build takes: its host requirements and, last, itself.

    Args:
        steps: The closure.
        name: The recipe's name, normalised.
    """
    by_name: Mapping[NormalizedName, Step] = {step.recipe.normalized_name: step for step in steps}
    step = by_name[name]
    return (*(by_name[each] for each in step.host), step)


def enter_build(one: OneBuild, progress: Progress) -> Entered:
    """A build's work directory: the one that is there, else one in which everything but the back end has run.

    Args:
        one: The build.
        progress: Receives progress updates.

    Raises:
        ForgeError: It cannot be prepared.
    """
    with _locked(one, one.key):
        if (kept := _kept(one)) is not None:
            return Entered(kept, is_new=False)
        with JobServer(one.jobs) as server:  # as in any build; a shell's make counts its processes itself
            context = replace(one.context, jobs=server)
            prepared = prepare_build(
                one.recipe, context,
                key=one.key, progress=progress, subject=one.subject, host=one.host, compilers=one.compilers,
            )  # fmt: skip
    return Entered(prepared.kept, is_new=True)


def continue_build(one: OneBuild, kept: KeptBuild, out: Path, progress: Progress) -> Result:
    """Run the back end again in the source tree of a build that was kept, and publish its wheel.

    The tree may have a person's edits, of which the fingerprint knows nothing, so the wheel is never put into the
    cache. The work directory is kept.

    Args:
        one: The build as the recipe has it now; its environment and settings count.
        kept: The work directory, whose tree counts.
        out: Where the wheel goes.
        progress: Receives progress updates.

    Raises:
        BuildError: The back end failed again; the recipe has another source than the tree is of; the directory is gone.
        WheelError: The wheel is not what the recipe says.
    """
    source, patches = source_identity(one.recipe)
    anew = f"run 'forge build {one.recipe.normalized_name}' to start from the new one"
    if source != kept.source:
        raise BuildError(f"the recipe's source has changed since {kept.tree} was unpacked", hint=anew)
    if patches != kept.patches:
        progress.note(one.subject, "the recipe's patches have changed, but the source tree is left as it is")
    warnings: list[Finding] = []

    def verify(wheel: Path, build: Build, *, places: Collection[Path], hint: str) -> None:
        progress.phase(one.subject, "check")
        warnings.extend(verify_wheel(wheel, build.recipe, build.context.python, places=places, hint=hint))

    with _locked(one, one.key, kept.key), JobServer(one.jobs) as server:
        if not kept.enter.is_file():
            raise BuildError(f"{kept.work} was removed meanwhile", hint=anew)
        prepared = prepare_build(
            one.recipe, replace(one.context, jobs=server, keep_work=True),
            key=one.key, progress=progress, subject=one.subject, host=one.host, compilers=one.compilers, kept=kept,
        )  # fmt: skip
        done = kept.work / "continued"
        done.mkdir(exist_ok=True)
        with server.slot():
            built = run_build(prepared, done, progress, verify)
        wheel = publish(built.path, out)
    progress.phase(one.subject, "done")
    return Result(one.subject, wheel, one.key, built=True, warnings=tuple(warnings), work=built.work)


def _kept(one: OneBuild) -> KeptBuild | None:
    found = kept_builds(one.context.home, one.recipe.normalized_name)
    return next((kept for kept in found if kept.key == one.key), None)


@contextlib.contextmanager
def _locked(one: OneBuild, *keys: str) -> Iterator[None]:
    """Hold the locks under which `forge.plan.run` builds these keys."""
    with contextlib.ExitStack() as stack:
        for key in sorted(set(keys)):  # in one order, so that two processes never wait for each other
            stack.enter_context(locked(one.context.home.locks, f"wheel-{key[:32]}"))
        yield
