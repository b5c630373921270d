"""Whether an index is whole: files, pages, targets, what its wheels require, and what would be taken instead."""

from __future__ import annotations

import contextlib
import io
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.errors import WheelError
from forge.base.target import select_targets
from forge.index.built_files import not_as_built
from forge.index.faults import Fault, Kind
from forge.index.matrix import cells_of, is_for, pythons_of
from forge.index.reading import MOST_BESIDE, problem, reading
from forge.index.shadows import newer_upstream, newest, offered, same_upstream
from forge.index.simple import project_pages, root_html, root_json
from forge.index.trust import NOBODY, Trust, provenance_problem
from forge.plan.applying import applying
from forge.plan.inventory import stored_wheels
from forge.plan.shared.model import IgnoredError, MissingError, PlaceError
from forge.wheel.contents import read_wheel
from forge.wheel.name import parse_wheel_name
from forge.wheel.tags import installs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from packaging.requirements import Requirement

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.index.model import HeldFile, IndexState
    from forge.index.shadows import OtherIndex
    from forge.plan.shared.places import Place
    from forge.source.index import IndexFile

_ANY_PYTHON = ("3.13",)
"""Taken where no wheel names a Python: the first that has iOS among its platforms."""


@dataclass(frozen=True)
class Against:
    """What an index is held against.

    Args:
        upstream: Another index, which installers ask as well; None asks nobody.
        trust: Who is to have signed each file; if that is nobody, files need not be signed.
        cache: The cache whose wheels the files are to be; None not to look.
        targets: What every project is to have wheels for.
    """

    upstream: OtherIndex | None = None
    trust: Trust = NOBODY
    cache: ForgeHome | None = None
    targets: tuple[Target, ...] = field(default_factory=select_targets)


def verify_index(where: str, progress: Progress, against: Against) -> list[Fault]:
    """Look for everything that is wrong with an index, and for what is worth a note.

    Args:
        where: A directory, or an ``s3``, ``http`` or ``https`` URL: of the index, not of its ``simple/``.
        progress: Receives progress updates.
        against: What it is held against.

    Raises:
        PackageIndexError: There is no index, or it cannot be reached.
        NetworkError: Upstream does not answer.
    """
    upstream = against.upstream
    with reading(where) as (place, state):
        faults = [*_files(place, state, progress), *_signatures(place, state, against.trust), *_pages(place, state)]
        if against.cache is not None:
            faults += not_as_built(state, stored_wheels(against.cache), against.cache)
        faults += _targets(state, against.targets)
        faults += dangling(newest(state), state, partial(offered, upstream) if upstream else None, against.targets)
        if upstream is not None:
            faults += newer_upstream(state, upstream)
            faults += same_upstream(place, state, upstream)
    return faults


def _files(place: Place, state: IndexState, progress: Progress) -> Iterator[Fault]:
    for number, name in enumerate(sorted(state.files), 1):
        file = state.files[name]
        progress.phase("index", f"verify {number} of {len(state.files)}: {name}")
        with tempfile.TemporaryDirectory(prefix="forge-verify-") as temporary:
            wheel = Path(temporary, Path(file.filename).name)
            with wheel.open("w+b") as out:
                wrong = problem(place, file.path, file.size, file.sha256, out)
            yield from [Fault(Kind.FILE, file.filename, wrong)] if wrong else _unsound(wheel)
        if wrong := problem(place, f"{file.path}.metadata", MOST_BESIDE, file.metadata_sha256):
            yield Fault(Kind.FILE, f"{file.filename}.metadata", wrong)


def _unsound(wheel: Path) -> Iterator[Fault]:
    """What is wrong with a wheel whose bytes are those that were added."""
    try:
        problems = read_wheel(wheel).record_problems
    except WheelError as error:
        yield Fault(Kind.WHEEL, wheel.name, error.message.removeprefix(f"{wheel.name}: "))
    else:
        yield from (Fault(Kind.WHEEL, wheel.name, f"{one.member} {one.text}") for one in problems)


def _signatures(place: Place, state: IndexState, trust: Trust) -> Iterator[Fault]:
    for name in sorted(state.files):
        file = state.files[name]
        path, digest = f"{file.path}.provenance", file.provenance_sha256
        if digest is None:
            if trust:
                yield Fault(Kind.SIGNATURE, name, "is not signed")
            continue
        out = io.BytesIO()
        if wrong := problem(place, path, MOST_BESIDE, digest, out):
            yield Fault(Kind.FILE, f"{name}.provenance", wrong)
        if out.getvalue() and (wrong := provenance_problem(out.getvalue(), name, file.sha256, trust)):
            yield Fault(Kind.SIGNATURE, name, wrong)


def _pages(place: Place, state: IndexState) -> Iterator[Fault]:
    projects = state.projects
    expected = {"simple/index.html": root_html(projects), "simple/index.json": root_json(projects)}
    for name, files in projects.items():
        page, data = project_pages(name, files, state.url)
        expected |= {f"simple/{name}/index.html": page, f"simple/{name}/index.json": data}
    if place.has_pages_of_directories:
        pages = {path: text for path, text in expected.items() if path.endswith("/index.html")}
        expected |= {path.removesuffix("index.html"): text for path, text in pages.items()}
    for path, text in expected.items():
        out = io.BytesIO()
        try:
            place.get(path, out, MOST_BESIDE)
        except MissingError:
            yield Fault(Kind.PAGE, path, "it is not there")
        except (PlaceError, IgnoredError) as error:
            yield Fault(Kind.PAGE, path, f"it cannot be read: {error}")
        else:
            if out.getvalue() != text.encode():
                yield Fault(Kind.PAGE, path, "it is not what the index holds: 'forge index make --afresh' writes it")


def _targets(state: IndexState, targets: Sequence[Target]) -> Iterator[Fault]:
    wanted = {target.multiarch for target in targets}
    for name, files in newest(state):
        for cell in cells_of(files, pythons_of(files)):
            missing = [multiarch for multiarch in cell.missing if multiarch in wanted]
            if cell.present and missing:
                message = f"{files[0].version} for Python {cell.python} lacks {', '.join(missing)}"
                yield Fault(Kind.TARGET, name, message)


def dangling(
    releases: Iterable[tuple[str, Sequence[HeldFile]]],
    state: IndexState,
    upstream: Callable[[str], Sequence[IndexFile]] | None,
    targets: Sequence[Target],
) -> Iterator[Fault]:
    """What wheels require and nobody has for the Python and the target that they are for.

    Args:
        releases: Projects' names, each with its wheels of one version.
        state: What the index holds.
        upstream: What another index has of a project, which is looked at after this one; None asks nobody.
        targets: Which targets are looked at.

    Raises:
        NetworkError: Upstream does not answer.
    """
    projects = state.projects
    asked: dict[str, Sequence[IndexFile]] = {}
    told: set[tuple[str, str]] = set()
    for name, files in releases:
        for python in pythons_of(files) or pythons_of(state.files.values()) or _ANY_PYTHON:
            for target in targets:
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
