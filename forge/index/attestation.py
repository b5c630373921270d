"""Signed statements about files, and the provenance object that lies beside each of them (PEP 740).

A statement is in-toto's (``in-toto.io/Statement/v1``): a file's name and hash, and a predicate about it. It is signed
as DSSE has it, with an Ed25519 key as `forge.plan.shared.keys` writes them, or with Sigstore (`forge.index.identity`).
PEP 740 knows Sigstore alone; where its attestations have a certificate and entries of a transparency log, those that a
key has signed have ``public_key``.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
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
        key: The key that it names; None for one of another kind.
        material: Of one without a key, what its signature is verified with, as JSON data: Sigstore's certificate and
            entries of its log.
        publisher: Of one without a key, who published the file, as PEP 740 has it.
    """

    statement: bytes
    signature: bytes
    key: PublicKey | None
    material: Mapping[str, Any] = field(default_factory=dict)
    publisher: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """It as PEP 740 has it, as JSON data."""
        return {
            "version": _VERSION,
            "verification_material": dict(self.material) if self.key is None else {"public_key": str(self.key)},
            "envelope": {"statement": _encoded(self.statement), "signature": _encoded(self.signature)},
        }


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
    """A provenance object: a bundle for each attestation, after those that there are already.

    Args:
        attestations: What it has.
        before: The object as it was; None for a new one.

    Raises:
        ProvenanceError: What was there before cannot be read.
    """
    bundles = [] if before is None else _bundles(before)
    for each in attestations:
        publisher = each.publisher if each.key is None else {"kind": _KIND, "claims": None, "name": each.key.name}
        bundles.append({"publisher": dict(publisher), "attestations": [each.as_json()]})
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
                content, signature = _decoded(envelope["statement"]), _decoded(envelope["signature"])
                found.append(Attestation(content, signature, key, dict(material), dict(bundle.get("publisher", {}))))
    except (KeyError, TypeError, ValueError, AttributeError, CacheError) as error:
        raise ProvenanceError("has provenance that cannot be read") from error
    return tuple(found)


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
