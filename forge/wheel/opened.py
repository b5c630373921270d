"""Compiled files that a package opens itself, by path with ctypes or cffi, rather than imports.

pycryptodome's ``load_pycryptodome_raw_lib("Crypto.Cipher._raw_aes", …)`` opens 53 of them. They have the suffix of
extension modules, so that app builds make frameworks of them, and export no ``PyInit_``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OPENS = re.compile(rb"^\s*(?:import|from)\s+(?:ctypes|cffi)\b", flags=re.MULTILINE)


class OpenedLibraries:
    """Which of a package's compiled files its code opens by path.

    Args:
        modules: Paths of compiled files, and the dotted names that they would be imported by.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)
        self._words: dict[bytes, set[str]] = {}
        for path, name in self._modules.items():
            for word in (name, path.rpartition("/")[2]):
                self._words.setdefault(word.encode(errors="surrogateescape"), set()).add(path)
        words = sorted(map(re.escape, self._words), key=len, reverse=True)
        self._pattern = re.compile(rb"[\"'/](" + b"|".join(words) + rb")[\"']") if words else None
        self._named: dict[str, set[str]] = {}
        self._openers: set[str] = set()

    def look_at(self, path: str, data: bytes) -> None:
        """Take one of the package's files into account."""
        if self._pattern is None or not path.endswith(".py"):
            return
        package = _top_level(path)
        if _OPENS.search(data):
            self._openers.add(package)
        for found in self._pattern.finditer(data):
            for library in self._words[found[1]]:
                self._named.setdefault(library, {_top_level(library)}).add(package)

    def found(self) -> frozenset[str]:
        """The files that are named in a string, where the package that names them or has them uses ctypes or cffi.

        ``soundfile.py`` opens a library of ``_soundfile_data``, a package beside it.
        """
        return frozenset(path for path, packages in self._named.items() if packages & self._openers)


def _top_level(path: str) -> str:
    """The package or module that a file of a wheel belongs to."""
    return path.partition("/")[0]


def opened_libraries(modules: Mapping[str, str], files: Iterable[tuple[str, bytes]]) -> frozenset[str]:
    """The same for files at hand.

    Args:
        modules: Paths of compiled files, and the dotted names that they would be imported by.
        files: Paths and contents.
    """
    looked = OpenedLibraries(modules)
    for path, data in files:
        looked.look_at(path, data)
    return looked.found()
