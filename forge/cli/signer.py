"""Who signs files of indexes, for the commands that add some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.paths import ForgeHome
from forge.index.job_identity import IdentitySignatory, ambient_token
from forge.index.model import PackageIndexError
from forge.index.signing import KeySignatory, Signer
from forge.index.trust import SIGNING_VARIABLE, IndexSettings, index_settings
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from pathlib import Path

    from forge.index.signing import Signatory


def configured_signer(recipes: Path | None = None) -> Signer | None:
    """What signs as it is configured: with the identity of this CI job, else with a key; None if nothing is.

    Args:
        recipes: The directory of recipes that the user named.

    Raises:
        PackageIndexError: The key cannot be read, or there is no identity and no key in its place.
        RecipeError: The directory holds no recipe.
    """
    signatory = _signatory(index_settings())
    if signatory is None:
        return None
    from forge.index.build_facts import BuildFacts  # noqa: PLC0415 - reads plans, which few indexes need

    return Signer(signatory, BuildFacts(ForgeHome.from_environment(), find_recipes(recipes)))


def _signatory(settings: IndexSettings) -> Signatory | None:
    key = None if settings.key is None else KeySignatory(settings.key)
    if not settings.signs_as_job:
        return key
    job = IdentitySignatory(ambient_token, settings.trust.sigstore)
    if job.begin():
        return job
    if key is None:
        raise PackageIndexError(
            "files are to be signed with the identity of a CI job, and this is none that has one",
            hint=f"in GitHub Actions the job needs 'permissions: id-token: write'; elsewhere set {SIGNING_VARIABLE}, "
            "or leave sigstore out of [index] in config.toml",
        )
    return key
