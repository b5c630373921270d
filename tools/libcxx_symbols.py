"""Write ``data/symbols/libc++.json`` and ``libc++abi.json``: what these libraries export on Apple's systems.

    python tools/libcxx_symbols.py ZIGLANG_WHEEL

LLVM's sources of both libraries (the pinned ``ziglang`` wheel carries them) are compiled for iOS; what their objects
define with default visibility is what the libraries export, with Darwin's own mangling. An ELF build's list would
differ where a name depends on ``int64_t`` or ``mbstate_t``.

Since when iOS has a symbol is what libc++'s own headers say (``__configuration/availability.h``: which LLVM release
came with which iOS, and which feature with which LLVM release); `FEATURES` says which symbols make up a feature.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from forge.base.paths import ForgeHome
from forge.base.target import Abi
from forge.emulate.libcxx import compile_flags, library_sources, unpack_sources
from forge.toolchain.data import data_path
from forge.toolchain.sdk.assemble import assemble_toolchain

# The symbols of each feature that came after iOS 12.0, by a pattern on the linker's name, and the iOS version that
# brought the LLVM release with it; None: the release is in no iOS yet.
FEATURES: tuple[tuple[str, str | None], ...] = (
    (r"4__fs10filesystem", "13.0"),  # LLVM 9
    # LLVM 22: the waiting functions of std::atomic made anew
    (r"__atomic_(wait|notify)_(native|global)|__atomic_wait_native_with|__atomic_(wait|notify).*_table", None),
    (r"__atomic_monitor_global", None),
    (r"__(cxx|libcpp)_atomic_(wait|notify|monitor)|__barrier_algorithm", "14.0"),  # LLVM 11
    # LLVM 12: string and file streams instantiated in the library
    (r"NSt3__11\dbasic_(stringbuf|stringstream|[io]stringstream|filebuf|[io]fstream|fstream)I", "15.3"),
    (r"8to_charsEPcS0_[dfe]", "16.0"),  # LLVM 14
    (r"__libcpp_verbose_abort", "16.3"),  # LLVM 15
    (r"NSt3__13pmr|NKSt3__13pmr", "17.0"),  # LLVM 16
    (r"__is_posix_terminal|__get_ostream_file|__cxa_init_primary_exception", "18.0"),  # LLVM 18
    (r"17bad_function_call4what", None),  # LLVM 21
    (r"bad_function_call|bad_expected_access", "18.4"),  # LLVM 19: their key functions
    (r"__from_chars_floating_point", "26.0"),  # LLVM 20
    (r"__hash_memory", None),  # LLVM 21
)


def compile_library(root: Path, name: str, clang: Path, sdk: Path) -> list[Path]:
    """Compile every source of ``libcxx`` or ``libcxxabi``; the objects' paths."""
    objects = root / "objects" / name
    objects.mkdir(parents=True)

    def one(source: Path) -> Path:
        made = objects / (source.relative_to(root / name / "src").as_posix().replace("/", "-") + ".o")
        where = ["-target", "arm64-apple-ios17.0", "-isysroot", sdk]
        command = [clang, *where, *compile_flags(root), "-c", source, "-o", made]
        subprocess.run([str(c) for c in command], check=True)
        return made

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, library_sources(root, name)))


def exported(nm: Path, objects: list[Path]) -> dict[str, bool]:
    """Symbols that are defined and visible outside, to whether each is a weak definition."""
    text = subprocess.run(
        [str(nm), "--format=darwin", "--defined-only", "--extern-only", *map(str, objects)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found: dict[str, bool] = {}
    for line in text.splitlines():
        if ") " in line and " private external " not in line:
            found[line.rsplit(" ", 1)[1]] = " weak external " in line
    return found


def main() -> None:
    """Compile, list, write."""
    wheel = Path(sys.argv[1])
    toolchain = assemble_toolchain(ForgeHome.from_environment(), wheel)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        unpack_sources(wheel, root)
        llvm, sdk = toolchain.llvm.bin, toolchain.sdk_path(Abi.IPHONEOS)
        cxx = exported(llvm / "llvm-nm", compile_library(root, "libcxx", llvm / "clang++", sdk))
        abi = exported(llvm / "llvm-nm", compile_library(root, "libcxxabi", llvm / "clang++", sdk))
    for name, symbols in (("libc++", {s: w for s, w in cxx.items() if s not in abi}), ("libc++abi", abi)):
        since = {s: next((version for pattern, version in FEATURES if re.search(pattern, s)), "") for s in symbols}
        document = {
            "symbols": {s: since[s] or None for s in sorted(symbols) if since[s] is not None},
            "only": {},
            "unavailable": sorted(s for s in symbols if since[s] is None),
            "weak": sorted(s for s, weak in symbols.items() if weak and since[s] is not None),
        }
        path = data_path("symbols") / f"{name}.json"
        path.write_text(json.dumps(document, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
        newer = sum(1 for version in since.values() if version)
        print(
            f"{path.name}: {len(symbols)} symbols, {newer} newer than iOS 12.0, {len(document['unavailable'])} in none"
        )


if __name__ == "__main__":
    main()
