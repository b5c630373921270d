"""One build: taken from the cache if it is there, else made and stored there."""

from __future__ import annotations

import contextlib
import filecmp
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.atomic import atomic_file, locked
from forge.base.hashing import file_sha256, fingerprint
from forge.base.memory import measured
from forge.crossbuild.compilers import find_compilers
from forge.crossbuild.host_prefix import HostPackage
from forge.plan.cache import (
    CachedWheel,
    LatestBuild,
    find_wheel,
    mark_used,
    new_entry,
    store_checked,
    write_checked,
    write_latest,
)
from forge.plan.executor import Order
from forge.plan.fingerprint import build_inputs
from forge.plan.shared.cache import Wanted
from forge.plan.verify import checks_digest, verify_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from forge.audit.finding import Finding
    from forge.base.errors import ForgeError
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import Build, BuildContext
    from forge.crossbuild.recipe_build import BuiltWheel
    from forge.plan.executor import Executor
    from forge.plan.provision import Context
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.model import EvaluatedRecipe, Recipe


@dataclass(frozen=True)
class Result:
    """What became of one recipe and target.

    Args:
        subject: Name, version and target, for people.
        wheel: The wheel in the output directory.
        fingerprint: What it was made from.
        built: False if it was taken from the cache.
        warnings: What the check found that is not a failure.
        work: The build's work directory, if it was to be kept.
    """

    subject: str
    wheel: Path
    fingerprint: str
    built: bool
    warnings: tuple[Finding, ...] = ()
    work: Path | None = None


@dataclass(frozen=True)
class Failure:
    """A build that failed, or was skipped because of another that did.

    Args:
        subject: What was to be built.
        error: What went wrong; None for a build that was skipped.
        because: Why it was skipped, or an empty string.
    """

    subject: str
    error: ForgeError | None
    because: str = ""


def subject_of(recipe: Recipe, target: Target) -> str:
    """What a build is called on the screen; a pure wheel is built once for all targets."""
    return f"{recipe.name} {recipe.version} {target}" if recipe.native else f"{recipe.name} {recipe.version}"


def build_name(recipe: EvaluatedRecipe) -> str:
    """What a build is called in the cache: the recipe, and what it is built for."""
    target = recipe.target.multiarch if recipe.native else "any"
    return f"{recipe.normalized_name}-{target}" + ("" if recipe.is_native_library else f"-{recipe.python}")


def build_or_find(
    recipe: EvaluatedRecipe, context: Context, host: Sequence[HostPackage], progress: Progress, subject: str,
    shared: SharedCache | None = None, executor: Executor | None = None, inputs: Mapping[str, object] | None = None,
) -> tuple[Result, CachedWheel]:  # fmt: skip
    """Build one recipe for one target, or find it in the cache of this machine or in the shared one.

    Args:
        recipe: Evaluated for the target.
        context: Toolchain and Pythons.
        host: The built host requirements, including indirect ones.
        progress: Receives progress updates.
        subject: What it is called on the screen.
        shared: The shared cache, if there is one.
        executor: What builds it elsewhere; None builds it here. There must be a shared cache, from which it is taken.
        inputs: What its fingerprint covers, if that is known.

    Raises:
        ForgeError: It cannot be built, or is not what its recipe says; or it is in no cache, and may not be built.
    """
    progress.phase(subject, "check the cache")
    if inputs is None:
        compilers = find_compilers(recipe.languages)
        inputs = build_inputs(recipe, context, {package.name: package.fingerprint for package in host}, compilers)
    key = fingerprint(inputs)
    wanted = Wanted(subject, build_name(recipe), key)

    def in_cache() -> tuple[Result, CachedWheel] | None:
        if (cached := find_wheel(context.home, key)) is None:
            return None
        if cached.checks != checks_digest():
            progress.phase(subject, "check again")
            hint = f"it was built when forge had other checks; its log is {cached.path.parent / 'build.log'}"
            warnings = verify_wheel(cached.path, recipe, context.python, hint=hint)
            cached = store_checked(cached, warnings, checks_digest())
        mark_used(cached)
        if shared is not None:
            shared.offer(wanted, cached)
        progress.phase(subject, "taken from the cache")
        return Result(subject, cached.path, key, built=False, warnings=cached.warnings), cached

    def check(wheel: Path) -> tuple[Finding, ...]:
        return verify_wheel(wheel, recipe, context.python, hint="it is from the shared cache")

    if (found := in_cache()) is not None:
        return found
    with locked(context.home.locks, f"wheel-{key[:32]}"):
        if (found := in_cache()) is not None:  # another process built it meanwhile
            return found
        if shared is not None and (taken := shared.take(wanted, check)) is not None:
            progress.phase(subject, "taken from the shared cache")
            return Result(subject, taken.path, key, built=False, warnings=taken.warnings), taken
        if executor is not None and shared is not None:
            report = executor.build(Order(wanted, recipe, context, tuple(host), inputs), progress)
            if (taken := shared.take(wanted, check)) is None:
                raise report.not_there(wanted)
            progress.phase(subject, "done")
            return Result(subject, taken.path, key, built=report.built, warnings=taken.warnings), taken
        ground = context.ready(progress)
        began = time.monotonic()
        with measured() as peak, new_entry(context.home, key, inputs) as entry:
            built, warnings = _build(recipe, ground, host, progress, subject, key, entry)
            shutil.copyfile(built.log, entry / "build.log")
            write_checked(entry, warnings, checks_digest())
        seconds = time.monotonic() - began
        write_latest(context.home, wanted.name, LatestBuild(key, seconds, peak.bytes))
        made = find_wheel(context.home, key)
        assert made is not None  # noqa: S101 - stored one line above, under a lock
    if shared is not None:
        shared.offer(wanted, made, seconds)
    progress.phase(subject, "done")
    return Result(subject, made.path, key, built=True, warnings=warnings, work=built.work), made


def build_afresh(
    recipe: EvaluatedRecipe, context: Context, host: Sequence[HostPackage], progress: Progress, subject: str, out: Path
) -> tuple[Result, CachedWheel]:  # fmt: skip
    """Build one recipe for one target whether it is in the cache or not; the cache does not get the wheel.

    Args:
        recipe: Evaluated for the target.
        context: Toolchain and Pythons.
        host: The built host requirements, including indirect ones.
        progress: Receives progress updates.
        subject: What it is called on the screen.
        out: Where the wheel goes.

    Raises:
        ForgeError: It cannot be built, or is not what its recipe says.
    """
    compilers = find_compilers(recipe.languages)
    key = fingerprint(build_inputs(recipe, context, {package.name: package.fingerprint for package in host}, compilers))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".again-", dir=out) as temporary:
        built, warnings = _build(
            recipe, context.ready(progress), host, progress, subject, f"again-{key}", Path(temporary)
        )  # fmt: skip
        wheel = publish(built.path, out)
    progress.phase(subject, "done")
    made = CachedWheel(wheel, file_sha256(wheel), warnings)
    return Result(subject, wheel, key, built=True, warnings=warnings, work=built.work), made


def build_recipe(*arguments: Any, **named: Any) -> BuiltWheel:
    """`forge.crossbuild.recipe_build.build_recipe`, imported when something is built: it brings much along."""
    from forge.crossbuild.recipe_build import build_recipe as build  # noqa: PLC0415

    return build(*arguments, **named)


def _build(
    recipe: EvaluatedRecipe, context: BuildContext, host: Sequence[HostPackage], progress: Progress, subject: str,
    key: str, out: Path,
) -> tuple[BuiltWheel, tuple[Finding, ...]]:  # fmt: skip
    """Build a wheel and check it against its recipe; what the check found that is no error is returned, too."""
    warnings: list[Finding] = []

    def verify(wheel: Path, build: Build, *, places: Collection[Path], hint: str) -> None:
        progress.phase(subject, "check")
        warnings.extend(verify_wheel(wheel, build.recipe, build.context.python, places=places, hint=hint))

    built = build_recipe(
        recipe, context,
        key=key, out=out, progress=progress, subject=subject, host=host,
        compilers=find_compilers(recipe.languages), verify=verify,
    )  # fmt: skip
    return built, tuple(warnings)


def host_package(recipe: EvaluatedRecipe, result: Result, cached: CachedWheel) -> HostPackage:
    """A build that `build_or_find` gave, as others link it."""
    return HostPackage(
        recipe.normalized_name, recipe.version, cached.path, result.fingerprint, recipe.is_native_library,
        recipe.about.license or "",
    )  # fmt: skip


def publish(wheel: Path, out: Path) -> Path:
    """Put a wheel into the output directory.

    Raises:
        StorageError: It cannot be written.
    """
    # What is there already is left alone: whoever watches the directory need not look at it again.
    with contextlib.suppress(FileNotFoundError):
        if filecmp.cmp(wheel, out / wheel.name, shallow=False):
            return out / wheel.name
    with atomic_file(out / wheel.name) as file, wheel.open("rb") as source:
        shutil.copyfileobj(source, file)
    return out / wheel.name
