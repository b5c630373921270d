"""Checking wheels of unknown origin against what their file names promise."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit import wheel_checks
from forge.audit.needed import NeededIOS, needed_ios
from forge.audit.promise import CHECKS, Check, check_subject
from forge.audit.rules import rule
from forge.audit.subject import Promise, read_subject
from forge.audit.wheel_checks import is_ios_tag
from forge.base.errors import WheelError
from forge.base.target import Abi, Arch, Target, TargetError, select_targets
from forge.macho.errors import MachOError
from forge.macho.formats import looks_like_macho
from forge.macho.model import LoadKind, Platform
from forge.macho.reader import read_macho
from forge.wheel.contents import read_wheel
from forge.wheel.extension import parse_extension
from forge.wheel.framework_name import framework_name
from forge.wheel.name import parse_wheel_name
from forge.wheel.requirements import unmet_requirements
from forge.wheel.tags import installs, parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from forge.audit.finding import Finding
    from forge.audit.subject import Subject
    from forge.base.severity import Severity
    from forge.wheel.contents import WheelContents
    from forge.wheel.name import WheelName
    from forge.wheel.sbom_read import WheelSbom

_PYTHON = re.compile(r"(?:cp|py)(\d)(\d+)t?", flags=re.ASCII)
_ANY_PYTHON = "cp313"
"""Taken where neither tags nor extensions name a Python: the first that has iOS among its platforms."""

FILE_CHECKS = (
    *(check for check in CHECKS if check.run is not wheel_checks.check_platform_tag),
    Check(wheel_checks.check_platform_tag_itself, ("invalid-platform-tag", "several-targets")),
)
"""Every check of a wheel whose file name is all that is known, in the order it runs."""


@dataclass(frozen=True)
class LoadedLibrary:
    """A library that binaries of a wheel load.

    Args:
        name: Its install name.
        is_weak: Whether all of them can do without it.
        members: The binaries' paths in the wheel, sorted.
    """

    name: str
    is_weak: bool
    members: tuple[str, ...]


@dataclass(frozen=True)
class WheelReport:
    """What the checks said of one wheel.

    Args:
        path: The wheel.
        target: What it is for; None where that is not known.
        skipped: Why it was not checked, or None.
        findings: Errors first, then by id and file.
        sboms: The bills of materials in it.
        needs: The lowest iOS that its code runs on; None where its target is not known.
        libraries: What its binaries load, by install name.
    """

    path: Path
    target: Target | None
    skipped: str | None = None
    findings: tuple[Finding, ...] = ()
    sboms: tuple[WheelSbom, ...] = ()
    needs: NeededIOS | None = None
    libraries: tuple[LoadedLibrary, ...] = ()


@dataclass(frozen=True)
class Report:
    """What the checks said of several wheels.

    Args:
        wheels: Each wheel's report, in the order given.
        together: What is wrong with the wheels of a directory together.
    """

    wheels: tuple[WheelReport, ...]
    together: tuple[Finding, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return (*(finding for wheel in self.wheels for finding in wheel.findings), *self.together)

    def fails(self, severity: Severity) -> bool:
        """Whether anything is as bad as *severity*, or worse."""
        return any(finding.severity.rank <= severity.rank for finding in self.findings)


def check_paths(
    paths: Iterable[Path], rules: frozenset[str] | None = None, provided: frozenset[str] = frozenset()
) -> Report:
    """Check wheels, and directories of wheels.

    Args:
        paths: Wheels and directories; of a directory all ``*.whl`` in it, and which targets are missing in it.
        rules: The ids of the rules that count; None for all.
        provided: Names of frameworks that the app has besides, e.g. ``SDL3``.

    Raises:
        WheelError: A directory holds no wheel.
    """
    wheels: dict[Path, None] = {}
    together: list[Finding] = []
    for path in paths:
        if path.is_dir():
            found = sorted(path.glob("*.whl"))
            if not found:
                raise WheelError(f"{path} holds no wheels")
            wheels.update(dict.fromkeys(found))
            together += missing_targets([one.name for one in found])
        else:
            wheels[path] = None
    beside: Mapping[Path, frozenset[str]] = {}
    if len(wheels) > 1:
        together += unmet(wheels)
        beside = frameworks_beside(wheels)
    return Report(
        tuple(_selected(check_wheel(wheel, provided | beside.get(wheel, frozenset())), rules) for wheel in wheels),
        tuple(finding for finding in together if rules is None or finding.id in rules),
    )


def check_wheel(path: Path, provided: frozenset[str] = frozenset()) -> WheelReport:
    """Check a wheel against what its file name promises.

    Args:
        path: The wheel; one that cannot be read is a finding, one that is not for iOS is skipped.
        provided: Names of frameworks that the app has besides.
    """
    target: Target | None = None
    try:
        name = parse_wheel_name(path.name)
        if not any(is_ios_tag(platform) for platform in name.platforms):
            return _of_another_platform(path, name)
        target = promised_target(name.platforms)
        subject = dataclasses.replace(read_subject(path, guess=True), provided=provided)
    except WheelError as error:
        return WheelReport(path, target, findings=(rule("unreadable-wheel").finding(error.message),))
    promise = promise_of(subject, target)
    checks = [check for check in FILE_CHECKS if target is not None or not check.needs_target]
    needs = None if target is None else needed_ios(subject, target)
    return WheelReport(
        path,
        target,
        findings=check_subject(subject, promise, checks),
        sboms=subject.sboms,
        needs=needs,
        libraries=tuple(_libraries(subject)),
    )


def _libraries(subject: Subject) -> Iterator[LoadedLibrary]:
    loads: dict[str, dict[str, bool]] = {}
    for member, one in subject.slices():
        for dylib in one.dylibs:
            weak = dylib.kind is LoadKind.WEAK
            members = loads.setdefault(dylib.name, {})
            members[member] = members.get(member, True) and weak
    for name, members in sorted(loads.items()):
        yield LoadedLibrary(name, all(members.values()), tuple(sorted(members)))


def _of_another_platform(path: Path, name: WheelName) -> WheelReport:
    """A wheel that is not tagged for iOS is skipped, unless there is code for iOS in it."""
    contents = read_wheel(path)
    for member, data in contents.read_all():
        if not looks_like_macho(data[:8]):
            continue
        try:
            platforms = {one.platform for one in read_macho(data).slices}
        except MachOError:
            continue
        if platforms & {Platform.IOS, Platform.IOS_SIMULATOR}:
            said = f"is for iOS, and the wheel is tagged for {', '.join(name.platforms)}"
            return WheelReport(path, None, findings=(rule("not-pure").finding(said, member),))
    return WheelReport(path, None, skipped=f"not for iOS but for {', '.join(name.platforms)}")


def promise_of(subject: Subject, target: Target | None) -> Promise:
    """What a wheel's file name promises.

    Args:
        subject: The wheel.
        target: What it is for, as `promised_target` has it; where that is None the promise holds some target that
            no check may ask for.
    """
    name = subject.contents.name
    return Promise(
        name=name.distribution,
        version=str(name.version),
        target=target or Target(Abi.IPHONEOS, Arch.ARM64),
        python=_promised_python(subject),
        native=True,
        source="the file name",
    )


def promised_target(platforms: Sequence[str]) -> Target | None:
    """What a wheel is for: of several iOS tags for one device or simulator, that with the lowest version.

    A tag that no installer takes still says what it means (a wrong tag is a finding, and the rest of the wheel is
    checked all the same) where architecture and ABI are ones that exist together.

    Args:
        platforms: Platform tags.
    """
    targets = [target for platform in platforms if is_ios_tag(platform) and (target := _meant(platform)) is not None]
    return min((one for one in targets if one.multiarch == targets[0].multiarch), default=None)


def _meant(platform: str) -> Target | None:
    try:
        return parse_platform_tag(platform)
    except WheelError:
        pass
    arches = [arch for arch in Arch if arch.value in platform]
    abis = [abi for abi in Abi if abi.value in platform.split("_")]
    try:
        return Target(abis[0], arches[0]) if len(arches) == len(abis) == 1 else None
    except TargetError:
        return None


def _promised_python(subject: Subject) -> str:
    name = subject.contents.name
    for python in name.pythons:
        if found := _PYTHON.fullmatch(python):
            plain = f"cp{found[1]}{found[2]}"
            # abi3.abi3t is for both; all else that a Python with a GIL installs names it, or abi3, or none.
            threaded = set(name.abis) <= {"abi3t", f"{plain}t"}
            return f"{plain}t" if threaded else plain
    extensions = (parse_extension(member.path) for member in subject.contents.members)
    return next((one.python for one in extensions if one is not None and one.python is not None), _ANY_PYTHON)


def unmet(wheels: Iterable[Path]) -> list[Finding]:
    """Which requirements of wheels no wheel given meets, for each target that there are wheels for.

    Args:
        wheels: Wheels; what cannot be read does not count here.
    """
    read: list[tuple[WheelContents, Target | None]] = []
    for path in wheels:
        try:
            contents = read_wheel(path)
        except WheelError:
            continue
        read.append((contents, promised_target(contents.name.platforms)))
    groups = {(target.multiarch, contents.name.pythons): target for contents, target in read if target is not None}
    if len({contents.name.canonical_distribution for contents, _ in read}) < 2:
        return []  # the wheels of one project are a release rather than an app
    findings: dict[Finding, None] = {}
    for (multiarch, pythons), target in sorted(groups.items()):
        found = next((match for python in pythons if (match := _PYTHON.fullmatch(python))), None)
        version = f"{found[1]}.{found[2]}" if found and found[2] != "" and int(found[2]) >= 13 else "3.13"
        set_ = [
            contents
            for contents, other in read
            if contents.name.platforms == ("any",)
            or (other is not None and other.multiarch == multiarch and _installs(contents, pythons))
        ]
        for one in unmet_requirements(set_, target, version):
            findings[rule("unmet-requirement").finding(f"{one.wheel} {one.text}")] = None
    return list(findings)


def frameworks_beside(wheels: Iterable[Path]) -> Mapping[Path, frozenset[str]]:
    """The frameworks that an app has of the other wheels for the same target, for each wheel.

    A library that one project brings for others, as pyarrow does, is a framework that these load.

    Args:
        wheels: Wheels; what cannot be read does not count here.
    """
    read: list[tuple[Path, str, str | None, frozenset[str]]] = []
    for path in wheels:
        try:
            contents = read_wheel(path)
        except WheelError:
            continue
        target = promised_target(contents.name.platforms)
        names = frozenset(name for one in contents.members if (name := framework_name(one.path)))
        read.append((path, contents.name.canonical_distribution, target.multiarch if target else None, names))
    return {
        path: frozenset(name for _, project, t, names in read if t == target and project != own for name in names)
        for path, own, target, _ in read
    }


def _installs(contents: WheelContents, pythons: tuple[str, ...]) -> bool:
    tags = contents.name.tags
    return contents.name.pythons == pythons or any(installs(python, tag) for python in pythons for tag in tags)


def missing_targets(filenames: Iterable[str]) -> list[Finding]:
    """Which of iOS's three targets the wheels of a version lack.

    Args:
        filenames: Wheels' names; what is not for iOS, or no wheel's name, does not count.

    Returns:
        A finding for each name, version, build and Python whose wheels are for some targets only.
    """
    groups: dict[tuple[str, str, str, str], set[str]] = {}
    for filename in filenames:
        try:
            name = parse_wheel_name(filename)
        except WheelError:
            continue
        target = promised_target(name.platforms)
        if target is not None:
            key = (name.canonical_distribution, str(name.version), name.build, _python_and_abi(name))
            groups.setdefault(key, set()).add(target.multiarch)
    findings: list[Finding] = []
    for (distribution, version, _, tags), present in sorted(groups.items()):
        missing = [target.multiarch for target in select_targets() if target.multiarch not in present]
        if missing:
            findings.append(
                rule("missing-target").finding(f"{distribution} {version} for {tags} lacks {', '.join(missing)}")
            )
    return findings


def _python_and_abi(name: WheelName) -> str:
    return f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"


def _selected(report: WheelReport, rules: frozenset[str] | None) -> WheelReport:
    if rules is None:
        return report
    findings = tuple(finding for finding in report.findings if finding.id in rules)
    return dataclasses.replace(report, findings=findings)
