"""What a wheel build reads of an iOS Python besides its headers, as data: one file for each minor version.

``data/interface/<minor>.json`` holds sysconfig's variables and the macros of ``pyconfig.h`` for each target, and the
names that ``Python.framework/Python`` exports. ``tools/ios_python_interface.py`` makes it from a real configure run for
iOS; the file names the release and the script. Every provider's headers are combined with it, so that a wheel is the
same whichever Python it was built against.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from forge.base.errors import IOSPythonError
from forge.base.hashing import fingerprint
from forge.base.target import DEFAULT_IOS_VERSION, Abi, Arch, Target
from forge.ios_python.releases import DATA
from forge.toolchain.sdk.tbd import TBD_TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTERFACES = DATA / "interface"

_QUOTED = re.compile(r'^"(.*)"$')
_UNQUOTES = Version("3.15")
"""The first version whose `sysconfig.parse_config_h` takes the quotes off strings."""

TARGETS = tuple(
    Target(abi, arch, DEFAULT_IOS_VERSION)
    for abi, arch in (
        (Abi.IPHONEOS, Arch.ARM64),
        (Abi.IPHONESIMULATOR, Arch.ARM64),
        (Abi.IPHONESIMULATOR, Arch.X86_64),
    )
)
"""What there is data for, with the minimum iOS version that it was made for."""


@dataclass(frozen=True)
class Interface:
    """A minor version's data.

    Args:
        minor: The minor version, e.g. ``3.13``.
        release: The release that it was made from.
        variables: Sysconfig's variables, by multiarch; those of ``pyconfig.h`` are not among them.
        macros: What ``pyconfig.h`` defines, by multiarch.
        undefined: Further names that ``pyconfig.h`` knows and does not define, by multiarch.
        symbols: What ``Python.framework/Python`` exports, without the leading underscore.
    """

    minor: str
    release: str
    variables: Mapping[str, Mapping[str, str | int]]
    macros: Mapping[str, Mapping[str, str]]
    undefined: Mapping[str, Sequence[str]]
    symbols: tuple[str, ...]

    def identity(self, target: Target) -> str:
        """What of it can change a wheel of a target."""
        multiarch = target.multiarch
        return fingerprint(
            {
                "minor": self.minor,
                "target": multiarch,
                "variables": dict(self.variables[multiarch]),
                "macros": dict(self.macros[multiarch]),
                "undefined": list(self.undefined[multiarch]),
                "symbols": list(self.symbols),
            }
        )


def known_minors() -> tuple[str, ...]:
    """The minor versions that wheels can be built for, oldest first."""
    names = (path.stem for path in INTERFACES.glob("*.json"))
    return tuple(sorted(names, key=lambda minor: tuple(map(int, minor.split(".")))))


@cache
def read_interface(minor: str) -> Interface:
    """A minor version's data.

    Raises:
        IOSPythonError: There is none.
    """
    path = INTERFACES / f"{minor}.json"
    if minor not in known_minors():
        raise IOSPythonError(
            f"forge cannot build wheels for Python {minor}", hint=f"supported versions: {', '.join(known_minors())}"
        )
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    multiarchs = [target.multiarch for target in TARGETS]

    def by_target(part: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {multiarch: {**part["all"], **part.get(multiarch, {})} for multiarch in multiarchs}

    macros = by_target(data["macros"])
    return Interface(
        minor,
        data["made"]["release"],
        by_target(data["variables"]),
        {multiarch: {n: v for n, v in each.items() if v is not None} for multiarch, each in macros.items()},
        {multiarch: sorted(n for n, v in each.items() if v is None) for multiarch, each in macros.items()},
        tuple(data["symbols"]),
    )


def render_sysconfigdata(interface: Interface, target: Target) -> str:
    """The text of the target's ``_sysconfigdata`` module, as ``Lib/sysconfig`` writes it: one dictionary."""
    values: dict[str, str | int] = dict(interface.variables[target.multiarch])
    # sysconfig has pyconfig.h's macros as variables too: numbers as such, what is not defined as 0, and from 3.15 on
    # strings without their quotes (parse_config_h).
    has_quotes = Version(interface.minor) < _UNQUOTES
    for name, macro in interface.macros[target.multiarch].items():
        value = macro if has_quotes else _QUOTED.sub(r"\1", macro)
        values.setdefault(name, int(value) if value.lstrip("-").isdecimal() else value)
    for name in interface.undefined[target.multiarch]:
        values.setdefault(name, 0)
    lines = [f" {name!r}: {value!r}," for name, value in sorted(values.items())]
    heading = "# system configuration generated and used by the sysconfig module"
    return "\n".join([heading, "build_time_vars = {", *lines, "}"]) + "\n"


def render_pyconfig(interface: Interface, targets: Sequence[Target]) -> str:
    """The text of a slice's ``pyconfig.h``, for one or more architectures of one ABI."""
    conditions = {Arch.ARM64: "__arm64__", Arch.X86_64: "__x86_64__"}
    lines = ["#ifndef Py_PYCONFIG_H", "#define Py_PYCONFIG_H", ""]
    for number, target in enumerate(targets):
        lines.append(f"#{'el' if number else ''}if defined({conditions[target.arch]})")
        for name, value in sorted(interface.macros[target.multiarch].items()):
            lines += [f"#ifndef {name}", f"#define {name} {value}".rstrip(), "#endif"]
    lines += ["#else", '#error "this Python is not there for this architecture"', "#endif", "", "#endif"]
    return "\n".join(lines) + "\n"


def render_stub(interface: Interface, targets: Sequence[Target]) -> str:
    """The text of a slice's ``Python.tbd``: what linkers read in place of ``Python.framework/Python``."""
    names = ", ".join(TBD_TARGETS[target.multiarch] for target in targets)
    symbols = ",\n    ".join(json.dumps(f"_{symbol}") for symbol in interface.symbols)
    return (
        "--- !tapi-tbd\n"
        "tbd-version: 4\n"
        f"targets: [ {names} ]\n"
        'install-name: "@rpath/Python.framework/Python"\n'
        f"current-version: {interface.minor}\n"
        f"compatibility-version: {interface.minor}\n"
        "exports:\n"
        f"  - targets: [ {names} ]\n"
        f"    symbols: [ {symbols} ]\n"
        "...\n"
    )
