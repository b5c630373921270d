"""An app-like tree: wheels and what they require, installed as an app build installs them, for one target.

pip chooses the wheels, run in the cross environment, so that it answers with iOS's tags and markers: wheels for the
target come from the directories given or from the package index, pure ones from the index. `forge.frameworks` then
makes of them what an app build does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.errors import TrialError
from forge.crossbuild.cross_environment import EnvironmentRequest, ensure_cross_environment
from forge.crossbuild.tools import ensure_tools
from forge.emulate.choose import download_wheels, install_wheels
from forge.frameworks.findings import render_text
from forge.frameworks.make import make_frameworks
from forge.frameworks.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext


@dataclass(frozen=True)
class App:
    """An app-like tree on disk.

    Args:
        root: The bundle: ``.fwork`` files name frameworks from here.
        packages: What goes to ``sys.path``.
        wheels: The files it was made of, sorted by name.
    """

    root: Path
    packages: Path
    wheels: tuple[Path, ...]


def make_app(
    wheels: Sequence[Path], requires: Sequence[str], target: Target, context: BuildContext, find_links: Sequence[Path],
    work: Path, log: Path,
) -> App:  # fmt: skip
    """Resolve wheels and requirements for a target, and install them as an app build does.

    Args:
        wheels: For the target, or pure.
        requires: PEP 508 requirements besides.
        target: Its iOS version says which wheels of others are taken: those for it and for earlier ones.
        context: Toolchain, iOS Python and build Python.
        find_links: Directories with wheels that are taken before the index's.
        work: An existing directory; the tree is in it.
        log: For what pip says.

    Raises:
        TrialError: A requirement has no wheel for the target, or the wheels do not make an app.
        BuildError: The cross environment cannot be made.
    """
    chosen = choose_app_wheels(wheels, requires, target, context, find_links, work / "wheels", log)
    made = make_frameworks(chosen, work / "app", Options(abis=(target.abi,), ios_version=target.ios_version))
    if made.directory is None:
        raise TrialError(f"the wheels cannot be used in an app:\n{render_text(made.findings).rstrip()}")
    root = made.directory / target.abi
    return App(root, root / "app_packages", chosen)


def choose_app_wheels(
    wheels: Sequence[Path], requires: Sequence[str], target: Target, context: BuildContext, find_links: Sequence[Path],
    into: Path, log: Path,
) -> tuple[Path, ...]:  # fmt: skip
    """Resolve wheels and requirements for a target as an installer on iOS does.

    Args:
        wheels: As `make_app` takes them; so with the next four.
        requires: As above.
        target: As above.
        context: As above.
        find_links: As above.
        into: A directory for the wheels, made if it is not there.
        log: For what pip says.

    Returns:
        All of them, sorted by name.

    Raises:
        TrialError: A requirement has no wheel for the target.
        BuildError: The cross environment cannot be made.
    """
    links = [part for directory in find_links for part in ("--find-links", directory.resolve())]
    return download_wheels(
        _cross_pip(target, context), [*links, *(wheel.resolve() for wheel in wheels), *requires],
        into, log, what="choosing wheels",
        failure=f"cannot find the wheels that the tests require for {target}",
        hint="build the missing wheels with forge first",
    )  # fmt: skip


def install_app_wheels(wheels: Sequence[Path], target: Target, context: BuildContext, into: Path, log: Path) -> None:
    """Install chosen wheels into a directory as they are, for who makes frameworks of them later.

    Raises:
        BuildError: pip cannot.
    """
    install_wheels(_cross_pip(target, context), ["--no-compile"], wheels, into, log, what="installing wheels")


def _cross_pip(target: Target, context: BuildContext) -> list[str | Path]:
    """pip, answering with a target's tags and markers."""
    wanted = EnvironmentRequest(context.python, target, context.build_python, context.toolchain, None)
    environment = ensure_cross_environment(context.home, wanted)
    tools = ensure_tools(context.home, context.build_python)
    return [tools.python, "-m", "pip", "--python", environment.cross_python]
