"""Wheels for tests: sound by default, wrong in one respect on request."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEVICE = "cp313-cp313-ios_12_0_arm64_iphoneos"


def wheel_text(*tags: str, pure: bool = False, extra: str = "") -> str:
    lines = ["Wheel-Version: 1.0", "Generator: tests 1.0", f"Root-Is-Purelib: {str(pure).lower()}"]
    return "\n".join([*lines, *(f"Tag: {tag}" for tag in tags)]) + "\n" + extra


def record_line(path: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"


def make_wheel(
    directory: Path,
    files: Mapping[str, bytes] | None = None,
    *,
    name: str = "example",
    version: str = "1.0",
    tag: str = DEVICE,
    metadata: str | None = None,
    wheel: str | None = None,
    record: str | None = None,
    filename: str | None = None,
    executables: frozenset[str] = frozenset(),
) -> Path:
    """Write a wheel; *metadata*, *wheel* and *record* replace the right ones."""
    dist_info = f"{name}-{version}.dist-info"
    contents = dict({"example/__init__.py": b""} if files is None else files)
    contents[f"{dist_info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" if metadata is None else metadata
    ).encode()
    contents[f"{dist_info}/WHEEL"] = (wheel_text(tag, pure=tag.endswith("-any")) if wheel is None else wheel).encode()
    lines = "".join(record_line(path, data) for path, data in contents.items()) + f"{dist_info}/RECORD,,\n"
    contents[f"{dist_info}/RECORD"] = (lines if record is None else record).encode()
    path = directory / (filename or f"{name}-{version}-{tag}.whl")
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in contents.items():
            entry = zipfile.ZipInfo(member, (2024, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if member in executables else 0o100644) << 16
            archive.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return path
