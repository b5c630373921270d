"""Checks of the Mach-O files in a wheel."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from forge.audit.finding import Severity
from forge.audit.rules import rule
from forge.base.target import Arch
from forge.macho.model import Binding, Cpu, FileType, MachOSlice, Platform
from forge.wheel.extension import SuffixKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject

_CPUS = {Arch.ARM64: Cpu.ARM64, Arch.X86_64: Cpu.X86_64}
_SYSTEM = ("/usr/lib/", "/System/Library/Frameworks/")
_PYTHON = "@rpath/Python.framework/Python"
_SHOWN = 5


def check_format(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Every library is a Mach-O file that holds together, with one slice."""
    for member, kind in sorted(subject.formats.items()):
        yield rule("foreign-binary").finding(f"not Mach-O but {kind}", member)
    for member, problem in sorted(subject.broken.items()):
        yield rule("malformed-macho").finding(problem, member)
    for member, binary in sorted(subject.binaries.items()):
        if binary.is_fat:
            cpus = ", ".join(one.cpu for one in binary.slices)
            yield rule("fat-binary").finding(f"a fat file with slices for {cpus}", member)


def check_target(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """CPU, platform and lowest iOS of every slice are the target's."""
    target = promise.target
    cpu = _CPUS[target.arch]
    platform = Platform.IOS_SIMULATOR if target.is_simulator else Platform.IOS
    highest = target.effective_ios_version
    for member, one in _slices(subject):
        if one.cpu is not cpu:
            said = one.cpu if one.cpu is not Cpu.OTHER else f"CPU type 0x{one.cpu_type:x}"
            yield rule("wrong-cpu").finding(f"built for {said}, the target is {cpu}", member)
        if not one.builds:
            yield rule("wrong-platform").finding("does not say which platform it is for", member)
        for build in one.builds:
            if build.platform is not platform:
                said = f"{build.platform.label} ({build.number})"
                yield rule("wrong-platform").finding(f"built for {said}, the target is {platform.label}", member)
            elif (build.minos.major, build.minos.minor, build.minos.patch) > (
                highest.major,
                highest.minor,
                0,
            ):
                yield rule("minos-too-high").finding(f"needs iOS {build.minos}, the wheel promises {highest}", member)


def check_file_type(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """What is named like a library is a dynamic library."""
    for member, one in _slices(subject):
        if member.endswith((".so", ".dylib")) and one.file_type is not FileType.DYLIB:
            yield rule("not-a-dylib").finding(f"its type is {one.file_type.macro}, due is MH_DYLIB", member)


def check_libraries(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Every library that is loaded is iOS's, Python's, or in the wheel."""
    members = {member.path for member in subject.contents.members}
    names = {one.install_name.name: member for member, one in _slices(subject) if one.install_name is not None}
    for member, one in _slices(subject):
        for dylib in one.dylibs:
            if _is_of_the_system(dylib.name):
                continue
            if not dylib.name.startswith("@"):
                yield rule("foreign-library").finding(f"loads {dylib.name}, which no iPhone has", member)
            elif names.get(dylib.name, member) == member and not members & set(_resolved(dylib.name, member, one)):
                yield rule("unanswered-library").finding(
                    f"loads {dylib.name}, which nothing in the wheel answers", member
                )


def check_init_functions(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Every extension module exports its init function."""
    for extension in subject.contents.extensions:
        binary = subject.binaries.get(extension.member)
        if binary is None or all(one.exports_symbol(extension.init_symbol) for one in binary.slices):
            continue
        # A plain .so that nobody promised as a module may be a library that the package loads with ctypes.
        certain = extension.kind is not SuffixKind.PLAIN or extension.module in promise.extensions
        yield rule("no-init-function").finding(
            f"does not export {extension.init_symbol[1:]}",
            extension.member,
            severity=Severity.ERROR if certain else Severity.WARNING,
        )


def check_bindings(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Every import names the library it comes from."""
    for member, one in _slices(subject):
        if one.file_type is FileType.OBJECT:
            continue
        unbound = [i.name for i in one.imports if i.binding in (Binding.DYNAMIC_LOOKUP, Binding.FLAT)]
        if unbound:
            more = f" and {len(unbound) - _SHOWN} more" if len(unbound) > _SHOWN else ""
            names = ", ".join(unbound[:_SHOWN])
            yield rule("unbound-symbols").finding(f"imports from no library in particular: {names}{more}", member)


def check_leaks(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """No file names a directory of the build machine."""
    rules = {
        "load command": "build-path-in-load-command",
        "binary": "build-path-in-binary",
        "file": "build-path-in-file",
    }
    for leak in subject.leaks:
        times = f" ({leak.count} times)" if leak.count > 1 else ""
        yield rule(rules[leak.place]).finding(f"names {leak.text}{times}", leak.member)


def _slices(subject: Subject) -> Iterator[tuple[str, MachOSlice]]:
    for member, binary in sorted(subject.binaries.items()):
        for one in binary.slices:
            yield member, one


def _is_of_the_system(name: str) -> bool:
    return name == _PYTHON or (posixpath.normpath(name) == name and name.startswith(_SYSTEM))


def _resolved(name: str, member: str, one: MachOSlice) -> Iterator[str]:
    """Where dyld would look for *name*, as paths in the wheel."""
    here = posixpath.dirname(member)
    candidates = [name]
    if name.startswith("@rpath/"):
        candidates = [f"{rpath.rstrip('/')}/{name.removeprefix('@rpath/')}" for rpath in one.rpaths]
    for candidate in candidates:
        if candidate.startswith("@loader_path/"):
            yield posixpath.normpath(posixpath.join(here, candidate.removeprefix("@loader_path/")))
