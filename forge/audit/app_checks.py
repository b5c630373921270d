"""Checks of what becomes of a wheel in an app: its frameworks, and what an app may not contain.

App builds make a framework of every ``.so`` and leave all else where it is (CPython's ``Doc/using/ios.rst``, and the
build script of its ``iOS/testbed``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.policy import known_archives, limits
from forge.audit.rules import rule
from forge.base.severity import Severity
from forge.macho.model import FileType
from forge.wheel.app_rules import AppPlan, AppRule, FileLook, file_problem, identifier_problem
from forge.wheel.claims import Clash, ClashKind
from forge.wheel.framework_name import installed_path
from forge.wheel.privacy import manifest_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject

_MB = 1_000_000


def check_places(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Each file has a place of its own in an app, and each ``.so`` a framework of its own with a name Apple allows."""
    plan = AppPlan()
    # Whatever an app build meets first keeps the name, as in forge.frameworks.
    installed = ((installed_path(member.path), member.path) for member in subject.contents.members)
    for path, member in sorted((path, member) for path, member in installed if path is not None):
        if not path.endswith(".so"):
            if (clash := plan.place_file(path, "")) is not None:
                yield _clash_finding(clash, member)
            continue
        problem = plan.place_module(path, "")
        if isinstance(problem, Clash):
            yield _clash_finding(problem, member)
        elif problem is not None:
            yield rule(_RULES[problem.rule]).finding(problem.text, member)
        elif (refused := identifier_problem(path)) is not None:
            said = f"{refused.text}; forge frameworks makes one that is valid, other app builds do not"
            yield rule(_RULES[refused.rule]).finding(said, member, severity=Severity.WARNING)


_RULES = {
    AppRule.DOTTED_DIRECTORY: "dotted-directory",
    AppRule.NAME: "invalid-framework-name",
    AppRule.IDENTIFIER: "invalid-framework-name",
    AppRule.NAME_CLASH: "framework-name-clash",
    AppRule.CODE: "file-not-for-apps",
    AppRule.PROGRAM: "file-not-for-apps",
    AppRule.STATIC: "static-archive",
}


def _clash_finding(clash: Clash, member: str) -> Finding:
    if clash.is_nested:
        said = f"{clash.other} is in the wheel too, and one of the two is a directory"
    elif clash.kind is ClashKind.SIMILAR:
        said = f"differs from {clash.other} only in case or Unicode form"
    else:
        said = f"another file of the wheel is installed as {clash.other} too"
    return rule("path-clash").finding(said, member)


def check_files(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """What is executable is a ``.so``."""
    for member, look in _looks(subject):
        path = installed_path(member)
        # Scripts and headers are not installed into an app; it still matters to know that a program is lost.
        problem = file_problem(path or member, look)
        if problem is None or (path or "").endswith(".so"):
            continue  # a .so of another type than MH_DYLIB is a finding of its own
        if subject.contents.is_native_library and look.file_types == {FileType.DYLIB}:
            continue  # for builds, which put a copy into the wheels that load it (forge.crossbuild.bundle)
        name, severity = _RULES[problem.rule], None if path is not None else Severity.INFO
        said = f"is {problem.text}"
        if path is None:
            said += "; app builds leave it out"
        elif problem.rule is AppRule.STATIC and member.endswith(known_archives()):
            said, severity = f"{said}, for packages that are built against this one", Severity.INFO
        yield rule(name).finding(said, member, severity=severity)
    for member, inner in sorted(subject.archived_code.items()):
        yield rule("code-in-archive").finding(f"holds {inner}", member)


def _looks(subject: Subject) -> Iterator[tuple[str, FileLook]]:
    """What each file is, as `forge.wheel.app_rules.look_at` has it."""
    archives = set(subject.archives)
    for entry in subject.contents.members:
        member = entry.path
        binary = subject.binaries.get(member)
        kinds = frozenset(one.file_type for one in binary.slices) if binary is not None else frozenset()
        yield member, FileLook(kinds, subject.broken.get(member), member in archives, subject.programs.get(member))


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
