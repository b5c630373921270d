"""What builds need that no recipe is for: SDK, Pythons, sources, cross environments, the runtimes of languages.

Each is a node of the graph if it is not there yet, so that it is made once, beside what does not need it: sources are
downloaded while LAPACK compiles. What makes it is the function that a build calls too, so a build that finds something
damaged or gone makes it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.crossbuild.compilers import find_compilers
from forge.crossbuild.cross_environment import EnvironmentRequest, ensure_cross_environment, find_cross_environment
from forge.crossbuild.fortran import fortran_runtime, runtime_source
from forge.crossbuild.sources import source_of
from forge.ios_python.assembled import is_laid_out
from forge.ios_python.build_python import ensure_build_python, find_build_python
from forge.ios_python.model import Provider
from forge.plan.graph import Node
from forge.plan.provision import ensure_toolchain, sdk_source
from forge.source.fetch import fetch, is_fetched
from forge.source.model import PathSource
from forge.toolchain.fortran import runtime_directory
from forge.toolchain.llvm import LLVMToolchain
from forge.toolchain.rust import ensure_std, has_std
from forge.toolchain.sdk.assemble import is_assembled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.plan.provision import PlannedContext
    from forge.recipe.model import EvaluatedRecipe
    from forge.source.model import Source
    from forge.toolchain.fortran import Flang
    from forge.toolchain.rust import Rust


@dataclass(frozen=True)
class Prerequisite:
    """Something that builds need.

    Args:
        home: The cache that it is in.
        is_there: Whether it need not be made. Quick; what is damaged may count as there.
        make: Gets or makes it; raises a `ForgeError` if that fails.
        seconds: About how long that takes, where it is not known better.
        is_download: Whether it waits for the network alone, and leaves the CPUs to others.
    """

    home: ForgeHome
    is_there: Callable[[], bool]
    make: Callable[[Progress], object]
    seconds: float
    is_download: bool = False


def prerequisites(recipe: EvaluatedRecipe, context: PlannedContext) -> Iterator[Node[Prerequisite]]:
    """What a build needs, whether it is there or not, each after what it needs itself.

    Args:
        recipe: What is built, evaluated for the target.
        context: What it stands on.

    Raises:
        ToolchainError: A compiler is missing, or the source of its runtime library is not pinned.
    """
    source = source_of(recipe)
    if not isinstance(source, PathSource):
        yield _source(context.home, f"{recipe.name} {recipe.version}", source)
    ground: list[str] = []
    for node in _ground(context):
        ground.append(node.name)
        yield node
    lock = recipe.lock_file if recipe.lock_file.is_file() else None
    if lock is not None or recipe.is_native_library:
        what = f"{recipe.name} {recipe.version}" if lock is not None else "native libraries"
        work = _environment(context, recipe.target, lock)
        yield Node(f"environment of {what} {recipe.target} Python {context.python.minor}", work, tuple(ground))
    compilers = find_compilers(recipe.languages)
    if compilers.fortran is not None:
        own = _source(context.home, f"Fortran's runtime {compilers.fortran.version}", runtime_source(compilers.fortran))
        yield own
        work = _fortran(context, compilers.fortran, recipe.target)
        yield Node(f"Fortran's runtime for {recipe.target}", work, (*ground, own.name))
    if compilers.rust is not None:
        work = _rust(context, compilers.rust, recipe.target)
        yield Node(f"Rust's standard library for {recipe.target}", work, tuple(ground))


def _source(home: ForgeHome, what: str, source: Source) -> Node[Prerequisite]:
    def make(progress: Progress) -> None:
        fetch(source, home, progress)

    work = Prerequisite(home, lambda: is_fetched(source, home), make, seconds=5, is_download=True)
    return Node(f"source of {what}", work)


def _ground(context: PlannedContext) -> Iterator[Node[Prerequisite]]:
    """The toolchain and the Pythons."""
    home, minor = context.home, context.python.minor
    first: tuple[str, ...] = ()
    toolchain = context.toolchain
    if isinstance(toolchain, LLVMToolchain):  # Xcode brings its own SDK
        headers = _source(home, "the SDK's headers", sdk_source())
        yield headers
        sdk = Prerequisite(home, lambda: is_assembled(toolchain), lambda p: ensure_toolchain(home, p), seconds=3)
        yield Node("SDK", sdk, (headers.name,))
        first = ("SDK",)
    work = Prerequisite(
        home, lambda: find_build_python(home, minor) is not None,
        lambda p: ensure_build_python(home, minor, p), seconds=10,
    )  # fmt: skip
    yield Node(f"build Python {minor}", work)
    # What was compiled before may be of another toolchain, which compiling it finds out.
    compiled = context.provider is Provider.BUILT
    work = Prerequisite(
        home, lambda: not compiled and is_laid_out(context.python), context.ready, seconds=1800 if compiled else 5
    )
    yield Node(f"iOS Python {minor}", work, (*first, f"build Python {minor}") if compiled else ())


def _environment(context: PlannedContext, target: Target, lock: Path | None) -> Prerequisite:
    def is_there() -> bool:
        build_python = find_build_python(context.home, context.python.minor)
        if build_python is None or not is_laid_out(context.python):
            return False
        wanted = EnvironmentRequest(context.python, target, build_python, context.toolchain, lock)
        return find_cross_environment(context.home, wanted) is not None

    def make(progress: Progress) -> None:
        made = context.ready(progress)
        ensure_cross_environment(
            context.home, EnvironmentRequest(made.python, target, made.build_python, made.toolchain, lock)
        )

    return Prerequisite(context.home, is_there, make, seconds=10)


def _fortran(context: PlannedContext, flang: Flang, target: Target) -> Prerequisite:
    directory = runtime_directory(context.home, flang, context.toolchain, target)
    return Prerequisite(
        context.home, directory.is_dir, lambda p: fortran_runtime(flang, context.ready(p), target, p), seconds=400
    )


def _rust(context: PlannedContext, rust: Rust, target: Target) -> Prerequisite:
    def make(progress: Progress) -> None:
        made = context.ready(progress)
        ensure_std(context.home, rust, made.toolchain, target, made.python.wrappers(target), progress)

    return Prerequisite(context.home, lambda: has_std(context.home, rust, context.toolchain, target), make, seconds=60)
