"""Checks of a wheel as a whole: name, version, tags, RECORD, which modules it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.audit.rules import rule
from forge.base.errors import WheelError
from forge.wheel.contents import same_version
from forge.wheel.extension import SuffixKind, python_version, wheel_suffixes
from forge.wheel.tags import installs, parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject

_THREADED = re.compile(r"cp\d+t", flags=re.ASCII)


def check_identity(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Name and version of METADATA and the file name are the promised ones."""
    contents = subject.contents
    for source, name in (("METADATA", contents.metadata.name), ("the file name", contents.name.distribution)):
        if canonicalize_name(name) != canonicalize_name(promise.name):
            yield rule("wrong-name").finding(f"{source} says {name}, {promise.source} {promise.name}")
    for source, version in (
        ("METADATA", contents.metadata.version),
        ("the file name", str(contents.name.version)),
    ):
        if not same_version(version, promise.version):
            yield rule("wrong-version").finding(f"{source} says {version}, {promise.source} {promise.version}")


def check_nativeness(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Native where native was promised, pure where pure was."""
    if promise.native:
        if not subject.is_native:
            yield rule("not-native").finding(
                f"the wheel holds nothing compiled, and {promise.source} promises native code"
            )
        elif subject.contents.wheel.root_is_purelib:
            yield rule("native-in-purelib").finding("WHEEL says Root-Is-Purelib: true, and there is native code")
    elif subject.is_native:
        some = sorted({*subject.binaries, *subject.broken, *subject.formats, *subject.archives})
        more = f" and {len(some) - 1} more" if len(some) > 1 else ""
        yield rule("not-pure").finding(
            f"{promise.source} promises a pure wheel, and this one holds native code{more}", some[0]
        )


def check_tags(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Python and ABI tags are the promised ones, and all tags the same in WHEEL and in the file name."""
    contents = subject.contents
    if contents.wheel.tags != contents.name.tags:
        in_wheel = ", ".join(sorted(map(str, contents.wheel.tags))) or "none"
        in_name = ", ".join(sorted(map(str, contents.name.tags)))
        yield rule("tags-disagree").finding(f"WHEEL says {in_wheel}; the file name says {in_name}")
    # The tags of one file name are all combinations of its parts: one that fits is enough (py2.py3-none-any).
    said = f"{'.'.join(contents.name.pythons)}-{'.'.join(contents.name.abis)}"
    if threaded := [python for python in contents.name.pythons if _THREADED.fullmatch(python)]:
        yield rule("wrong-python-tag").finding(
            f"the Python tag is {threaded[0]}, which no installer looks for; a free-threaded Python's is "
            f"{threaded[0][:-1]}, with the ABI tag {threaded[0]} or abi3t"
        )
    elif not any(installs(promise.python, tag) for tag in contents.name.tags):
        yield rule("wrong-python-tag").finding(f"the wheel is tagged {said}, which {promise.python} does not install")
    elif "none" in contents.name.abis:
        for extension in contents.extensions:
            if extension.kind is SuffixKind.VERSIONED or extension.kind.is_stable:
                yield rule("wrong-python-tag").finding(
                    "the wheel's ABI tag is none, and this module needs a Python's ABI", extension.member
                )


def check_platform_tag(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """The platform tag is the promised one."""
    expected = promise.target.platform_tag if promise.native else "any"
    for platform in subject.contents.name.platforms:
        if platform != expected:
            yield rule("wrong-platform-tag").finding(f"the platform tag is {platform}, promised is {expected}")


def check_platform_tag_itself(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Each iOS tag is one that installers look for, and all are for one device or simulator."""
    ios = [platform for platform in subject.contents.name.platforms if is_ios_tag(platform)]
    targets = set()
    for platform in ios:
        try:
            targets.add(parse_platform_tag(platform).multiarch)
        except WheelError as error:
            yield rule("invalid-platform-tag").finding(error.message)
    if len(targets) > 1:
        yield rule("several-targets").finding(f"the tags are for {', '.join(sorted(targets))}")


def is_ios_tag(platform: str) -> bool:
    """Whether a platform tag means to be one of iOS."""
    return platform.startswith("ios_")


def check_free_threading(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """The wheel is for Pythons that there are for iOS."""
    abis = subject.contents.name.abis
    if abis and all(abi == "abi3t" or _THREADED.fullmatch(abi) for abi in abis):
        yield rule("free-threaded").finding(f"the ABI tag is {'.'.join(abis)}")


def check_record(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """RECORD is what the wheel holds."""
    for problem in subject.contents.record_problems:
        yield rule("record-mismatch").finding(problem.text, problem.member)


def check_suffixes(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Each extension's suffix is one that every Python looks for which the tags promise."""
    name = subject.contents.name
    lowest = min(name.pythons, key=python_version)
    due = wheel_suffixes(promise.python, lowest, name.abis, promise.target.abi)
    expected = " or ".join(due[:2] if due and due[0].startswith(".abi3") else due[:1]) or ".so"
    for extension in subject.contents.extensions:
        if extension.kind is SuffixKind.PLAIN or extension.suffix in due:
            continue
        said = f"the suffix is {extension.suffix}"
        if extension.kind is SuffixKind.VERSIONED and set(name.abis) <= {"abi3", "abi3t"}:
            said = f"the wheel's ABI tag is {'.'.join(name.abis)}, and {extension.suffix} is of one Python only"
        elif extension.kind.is_stable and extension.abi in (None, promise.target.abi):
            users = ".".join(name.pythons) if "none" in name.abis else f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
            said += f", for which not every Python that installs {users} looks"
        yield rule("wrong-suffix").finding(f"{said}; due is {expected}", extension.member)


def check_extensions(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Every promised extension module is there."""
    present = {extension.module for extension in subject.contents.extensions}
    for module in promise.extensions:
        if module not in present:
            has = ", ".join(sorted(present)) or "none"
            yield rule("missing-extension").finding(f"{module} is missing; the wheel's extensions: {has}")
