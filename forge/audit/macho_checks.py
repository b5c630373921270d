"""Checks of the Mach-O files in a wheel: format, target, type, init functions, leaked paths."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from forge.audit.modules import is_loaded
from forge.audit.rules import rule
from forge.base.severity import Severity
from forge.base.target import Arch
from forge.macho.model import Cpu, FileType, Platform
from forge.wheel.extension import SuffixKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject

_CPUS = {Arch.ARM64: Cpu.ARM64, Arch.X86_64: Cpu.X86_64}


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
    for member, one in subject.slices():
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
    for member, one in subject.slices():
        if member.endswith((".so", ".dylib")) and one.file_type is not FileType.DYLIB:
            yield rule("not-a-dylib").finding(f"its type is {one.file_type.macro}, due is MH_DYLIB", member)


def check_init_functions(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Every extension module exports its init function."""
    loaded = {dylib.name for _, one in subject.slices() for dylib in one.dylibs}
    for extension in subject.contents.extensions:
        binary = subject.binaries.get(extension.member)
        entries = extension.entry_symbols(promise.python)
        if binary is None or all(any(one.exports_symbol(name) for name in entries) for one in binary.slices):
            continue
        declared = any(fnmatchcase(extension.module, pattern) for pattern in promise.libraries)
        if extension.member in subject.opened or declared:
            continue  # not a module: the package opens it by path
        if is_loaded(extension, loaded):
            continue  # nor is this: modules of the wheel load it
        # A plain .so that nobody promised as a module may be a library that the package loads with ctypes.
        certain = extension.kind is not SuffixKind.PLAIN or extension.module in promise.extensions
        yield rule("no-init-function").finding(
            f"does not export {' or '.join(name[1:] for name in entries)}",
            extension.member,
            severity=Severity.ERROR if certain else Severity.WARNING,
        )


def check_leaks(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """No file names a directory of the build machine."""
    rules = {
        "load command": "build-path-in-load-command",
        "binary": "build-path-in-binary",
        "file": "build-path-in-file",
    }
    for leak in subject.leaks:
        times = f" ({leak.count} times)" if leak.count > 1 else ""
        yield rule(rules[leak.place]).finding(
            f"names {leak.text}{times}", leak.member, severity=Severity.INFO if leak.guessed else None
        )
