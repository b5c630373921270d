"""Extension modules' file names: which module, for which Python and ABI.

CPython's iOS import machinery takes ``.cpython-313-iphoneos.so``, ``.abi3.so`` and ``.so``, from 3.15 on
``.abi3-iphoneos.so``, ``.abi3t-iphoneos.so`` and ``.abi3t.so`` too (``Python/dynload_shlib.c`` and ``EXT_SUFFIX`` of
its sysconfig); there is no architecture in the suffix.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.target import Abi

if TYPE_CHECKING:
    from collections.abc import Collection

_DATA_SCHEMES = ("platlib", "purelib")
_VERSIONED = re.compile(r"cpython-(\d{2,4})([a-z]*)-(iphoneos|iphonesimulator)", flags=re.ASCII)
_STABLE = re.compile(r"(abi3t?)(?:-(iphoneos|iphonesimulator))?", flags=re.ASCII)
_PYTHON = re.compile(r"(?:cp|py)(\d)(\d+)t?", flags=re.ASCII)
FIRST_ABI3T = (3, 15)
"""PEP 803; the suffixes with a platform came with it (cpython#122931), and so did PEP 793's export functions."""


class SuffixKind(enum.StrEnum):
    """How a file name says which Pythons can load it."""

    VERSIONED = "versioned"
    ABI3 = "abi3"
    ABI3T = "abi3t"
    PLAIN = "plain"
    FOREIGN = "foreign"

    @property
    def is_stable(self) -> bool:
        """Whether it stands for a stable ABI: several Pythons load it."""
        return self in (SuffixKind.ABI3, SuffixKind.ABI3T)


@dataclass(frozen=True)
class ExtensionFile:
    """A ``.so`` in a wheel.

    Args:
        member: Its path in the wheel.
        module: The dotted name it is imported by.
        kind: What the suffix is; `SuffixKind.FOREIGN` is one that no iOS Python loads.
        suffix: All from the file name's first dot.
        python: E.g. ``cp313``, for `SuffixKind.VERSIONED` only.
        abi: Of a suffix that names one, e.g. ``.abi3-iphoneos.so``.
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
        return self._hook("_PyInit")

    def entry_symbols(self, python: str) -> tuple[str, ...]:
        """The functions of which the module has to export one, with C's underscore.

        From 3.15 on CPython calls ``PyModExport_<name>`` where there is one, and else ``PyInit_<name>`` (PEP 793).

        Args:
            python: The oldest Python that is to load it, e.g. ``cp315``.
        """
        newer = python_version(python) >= FIRST_ABI3T
        return (self.init_symbol, self._hook("_PyModExport")) if newer else (self.init_symbol,)

    def _hook(self, prefix: str) -> str:
        name = self.module.rpartition(".")[2]
        if name.isascii():
            return f"{prefix}_{name}"
        return f"{prefix}U_{name.encode('punycode').decode('ascii').replace('-', '_')}"


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
    # A compiled __init__ is the package itself: FileFinder loads it by the package's name, and so is its init function
    # called (``importlib._bootstrap_external``).
    module = ".".join(parts[:-1] if stem == "__init__" and len(parts) > 1 else [*parts[:-1], stem])
    middle = rest.removesuffix("so").removesuffix(".")
    suffix = f".{rest}"
    if not middle:
        return ExtensionFile(member, module, SuffixKind.PLAIN, suffix)
    if stable := _STABLE.fullmatch(middle):
        abi = Abi(stable[2]) if stable[2] else None
        return ExtensionFile(member, module, SuffixKind(stable[1]), suffix, abi=abi)
    found = _VERSIONED.fullmatch(middle)
    if found is None:
        return ExtensionFile(member, module, SuffixKind.FOREIGN, suffix)
    return ExtensionFile(member, module, SuffixKind.VERSIONED, suffix, f"cp{found[1]}{found[2]}", Abi(found[3]))


def python_version(python: str) -> tuple[int, int]:
    """The version that a CPython tag names, e.g. ``(3, 15)`` for ``cp315t``; ``(3, 0)`` for one that names none."""
    found = _PYTHON.fullmatch(python)
    return (int(found[1]), int(found[2])) if found else (3, 0)


def expected_suffix(python: str, abi: Abi) -> str:
    """The suffix of an extension for one Python and ABI, e.g. ``.cpython-313-iphoneos.so`` for ``cp313``."""
    return f".cpython-{python.removeprefix('cp')}-{abi}.so"


def extension_suffixes(python: str, abi: Abi) -> tuple[str, ...]:
    """The suffixes that a Python looks for, in its order (``importlib.machinery.EXTENSION_SUFFIXES``).

    A free-threaded Python takes no abi3; 3.13t and 3.14t do look for ``.abi3.so``, and crash with what they find.

    Args:
        python: E.g. ``cp313``, or ``cp315t`` for a free-threaded one.
        abi: Device or simulator.
    """
    newer = python_version(python) >= FIRST_ABI3T
    stable = [] if python.endswith("t") else [f".abi3-{abi}.so", ".abi3.so"] if newer else [".abi3.so"]
    threaded = [f".abi3t-{abi}.so", ".abi3t.so"] if newer else []
    return (expected_suffix(python, abi), *stable, *threaded, ".so")


def wheel_suffixes(python: str, lowest: str, abis: Collection[str], abi: Abi) -> tuple[str, ...]:
    """The suffixes that every Python which a wheel is tagged for looks for, but for ``.so``, which all take.

    Args:
        python: The Python that the wheel is for, where its ABI tags name one.
        lowest: The lowest of its Python tags, e.g. ``cp39`` of ``cp39-abi3``.
        abis: Its ABI tags. ``abi3`` stands for Pythons with a GIL, ``abi3t`` for free-threaded ones (PEP 803).
        abi: Device or simulator.
    """
    if not abis or not set(abis) <= {"abi3", "abi3t"}:
        return extension_suffixes(python, abi)[:-1]
    first_threaded = "cp{}{}t".format(*max(python_version(lowest), FIRST_ABI3T))
    users = [first_threaded if one == "abi3t" else lowest for one in abis]
    every = [extension_suffixes(user, abi)[1:-1] for user in users]
    return tuple(suffix for suffix in every[0] if all(suffix in other for other in every))
