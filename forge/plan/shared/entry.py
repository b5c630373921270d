"""An entry of a shared cache: a signed manifest, and contents that it names by their hash.

The manifest is ``ac/<first two digits>/<fingerprint>.json`` and says which wheel a fingerprint has; contents are
``cas/<first two digits>/<sha256>``. The signature covers the fingerprint too, so an entry cannot be moved to another
build. Contents are there before the manifest, so whoever can read an entry can read all of it.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from forge.base.errors import SourceError
from forge.base.hashing import fingerprint
from forge.plan.shared.model import IgnoredError
from forge.source.model import checked_filename, checked_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.plan.shared.keys import PublicKey, SigningKey

_FORMAT = 1
_PURPOSE = b"forge shared cache entry\n"
"""Signed before the manifest, so that no signature that the key makes for something else passes for one of these."""

MAX_MANIFEST = 8 * 1024**2
"""Bytes."""


@dataclass(frozen=True)
class Content:
    """A file by its content.

    Args:
        sha256: Its hash.
        size: Its size in bytes.
    """

    sha256: str
    size: int

    @property
    def path(self) -> str:
        """Where a shared cache has it."""
        return f"cas/{self.sha256[:2]}/{self.sha256}"


@dataclass(frozen=True)
class Entry:
    """What a shared cache says about one fingerprint.

    Args:
        fingerprint: The key.
        name: What was built: a recipe for a target and a Python (`forge.plan.run.build_name`).
        filename: The wheel's name.
        wheel: The wheel.
        log: The log of its build.
        inputs: What the fingerprint covers.
        seconds: How long the build took.
        forge: The version of forge that built it.
    """

    fingerprint: str
    name: str
    filename: str
    wheel: Content
    log: Content
    inputs: Mapping[str, object]
    seconds: float
    forge: str


def manifest_path(key: str) -> str:
    """Where the manifest of a fingerprint is."""
    return f"ac/{key[:2]}/{key}.json"


def write_manifest(entry: Entry, key: SigningKey) -> bytes:
    """The signed manifest of an entry."""
    data = {"format": _FORMAT, **asdict(entry), "key": key.name}
    data["signature"] = base64.b64encode(key.sign(_signed(data))).decode()
    return (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()


def read_manifest(text: bytes, key: str, trusted: Mapping[str, PublicKey]) -> tuple[Entry, str]:
    """An entry, if one of the trusted keys has signed it for this fingerprint.

    Args:
        text: The manifest.
        key: The fingerprint that was asked for.
        trusted: Keys by name.

    Returns:
        The entry, and the name of the key.

    Raises:
        IgnoredError: It is not to be taken; says why.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise IgnoredError("is damaged: it is not JSON")
    signature, name = data.pop("signature", None), data.get("key")
    if not isinstance(signature, str) or not isinstance(name, str):
        raise IgnoredError("is not signed")
    if name not in trusted:
        raise IgnoredError(f"is signed with the key {name[:100]!r}, which is not one of the trusted keys")
    try:
        is_right = trusted[name].verifies(base64.b64decode(signature, validate=True), _signed(data))
    except (binascii.Error, ValueError):
        is_right = False
    if not is_right:
        raise IgnoredError(f"has a wrong signature: it was changed, or another key is called {name!r}")
    try:
        entry = _entry(data)
    except (KeyError, TypeError, ValueError, SourceError) as error:
        raise IgnoredError("is of a format that this version of forge does not know") from error
    if entry.fingerprint != key or fingerprint(entry.inputs) != key:
        raise IgnoredError("is that of another build")
    return entry, name


def _entry(data: dict[str, Any]) -> Entry:
    if data["format"] != _FORMAT:
        raise ValueError(data["format"])
    if not str(data["filename"]).endswith(".whl"):
        raise ValueError(data["filename"])
    return Entry(
        str(data["fingerprint"]), checked_filename(data["name"]), checked_filename(data["filename"]),
        _content(data["wheel"]), _content(data["log"]), dict(data["inputs"]), float(data["seconds"]),
        str(data["forge"]),
    )  # fmt: skip


def _content(data: dict[str, Any]) -> Content:
    return Content(checked_sha256(data["sha256"]), int(data["size"]))


def _signed(data: Mapping[str, object]) -> bytes:
    """What is signed: all of a manifest but the signature, in the one form that is the same for the same data."""
    return _PURPOSE + json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
