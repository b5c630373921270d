"""Whether an index is whole: files, pages, targets, what its wheels require, and what would be taken instead."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import io
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.errors import ForgeError, WheelError
from forge.base.target import select_targets
from forge.index.matrix import cells_of, is_for, pythons_of
from forge.index.model import PackageIndexError
from forge.index.simple import project_html, project_json, root_html, root_json
from forge.index.state import read_state
from forge.plan.required import applying
from forge.plan.shared.model import CacheError, IgnoredError, MissingError, PlaceError
from forge.plan.shared.places import open_place
from forge.wheel.name import parse_wheel_name
from forge.wheel.tags import installs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from packaging.requirements import Requirement

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.index.model import HeldFile, IndexState
    from forge.plan.shared.places import Place
    from forge.source.index import IndexFile

_MOST_PAGE_BYTES = 64 * 1024 * 1024
_ANY_PYTHON = ("3.13",)
"""Taken where no wheel names a Python: the first that has iOS among its platforms."""


class Kind(enum.StrEnum):
    """What is wrong."""

    FILE = "file"
    """A file is missing, or has other bytes than the index says."""
    PAGE = "page"
    """A page is missing, or says something else than the index holds."""
    TARGET = "target"
    """A version has wheels for some of iOS's targets only."""
    REQUIREMENT = "requirement"
    """A wheel requires what neither the index nor its upstream has."""
    SHADOW = "shadow"
    """Upstream has something that installers take in place of the index's wheel."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an index.

    Args:
        kind: What kind of thing.
        subject: The file, page or project.
        message: What is wrong.
    """

    kind: Kind
    subject: str
    message: str


def verify_index(where: str, progress: Progress, upstream: Callable[[str], Sequence[IndexFile]] | None) -> list[Fault]:
    """Look for everything that is wrong with an index.

    Args:
        where: A directory, or an ``s3``, ``http`` or ``https`` URL: of the index, not of its ``simple/``.
        progress: Receives progress updates.
        upstream: What another index has of a project, which installers ask as well; None asks nobody.

    Raises:
        PackageIndexError: There is no index, or it cannot be reached.
        NetworkError: Upstream does not answer.
    """
    try:
        place = open_place(where, "the index")
    except CacheError as error:
        raise PackageIndexError(error.message, hint="name a directory, or an s3, http or https URL") from error
    try:
        state = read_state(place)
        if state is None:
            raise PackageIndexError(f"{place.name} is not an index", hint="name the directory above its simple/")
        faults = [*_files(place, state, progress), *_pages(place, state)]
    finally:
        place.close()
    return [*faults, *_targets(state), *dangling(_newest(state), state, upstream), *_shadows(state, upstream)]


def _files(place: Place, state: IndexState, progress: Progress) -> Iterator[Fault]:
    for number, name in enumerate(sorted(state.files), 1):
        file = state.files[name]
        progress.phase("index", f"verify {number} of {len(state.files)}: {name}")
        if wrong := problem(place, file.path, file.size, file.sha256):
            yield Fault(Kind.FILE, file.filename, wrong)
        if wrong := problem(place, f"{file.path}.metadata", _MOST_PAGE_BYTES, file.metadata_sha256):
            yield Fault(Kind.FILE, f"{file.filename}.metadata", wrong)


def problem(place: Place, path: str, size: int, sha256: str) -> str:
    """What is wrong with a file, or an empty string.

    Args:
        place: Where it is.
        path: Its path there.
        size: The most bytes that it has.
        sha256: Its hash.
    """
    with tempfile.TemporaryFile() as out:
        try:
            place.get(path, out, size)
        except MissingError:
            return "it is not there"
        except IgnoredError:
            return f"it is larger than {size:,} bytes"
        except PlaceError as error:
            return f"it cannot be read: {error}"
        out.seek(0)
        found = hashlib.file_digest(out, "sha256").hexdigest()
    return "" if found == sha256 else f"its sha256 is {found}, not {sha256}"


def _pages(place: Place, state: IndexState) -> Iterator[Fault]:
    projects = state.projects
    expected = {"simple/index.html": root_html(projects), "simple/index.json": root_json(projects)}
    for name, files in projects.items():
        expected[f"simple/{name}/index.html"] = project_html(name, files)
        expected[f"simple/{name}/index.json"] = project_json(name, files)
    for path, text in expected.items():
        out = io.BytesIO()
        try:
            place.get(path, out, _MOST_PAGE_BYTES)
        except MissingError:
            yield Fault(Kind.PAGE, path, "it is not there")
        except (PlaceError, IgnoredError) as error:
            yield Fault(Kind.PAGE, path, f"it cannot be read: {error}")
        else:
            if out.getvalue() != text.encode():
                yield Fault(Kind.PAGE, path, "it is not what the index holds: 'forge index make --afresh' writes it")


def _newest(state: IndexState) -> Iterator[tuple[str, Sequence[HeldFile]]]:
    """The files of each project's newest version that are not yanked."""
    for name, files in state.projects.items():
        kept = [file for file in files if file.yanked is None]
        if kept:
            yield name, [file for file in kept if file.version == kept[-1].version]


def _targets(state: IndexState) -> Iterator[Fault]:
    for name, files in _newest(state):
        for cell in cells_of(files, pythons_of(files)):
            if cell.present and cell.missing:
                message = f"{files[0].version} for Python {cell.python} lacks {', '.join(cell.missing)}"
                yield Fault(Kind.TARGET, name, message)


def dangling(
    releases: Iterable[tuple[str, Sequence[HeldFile]]],
    state: IndexState,
    upstream: Callable[[str], Sequence[IndexFile]] | None,
) -> Iterator[Fault]:
    """What wheels require and nobody has for the Python and the target that they are for.

    Args:
        releases: Projects' names, each with its wheels of one version.
        state: What the index holds.
        upstream: What another index has of a project, which is looked at after this one; None asks nobody.

    Raises:
        NetworkError: Upstream does not answer.
    """
    projects = state.projects
    asked: dict[str, Sequence[IndexFile]] = {}
    told: set[tuple[str, str]] = set()
    for name, files in releases:
        for python in pythons_of(files) or pythons_of(state.files.values()) or _ANY_PYTHON:
            for target in select_targets():
                for requirement in _wanted(files, python, target):
                    other = canonicalize_name(requirement.name)
                    own = [f for f in projects.get(other, ()) if f.yanked is None]
                    if _serves([f.filename for f in own], requirement, python, target):
                        continue
                    if upstream is not None:
                        if other not in asked:
                            asked[other] = upstream(other)
                        if _serves([f.filename for f in asked[other]], requirement, python, target):
                            continue
                    elif other not in projects:
                        continue  # nobody was asked
                    text = f"{requirement.name}{requirement.specifier}"
                    if (name, text) not in told:
                        told.add((name, text))
                        message = f"requires {text}, of which there is no wheel for Python {python} on {target}"
                        yield Fault(Kind.REQUIREMENT, name, message)


def _wanted(files: Iterable[HeldFile], python: str, target: Target) -> Iterator[Requirement]:
    """What the wheels that serve a Python and a target require there, without extras."""
    texts = (text for file in files if _is_for(file.filename, python, target) for text in file.requires_dist)
    return applying(dict.fromkeys(texts), target, python)


def _serves(filenames: Iterable[str], requirement: Requirement, python: str, target: Target) -> bool:
    """Whether one of some files meets a requirement."""
    for filename in filenames:
        with contextlib.suppress(WheelError):
            if requirement.specifier.contains(parse_wheel_name(filename).version, prereleases=True) and _is_for(
                filename, python, target
            ):
                return True
    return False


def _is_for(filename: str, python: str, target: Target) -> bool:
    """Whether a wheel installs in a Python on a target; whatever its minimum iOS version."""
    minor = f"cp{python.replace('.', '')}"
    return any(
        installs(minor, tag) and is_for(tag.platform, target.multiarch) for tag in parse_wheel_name(filename).tags
    )


def _shadows(state: IndexState, upstream: Callable[[str], Sequence[IndexFile]] | None) -> Iterator[Fault]:
    """Wheels of upstream that an installer which asks both takes in place of the index's: those of a newer version."""
    if upstream is None:
        return
    for name, files in _newest(state):
        ours = files[0].version
        newer: dict[str, str] = {}
        for file in upstream(name):
            try:
                parsed = parse_wheel_name(file.filename)
                version = Version(file.version)
            except (ForgeError, InvalidVersion):
                continue
            if version <= ours or version.is_prerelease:
                continue
            if "any" in parsed.platforms:
                newer.setdefault(str(version), "a wheel without compiled code")
            elif any(platform.startswith("ios_") for platform in parsed.platforms):
                newer[str(version)] = "iOS wheels of the project's own"
        if newer:
            newest = max(newer, key=Version)
            what = f"{newer[newest]} of {newest}, which is newer than {ours}"
            yield Fault(Kind.SHADOW, name, f"upstream has {what}: installers that ask both take that")
