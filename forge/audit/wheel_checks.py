"""Checks of a wheel as a whole: name, version, tags, RECORD, which modules it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.audit.rules import rule
from forge.base.errors import WheelError
from forge.wheel.contents import same_version
from forge.wheel.extension import SuffixKind, expected_suffix
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.tags import Tag

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject

_CPYTHON = re.compile(r"cp(\d)(\d+)", flags=re.ASCII)


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
    if not any(_python_fits(tag, promise) for tag in contents.name.tags):
        said = f"{'.'.join(contents.name.pythons)}-{'.'.join(contents.name.abis)}"
        yield rule("wrong-python-tag").finding(f"the wheel is tagged {said}, which {promise.python} does not install")
    elif "none" in contents.name.abis:
        for extension in contents.extensions:
            if extension.kind in (SuffixKind.VERSIONED, SuffixKind.ABI3):
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


def _python_fits(tag: Tag, promise: Promise) -> bool:
    """Whether *promise*'s Python installs *tag* (packaging's ``cpython_tags`` and ``compatible_tags``)."""
    ours, theirs = _CPYTHON.fullmatch(promise.python), _CPYTHON.fullmatch(tag.interpreter)
    if tag.interpreter == promise.python.rstrip("t"):
        return tag.abi in (promise.python, "none") or (tag.abi == "abi3" and promise.python[-1] != "t")
    if tag.abi == "abi3":
        return bool(ours and theirs and ours[1] == theirs[1] and int(theirs[2]) <= int(ours[2]))
    if tag.abi == "none" and tag.interpreter.startswith("py"):
        version = promise.python.removeprefix("cp").rstrip("t")
        return tag.interpreter in (f"py{version[:1]}", f"py{version}")
    return False


def check_record(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """RECORD is what the wheel holds."""
    for problem in subject.contents.record_problems:
        yield rule("record-mismatch").finding(problem.text, problem.member)


def check_suffixes(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Each extension's suffix is one that the target's Python looks for, and that the ABI tag allows."""
    due = expected_suffix(promise.python, promise.target.abi)
    only_abi3 = subject.contents.name.abis == ("abi3",)
    for extension in subject.contents.extensions:
        if extension.kind is SuffixKind.FOREIGN or (extension.kind is SuffixKind.VERSIONED and extension.suffix != due):
            yield rule("wrong-suffix").finding(f"the suffix is {extension.suffix}, due is {due}", extension.member)
        elif extension.kind is SuffixKind.VERSIONED and only_abi3:
            yield rule("wrong-suffix").finding(
                f"the wheel's ABI tag is abi3, and {extension.suffix} is of one Python only", extension.member
            )


def check_extensions(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """Every promised extension module is there."""
    present = {extension.module for extension in subject.contents.extensions}
    for module in promise.extensions:
        if module not in present:
            has = ", ".join(sorted(present)) or "none"
            yield rule("missing-extension").finding(f"{module} is missing; the wheel's extensions: {has}")
