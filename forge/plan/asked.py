"""The graph of all wheels that options ask for: recipes, targets, versions of Python, variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.ios_python.choose import minor_of
from forge.plan.builds import plan_requests
from forge.plan.closure import plan_builds
from forge.plan.matrix import recipes_by_version
from forge.plan.provision import plan_context
from forge.plan.request import requests_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.base.target import Target
    from forge.ios_python.model import Provider
    from forge.plan.build_graph import Work
    from forge.plan.graph import Graph
    from forge.plan.request import Request
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class Asked:
    """What recipes are planned for.

    Args:
        targets: The targets.
        pythons: Versions of Python as ``--python`` names them (`forge.plan.matrix.parse_versions`).
        provider: Where the iOS Python is to come from; None takes the first that is there.
        variants: Variants, each in every recipe that declares it.
    """

    targets: tuple[Target, ...]
    pythons: str
    provider: Provider | None = None
    variants: tuple[str, ...] = ()


def plan_asked(
    home: ForgeHome, recipes: Sequence[Recipe], store: RecipeStore, asked: Asked, cache: SharedCache | None = None
) -> Graph[Work]:
    """The graph that a build of recipes begins with; nothing is fetched or made.

    Args:
        home: The cache.
        recipes: What to build.
        store: Where requirements are found.
        asked: For what.
        cache: The shared cache, if there is one.

    Raises:
        ForgeError: A recipe is wrong, a requirement cannot be met, or the toolchain or a Python is missing.
    """
    return plan_requests(requests_asked(home, recipes, store, asked), store, asked.variants, cache)


def requests_asked(home: ForgeHome, recipes: Sequence[Recipe], store: RecipeStore, asked: Asked) -> list[Request]:
    """The requests that a build of recipes begins with: one for each version of Python and each target.

    Args:
        home: The cache.
        recipes: What to build.
        store: Where requirements are found.
        asked: For what.

    Raises:
        ForgeError: As for `plan_asked`.
    """
    by_version = recipes_by_version(asked.pythons, recipes)
    closures = {
        version: plan_builds(each, asked.targets, minor_of(version), store, asked.variants)
        for version, each in by_version.items()
    }
    contexts = {version: plan_context(home, version, asked.targets, asked.provider) for version in by_version}
    return requests_for(closures, asked.targets, contexts)
