"""Write ``forge/toolchain/data/symbols/*.json`` from the headers: which symbols iOS has, and since when.

Run once for each new version of the pinned Darwin headers (needs ``pip install libclang``):

    python tools/header_symbols.py ZIGLANG_WHEEL CLANG_RESOURCE_INCLUDE_DIRECTORY

Every header that an iOS SDK ships is parsed by libclang for each of the three targets. The linker name of each external
declaration is a symbol; its availability is what clang makes of the annotations
(``clang_getCursorPlatformAvailability``). For libSystem only symbols that macOS's own ``libSystem.tbd`` lists are kept:
a declaration alone exports nothing. What is exported and declared nowhere is private to the system, except the
helpers of ``compiler_helpers.yaml``.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from clang import cindex

from forge.toolchain.data import data_path
from forge.toolchain.sdk.headers import read_libsystem_stub, write_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

TRIPLES = {
    "arm64-iphoneos": "arm64-apple-ios12.0",
    "arm64-iphonesimulator": "arm64-apple-ios14.0-simulator",
    "x86_64-iphonesimulator": "x86_64-apple-ios12.0-simulator",
}
# Macros that change which declarations, or which variants of a function, a header gives.
MACROS = ((), ("-D_DARWIN_C_SOURCE", "-D__STDC_WANT_LIB_EXT1__=1"), ("-D_POSIX_C_SOURCE=200809L",))
# The library that answers for a header, where it is not libSystem.
LIBRARIES = {"zlib.h": "libz", "iconv.h": "libiconv", "objc/": "libobjc", "CoreFoundation/": "CoreFoundation"}


@dataclass(frozen=True)
class Availability:
    """What the annotations of a symbol's declarations say."""

    unavailable: bool
    since: str | None

    def merged(self, other: Availability) -> Availability:
        """Redeclarations need not repeat an annotation: the strictest one counts."""
        return Availability(self.unavailable or other.unavailable, self.since or other.since)


class _Version(ctypes.Structure):
    _fields_ = (("major", ctypes.c_int), ("minor", ctypes.c_int), ("subminor", ctypes.c_int))


class _CXString(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("flags", ctypes.c_uint))


class _PlatformAvailability(ctypes.Structure):
    _fields_ = (
        ("platform", _CXString),
        ("introduced", _Version),
        ("deprecated", _Version),
        ("obsoleted", _Version),
        ("unavailable", ctypes.c_int),
        ("message", _CXString),
    )


def ios_availability(cursor: cindex.Cursor) -> Availability:
    """What clang knows of a declaration's availability on iOS."""
    always_deprecated, always_unavailable = ctypes.c_int(), ctypes.c_int()
    entries = (_PlatformAvailability * 16)()
    texts = (_CXString(), _CXString())
    count = cindex.conf.lib.clang_getCursorPlatformAvailability(
        cursor,
        ctypes.byref(always_deprecated),
        ctypes.byref(texts[0]),
        ctypes.byref(always_unavailable),
        ctypes.byref(texts[1]),
        entries,
        len(entries),
    )
    for entry in entries[:count]:
        if ctypes.cast(entry.platform.data, ctypes.c_char_p).value == b"ios":
            version = entry.introduced
            since = f"{version.major}.{max(version.minor, 0)}" if version.major > 0 else None
            return Availability(bool(entry.unavailable or always_unavailable.value), since)
    return Availability(bool(always_unavailable.value), None)


def library_of(header: str) -> str:
    """The library that a header's declarations come from."""
    return next((library for prefix, library in LIBRARIES.items() if header.startswith(prefix)), "libSystem")


def declarations(
    root: Path, include: Path, triple: str, macros: Iterable[str], resource: str
) -> dict[tuple[str, str], Availability]:
    """(library, symbol) to availability over every header below *root*.

    Each is parsed on its own: some exclude each other.
    """
    found: dict[tuple[str, str], Availability] = {}
    index = cindex.Index.create()
    for header in sorted(p.relative_to(root).as_posix() for p in root.rglob("*.h")):
        unit = index.parse(
            "unit.c",
            args=[
                "-target",
                triple,
                "-nostdinc",
                "-isystem",
                resource,
                "-isystem",
                str(include),
                "-isystem",
                str(root),
                *macros,
            ],
            unsaved_files=[("unit.c", f"#include <{header}>\n")],
        )
        for cursor in unit.cursor.get_children():
            if cursor.kind not in {cindex.CursorKind.FUNCTION_DECL, cindex.CursorKind.VAR_DECL}:
                continue
            if cursor.linkage != cindex.LinkageKind.EXTERNAL or cursor.location.file is None:
                continue
            path = Path(cursor.location.file.name)
            if not path.is_relative_to(root):
                continue
            key = (library_of(path.relative_to(root).as_posix()), cursor.mangled_name.removeprefix("\x01"))
            availability = ios_availability(cursor)
            found[key] = availability.merged(found[key]) if key in found else availability
    return found


def exported_by_macos(stub: str) -> set[str]:
    """Every symbol of macOS's libSystem and of the libraries that it re-exports."""
    symbols: set[str] = set()
    for document in yaml.load_all(stub.replace("!tapi-tbd", ""), Loader=yaml.CSafeLoader):
        for group in [*document.get("exports", []), *document.get("reexports", [])]:
            for kind in ("symbols", "weak-symbols", "thread-local-symbols"):
                symbols.update(group.get(kind, []))
    return symbols


def write_library(name: str, per_target: dict[str, dict[str, Availability]], exported: Iterable[str] | None) -> None:
    """Write one library's data file.

    What one target has and another has not (``OBJC_ARM64_UNAVAILABLE``) is the first one's alone.
    """
    every: dict[str, Availability] = {}
    for symbols in per_target.values():
        for symbol, availability in symbols.items():
            known = every.get(symbol)
            if known is None or (known.unavailable and not availability.unavailable):
                every[symbol] = availability
            elif known.unavailable == availability.unavailable:
                every[symbol] = availability.merged(known)
    # A function with a variant (fopen$DARWIN_EXTSN) is also exported without the suffix: configure checks link that.
    for symbol in [s for s in every if "$" in s]:
        base = symbol.partition("$")[0]
        every.setdefault(base, every[symbol])
        for symbols in per_target.values():
            if symbol in symbols:
                symbols.setdefault(base, symbols[symbol])
    if exported is not None:
        every = {s: a for s, a in every.items() if s in set(exported)}
    available = sorted(s for s, a in every.items() if not a.unavailable)
    only = {s: sorted(t for t in TRIPLES if s in per_target[t] and not per_target[t][s].unavailable) for s in available}
    unavailable = sorted(s for s, a in every.items() if a.unavailable)
    document = {
        "symbols": {s: every[s].since for s in available},
        "only": {s: targets for s, targets in only.items() if len(targets) < len(TRIPLES)},
        "unavailable": unavailable,
    }
    path = data_path("symbols") / f"{name}.json"
    path.write_text(json.dumps(document, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(available)} symbols, {len(unavailable)} unavailable, {document['only']}")


def main() -> None:
    """Parse, merge, write."""
    wheel, resource = Path(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as temporary:
        include = Path(temporary)
        write_headers(wheel, include)
        found: dict[str, dict[tuple[str, str], Availability]] = {target: {} for target in TRIPLES}
        for target, triple in TRIPLES.items():
            for macros in MACROS:
                for root in (include, data_path("frameworks")):
                    for key, availability in declarations(root, include, triple, macros, resource).items():
                        known = found[target].get(key, availability)
                        found[target][key] = known.merged(availability)
    exported = exported_by_macos(read_libsystem_stub(wheel))
    for library in ("libSystem", *dict.fromkeys(LIBRARIES.values())):
        per_target = {t: {s: a for (lib, s), a in d.items() if lib == library} for t, d in found.items()}
        write_library(library, per_target, exported if library == "libSystem" else None)


if __name__ == "__main__":
    main()
