"""What is to become of each wheel of a set, before anything is sent."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import InvalidName, canonicalize_name

from forge.base.errors import ForgeError, WheelError
from forge.base.hashing import file_sha256
from forge.base.printable import printable
from forge.index.add import new_file, next_build_number
from forge.index.evidence import check_findings
from forge.index.model import PackageIndexError
from forge.publish.gate import check_gate, licences_gate, requirements_gate, targets_gate
from forge.publish.model import Gate, Publication, PublishError, Refusal
from forge.wheel.name import parse_wheel_name
from forge.wheel.requirements import valid_requirements

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from forge.base.progress import Progress
    from forge.index.add import NewFile
    from forge.publish.model import Destination
    from forge.source.index import IndexFile

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*\.whl")
"""What a wheel's name is made of: ASCII, and no path."""


def plan_publication(
    wheels: Iterable[Path],
    destination: Destination,
    upstream: Callable[[str], Sequence[IndexFile]] | None,
    allowed: Collection[Gate],
    progress: Progress,
) -> Publication:
    """Look at wheels, at what is there, and at what they require.

    Args:
        wheels: The files.
        destination: Where they are to go.
        upstream: What another index has of a project, which users ask as well; None for no other index.
        allowed: Gates that are left open.
        progress: Receives progress updates.

    Raises:
        ForgeError: The destination, or the other index, does not answer.
    """
    new: dict[str, NewFile] = {}
    same: dict[str, None] = {}
    libraries: dict[str, None] = {}
    refusals: list[Refusal] = []
    for wheel in sorted(wheels, key=lambda path: (path.name, str(path))):
        progress.phase("publish", f"look at {wheel.name}")
        digest = file_sha256(wheel)
        try:
            project = checked_project(wheel.name)
            offered = new_file(wheel, digest, "")
        except (WheelError, PublishError, PackageIndexError) as error:
            refusals.append(Refusal(wheel.name, error.message.removeprefix(f"{wheel.name}: ")))
            continue
        if offered is None:
            libraries.setdefault(wheel.name)
        elif wheel.name in new:
            if (other := new[wheel.name].held.sha256) != digest:
                message = f"two files of that name have other bytes: sha256 {other} and {digest}"
                refusals.append(Refusal(wheel.name, message))
        elif (there := _there(wheel.name, destination.files(project))) is None:
            new[wheel.name] = offered
        elif (published := destination.sha256(there)) == digest:
            same.setdefault(wheel.name)
        else:
            names = [file.filename for file in destination.files(project)]
            refusals.append(Refusal(wheel.name, other_bytes(wheel.name, published, digest, names)))
    progress.phase("publish", "check the wheels")
    findings = check_findings(new.values())
    files = in_order(replace(file, findings=findings[name]) for name, file in new.items())
    refusals += _refused(files, destination, upstream, allowed, progress)
    return Publication(files, tuple(same), tuple(libraries), tuple(dict.fromkeys(refusals)))


def checked_project(filename: str) -> str:
    """The normalised name of a wheel's project.

    Raises:
        WheelError: It is no wheel's name.
        PublishError: It holds what has no place in a file's or project's name.
    """
    name = parse_wheel_name(filename)
    try:
        project = canonicalize_name(name.distribution, validate=True)
    except InvalidName:
        project = None
    if project is None or not _PLAIN_NAME.fullmatch(filename):
        raise PublishError(f"{filename!r} holds what has no place in the name of a wheel", hint="build it again")
    return project


def other_bytes(filename: str, published: str, digest: str, names: Iterable[str]) -> str:
    """What to say of other bytes under a name that is there.

    Args:
        filename: The name.
        published: The sha256 of what is there.
        digest: That of the file to publish.
        names: Names of all that is there of the project.
    """
    number = next_build_number(filename, names)
    return (
        f"other bytes are published under that name: sha256 {published} there, {digest} here; "
        f"its next build number is {number} (--build-number +1)"
    )


def in_order(files: Iterable[NewFile]) -> tuple[NewFile, ...]:
    """Files in an order in which each comes after those of the set that it requires, as far as there is one."""
    projects: dict[str, list[NewFile]] = {}
    for file in sorted(files, key=lambda file: file.held.filename):
        projects.setdefault(file.held.project, []).append(file)
    done: dict[str, None] = {}
    begun: set[str] = set()
    stack = [(name, False) for name in sorted(projects, reverse=True)]
    while stack:
        name, is_left = stack.pop()
        if is_left:
            done.setdefault(name)
        elif name not in begun:
            begun.add(name)
            stack.append((name, True))
            texts = (text for file in projects[name] for text in file.held.requires_dist)
            wanted = {canonicalize_name(each.name) for each in valid_requirements(texts)} & projects.keys()
            stack += [(other, False) for other in sorted(wanted, reverse=True)]
    return tuple(file for name in done for file in projects[name])


def _there(filename: str, files: Iterable[IndexFile]) -> IndexFile | None:
    return next((file for file in files if file.filename == filename), None)


def _refused(
    files: Sequence[NewFile],
    destination: Destination,
    upstream: Callable[[str], Sequence[IndexFile]] | None,
    allowed: Collection[Gate],
    progress: Progress,
) -> list[Refusal]:
    """What the gates say of what is new."""

    def there(name: str) -> Sequence[IndexFile]:
        return [file for file in destination.files(canonicalize_name(name)) if not file.is_yanked]

    def everywhere(name: str) -> Sequence[IndexFile]:
        return [*there(name), *(file for file in (upstream(name) if upstream else ()) if not file.is_yanked)]

    found: list[Refusal] = []
    if not files:
        return found
    if Gate.CHECK not in allowed:
        found += check_gate(files)
    if Gate.TARGETS not in allowed:
        projects = {file.held.project for file in files}
        found += targets_gate(files, [file.filename for name in projects for file in destination.files(name)])
    if Gate.LICENCES not in allowed:
        found += licences_gate(files)
    if Gate.REQUIREMENTS not in allowed:
        progress.phase("publish", "look for what the wheels require")
        # The other index is asked only if the destination has not all of it.
        if list(requirements_gate(files, there)):
            found += requirements_gate(files, everywhere)
    return found


def refused(publication: Publication) -> ForgeError:
    """The error that says everything that stands against a publication."""
    lines = "\n".join(f"  {printable(one.subject)}: {one.named}" for one in publication.refusals)
    gates = sorted({one.gate for one in publication.refusals if one.gate is not None})
    hint = "correct what is wrong and run the command again"
    if gates:
        hint += f", or allow it: {' '.join(f'--allow {gate}' for gate in gates)}"
    return PublishError(f"nothing was published:\n{lines}", hint=hint)
