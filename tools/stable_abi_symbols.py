"""Write ``forge/audit/data/stable_abi.json`` from CPython: which symbols the stable ABI has, and since when.

Run once for each new version of CPython that wheels are built for (needs ``pip install libclang`` for headers):

    python tools/stable_abi_symbols.py CPYTHON_SOURCE_TREE [INSTALLED_PYTHON...]

The source tree's ``Misc/stable_abi.toml`` lists what CPython promises to keep (PEP 384, PEP 652): of its entries only
functions and data are symbols. An entry that is for some configurations only (``ifdef``) is taken where iOS's CPython
has it.

Later releases of which there is no source tree are added, oldest first, from what is installed of them: the headers in
``usr/include/python3.N`` and ``libpython3.N.so.1.0``, e.g. Debian's libpython3.N-dev and libpython3.N, unpacked. What
the headers declare with ``Py_LIMITED_API`` of that release, and the library exports, is in the stable ABI; what no list
had before is that release's. The source tree's own headers, read so, have to declare nothing that its toml lacks, and
everything that it added. A name that no header declares (``abi_only``) would be missed; the last such one is 3.10's.

From 3.15 on, ``Py_TARGET_ABI3T`` (PEP 803, abi3t) has to declare the same names: one list serves both ABIs.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from clang import cindex

OUTPUT = Path(__file__).parent.parent / "forge" / "audit" / "data" / "stable_abi.json"

ON_IOS = {
    "HAVE_FORK": True,  # configure finds fork in iOS's headers; that calling it fails is another matter
    "MS_WINDOWS": False,
    "PY_HAVE_THREAD_NATIVE_ID": True,
    "Py_REF_DEBUG": False,
    "USE_STACKCHECK": False,
}
"""CPython's macros that entries depend on, and whether an iOS build (not a debug one) defines them."""

FIRST_ABI3T = (3, 15)


def read_symbols(toml: Path) -> dict[str, str]:
    """C names to the Python version, e.g. ``3.9``, that added each.

    Raises:
        KeyError: An entry depends on a macro that `ON_IOS` does not tell of.
    """
    content = tomllib.loads(toml.read_text(encoding="utf-8"))
    return {
        name: entry["added"]
        for kind in ("function", "data")
        for name, entry in content[kind].items()
        if "ifdef" not in entry or ON_IOS[entry["ifdef"]]
    }


def read_release(headers: Path) -> str:
    """The release that headers are of, e.g. ``3.13.15``."""
    text = (headers / "patchlevel.h").read_text(encoding="utf-8")
    found = re.search(r'define PY_VERSION\s+"([^"]+)"', text)
    if found is None:
        raise SystemExit(f"{headers}: patchlevel.h names no version")
    return found[1]


def read_minor(release: str) -> tuple[int, int]:
    """``(3, 13)`` of ``3.13.15``."""
    major, minor = release.split(".")[:2]
    return int(major), int(minor)


def declared(headers: Path, others: list[Path], *macros: str) -> set[str]:
    """The functions and data that ``Python.h`` declares and does not define.

    Args:
        headers: The directory of ``Python.h``.
        others: Directories of what it includes, such as ``pyconfig.h``.
        macros: Definitions, e.g. ``Py_LIMITED_API=0x030d0000``.

    Raises:
        SystemExit: The headers do not compile.
    """
    compiler = subprocess.run(["cc", "-print-file-name=include"], capture_output=True, text=True, check=True)
    places = [f"-I{directory}" for directory in (headers, *others)]
    arguments = ["-x", "c", "-isystem", compiler.stdout.strip(), *places, *(f"-D{macro}" for macro in macros)]
    source = [("probe.c", "#include <Python.h>\n")]
    unit = cindex.Index.create().parse("probe.c", args=arguments, unsaved_files=source)
    if errors := [str(one) for one in unit.diagnostics if one.severity >= cindex.Diagnostic.Error]:
        raise SystemExit("\n".join([f"{headers} does not compile with {macros}:", *errors]))
    kinds = (cindex.CursorKind.FUNCTION_DECL, cindex.CursorKind.VAR_DECL)
    return {
        cursor.spelling
        for cursor in unit.cursor.get_children()
        if cursor.kind in kinds
        and cursor.linkage == cindex.LinkageKind.EXTERNAL
        and Path(str(cursor.location.file)).is_relative_to(headers)
    }


def exported(library: Path) -> set[str]:
    """The names that a shared library defines, without versions."""
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(library)]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    return {line.split()[0].partition("@")[0] for line in made.stdout.splitlines()}


def limited(minor: tuple[int, int]) -> str:
    """The macro that asks for the limited API of a version."""
    return f"Py_LIMITED_API=0x{minor[0]:02x}{minor[1]:02x}0000"


def check_method(tree: Path, symbols: dict[str, str], config: list[Path]) -> None:
    """What the source tree's headers declare is what its toml lists.

    Args:
        tree: The source tree.
        symbols: What its toml has.
        config: Where a ``pyconfig.h`` is that the headers compile with.

    Raises:
        SystemExit: They differ, so that headers are no source for this list.
    """
    minor = read_minor(read_release(tree / "Include"))
    found = declared(tree / "Include", config, limited(minor))
    missing = {name for name, since in symbols.items() if since == f"{minor[0]}.{minor[1]}"} - found
    if found - symbols.keys() or missing:
        raise SystemExit(f"headers and toml differ: {sorted(found - symbols.keys())} {sorted(missing)}")


def add_release(root: Path, symbols: dict[str, str]) -> str:
    """Add what a release that is installed below *root* has besides; gives the release.

    Raises:
        SystemExit: The release lacks what the stable ABI had before, or abi3t has other names than abi3.
    """
    headers = next((root / "usr" / "include").glob("python3.*"))
    release = read_release(headers)
    minor = read_minor(release)
    others = config_directories(root)
    names = declared(headers, others, limited(minor))
    has = exported(next((root / "usr" / "lib").rglob(f"libpython{minor[0]}.{minor[1]}.so.1.0")))
    if gone := (symbols.keys() | names) - has:
        raise SystemExit(f"Python {release} does not export {sorted(gone)}")
    if minor >= FIRST_ABI3T:
        threaded = declared(headers, others, limited(minor).replace("Py_LIMITED_API", "Py_TARGET_ABI3T"))
        if names ^ threaded:
            raise SystemExit(f"abi3 and abi3t of Python {release} differ: {sorted(names ^ threaded)}")
    symbols.update(dict.fromkeys(names - symbols.keys(), f"{minor[0]}.{minor[1]}"))
    return release


def config_directories(root: Path) -> list[Path]:
    """Where an installed Python's ``pyconfig.h`` is, Debian's way: it includes the architecture's by its own path."""
    return [*(root / "usr" / "include").glob("*-linux-gnu/python3.*"), root / "usr" / "include"]


def main() -> None:
    """Read the source tree and the releases named on the command line, and write the file."""
    tree, roots = Path(sys.argv[1]), [Path(one).resolve() for one in sys.argv[2:]]
    symbols = read_symbols(tree / "Misc" / "stable_abi.toml")
    newest = read_release(tree / "Include")
    sources = {newest: "Misc/stable_abi.toml"}
    if roots:
        check_method(tree.resolve(), symbols, config_directories(roots[0]))
    for root in roots:
        newest = add_release(root, symbols)
        sources[newest] = "headers and exported symbols"
    data = {
        "made_by": "tools/stable_abi_symbols.py",
        "sources": sources,
        "newest": ".".join(map(str, read_minor(newest))),
        "symbols": dict(sorted(symbols.items())),
    }
    OUTPUT.write_text(json.dumps(data, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{OUTPUT}: {len(symbols)} symbols up to Python {data['newest']}")


if __name__ == "__main__":
    main()
