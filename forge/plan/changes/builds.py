"""The builds of a plan, each with what tells it from others: of the branch, and of its merge base."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name

import forge
from forge.base.errors import ForgeError
from forge.base.hashing import tree_sha256
from forge.plan.asked import plan_asked
from forge.plan.build_graph import WheelBuild
from forge.plan.explain import as_json
from forge.plan.fingerprint import room_digests
from forge.plan.git import RepositoryError
from forge.recipe.store import RecipeStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.base.paths import ForgeHome
    from forge.plan.asked import Asked
    from forge.plan.build_graph import Work
    from forge.plan.graph import Graph

_RUN = """\
import sys
from pathlib import Path
tree = sys.argv.pop(1)
sys.path.insert(0, tree)
import forge
if not Path(forge.__file__).is_relative_to(tree):
    sys.exit(f"error: {forge.__file__} was imported in place of {tree}/forge")
from forge.cli.main import main
main(sys.argv[1:])
"""
"""Runs the forge of another tree with the libraries of this one."""

_PACKAGE = "forge"


@dataclass(frozen=True)
class KnownBuild:
    """One build of a plan.

    Args:
        name: What it is called in its plan.
        fingerprint: Its fingerprint.
        inputs: What that covers; None if the plan does not say so.
    """

    name: str
    fingerprint: str
    inputs: Mapping[str, Any] | None

    @property
    def recipe(self) -> NormalizedName:
        """The recipe's name."""
        return canonicalize_name(self.name.partition(" ")[0])

    @property
    def version(self) -> str:
        """The recipe's version."""
        return self.name.split(" ")[1]

    @property
    def key(self) -> tuple[str, str]:
        """What it is a build of, whichever the version: the recipe, and for what."""
        return self.recipe, " ".join(self.name.split(" ")[2:])


def builds_of(graph: Graph[Work]) -> tuple[KnownBuild, ...]:
    """The wheels of a graph."""
    return tuple(
        KnownBuild(name, node.work.key, as_json(node.work.inputs))
        for name, node in graph.nodes.items()
        if isinstance(node.work, WheelBuild)
    )


def base_builds(
    tree: Path, top: Path, recipes: Path, asked: Asked, options: tuple[str, ...], home: ForgeHome
) -> tuple[KnownBuild, ...]:
    """The builds of all recipes of the merge base, with the fingerprints that they have there.

    Where the repository is forge's own, and the merge base has another forge than the one that runs, that forge makes
    the plan: it knows its own format of recipes, its own toolchain and its own code.

    Args:
        tree: The files of the merge base.
        top: The repository's root.
        recipes: The directory of recipes, as it is in *tree*.
        asked: What is planned for.
        options: The same as options of ``forge plan``.
        home: The cache.

    Raises:
        ForgeError: The recipes there cannot be planned.
    """
    if not any(recipes.glob("*/recipe.yaml")):
        return ()
    if not _is_forge(top) or not _is_forge(tree) or _same_forge(tree, top):
        store = RecipeStore(recipes)
        enabled = [recipe for recipe in store.load_all(store.names()) if recipe.disabled is None]
        return builds_of(plan_asked(home, enabled, store, asked))
    return _planned_there(tree, recipes, options)


def check_own_forge(top: Path) -> None:
    """Refuse to compare forge's own repository by another forge than the one in it.

    What has changed in the code would not show.

    Raises:
        RepositoryError: The repository has a forge of its own, and another one runs.
    """
    running = Path(forge.__file__).parent
    if _is_forge(top) and room_digests(top / _PACKAGE) != room_digests(running):
        raise RepositoryError(
            f"{top} has a forge of its own, but the one in {running} runs: changes of its code would not be seen",
            hint="run the one of the repository, e.g. after 'pip install --editable .'",
        )


def changed_rooms(tree: Path, top: Path) -> tuple[str, ...]:
    """The rooms of forge whose code can change a wheel and has changed since the merge base; sorted.

    Args:
        tree: The files of the merge base.
        top: The repository's root.
    """
    if not _is_forge(top):
        return ()
    now = room_digests(top / _PACKAGE)
    before = room_digests(tree / _PACKAGE) if _is_forge(tree) else {}
    return tuple(f"{_PACKAGE}/{name}" for name in sorted({*now, *before}) if now.get(name) != before.get(name))


def _is_forge(directory: Path) -> bool:
    return (directory / _PACKAGE / "plan" / "fingerprint.py").is_file()


def _same_forge(tree: Path, top: Path) -> bool:
    """Whether two trees have the same forge, and the schemas that it reads recipes with."""
    return all(
        (tree / name).is_dir() and tree_sha256(tree / name) == tree_sha256(top / name) for name in (_PACKAGE, "schemas")
    )


def _planned_there(tree: Path, recipes: Path, options: tuple[str, ...]) -> tuple[KnownBuild, ...]:
    command = [sys.executable, "-c", _RUN, str(tree), "plan", "--all", "--json", "--recipes", str(recipes), *options]
    # Whether it is in a shared cache does not matter here.
    left_out = ("FORGE_RECIPES", "FORGE_CACHE", "FORGE_CACHE_MODE")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["FORGE_CONFIG"] = os.devnull
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        first = next((line for line in said if line.startswith("error")), said[-1] if said else "it says nothing")
        raise ForgeError(f"its own forge says: {first.partition(': ')[2] or first}")
    try:
        planned = json.loads(done.stdout)["builds"]
        return tuple(
            KnownBuild(each["name"], each["fingerprint"], each.get("inputs")) for each in planned if each["fingerprint"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ForgeError("its own forge answers in a form that this one does not know") from error
