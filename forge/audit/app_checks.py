"""Checks of what becomes of a wheel in an app: its frameworks, and what an app may not contain.

App builds make a framework of every ``.so`` and leave all else where it is (CPython's ``Doc/using/ios.rst``, and the
build script of its ``iOS/testbed``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.audit.policy import known_archives, limits
from forge.audit.rules import rule
from forge.base.severity import Severity
from forge.macho.model import FileType
from forge.wheel.framework_name import framework_name, has_dotted_directory
from forge.wheel.privacy import manifest_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject

_BUNDLE_IDENTIFIER = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", flags=re.ASCII)
_MB = 1_000_000
_NATIVE_LIBRARY_ROOT = "opt/"
"""Where wheels of native libraries keep headers and archives; they are for builds, and no app installs them."""

_PROGRAMS = {
    FileType.EXECUTE: "a program",
    FileType.OBJECT: "an object file",
    FileType.DYLIB: "a dynamic library that is not a .so",
    FileType.BUNDLE: "a bundle that is not a .so",
    FileType.DSYM: "debug symbols (a .dSYM)",
}


def check_framework_names(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Each ``.so`` has a framework name of its own, which Apple allows."""
    users: dict[str, list[str]] = {}
    for member in subject.contents.members:
        name = framework_name(member.path)
        if name is None:
            continue
        if has_dotted_directory(member.path):
            said = f"the framework {name}" if name else "a framework without a name"
            yield rule("dotted-directory").finding(f"its path has a dot in a directory's name: {said}", member.path)
        elif name.casefold() == "python":
            yield rule("invalid-framework-name").finding("Python.framework is Python's own", member.path)
        elif _BUNDLE_IDENTIFIER.fullmatch(name.replace("_", "-")) is None:
            yield rule("invalid-framework-name").finding(
                f"{name!r} is not allowed in a bundle identifier" if name else "it has no name before the first dot",
                member.path,
            )
        else:
            users.setdefault(name.casefold(), []).append(member.path)
    for first, *others in users.values():
        for other in others:
            yield rule("framework-name-clash").finding(
                f"becomes the framework {framework_name(other)}, as {first} does", other
            )


def check_files(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """What is executable is a ``.so``."""
    for member, binary in sorted(subject.binaries.items()):
        what = _PROGRAMS.get(binary.slices[0].file_type)
        # A .so of another type than MH_DYLIB is a finding of its own.
        if what is not None and not member.endswith(".so") and not _is_for_builds(member):
            yield rule("file-not-for-apps").finding(f"is {what}", member)
    for member, what in sorted(subject.programs.items()):
        yield rule("file-not-for-apps").finding(f"is another system's program or library: {what}", member)
    for member in subject.archives:
        if not _is_for_builds(member):
            known = member.endswith(known_archives())
            why = ", for packages that are built against this one" if known else ""
            yield rule("static-archive").finding(
                f"is a static library{why}", member, severity=Severity.INFO if known else None
            )


def check_privacy_manifests(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """A module with OpenSSL in it has a privacy manifest beside it."""
    members = {member.path for member in subject.contents.members}
    for member, version in sorted(subject.openssl.items()):
        manifest = manifest_path(member)
        if member.endswith(".so") and manifest not in members:
            yield rule("missing-privacy-manifest").finding(f"contains {version}, and there is no {manifest}", member)


def check_sizes(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """The wheel and its code are not larger than what takes them."""
    allowed = limits()
    packed = sum(member.packed_size for member in subject.contents.members)
    text = sum(segment.file_size for _, one in subject.slices() for segment in one.segments if segment.name == "__TEXT")
    if packed > allowed.wheel_bytes:
        yield rule("large").finding(f"{packed // _MB} MB, packed; an index takes {allowed.wheel_bytes // _MB} MB")
    if text > allowed.text_bytes:
        yield rule("large").finding(f"{text // _MB} MB of code; an app may have {allowed.text_bytes // _MB} MB")


def _is_for_builds(member: str) -> bool:
    return member.startswith(_NATIVE_LIBRARY_ROOT)
