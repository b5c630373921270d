"""Wheels that forge has built, as they are in its caches: never one that its recipe would not give today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.plan.asked import requests_asked
from forge.plan.builds import build_requests
from forge.plan.request import RunOptions
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.shared.model import CacheError, Mode
from forge.publish.model import Gate, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.plan.asked import Asked
    from forge.plan.run import Failure, Result
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class Built:
    """What the caches have of what was asked for.

    Args:
        wheels: The wheels, and those that they require, as ``forge build`` would put them into its output.
        refusals: What is not there, or is not what its recipe says.
    """

    wheels: tuple[Path, ...]
    refusals: tuple[Refusal, ...]


def built_wheels(
    home: ForgeHome, recipes: Sequence[Recipe], store: RecipeStore, asked: Asked, out: Path, progress: Progress
) -> Built:
    """Collect what ``forge build --cache only`` would give, and go on after what is missing.

    Args:
        home: The cache of this machine; a shared cache that is configured counts too.
        recipes: The recipes.
        store: Where what they require is found.
        asked: For which targets, Pythons and variants.
        out: Where wheels are put.
        progress: Receives progress updates.

    Raises:
        ForgeError: A recipe is wrong, a requirement cannot be met, or a compiler or Python of the plan is missing.
    """
    results: list[Result] = []
    failures: list[Failure] = []
    requests = requests_asked(home, recipes, store, asked)
    with shared_cache(read_settings(Mode.ONLY), home, progress) as cache:
        options = RunOptions(asked.variants, cache=cache)
        build_requests(requests, store, out, progress, options, results=results, failures=failures)
    return Built(
        tuple(dict.fromkeys(result.wheel for result in results)),
        tuple(Refusal(failure.subject, _reason(failure), Gate.BUILT) for failure in failures),
    )


def _reason(failure: Failure) -> str:
    if failure.error is None or isinstance(failure.error, CacheError):
        return "the cache has no wheel of the recipe as it is now; 'forge plan' says why, 'forge build' makes it"
    return failure.error.message
