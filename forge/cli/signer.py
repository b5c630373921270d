"""Who signs files of indexes, for the commands that add some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.paths import ForgeHome
from forge.index.signing import Signer, index_keys
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from pathlib import Path


def configured_signer(recipes: Path | None = None) -> Signer | None:
    """What signs with the configured key; None if there is none.

    Args:
        recipes: The directory of recipes that the user named.

    Raises:
        PackageIndexError: The key cannot be read.
        RecipeError: The directory holds no recipe.
    """
    key = index_keys().signing
    if key is None:
        return None
    from forge.index.build_facts import BuildFacts  # noqa: PLC0415 - reads plans, which few indexes need

    return Signer(key, BuildFacts(ForgeHome.from_environment(), find_recipes(recipes)))
