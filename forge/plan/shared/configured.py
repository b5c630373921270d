"""The user's ``config.toml``, and keys as it or environment variables name them."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from forge.plan.shared.keys import PublicKey, SigningKey, parse_public, read_signing
from forge.plan.shared.model import CacheError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CONFIG_VARIABLE = "FORGE_CONFIG"


@dataclass(frozen=True)
class Table:
    """A table of the file.

    Args:
        name: What it is called.
        data: What it holds; empty if the file has no such table.
        file: The file.
        page: The page of the documentation that describes it.
    """

    name: str
    data: Mapping[str, Any]
    file: Path
    page: str

    def text(self, setting: str) -> str | None:
        """A setting that is text; None if there is none.

        Raises:
            CacheError: It is something else.
        """
        value = self.data.get(setting)
        if value is not None and not isinstance(value, str):
            raise CacheError(f"{self.file}: {setting} is not a string", hint=f"{self.page} has an example")
        return value


@dataclass(frozen=True)
class Keys:
    """Keys of one purpose.

    Args:
        trusted: The keys whose signatures count, by name; the signing key's too.
        signing: What is signed with, or None.
    """

    trusted: Mapping[str, PublicKey] = field(default_factory=dict)
    signing: SigningKey | None = None


def config_file() -> Path:
    """The user's configuration file: what FORGE_CONFIG names, else ``config.toml`` where the platform keeps such."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("forge-ios") / "config.toml"


def read_table(name: str, settings: Collection[str], page: str) -> Table:
    """A table of the user's configuration file.

    Args:
        name: What it is called.
        settings: The settings that there are.
        page: The page of the documentation that describes them.

    Raises:
        CacheError: The file cannot be read, or has another setting there.
    """
    file = config_file()
    data = _read(file, name, page)
    if not isinstance(data, dict):
        raise CacheError(f"{file}: {name} is not a table", hint=f"{page} has an example")
    if unknown := sorted(data.keys() - set(settings)):
        raise CacheError(
            f"{file}: [{name}] has no setting {unknown[0]!r}", hint=f"the settings are {', '.join(sorted(settings))}"
        )
    return Table(name, data, file, page)


def _read(file: Path, name: str, page: str) -> Any:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened).get(name, {})
    except (FileNotFoundError, NotADirectoryError):
        if os.environ.get(CONFIG_VARIABLE):
            raise CacheError(f"{CONFIG_VARIABLE} names {file}, which does not exist", hint="correct it") from None
        return {}
    except OSError as error:
        if isinstance(error, PermissionError) and not os.environ.get(CONFIG_VARIABLE):
            return {}  # HOME is another user's, as it is under sudo
        raise CacheError(f"cannot read {file}: {error.strerror}", hint="check its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CacheError(f"{file} is not valid TOML: {error}", hint=f"{page} has an example") from error


def read_keys(table: Table, signing_variable: str, trusted_variable: str) -> Keys:
    """The keys that a table's ``signing-key`` and ``trusted-keys`` name, or variables in their place.

    Args:
        table: The table.
        signing_variable: The variable that replaces ``signing-key``.
        trusted_variable: The variable that replaces ``trusted-keys``.

    Raises:
        CacheError: One is none, or cannot be read; two have one name.
    """
    text, where = os.environ.get(signing_variable), signing_variable
    if text is None:
        text, where = table.text("signing-key"), f"signing-key in {table.file}"
    signing = read_signing(text, where) if text else None
    trusted = _trusted(table, trusted_variable)
    if signing is not None:  # as Nix has it: who may sign here is trusted here
        trusted = {signing.name: signing.public, **trusted}
        if trusted[signing.name] != signing.public:
            raise CacheError(
                f"the trusted key {signing.name!r} is not that of {where}",
                hint="give the new key another name: 'forge cache key --name NAME'",
            )
    return Keys(trusted, signing)


def _trusted(table: Table, variable: str) -> dict[str, PublicKey]:
    said = os.environ.get(variable)
    if said is not None:
        keys = [parse_public(word, variable) for word in said.split()]
    else:
        named = table.data.get("trusted-keys", {})
        if not isinstance(named, dict):
            raise CacheError(f"{table.file}: trusted-keys is not a table", hint=f"{table.page} has an example")
        keys = [parse_public(f"{name}:{value}", f"trusted-keys in {table.file}") for name, value in named.items()]
    found: dict[str, PublicKey] = {}
    for key in keys:
        if found.setdefault(key.name, key) != key:
            raise CacheError(f"two trusted keys are called {key.name!r}", hint="give one of them another name")
    return found
