"""Signed statements about files, and the provenance object that lies beside each of them (PEP 740).

A statement is in-toto's (``in-toto.io/Statement/v1``): a file's name and hash, and a predicate about it. It is signed
as DSSE has it, with an Ed25519 key as `forge.plan.shared.keys` writes them. PEP 740 knows certificates of Sigstore
alone; where these have a certificate and entries of a transparency log, forge's attestations have ``public_key``.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.plan.shared.keys import parse_public
from forge.plan.shared.model import CacheError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forge.plan.shared.keys import PublicKey, SigningKey

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_VERSION = 1
_KIND = "key"
"""Of the publisher, where PEP 740 has e.g. ``GitHub``."""


class ProvenanceError(Exception):
    """A provenance object is none. Holds the reason, which follows the file's name."""


@dataclass(frozen=True)
class Attestation:
    """A signed statement.

    Args:
        statement: Its bytes, as they were signed.
        signature: The signature.
        key: The key that it names; None for one of another kind, e.g. Sigstore's.
    """

    statement: bytes
    signature: bytes
    key: PublicKey | None


def statement(filename: str, sha256: str, predicate_type: str, predicate: Mapping[str, Any]) -> bytes:
    """A statement about a file.

    Args:
        filename: Its name.
        sha256: Its hash.
        predicate_type: The URI of what is said.
        predicate: What is said, as JSON data.
    """
    data = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": filename, "digest": {"sha256": sha256}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(content: bytes, key: SigningKey) -> Attestation:
    """A statement with its signature."""
    return Attestation(content, key.sign(pre_authentication(content)), key.public)


def pre_authentication(content: bytes) -> bytes:
    """What is signed of a statement (DSSE's PAE): its type too, so that it passes for nothing else."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(content), content)


def provenance_text(attestations: Sequence[Attestation], before: bytes | None = None) -> bytes:
    """A provenance object: a bundle for each key, after those that there are already.

    Args:
        attestations: What it has, each with a key.
        before: The object as it was; None for a new one.

    Raises:
        ProvenanceError: What was there before cannot be read.
    """
    bundles = [] if before is None else _bundles(before)
    for each in attestations:
        assert each.key is not None  # noqa: S101 - those that forge makes have one
        bundles.append(
            {
                "publisher": {"kind": _KIND, "claims": None, "name": each.key.name},
                "attestations": [
                    {
                        "version": _VERSION,
                        "verification_material": {"public_key": str(each.key)},
                        "envelope": {"statement": _encoded(each.statement), "signature": _encoded(each.signature)},
                    }
                ],
            }
        )
    return (json.dumps({"version": _VERSION, "attestation_bundles": bundles}, indent=1) + "\n").encode()


def read_provenance(content: bytes) -> tuple[Attestation, ...]:
    """The attestations of a provenance object.

    Raises:
        ProvenanceError: It is none.
    """
    found = []
    try:
        for bundle in _bundles(content):
            for data in bundle["attestations"]:
                envelope, material = data["envelope"], data["verification_material"]
                key = parse_public(material["public_key"], "") if "public_key" in material else None
                found.append(Attestation(_decoded(envelope["statement"]), _decoded(envelope["signature"]), key))
    except (KeyError, TypeError, ValueError, AttributeError, CacheError) as error:
        raise ProvenanceError("has provenance that cannot be read") from error
    return tuple(found)


def provenance_problem(content: bytes, filename: str, sha256: str, trusted: Mapping[str, PublicKey]) -> str:
    """Why a provenance object does not show that a file is from whom one trusts, or an empty string.

    Args:
        content: The object.
        filename: The file's name.
        sha256: Its hash.
        trusted: Keys by name. If there is none, each signature has to be that of the key that is named beside it, which
            shows only that nothing is damaged.
    """
    try:
        attestations = read_provenance(content)
    except ProvenanceError as error:
        return str(error)
    foreign: dict[str, None] = {}
    good = False
    for each in attestations:
        if each.key is None:
            foreign.setdefault("a certificate")
            continue
        if trusted and each.key.name not in trusted:
            foreign.setdefault(f"the key {each.key.name!r}")
            continue
        key = trusted[each.key.name] if trusted else each.key
        if not key.verifies(each.signature, pre_authentication(each.statement)):
            return f"has a wrong signature: a statement was changed, or another key is called {key.name!r}"
        if wrong := _other_subject(each.statement, filename, sha256):
            return wrong
        good = True
    if good or (foreign and not trusted):
        return ""
    if foreign:
        return f"is signed with {' and '.join(foreign)}, and with none of the trusted keys"
    return "is not signed"


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


def _bundles(content: bytes) -> list[dict[str, Any]]:
    try:
        data = json.loads(content)
        version, bundles = data["version"], data["attestation_bundles"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProvenanceError("has provenance that cannot be read") from error
    if version != _VERSION or not isinstance(bundles, list):
        raise ProvenanceError(f"has provenance of a version that this forge does not know: {version!r}")
    return bundles


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(text) from error
