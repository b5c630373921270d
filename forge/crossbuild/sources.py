"""A recipe's source, as `forge.source` describes sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.recipe.model import GitPin, PathPin, SdistPin, UrlPin
from forge.source.model import GitSource, PathSource, SdistSource, Source, UrlSource

if TYPE_CHECKING:
    from forge.recipe.model import EvaluatedRecipe


def source_of(recipe: EvaluatedRecipe) -> Source:
    """A recipe's source, as `forge.source` describes sources."""
    match recipe.source:
        case SdistPin(sha256, filename):
            return SdistSource(recipe.name, recipe.version, sha256, filename)
        case UrlPin(urls, sha256):
            return UrlSource(urls, sha256)
        case GitPin(url, revision):
            return GitSource(recipe.name, url, revision)
        case PathPin(path):
            return PathSource(recipe.recipe.directory / path)
