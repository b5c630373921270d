"""Checks of symbols: whether what is imported exists, and what the App Store or the stable ABI says of a name."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING

from forge.audit.load_checks import is_system_library
from forge.audit.policy import private_symbol, stable_abi
from forge.audit.rules import rule
from forge.base.severity import Severity
from forge.macho.model import Binding, FileType
from forge.wheel.extension import FIRST_ABI3T, SuffixKind, parse_extension
from forge.wheel.flat_lookups import PYTHON_API, KnownLibrary, flat_lookups, known_libraries, public_symbols

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject
    from forge.macho.model import Import, MachOSlice

_SHOWN = 5
_CPYTHON = re.compile(r"cp(\d)(\d+)", flags=re.ASCII)


def check_bindings(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """What is imported from no library in particular is there nevertheless."""
    exported = {export.name for _, one in subject.slices() for export in one.exports}
    answered = {one.install_name.name for _, one in subject.slices() if one.install_name is not None}
    version = promise.target.effective_ios_version
    for member, one in subject.slices():
        if one.file_type is FileType.OBJECT:
            continue
        flat = flat_lookups(one, exported, answered, promise.target)
        if flat.missing:
            yield rule("missing-symbol").finding(
                f"looks up what neither Python, nor a library that it loads, nor the wheel has: {few(flat.missing)}",
                member,
                symbols=flat.missing,
            )
        if flat.unavailable:
            yield rule("unavailable-symbol").finding(
                f"looks up what iOS does not have: {few(flat.unavailable)}", member, symbols=flat.unavailable
            )
        if flat.newer:
            names = [f"{name} (iOS {since})" for name, since in flat.newer]
            yield rule("newer-symbol").finding(
                f"looks up what is newer than iOS {version}: {few(names)}",
                member,
                symbols=[name for name, _ in flat.newer],
            )
        if flat.open:
            yield rule("unbound-symbols").finding(
                f"looks up what may be in a library whose symbols are not known: {few(flat.open)}",
                member,
                symbols=flat.open,
            )
        if flat.found:
            count = "1 symbol" if len(flat.found) == 1 else f"{len(flat.found)} symbols"
            yield rule("unbound-symbols").finding(
                f"imports {count} from no library in particular; Python, a library it loads, or the wheel has them",
                member,
                severity=Severity.INFO,
                symbols=flat.found,
            )


def check_system_symbols(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Every import from a library of the system is in it, at the iOS version that the tag promises.

    Weak imports may be absent at run time, so they are never wrong.
    """
    for member, one in subject.slices():
        for name, imports in _by_library(one):
            yield from _check_library(known_libraries()[name], imports, member, promise)


def _check_library(
    library: KnownLibrary, imports: Sequence[Import], member: str, promise: Promise
) -> Iterator[Finding]:
    promised = promise.target.effective_ios_version
    # Lists of frameworks lack some functions, e.g. of those with a variable number of arguments.
    kinds: dict[_Fault, tuple[str, str, Severity | None]] = {
        _Fault.UNAVAILABLE: ("unavailable-symbol", "what iOS does not have", None),
        _Fault.NEWER: ("newer-symbol", f"what is newer than iOS {promised}", None),
        _Fault.UNKNOWN: ("unknown-symbol", "what no public header declares", None),
        _Fault.ELSEWHERE: ("unknown-symbol", "what macOS's headers declare, and no known header of iOS", None),
        _Fault.UNLISTED: ("unknown-symbol", "what no list of its names has", Severity.INFO),
    }
    found: dict[_Fault, list[str]] = {fault: [] for fault in kinds}
    for one in imports:
        if (fault := _fault(library, one.name, promise)) is not None:
            since = f" (iOS {library.symbols[one.name].since})" if fault is _Fault.NEWER else ""
            found[fault].append(f"{one.name}{since}")
    for fault, (name, what, severity) in kinds.items():
        if symbols := found[fault]:
            message = f"imports from {library.name} {what}: {few(symbols)}"
            yield rule(name).finding(message, member, severity=severity, symbols=symbols)


class _Fault(enum.Enum):
    """What is wrong with an import from a library of the system."""

    UNAVAILABLE = enum.auto()
    NEWER = enum.auto()
    UNKNOWN = enum.auto()
    ELSEWHERE = enum.auto()
    UNLISTED = enum.auto()


def _fault(library: KnownLibrary, name: str, promise: Promise) -> _Fault | None:
    symbol = library.symbols.get(name)
    if symbol is not None and (not symbol.only or promise.target.multiarch in symbol.only):
        is_newer = symbol.since is not None and symbol.since > promise.target.effective_ios_version
        return _Fault.NEWER if is_newer else None
    if name in library.unavailable:
        return _Fault.UNAVAILABLE
    if private_symbol(name) is not None:  # `check_private_symbols` tells
        return None
    if name in library.elsewhere:
        return _Fault.ELSEWHERE
    if library.is_complete:
        return _Fault.UNKNOWN
    # Frameworks have names of each other's headers: that another one declares it is enough.
    return _Fault.UNLISTED if library.is_whole and name not in public_symbols() else None


def check_private_symbols(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """No symbol has a name for which the App Store rejected others."""
    for member, one in subject.slices():
        imported = [
            i.name for i in one.imports if i.library and is_system_library(i.library) and private_symbol(i.name)
        ]
        if imported:
            yield rule("non-public-symbol").finding(
                f"imports {few(imported)}{_sources(imported)}", member, severity=Severity.ERROR, symbols=imported
            )
        for common in (False, True):
            exported = [e.name for e in one.exports if (entry := private_symbol(e.name)) and entry.common is common]
            if exported:
                yield rule("non-public-symbol").finding(
                    f"exports {few(exported)}{_sources(exported)}",
                    member,
                    severity=Severity.INFO if common else None,
                    symbols=exported,
                )


def check_limited_api(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """A module for the stable ABI uses nothing else of CPython, and nothing that is newer than its tag.

    abi3 and abi3t have the same symbols (PEP 803; ``tools/stable_abi_symbols.py`` asks); abi3t starts with 3.15.
    """
    lowest = _limited_version(subject)
    if lowest is None:
        return
    abi = stable_abi()
    abis = set(subject.contents.name.abis)
    for member, one in subject.slices():
        extension = parse_extension(member)
        if extension is None:
            continue
        if not extension.kind.is_stable and not (extension.kind is SuffixKind.PLAIN and abis <= {"abi3", "abi3t"}):
            continue
        threaded = extension.kind is SuffixKind.ABI3T or abis == {"abi3t"}
        promised = max(lowest, FIRST_ABI3T) if threaded else lowest
        outside: list[str] = []
        for name in sorted({i.name for i in one.imports if _is_python_api(i)}):
            since = abi.since.get(name[1:])
            if since is not None and since > promised:
                outside.append(f"{name[1:]} (Python {since[0]}.{since[1]})")
            elif since is None and promised <= abi.newest:
                # A list of an older Python says nothing about what later ones added.
                outside.append(name[1:])
        if outside:
            version = f"{promised[0]}.{promised[1]}"
            yield rule("outside-limited-api").finding(
                f"uses what the stable ABI of Python {version} does not have: {few(outside)}", member, symbols=outside
            )


def _limited_version(subject: Subject) -> tuple[int, int] | None:
    """The lowest Python that the wheel's tags promise, e.g. ``(3, 9)`` for ``cp39-abi3`` and ``cp39-cp39``."""
    found = [_CPYTHON.fullmatch(python) for python in subject.contents.name.pythons]
    return min(((int(one[1]), int(one[2])) for one in found if one), default=None)


def _is_python_api(one: Import) -> bool:
    elsewhere = one.binding is Binding.SELF or (one.library is not None and is_system_library(one.library))
    return not elsewhere and PYTHON_API.fullmatch(one.name) is not None


def _by_library(one: MachOSlice) -> Iterator[tuple[str, list[Import]]]:
    groups: dict[str, list[Import]] = {}
    for found in one.imports:
        if found.library is not None and found.library in known_libraries() and not found.weak:
            groups.setdefault(found.library, []).append(found)
    yield from sorted(groups.items())


def few(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _sources(names: Sequence[str]) -> str:
    """Which libraries have names like these, e.g. `` (libffi)``."""
    return f" ({', '.join(sorted({entry.what for name in names if (entry := private_symbol(name))}))})"
