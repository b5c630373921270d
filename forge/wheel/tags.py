"""iOS platform tags, read strictly, and which Python installs which Python and ABI tags.

PyPI takes more than any installer looks for (``ios_13_0_x86_64_iphoneos``, ``ios_1_0_…``); here a tag is one
that packaging's ``tags.ios_platforms`` (PEP 730) gives for a device or simulator that exists.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.base.errors import WheelError
from forge.base.target import Abi, Arch, IOSVersion, Target, TargetError

if TYPE_CHECKING:
    from packaging.tags import Tag

_PLATFORM_TAG = re.compile(r"ios_([1-9][0-9]{0,2})_([0-9]{1,3})_([a-z0-9_]+?)_([a-z0-9]+)", flags=re.ASCII)
_ARCHES = tuple(arch.value for arch in Arch)
_CPYTHON = re.compile(r"cp(\d)(\d+)", flags=re.ASCII)
_GENERIC = re.compile(r"py(\d)(\d*)", flags=re.ASCII)
_ABIS = tuple(abi.value for abi in Abi)
_HINT = "expected ios_<major>_<minor>_<arch>_<abi>, e.g. ios_12_0_arm64_iphoneos"


def parse_platform_tag(tag: str) -> Target:
    """Read an iOS platform tag, e.g. ``ios_12_0_arm64_iphonesimulator``.

    Raises:
        WheelError: It is no iOS tag, or one of a target that does not exist; with the reason.
    """
    found = _PLATFORM_TAG.fullmatch(tag)
    if found is None:
        raise WheelError(f"{tag!r} is not an iOS platform tag", hint=_HINT)
    arch, abi = found[3], found[4]
    if arch not in _ARCHES or abi not in _ABIS:
        if f"{arch}_{abi}" in {f"{b}_{a}" for a in _ARCHES for b in _ABIS}:
            problem = "names the ABI before the architecture"
        else:
            problem = (
                f"names the unknown architecture {arch!r}" if arch not in _ARCHES else f"names the unknown ABI {abi!r}"
            )
        raise WheelError(f"{tag!r} {problem}", hint=_HINT)
    if len(found[2]) > 1 and found[2].startswith("0"):
        raise WheelError(f"{tag!r}: its minor version starts with a zero", hint=_HINT)
    try:
        return Target(Abi(abi), Arch(arch), IOSVersion(int(found[1]), int(found[2])))
    except TargetError as error:
        raise WheelError(f"{tag!r}: {error.message}", hint=error.hint) from error


def installs(python: str, tag: Tag) -> bool:
    """Whether a Python installs wheels of a Python and ABI tag (packaging's ``cpython_tags``, ``compatible_tags``).

    ``abi3`` is for Pythons with a GIL, ``abi3t`` for free-threaded ones, whose Python tag has no ``t`` (PEP 803).

    Args:
        python: E.g. ``cp313``, or ``cp315t`` for a free-threaded one.
        tag: A tag; its platform does not count.
    """
    stable = "abi3t" if python.endswith("t") else "abi3"
    if tag.interpreter == python.rstrip("t"):
        return tag.abi in (python, "none", stable)
    if tag.abi == stable:
        ours, theirs = _CPYTHON.fullmatch(python.rstrip("t")), _CPYTHON.fullmatch(tag.interpreter)
        return bool(ours and theirs and ours[1] == theirs[1] and int(theirs[2]) <= int(ours[2]))
    ours, theirs = _CPYTHON.fullmatch(python.rstrip("t")), _GENERIC.fullmatch(tag.interpreter)
    if tag.abi != "none" or ours is None or theirs is None:
        return False
    return ours[1] == theirs[1] and (not theirs[2] or int(theirs[2]) <= int(ours[2]))
