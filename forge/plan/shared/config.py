"""Which shared cache there is, and whom it is trusted from: environment variables, then the user's ``config.toml``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.plan.shared.configured import read_keys, read_table
from forge.plan.shared.model import CacheError, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.plan.shared.configured import Table
    from forge.plan.shared.keys import PublicKey, SigningKey

VARIABLE = "FORGE_CACHE"
MODE_VARIABLE = "FORGE_CACHE_MODE"
TRUSTED_VARIABLE = "FORGE_CACHE_TRUSTED_KEYS"
SIGNING_VARIABLE = "FORGE_CACHE_SIGNING_KEY"

_SETTINGS = {"url", "mode", "trusted-keys", "signing-key"}


@dataclass(frozen=True)
class Settings:
    """A shared cache as it is configured.

    Args:
        places: Where it is, the first first; empty if none is configured.
        mode: What is done with it.
        trusted: The keys whose entries are taken, by name.
        signing: What entries are signed with.
        where: Which setting names the places, for errors.
    """

    places: tuple[str, ...] = ()
    mode: Mode = Mode.READ
    trusted: Mapping[str, PublicKey] = field(default_factory=dict)
    signing: SigningKey | None = None
    where: str = VARIABLE


def read_settings(mode: str | None = None) -> Settings:
    """The configuration of the shared cache.

    Each variable that is set replaces the file's setting. FORGE_CACHE set to nothing means no shared cache.

    Args:
        mode: ``--cache``; None takes the configured mode.

    Raises:
        CacheError: It is wrong, or lacks a key.
    """
    table = read_table("cache", _SETTINGS, "docs/cache.md")
    places, where = _places(table)
    mode_text, mode_where = mode, "--cache"
    if mode_text is None:
        mode_text, mode_where = os.environ.get(MODE_VARIABLE) or None, MODE_VARIABLE
    if mode_text is None:
        mode_text, mode_where = table.text("mode"), f"mode in {table.file}"
    chosen = _mode(mode_text or Mode.READ, mode_where)
    if not places:
        if chosen is Mode.WRITE:
            raise CacheError(
                f"{mode_where} is 'write', but no shared cache is configured",
                hint=f"set {VARIABLE} to its directory or URL; docs/cache.md describes it",
            )
        return Settings(mode=chosen)
    keys = read_keys(table, SIGNING_VARIABLE, TRUSTED_VARIABLE)
    if chosen is Mode.WRITE and keys.signing is None:
        raise CacheError(
            f"{mode_where} is 'write', but there is no key to sign entries with",
            hint=f"make one with 'forge cache key', and set {SIGNING_VARIABLE} to its file",
        )
    if not keys.trusted:
        raise CacheError(
            "a shared cache is configured, but no key whose entries are trusted",
            hint=f"set {TRUSTED_VARIABLE} to the NAME:BASE64 that 'forge cache key' printed where the cache is filled",
        )
    return Settings(places, chosen, keys.trusted, keys.signing, where)


def _mode(text: str, where: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise CacheError(f"{where}: there is no mode {text!r}", hint=f"the modes are {', '.join(Mode)}") from None


def _places(table: Table) -> tuple[tuple[str, ...], str]:
    """The places, and where they are from. White space separates them in the variable; in the file, they are a list."""
    said = os.environ.get(VARIABLE)
    if said is not None:
        return tuple(said.split()), VARIABLE
    value = table.data.get("url", [])
    places = [value] if isinstance(value, str) else value
    if not isinstance(places, list) or not all(isinstance(each, str) and each for each in places):
        raise CacheError(
            f"{table.file}: url is neither a string nor a list of strings", hint=f"{table.page} has an example"
        )
    return tuple(places), f"url in {table.file}"
