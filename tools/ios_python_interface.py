#!/usr/bin/env python3
"""Make ``forge/ios_python/data/interface/<minor>.json``: what a wheel build reads of an iOS Python besides headers.

Of a version that forge builds, everything is taken from a real configure run and a real binary::

    forge python build 3.13
    tools/ios_python_interface.py made PATH/TO/Python.xcframework

Of one whose source cannot be had, it is derived from such a file, and from what the release's Linux packages say: the
names that its ``pyconfig.h`` knows, and the symbols that its library exports. Names that are new must be decided in
`NEW_MACROS` below; the script refuses to guess::

    tools/ios_python_interface.py derived 3.14.10 --pyconfig …/pyconfig.h --library …/libpython3.14.so.1.0

It needs forge's own environment, and binutils' ``nm`` for the latter.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.ios_python.interface import INTERFACES, TARGETS
from forge.ios_python.product import XCFramework, read_xcframework
from forge.macho.reader import read_macho

if TYPE_CHECKING:
    from forge.base.target import Target
    from forge.macho.model import MachOSlice

BASE = "3.13"
"""What the data of other versions is derived from."""

NEW_MACROS: dict[str, dict[str, str | None]] = {
    "3.14": {
        # <execinfo.h> has backtrace() since iOS 2.0; dladdr() is there, glibc's dladdr1() and <link.h> are not.
        "HAVE_BACKTRACE": "1",
        "HAVE_DLADDR": "1",
        "HAVE_DLADDR1": None,
        "HAVE_DL_ITERATE_PHDR": None,
        "HAVE_EXECINFO_H": "1",
        "HAVE_LINK_H": None,
        "HAVE_LINUX_NETFILTER_IPV4_H": None,
        "HAVE_LINUX_SCHED_H": None,
        # pthread_getname_np() and pthread_setname_np(): <pthread.h>, iOS 3.2; a name has 63 bytes (MAXTHREADNAMESIZE).
        "HAVE_PTHREAD_GETATTR_NP": None,
        "HAVE_PTHREAD_GETNAME_NP": "1",
        "HAVE_PTHREAD_GET_NAME_NP": None,
        "HAVE_PTHREAD_SETNAME_NP": "1",
        "HAVE_PTHREAD_SET_NAME_NP": None,
        "_PYTHREAD_NAME_MAXLEN": "63",
        # Both publishers link Zstandard into _zstd.
        "HAVE_ZDICT_H": "1",
        "HAVE_ZSTD_H": "1",
        "Py_REMOTE_DEBUG": "1",
        "Py_TAIL_CALL_INTERP": None,
        "_Py_FFI_SUPPORT_C_COMPLEX": None,
        "_Py_HACL_CAN_COMPILE_VEC128": None,
        "_Py_HACL_CAN_COMPILE_VEC256": None,
        "_Py_HAVE_STRERROR_R": "1",
        "_Py_LINKER_THREAD_STACK_SIZE": None,
        "_Py_STACK_GROWS_DOWN": "1",
    },
    "3.15": {
        "HAVE_CLEARENV": None,
        "HAVE_DECL_PR_SET_VMA_ANON_NAME": "0",
        "HAVE_LINUX_CAN_ISOTP_H": None,
        "HAVE_PPOLL": None,
        "HAVE_PTHREAD_NP_H": None,
        "HAVE_STATX": None,
        "HAVE_STRUCT_STATX_STX_ATOMIC_WRITE_UNIT_MAX_OPT": None,
        "HAVE_STRUCT_STATX_STX_ATOMIC_WRITE_UNIT_MIN": None,
        "HAVE_STRUCT_STATX_STX_DIO_MEM_ALIGN": None,
        "HAVE_STRUCT_STATX_STX_DIO_READ_OFFSET_ALIGN": None,
        "HAVE_STRUCT_STATX_STX_MNT_ID": None,
        "HAVE_STRUCT_STATX_STX_SUBVOL": None,
        "PYMALLOC_USE_HUGEPAGES": None,
        "_Py_HAVE_EFFICIENT_BUILTIN_SHUFFLEVECTOR": None,
        "_Py_HAVE_LIBGCC_EH_FRAME_REGISTRATION": None,
        "_Py_HAVE_PR_SET_VMA_ANON_NAME": None,
        "_Py_HAVE_PTHREAD_ATTR_GET_NP": None,
        "_Py_TAIL_CALL_INTERP": None,
        "_Py_WITH_FRAME_POINTERS": None,
    },
}
"""What configure finds for iOS of names that came with a version; None for not defined."""

PLATFORM_MACROS = {"3.15": {"SOABI_PLATFORM": '"{abi}"'}}
"""Those that differ by ABI."""

OWN_VARIABLES = re.compile(
    r"LIB(HACL|MPDEC|EXPAT)|MODULE_|MODBUILT|MODDISABLED|MODNAMES|MODOBJS|MODLIBS|MODSHARED|PYTHON_FOR|TEST|COVERAGE|FREEZE|FROZEN|"
    r"CONFIG_ARGS|CONFIGURE_|abs_|SHAREDMODS|PY_(CORE|BUILTIN|STD)|PGO|PROFILE|REGEN|BOLT|UNIVERSAL|INST|MKDIR|"
    r".*(_OBJS?|_HDRS|_HEADERS|_SRCS|SUBDIRS|_DEPS)$"
)
"""Variables that only CPython's own build uses. A wheel build reads none; many have places of the build machine."""

NOT_ON_IOS = re.compile(r"PyInit_|_Py_trampoline_func_")
"""What a Linux library exports and iOS's does not: modules that iOS lacks, and support for Linux's perf. These are all
the differences between 3.13.15's two; nothing is exported on iOS alone."""

SYSTEM_MACROS = re.compile(r"_(ALL_SOURCE|GNU_SOURCE|HPUX|MINIX|OPENBSD|POSIX|TANDEM)|__(EXTENSIONS|STDC_WANT)")
"""Feature switches, which autoconf writes in a form that lists of names differ in. They stay as they are."""


def main(arguments: list[str]) -> int:
    """Run the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("made")
    made.add_argument("xcframework", type=Path)
    derived = commands.add_parser("derived")
    derived.add_argument("release")
    derived.add_argument("--pyconfig", type=Path, required=True)
    derived.add_argument("--library", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.command == "made":
        product = read_xcframework(options.xcframework)
        write(product.minor, from_product(product))
    else:
        minor = ".".join(options.release.split(".")[:2])
        write(minor, derive(minor, options.release, options.pyconfig, options.library))
    return 0


def from_product(product: XCFramework) -> dict[str, Any]:
    """The data of a Python that was built."""
    macros = {target.multiarch: read_pyconfig(product, target) for target in TARGETS}
    variables = {target.multiarch: read_variables(product, target) for target in TARGETS}
    for multiarch, values in variables.items():
        variables[multiarch] = {
            name: value
            for name, value in values.items()
            if name not in macros[multiarch] and not OWN_VARIABLES.match(name)
        }
    symbols: list[set[str]] = [
        {symbol.removeprefix("_") for symbol in exported(piece)}
        for target in TARGETS
        for piece in read_macho(product.slice(target) / "Python.framework" / "Python").slices
    ]
    if any(each != symbols[0] for each in symbols):
        print("symbols differ:", set.union(*symbols) - symbols[0].intersection(*symbols), file=sys.stderr)
    return {
        "made": {"release": product.version, "by": "tools/ios_python_interface.py made"},
        "variables": folded(variables),
        "macros": folded(macros),
        "symbols": sorted(name for name in symbols[0].intersection(*symbols) if is_python(name)),
    }


def derive(minor: str, release: str, pyconfig: Path, library: Path) -> dict[str, Any]:
    """The data of a version from that of `BASE` and from what a Linux build of its own says."""
    base = json.loads((INTERFACES / f"{BASE}.json").read_text(encoding="utf-8"))
    steps = [version for version in NEW_MACROS if as_numbers(version) <= as_numbers(minor)]
    known = set(base["macros"]["all"])
    for part in base["macros"].values():
        known |= set(part)
    decided = {name: value for step in steps for name, value in NEW_MACROS[step].items()}
    by_abi = {name: value for step in steps for name, value in PLATFORM_MACROS.get(step, {}).items()}
    there = names_in(pyconfig)
    new = {name for name in there - known if not SYSTEM_MACROS.match(name)}
    if undecided := sorted(new - set(decided) - set(by_abi)):
        raise SystemExit(f"{pyconfig} has names that NEW_MACROS does not decide: {', '.join(undecided)}")
    gone = {name for name in known - there if not SYSTEM_MACROS.match(name)}
    macros = {
        where: {name: value for name, value in values.items() if name not in gone}
        for where, values in base["macros"].items()
    }
    macros["all"] |= {name: value for name, value in decided.items() if name in there}
    for target in TARGETS:
        macros[target.multiarch] |= {n: v.format(abi=target.abi) for n, v in by_abi.items() if n in there}
    return {
        "made": {
            "release": release,
            "by": f"tools/ios_python_interface.py derived, from {BASE}'s and the release's Linux package",
        },
        "variables": {
            where: {name: renumbered(value, minor, release, base["made"]["release"]) for name, value in values.items()}
            for where, values in base["variables"].items()
        },
        "macros": macros,
        "symbols": sorted(linux_symbols(library)),
    }


def renumbered(value: object, minor: str, release: str, base_release: str) -> object:
    """A variable's value with the version in it replaced."""
    if not isinstance(value, str):
        return value
    value = value.replace(base_release, release).replace(BASE, minor)
    return re.sub(rf"(?<=cpython-){BASE.replace('.', '')}\b", minor.replace(".", ""), value)


def read_variables(product: XCFramework, target: Target) -> dict[str, str | int]:
    """Sysconfig's variables of a target."""
    tree = ast.parse(product.sysconfigdata(target).read_text(encoding="utf-8"))
    (assignment,) = (node for node in tree.body if isinstance(node, ast.Assign))
    found: dict[str, str | int] = ast.literal_eval(assignment.value)
    return found


def read_pyconfig(product: XCFramework, target: Target) -> dict[str, str | None]:
    """The macros of a target's ``pyconfig.h``; None for those that it knows and does not define."""
    path = product.headers(target) / f"pyconfig-{target.arch}.h"
    command = ["clang", "-target", target.clang_triple, "-dM", "-E", "-x", "c", "-nostdinc"]
    empty, full = (
        subprocess.run([*command, source], check=True, capture_output=True, text=True).stdout.splitlines()
        for source in ("/dev/null", str(path))
    )
    macros: dict[str, str | None] = dict.fromkeys(sorted(names_in(path)))
    for line in set(full) - set(empty):
        _, name, value = [*line.split(" ", 2), ""][:3]
        macros[name] = value
    macros.pop("Py_PYCONFIG_H", None)
    return macros


def names_in(pyconfig: Path) -> set[str]:
    """The names that a ``pyconfig.h`` defines, or says that it does not."""
    text = pyconfig.read_text(encoding="utf-8")
    return set(re.findall(r"^\s*(?:#\s*define|/\*\s*#undef|#\s*undef)\s+(\w+)", text, re.MULTILINE)) - {"Py_PYCONFIG_H"}


def exported(piece: MachOSlice) -> set[str]:
    """The names that a Mach-O file exports."""
    return {symbol.name for symbol in piece.exports}


def linux_symbols(library: Path) -> set[str]:
    """The names that a Linux libpython exports, as far as they are Python's."""
    command = ["nm", "--dynamic", "--defined-only", "--format=posix", str(library)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    names = {line.split(" ", 1)[0].partition("@")[0] for line in lines}
    return {name for name in names if is_python(name) and not NOT_ON_IOS.match(name)}


def is_python(name: str) -> bool:
    """Whether a symbol is one of CPython's API."""
    return re.match(r"_?Py|_Py", name) is not None


def folded(values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What is the same for all targets once, and the rest by target."""
    first = next(iter(values.values()))
    same = {n: v for n, v in first.items() if all(n in each and each[n] == v for each in values.values())}
    rest = {where: {n: v for n, v in each.items() if n not in same} for where, each in values.items()}
    return {"all": same, **rest}


def as_numbers(version: str) -> tuple[int, ...]:
    """A version for comparisons."""
    return tuple(map(int, version.split(".")))


def write(minor: str, data: dict[str, Any]) -> None:
    """Write a version's file."""
    INTERFACES.mkdir(exist_ok=True)
    path = INTERFACES / f"{minor}.json"
    path.write_text(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
