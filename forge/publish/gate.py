"""What wheels have to pass before they are published; each gate can be left open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.audit.check import missing_targets
from forge.base.errors import WheelError
from forge.base.severity import Severity
from forge.base.target import select_targets
from forge.index.model import IndexState
from forge.index.verify import dangling
from forge.publish.model import Gate, Refusal
from forge.wheel.contents import read_wheel
from forge.wheel.name import parse_wheel_name
from forge.wheel.sbom import FILE_NAME
from forge.wheel.sbom_read import read_sbom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from forge.index.add import NewFile
    from forge.index.model import HeldFile
    from forge.source.index import IndexFile
    from forge.wheel.sbom_read import SbomComponent

_CARGO = "pkg:cargo/"


def check_gate(files: Sequence[NewFile]) -> Iterator[Refusal]:
    """The errors that ``forge check`` found.

    Args:
        files: What is new, each with what was found.
    """
    for file in files:
        for finding in file.findings or ():
            if finding.severity is Severity.ERROR:
                yield Refusal(file.held.filename, f"{finding.id} {finding.located}", Gate.CHECK)


def targets_gate(files: Sequence[NewFile], there: Iterable[str]) -> Iterator[Refusal]:
    """The targets that a version has no wheel for, neither in the set nor in what is there.

    Args:
        files: What is new.
        there: Names of what is there of the same projects.
    """
    names = {file.held.filename for file in files}
    releases = {_release(name) for name in names}
    for finding in missing_targets({*names, *(name for name in there if _release(name) in releases)}):
        yield Refusal(finding.message.partition(" ")[0], finding.message, Gate.TARGETS)


def requirements_gate(files: Sequence[NewFile], upstream: Callable[[str], Sequence[IndexFile]]) -> Iterator[Refusal]:
    """What wheels require and cannot be had.

    Args:
        files: What is new.
        upstream: What there is of a project besides.

    Raises:
        NetworkError: An index does not answer.
    """
    state = IndexState({file.held.filename: file.held for file in files})
    releases: dict[tuple[str, str], list[HeldFile]] = {}
    for project, held in state.projects.items():
        for one in held:
            releases.setdefault((project, str(one.version)), []).append(one)
    added = [(project, held) for (project, _), held in releases.items()]
    for fault in dangling(added, state, upstream, select_targets()):
        yield Refusal(fault.subject, fault.message, Gate.REQUIREMENTS)


def licences_gate(files: Sequence[NewFile]) -> Iterator[Refusal]:
    """What is linked into a wheel, as its bill of materials says, whose licence files it lacks.

    Args:
        files: What is new.
    """
    for file in files:
        for component in _without_licence(file.path):
            message = f"{component.name} {component.version} is linked in, and the wheel has no licence file of it"
            yield Refusal(file.held.filename, message, Gate.LICENCES)


def _without_licence(wheel: Path) -> Iterator[SbomComponent]:
    contents = read_wheel(wheel)
    sbom = f"{contents.dist_info}/sboms/{FILE_NAME}"
    prefix = f"{contents.dist_info}/licenses/"
    paths = [member.path.removeprefix(prefix) for member in contents.members if member.path.startswith(prefix)]
    linked: Sequence[SbomComponent] = ()
    if any(member.path == sbom for member in contents.members):
        linked = [one for one in read_sbom(sbom, contents.read(sbom)).components if _is_linked(one)]
    # The licences of crates are in one file; a native library's are in a directory of its name.
    crates = any(one.purl.startswith(_CARGO) for one in linked)
    texts = [contents.read(f"{prefix}{path}").decode(errors="replace") for path in paths if "/" not in path and crates]
    for component in linked:
        if component.purl.startswith(_CARGO):
            whole = re.compile(rf"(?<![\w-]){re.escape(f'{component.name} {component.version}')}(?![\w.+-])")
            found = any(whole.search(text) for text in texts)
        else:
            found = any(path.startswith(f"{component.name}/") for path in paths)
        if not found:
            yield component


def _is_linked(component: SbomComponent) -> bool:
    """Native libraries and crates: neither the source (its name is no package's), nor Python packages with headers."""
    if not component.included or " " in component.name:
        return False
    return not component.purl or component.purl.startswith(_CARGO)


def _release(filename: str) -> tuple[object, ...] | None:
    """What the wheels for the several targets have in common; None if it is no wheel's name."""
    try:
        name = parse_wheel_name(filename)
    except WheelError:
        return None
    return name.canonical_distribution, name.version, name.build, name.pythons, name.abis
