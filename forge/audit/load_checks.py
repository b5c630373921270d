"""Checks of what a binary loads, and of the names it is loaded by."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from forge.audit.policy import LibraryKind, is_below_system, system_library
from forge.audit.rules import rule
from forge.base.severity import Severity
from forge.macho.model import LoadKind
from forge.wheel.framework_name import framework_install_name, framework_name
from forge.wheel.provided import is_provided

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject
    from forge.macho.model import Dylib, MachOSlice

_PYTHON = "@rpath/Python.framework/Python"


def check_libraries(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Every library that is loaded is iOS's, Python's, or in the wheel."""
    members = {member.path for member in subject.contents.members}
    names = {one.install_name.name: member for member, one in subject.slices() if one.install_name is not None}
    frameworks = {framework_install_name(name) for path in members if (name := framework_name(path))}
    for member, one in subject.slices():
        for dylib in one.dylibs:
            name = dylib.name
            if name == _PYTHON or is_system_library(name) or name in frameworks or is_provided(name, subject.provided):
                continue
            # A weak load that finds nothing leaves its symbols null; the module is loaded all the same.
            severity = Severity.WARNING if _may_be_absent(dylib) else None
            if not name.startswith("@"):
                yield rule("foreign-library").finding(
                    f"loads {name}, which does not exist on iOS", member, severity=severity
                )
            elif names.get(name, member) == member and not members & set(_resolved(name, member, one)):
                yield rule("unanswered-library").finding(
                    f"loads {name}, which is not in the wheel", member, severity=severity
                )
            elif any(path.endswith(".so") for path in {*_resolved(name, member, one), names.get(name, "")}):
                yield rule("unanswered-library").finding(
                    f"loads {name}, which is in the wheel; an app moves it into a framework of its own",
                    member,
                    severity=severity,
                )


def check_system_libraries(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Every library of the system is a public one of the iOS that the tag promises."""
    promised = promise.target.effective_ios_version
    for member, one in subject.slices():
        for dylib in one.dylibs:
            if not is_system_library(dylib.name):
                continue
            known = system_library(dylib.name)
            if known.kind is LibraryKind.PRIVATE:
                yield rule("private-framework").finding(f"loads {dylib.name}", member)
            elif known.kind is LibraryKind.MACOS and not _may_be_absent(dylib):
                yield rule("macos-library").finding(
                    f"loads {dylib.name}, which macOS has and iOS does not have", member
                )
            elif known.kind is LibraryKind.UNKNOWN:
                yield rule("unknown-library").finding(
                    f"loads {dylib.name}, which is not known to be part of iOS", member
                )
            elif known.since is not None and known.since > promised and not _may_be_absent(dylib):
                yield rule("newer-library").finding(
                    f"loads {dylib.name}, which was added in iOS {known.since}; the wheel promises {promised}", member
                )


def check_names(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """A library is called ``@rpath/…``, and looks for others where a phone can have them."""
    for member, one in subject.slices():
        if one.install_name is not None and not one.install_name.name.startswith("@rpath/"):
            yield rule("install-name").finding(f"its install name is {one.install_name.name}", member)
        for rpath in one.rpaths:
            if not rpath.startswith("@") and not is_below_system(posixpath.normpath(rpath) + "/"):
                yield rule("absolute-rpath").finding(f"looks for libraries in {rpath}", member)


def is_system_library(name: str) -> bool:
    """Whether a load command names a library of the system, with a path in normal form."""
    return posixpath.normpath(name) == name and is_below_system(name)


def _may_be_absent(dylib: Dylib) -> bool:
    return dylib.kind is LoadKind.WEAK


def _resolved(name: str, member: str, one: MachOSlice) -> Iterator[str]:
    """Where dyld would look for *name*, as paths in the wheel."""
    here = posixpath.dirname(member)
    candidates = [name]
    if name.startswith("@rpath/"):
        candidates = [f"{rpath.rstrip('/')}/{name.removeprefix('@rpath/')}" for rpath in one.rpaths]
    for candidate in candidates:
        if candidate.startswith("@loader_path/"):
            yield posixpath.normpath(posixpath.join(here, candidate.removeprefix("@loader_path/")))
