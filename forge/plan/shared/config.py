"""Which shared cache there is, and whom it is trusted from: environment variables, then the user's ``config.toml``."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from forge.plan.shared.keys import PublicKey, SigningKey, parse_public, read_signing
from forge.plan.shared.model import CacheError, Mode

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "FORGE_CACHE"
MODE_VARIABLE = "FORGE_CACHE_MODE"
TRUSTED_VARIABLE = "FORGE_CACHE_TRUSTED_KEYS"
SIGNING_VARIABLE = "FORGE_CACHE_SIGNING_KEY"
CONFIG_VARIABLE = "FORGE_CONFIG"

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


def config_file() -> Path:
    """The user's configuration file: what FORGE_CONFIG names, else ``config.toml`` where the platform keeps such."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("forge-ios") / "config.toml"


def read_settings(mode: str | None = None) -> Settings:
    """The configuration of the shared cache.

    Each variable that is set replaces the file's setting. FORGE_CACHE set to nothing means no shared cache.

    Args:
        mode: ``--cache``; None takes the configured mode.

    Raises:
        CacheError: It is wrong, or lacks a key.
    """
    file = config_file()
    data = _read(file)
    places, where = _places(data, file)
    mode_text, mode_where = mode, "--cache"
    if mode_text is None:
        mode_text, mode_where = os.environ.get(MODE_VARIABLE) or None, MODE_VARIABLE
    if mode_text is None:
        mode_text, mode_where = _text(data, "mode", file), f"mode in {file}"
    chosen = _mode(mode_text or Mode.READ, mode_where)
    if not places:
        if chosen is Mode.WRITE:
            raise CacheError(
                f"{mode_where} is 'write', but no shared cache is configured",
                hint=f"set {VARIABLE} to its directory or URL; docs/cache.md describes it",
            )
        return Settings(mode=chosen)
    signing_text, signing_where = os.environ.get(SIGNING_VARIABLE), SIGNING_VARIABLE
    if signing_text is None:
        signing_text, signing_where = _text(data, "signing-key", file), f"signing-key in {file}"
    if chosen is Mode.WRITE and not signing_text:
        raise CacheError(
            f"{mode_where} is 'write', but there is no key to sign entries with",
            hint=f"make one with 'forge cache key', and set {SIGNING_VARIABLE} to its file",
        )
    signing = read_signing(signing_text, signing_where) if signing_text else None
    trusted = _trusted(data, file)
    if signing is not None:  # as Nix has it: who may sign here is trusted here
        trusted = {signing.name: signing.public, **trusted}
        if trusted[signing.name] != signing.public:
            raise CacheError(
                f"the trusted key {signing.name!r} is not that of {signing_where}",
                hint="give the new key another name: 'forge cache key --name NAME'",
            )
    if not trusted:
        raise CacheError(
            "a shared cache is configured, but no key whose entries are trusted",
            hint=f"set {TRUSTED_VARIABLE} to the NAME:BASE64 that 'forge cache key' printed where the cache is filled",
        )
    return Settings(places, chosen, trusted, signing, where)


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            data = tomllib.load(opened).get("cache", {})
    except (FileNotFoundError, NotADirectoryError):
        if os.environ.get(CONFIG_VARIABLE):
            raise CacheError(f"{CONFIG_VARIABLE} names {file}, which does not exist", hint="correct it") from None
        return {}
    except OSError as error:
        if isinstance(error, PermissionError) and not os.environ.get(CONFIG_VARIABLE):
            return {}  # HOME is another user's, as it is under sudo
        raise CacheError(f"cannot read {file}: {error.strerror}", hint="check its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CacheError(f"{file} is not valid TOML: {error}", hint="docs/cache.md has an example") from error
    if not isinstance(data, dict):
        raise CacheError(f"{file}: cache is not a table", hint="docs/cache.md has an example")
    if unknown := sorted(data.keys() - _SETTINGS):
        raise CacheError(
            f"{file}: [cache] has no setting {unknown[0]!r}", hint=f"the settings are {', '.join(sorted(_SETTINGS))}"
        )
    return data


def _text(data: Mapping[str, Any], name: str, file: Path) -> str | None:
    value = data.get(name)
    if value is not None and not isinstance(value, str):
        raise CacheError(f"{file}: {name} is not a string", hint="docs/cache.md has an example")
    return value


def _mode(text: str, where: str) -> Mode:
    try:
        return Mode(text)
    except ValueError:
        raise CacheError(f"{where}: there is no mode {text!r}", hint=f"the modes are {', '.join(Mode)}") from None


def _places(data: Mapping[str, Any], file: Path) -> tuple[tuple[str, ...], str]:
    """The places, and where they are from. White space separates them in the variable; in the file, they are a list."""
    said = os.environ.get(VARIABLE)
    if said is not None:
        return tuple(said.split()), VARIABLE
    value = data.get("url", [])
    places = [value] if isinstance(value, str) else value
    if not isinstance(places, list) or not all(isinstance(each, str) and each for each in places):
        raise CacheError(f"{file}: url is neither a string nor a list of strings", hint="docs/cache.md has an example")
    return tuple(places), f"url in {file}"


def _trusted(data: Mapping[str, Any], file: Path) -> dict[str, PublicKey]:
    said = os.environ.get(TRUSTED_VARIABLE)
    if said is not None:
        keys = [parse_public(word, TRUSTED_VARIABLE) for word in said.split()]
    else:
        table = data.get("trusted-keys", {})
        if not isinstance(table, dict):
            raise CacheError(f"{file}: trusted-keys is not a table", hint="docs/cache.md has an example")
        keys = [parse_public(f"{name}:{value}", f"trusted-keys in {file}") for name, value in table.items()]
    found: dict[str, PublicKey] = {}
    for key in keys:
        if found.setdefault(key.name, key) != key:
            raise CacheError(f"two trusted keys are called {key.name!r}", hint="give one of them another name")
    return found
