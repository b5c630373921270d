"""Text-based stub libraries: what a linker needs of a dynamic library, in YAML (``.tbd`` version 4).

Format: LLVM's ``TextStub.cpp`` (tapi-tbd v4). A stub names targets (``arm64-ios`` …), the install name and the
exported symbols; ld64 and lld read it in place of the library itself. ``objc-classes`` stands for two symbols of each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from forge.toolchain.frameworks import CLASS_SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.target import IOSVersion
    from forge.toolchain.symbols import Library, Symbol

TBD_TARGETS = {
    "arm64-iphoneos": "arm64-ios",
    "arm64-iphonesimulator": "arm64-ios-simulator",
    "x86_64-iphonesimulator": "x86_64-ios-simulator",
}
"""Multiarch to the name that ``.tbd`` files use."""


def render_stub(library: Library, newest: IOSVersion | None = None) -> str:
    """The text of a library's stub.

    Args:
        library: The library.
        newest: Leave out symbols that came later than this iOS version; None: leave out nothing.
    """
    every = list(TBD_TARGETS.values())
    lines = [
        "--- !tapi-tbd",
        "tbd-version: 4",
        f"targets: {_flow(every)}",
        f"install-name: {json.dumps(library.install_name)}",
        f"current-version: {library.current_version}",
        f"compatibility-version: {library.compatibility_version}",
    ]
    if library.reexports:
        lines += ["reexported-libraries:", f"  - targets: {_flow(every)}", f"    libraries: {_flow(library.reexports)}"]
    groups: dict[tuple[str, ...], list[Symbol]] = {}
    for symbol in library.symbols:
        if newest is None or symbol.since is None or symbol.since <= newest:
            targets = tuple(t for m, t in TBD_TARGETS.items() if not symbol.only or m in symbol.only)
            groups.setdefault(targets, []).append(symbol)
    if groups:
        lines.append("exports:")
    for targets, symbols in sorted(groups.items()):
        lines.append(f"  - targets: {_flow(targets)}")
        plain = {s.name for s in symbols if not s.weak}
        classes = {
            c for c in (s.removeprefix(CLASS_SYMBOLS[0]) for s in plain) if {p + c for p in CLASS_SYMBOLS} <= plain
        }
        plain -= {prefix + name for prefix in CLASS_SYMBOLS for name in classes}
        weak = {s.name for s in symbols if s.weak}
        for key, names in (("symbols", plain), ("weak-symbols", weak), ("objc-classes", classes)):
            if names:
                lines.append(f"    {key}: {_flow(sorted(names))}")
    return "\n".join([*lines, "..."]) + "\n"


def _flow(values: Iterable[str]) -> str:
    # JSON strings are YAML's double-quoted scalars; quoting everything keeps `$` and `:` harmless.
    return "[ " + ",\n      ".join(json.dumps(v) for v in values) + " ]"
