"""Who is trusted to sign files of an index, and whether what is signed holds.

Keys and identities are those of ``[index]`` in ``config.toml``, or of environment variables.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from forge.index.attestation import STATEMENT_TYPE, ProvenanceError, pre_authentication, read_provenance
from forge.index.identity import Identity, verified_identity
from forge.index.model import PackageIndexError
from forge.plan.shared.configured import read_keys, read_table
from forge.plan.shared.model import CacheError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.index.attestation import Attestation
    from forge.plan.shared.configured import Table
    from forge.plan.shared.keys import PublicKey, SigningKey

SIGNING_VARIABLE = "FORGE_INDEX_SIGNING_KEY"
TRUSTED_VARIABLE = "FORGE_INDEX_TRUSTED_KEYS"
IDENTITIES_VARIABLE = "FORGE_INDEX_TRUSTED_IDENTITIES"
SIGSTORE_VARIABLE = "FORGE_INDEX_SIGSTORE"
SIGSTORE_CONFIG_VARIABLE = "FORGE_INDEX_SIGSTORE_TRUST_CONFIG"

_SETTINGS = {"signing-key", "trusted-keys", "trusted-identities", "sigstore", "sigstore-trust-config"}
_PAGE = "docs/index.md"


@dataclass(frozen=True)
class Trust:
    """Whose signatures count. Where nobody's is named, anybody's key shows only that nothing is damaged.

    Args:
        keys: Keys by name.
        identities: Those that Sigstore vouches for.
        sigstore: The trust configuration of a private Sigstore; None for the public one.
    """

    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    identities: tuple[Identity, ...] = ()
    sigstore: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.keys or self.identities)


NOBODY = Trust()


@dataclass(frozen=True)
class IndexSettings:
    """What is configured for indexes.

    Args:
        trust: Whose signatures count.
        key: What files are signed with, or None.
        signs_as_job: Whether they are signed with the identity of the CI job that adds them, where there is one.
    """

    trust: Trust
    key: SigningKey | None
    signs_as_job: bool


def index_settings() -> IndexSettings:
    """What ``[index]`` in ``config.toml``, and variables, say.

    Raises:
        PackageIndexError: One is none, or cannot be read.
    """
    try:
        table = read_table("index", _SETTINGS, _PAGE)
        keys = read_keys(table, SIGNING_VARIABLE, TRUSTED_VARIABLE)
        file = os.environ.get(SIGSTORE_CONFIG_VARIABLE) or table.text("sigstore-trust-config")
        trust = Trust(keys.trusted, _identities(table), Path(file) if file else None)
        return IndexSettings(trust, keys.signing, _signs_as_job(table))
    except CacheError as error:
        raise PackageIndexError(error.message, hint=error.hint) from error


def _identities(table: Table) -> tuple[Identity, ...]:
    pairs: list[tuple[str, object]]
    if words := os.environ.get(IDENTITIES_VARIABLE, "").split():
        where, pairs = IDENTITIES_VARIABLE, list(itertools.zip_longest(words[::2], words[1::2]))
    else:
        where, named = f"trusted-identities in {table.file}", table.data.get("trusted-identities", {})
        pairs = list(named.items()) if isinstance(named, dict) else [("", None)]
    found = [Identity(subject, issuer) for subject, issuer in pairs if _is_issuer(issuer)]
    if len(found) != len(pairs):
        raise CacheError(
            f"{where}: each identity comes with the https URI of its issuer", hint=f"{_PAGE} has an example"
        )
    return tuple(found)


def _is_issuer(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value.startswith("https://")


def _signs_as_job(table: Table) -> bool:
    said = os.environ.get(SIGSTORE_VARIABLE)
    value = table.data.get("sigstore", False) if said is None else {"1": True, "0": False, "": False}.get(said)
    if not isinstance(value, bool):
        where = f"sigstore in {table.file}" if said is None else SIGSTORE_VARIABLE
        raise CacheError(f"{where} is neither on nor off", hint="write true or false there, and 1 or 0 in the variable")
    return value


def provenance_problem(content: bytes, filename: str, sha256: str, trust: Trust) -> str:
    """Why a provenance object does not show that a file is from whom one trusts, or an empty string.

    Args:
        content: The object.
        filename: The file's name.
        sha256: Its hash.
        trust: Whose signatures count. If nobody's is named, each has to be that of the key beside it, which shows only
            that nothing is damaged; certificates are not looked at.

    Raises:
        PackageIndexError: An identity is trusted, and sigstore is not installed.
    """
    try:
        attestations = read_provenance(content)
    except ProvenanceError as error:
        return str(error)
    foreign: dict[str, None] = {}
    good = False
    for each in attestations:
        stranger, wrong = _by_certificate(each, trust) if each.key is None else _by_key(each, each.key, trust)
        if stranger:
            foreign.setdefault(stranger)
        elif wrong := wrong or _other_subject(each.statement, filename, sha256):
            return wrong
        else:
            good = True
    if good or (foreign and not trust):
        return ""
    if foreign:
        return f"is signed with {' and '.join(foreign)}, and by nobody who is trusted"
    return "is not signed"


def _by_key(attestation: Attestation, named: PublicKey, trust: Trust) -> tuple[str, str]:
    """Who signed it, if that is nobody who is trusted; and what is wrong with the signature otherwise."""
    if trust and named.name not in trust.keys:
        return f"the key {named.name!r}", ""
    key = trust.keys[named.name] if trust else named
    if key.verifies(attestation.signature, pre_authentication(attestation.statement)):
        return "", ""
    return "", f"has a wrong signature: a statement was changed, or another key is called {key.name!r}"


def _by_certificate(attestation: Attestation, trust: Trust) -> tuple[str, str]:
    """The same of one that Sigstore vouches for, which is not asked for nobody's sake."""
    if not trust.identities:
        return "a certificate", ""
    found = verified_identity(attestation, trust.sigstore)
    if isinstance(found, str):
        return "", found
    if found not in trust.identities:
        return f"the identity {found}", ""
    return "", ""


def _other_subject(content: bytes, filename: str, sha256: str) -> str:
    """What a statement is about, if not about a file."""
    try:
        data = json.loads(content)
        kind, subjects = data["_type"], data["subject"]
        named = [(subject["name"], subject["digest"].get("sha256")) for subject in subjects]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "is signed with a statement that cannot be read"
    if kind != STATEMENT_TYPE or (filename, sha256) not in named:
        about = ", ".join(f"{name} with sha256 {digest}" for name, digest in named)
        return f"is signed with a statement about something else: {about or 'nothing'}"
    return ""
