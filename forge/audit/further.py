"""Checks that need nothing of a promise but the target: what is wrong with a wheel whoever built it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING

from forge.audit.instructions import ATOMICS
from forge.audit.needed import CHAINED_FIXUPS
from forge.audit.rules import rule
from forge.audit.symbol_checks import few
from forge.base.severity import Severity
from forge.macho.model import FileType
from forge.wheel.extension import SuffixKind, parse_extension, python_version
from forge.wheel.framework_name import installed_path
from forge.wheel.privacy import manifest_path, required_reason_symbols
from forge.wheel.startup import startup_effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject
    from forge.macho.model import MachOSlice

_PYTHON = "@rpath/Python.framework/Python"
_PYTHON_TAG = re.compile(r"cp(\d)(\d+)", flags=re.ASCII)


def check_layouts(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Apple's tools can sign every binary."""
    for member, problem in sorted(subject.layouts.items()):
        yield rule("unsignable-layout").finding(problem, member)


def check_instructions(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Code has no instructions that some devices of its minimum iOS lack."""
    if promise.target.is_simulator or promise.target.effective_ios_version >= ATOMICS:
        return
    for member, found in sorted(subject.new_instructions.items()):
        yield rule("newer-instruction").finding(
            f"{found.count} atomic instruction{'s' if found.count > 1 else ''} of ARMv8.1, e.g. {found.example} at "
            f"{found.address:#x}; iOS {promise.target.effective_ios_version} also runs on CPUs without them",
            member,
        )


def check_headers(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """What dyld and the App Store refuse in the header and the load commands."""
    for member, one in subject.slices():
        if one.file_type is FileType.OBJECT:
            continue
        if one.file_type is FileType.DYLIB and one.install_name is None:
            yield rule("missing-install-name").finding("it is an MH_DYLIB without an LC_ID_DYLIB", member)
        if one.encryption is not None and one.encryption.crypt_id:
            yield rule("encrypted").finding(f"{one.encryption.size} bytes from byte {one.encryption.offset}", member)
        if any(segment.name == "__LLVM" for segment in one.segments):
            yield rule("bitcode").finding("it has a segment __LLVM", member)
        if one.has_chained_fixups and promise.target.effective_ios_version < CHAINED_FIXUPS:
            yield rule("newer-load-command").finding(
                f"it has LC_DYLD_CHAINED_FIXUPS, which iOS reads from {CHAINED_FIXUPS} on; the wheel promises "
                f"{promise.target.effective_ios_version}",
                member,
            )
        if (problem := _segments_problem(one)) is not None:
            yield rule("refused-by-dyld").finding(problem, member)
        for what, names in (("LC_RPATH", one.rpaths), ("load of", tuple(dylib.name for dylib in one.dylibs))):
            for name, count in Counter(names).items():
                if count > 1:
                    yield rule("duplicate-load-command").finding(f"{count} times {what} {name}", member)


_MAX_SPAN = 1 << 32


def _segments_problem(one: MachOSlice) -> str | None:
    """Why dyld would not map the segments (its ``MachOAnalyzer::validSegments``).

    An executable's ``__PAGEZERO`` keeps the lowest 4 GiB free, and is no part of what is mapped.
    """
    used = sorted(
        (s for s in one.segments if s.virtual_size and (s.name != "__PAGEZERO" or s.file_size)),
        key=lambda segment: segment.address,
    )
    for first, second in itertools.pairwise(used):
        if first.address + first.virtual_size > second.address:
            return f"the segment {second.name} overlaps {first.name}"
    in_file = sorted((s for s in one.segments if s.file_size), key=lambda segment: segment.file_offset)
    for first, second in itertools.pairwise(in_file):
        if first.file_offset + first.file_size > second.file_offset:
            return f"the segment {second.name} overlaps {first.name} in the file"
    for segment in used:
        if segment.file_size > segment.virtual_size:
            return f"the segment {segment.name} is larger in the file than in memory"
    if used and used[-1].address + used[-1].virtual_size - used[0].address > _MAX_SPAN:
        return "the segments span more than 4 GiB"
    return None


def check_python_library(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """A module for one Python is linked with that Python's framework."""
    found = _PYTHON_TAG.match(promise.python)
    for member, one in subject.slices():
        extension = parse_extension(member)
        if found is None or extension is None or extension.kind is not SuffixKind.VERSIONED:
            continue
        for dylib in one.dylibs:
            version = dylib.compatibility_version
            if (
                dylib.name == _PYTHON
                and version.major == 3
                and (version.major, version.minor)
                != (
                    int(found[1]),
                    int(found[2]),
                )
            ):
                yield rule("wrong-python-library").finding(
                    f"it is linked with Python {version.major}.{version.minor}, and the tag is {promise.python}", member
                )


def check_privacy(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Privacy manifests are ones that the App Store reads; what needs one is reported."""
    used = {manifest_path(member.path) for member in subject.contents.members if member.path.endswith(".so")}
    for member, problems in sorted(subject.manifests.items()):
        if member not in used:
            yield rule("unused-privacy-manifest").finding("no module beside it is called so", member)
            continue
        for problem in problems:
            yield rule("invalid-privacy-manifest").finding(problem, member)
    for member, one in subject.slices():
        found = required_reason_symbols(i.name for i in one.imports)
        if found and manifest_path(member) not in subject.manifests:
            names = [name for group in found.values() for name in group]
            yield rule("required-reason-api").finding(
                f"imports {few(names)} ({', '.join(sorted(found))}), and there is no {manifest_path(member)}",
                member,
                symbols=names,
            )


def check_startup_files(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Nothing depends on what Python does in site directories alone."""
    for member, data in sorted(subject.startup.items()):
        for effect in startup_effects(installed_path(member) or member, data, python_version(promise.python)):
            yield rule("startup-file").finding(effect, member)


def check_metadata(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """METADATA and entry_points.txt are as their specifications have them."""
    for member, problem, refused in subject.metadata_problems:
        yield rule("invalid-metadata").finding(problem, member, severity=None if refused else Severity.WARNING)
