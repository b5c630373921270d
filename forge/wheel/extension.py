"""Extension modules' file names: which module, for which Python and ABI.

CPython's iOS import machinery takes ``.cpython-313-iphoneos.so``, ``.abi3.so`` and ``.so``
(``Python/dynload_shlib.c`` and ``EXT_SUFFIX`` of its sysconfig); there is no architecture in the suffix.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from forge.base.target import Abi

_DATA_SCHEMES = ("platlib", "purelib")
_VERSIONED = re.compile(r"cpython-(\d{2,4})([a-z]*)-(iphoneos|iphonesimulator)", flags=re.ASCII)


class SuffixKind(enum.StrEnum):
    """How a file name says which Pythons can load it."""

    VERSIONED = "versioned"
    ABI3 = "abi3"
    PLAIN = "plain"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class ExtensionFile:
    """A ``.so`` in a wheel.

    Args:
        member: Its path in the wheel.
        module: The dotted name it is imported by.
        kind: What the suffix is; `SuffixKind.FOREIGN` is one that no iOS Python loads.
        suffix: All from the file name's first dot.
        python: E.g. ``cp313``, for `SuffixKind.VERSIONED` only.
        abi: For `SuffixKind.VERSIONED` only.
    """

    member: str
    module: str
    kind: SuffixKind
    suffix: str
    python: str | None = None
    abi: Abi | None = None

    @property
    def init_symbol(self) -> str:
        """The function that CPython calls, with C's underscore, e.g. ``_PyInit__speedups`` (PEP 489)."""
        name = self.module.rpartition(".")[2]
        if name.isascii():
            return f"_PyInit_{name}"
        return f"_PyInitU_{name.encode('punycode').decode('ascii').replace('-', '_')}"


def parse_extension(member: str) -> ExtensionFile | None:
    """Read a member's path; None if it is no ``.so``.

    Args:
        member: The path in the wheel, with ``/``; a leading ``x-1.data/platlib/`` does not count.
    """
    if not member.endswith(".so"):
        return None
    parts = member.split("/")
    if len(parts) > 2 and parts[0].endswith(".data") and parts[1] in _DATA_SCHEMES:
        parts = parts[2:]
    stem, _, rest = parts[-1].partition(".")
    module = ".".join([*parts[:-1], stem])
    middle = rest.removesuffix("so").removesuffix(".")
    suffix = f".{rest}"
    if not middle:
        return ExtensionFile(member, module, SuffixKind.PLAIN, suffix)
    if middle == "abi3":
        return ExtensionFile(member, module, SuffixKind.ABI3, suffix)
    found = _VERSIONED.fullmatch(middle)
    if found is None:
        return ExtensionFile(member, module, SuffixKind.FOREIGN, suffix)
    return ExtensionFile(member, module, SuffixKind.VERSIONED, suffix, f"cp{found[1]}{found[2]}", Abi(found[3]))


def expected_suffix(python: str, abi: Abi) -> str:
    """The suffix of an extension for one Python and ABI, e.g. ``.cpython-313-iphoneos.so`` for ``cp313``."""
    return f".cpython-{python.removeprefix('cp')}-{abi}.so"
