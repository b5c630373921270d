"""Wheel file names (the binary distribution format's "File name convention", PEP 427 and 425)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from forge.base.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag


@dataclass(frozen=True)
class WheelName:
    """What a wheel's file name says.

    Args:
        filename: The name as it stands.
        distribution: The project's name as it stands in the file name.
        version: Its version.
        build: The build tag, e.g. ``1`` or ``2a``; empty without one.
        tags: Every tag, compressed sets taken apart.
    """

    filename: str
    distribution: str
    version: Version
    build: str
    tags: frozenset[Tag]

    @property
    def canonical_distribution(self) -> str:
        """The project's name in PEP 503's normal form."""
        return canonicalize_name(self.distribution)

    @property
    def pythons(self) -> tuple[str, ...]:
        """The Python tags, sorted, e.g. ``("cp313",)``."""
        return tuple(sorted({tag.interpreter for tag in self.tags}))

    @property
    def abis(self) -> tuple[str, ...]:
        """The ABI tags, sorted, e.g. ``("cp313",)``."""
        return tuple(sorted({tag.abi for tag in self.tags}))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags, sorted, e.g. ``("ios_12_0_arm64_iphoneos",)``."""
        return tuple(sorted({tag.platform for tag in self.tags}))


def parse_wheel_name(filename: str) -> WheelName:
    """Read a wheel's file name.

    Args:
        filename: The name without a directory.

    Raises:
        WheelError: It is not a wheel's name; with the reason.
    """
    try:
        _, version, build, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise WheelError(
            f"{filename!r} is not a wheel's name: {_reason(filename)}",
            hint="expected name-version[-build]-python-abi-platform.whl, "
            "e.g. markupsafe-3.0.4-cp313-cp313-ios_12_0_arm64_iphoneos.whl",
        ) from error
    return WheelName(filename, filename.split("-", 1)[0], version, "".join(map(str, build)), tags)


def compress_tags(tags: Iterable[Tag]) -> str:
    """The file name's three tag fields for *tags* (PEP 425's compressed tag sets), e.g. ``py2.py3-none-any``.

    Raises:
        WheelError: There are none, or they are not every combination of their parts: no file name says that.
    """
    every = frozenset(tags)
    parts = [sorted({getattr(tag, part) for tag in every}) for part in ("interpreter", "abi", "platform")]
    if not every:
        raise WheelError("a wheel needs at least one tag", hint="give WHEEL a Tag line")
    if len(every) != len(parts[0]) * len(parts[1]) * len(parts[2]):
        listed = ", ".join(sorted(map(str, every)))
        raise WheelError(f"no file name can hold exactly the tags {listed}", hint="make one wheel for each")
    return "-".join(".".join(part) for part in parts)


def _reason(filename: str) -> str:
    """Why packaging refused the name, in words that do not change with packaging's release."""
    if not filename.endswith(".whl"):
        return "it does not end in .whl"
    fields = filename.removesuffix(".whl").split("-")
    if len(fields) not in (5, 6):
        return f"it has {len(fields)} fields between hyphens instead of 5 or 6"
    try:
        Version(fields[1])
    except InvalidVersion:
        return f"{fields[1]!r} is not a version"
    if len(fields) == 6 and not fields[2][:1].isdigit():
        return f"the build tag {fields[2]!r} does not start with a digit"
    return "the project's name or a tag is malformed"
