"""Ed25519 keys (RFC 8032): who may put entries into a shared cache.

A public key is written ``name:base64``, as Nix writes those of its binary caches. A private key is a PEM file (PKCS #8,
RFC 5958) with a line before it that says its name, so ``openssl genpkey -algorithm ed25519`` makes one too.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import StorageError
from forge.plan.shared.model import CacheError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}", flags=re.ASCII)
_NAME_LINE = re.compile(r"^forge-cache-key: (\S+)$", flags=re.MULTILINE)
_BEGIN = "-----BEGIN "
_RAW_BYTES = 32


@dataclass(frozen=True)
class PublicKey:
    """A key that entries are verified with.

    Args:
        name: What it is called.
        raw: Its 32 bytes.
    """

    name: str
    raw: bytes

    def __str__(self) -> str:
        return f"{self.name}:{base64.b64encode(self.raw).decode()}"

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether a signature of *data* is this key's."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only where a cache is shared
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A key that entries are signed with.

    Args:
        name: What it is called.
        private: The key.
    """

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        """What its signatures are verified with."""
        return PublicKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """The signature of *data*."""
        return self.private.sign(data)


def parse_public(text: str, where: str) -> PublicKey:
    """A public key from ``name:base64``.

    Args:
        text: As `PublicKey` is written.
        where: Which setting it is from, for the error.

    Raises:
        CacheError: It is not one.
    """
    name, _, encoded = text.partition(":")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not _NAME.fullmatch(name) or len(raw) != _RAW_BYTES:
        raise CacheError(
            f"{where}: {text[:100]!r} is not a public key", hint="expected NAME:BASE64, as 'forge cache key' prints it"
        )
    return PublicKey(name, raw)


def read_signing(text: str, where: str) -> SigningKey:
    """A private key: the path of its PEM file, or the PEM text itself, as CI systems keep secrets.

    Args:
        text: The path or the text.
        where: Which setting it is from, for the error.

    Raises:
        CacheError: It cannot be read, or is no Ed25519 key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only where a cache is shared
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    name = "unnamed"
    if _BEGIN not in text:
        path = Path(os.path.expanduser(text))  # noqa: PTH111 - never raises
        name = path.stem
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise CacheError(
                f"{where}: cannot read the signing key {path}: {why}", hint="'forge cache key' makes one"
            ) from error
    before, _, pem = text.partition(_BEGIN)
    if found := _NAME_LINE.search(before):
        name = found[1]
    try:
        key = load_pem_private_key((_BEGIN + pem).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it has a password
        key = None
    if not isinstance(key, Ed25519PrivateKey) or not _NAME.fullmatch(name):
        raise CacheError(
            f"{where} is not an Ed25519 private key in PEM without a password", hint="'forge cache key' makes one"
        )
    return SigningKey(name, key)


def make_key(name: str, out: Path) -> PublicKey:
    """Make a private key, in a file that only its owner may read.

    Args:
        name: What it is called.
        out: The file, which must not exist.

    Raises:
        CacheError: The name cannot be one.
        StorageError: The file exists.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - only where a cache is shared
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    if not _NAME.fullmatch(name):
        raise CacheError(
            f"{name[:100]!r} cannot be the name of a key",
            hint="use letters, digits and . _ @ + -, e.g. ci.example.org-1",
        )
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise StorageError(f"{out} exists already", hint="remove it, or choose another file with --out") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(f"forge-cache-key: {name}\n".encode() + pem)
    return SigningKey(name, private).public
