"""What another index has that installers which ask both take in place of this one's wheels."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from packaging.version import InvalidVersion, Version

from forge.audit.check import promised_target
from forge.audit.compare import DifferenceKind, compare_wheels
from forge.base.errors import ForgeError, SourceError, WheelError
from forge.index.faults import Fault, Kind
from forge.index.reading import problem
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forge.audit.compare import Difference
    from forge.index.model import HeldFile, IndexState
    from forge.plan.shared.places import Place
    from forge.source.index import IndexFile

_SBOMS = "*.dist-info/sboms/"
"""Bills of materials say who built a wheel; what is in it may be the same."""

_EXPECTED = (DifferenceKind.PLATFORM, DifferenceKind.INSTALL_NAME)
"""Of good wheels too: the minimum iOS version, which is in the names, and what setuptools leaves of its directory."""

File = TypeVar("File")

Key = tuple[tuple[str, ...], tuple[str, ...], str]
"""What a wheel is for: Python tags, ABI tags, and the target whatever its minimum iOS version."""


class OtherIndex(Protocol):
    """Another index, which installers ask as well."""

    def files(self, name: str) -> Sequence[IndexFile]:
        """What it has of a project.

        Raises:
            NetworkError: It does not answer.
        """

    def get(self, file: IndexFile) -> Path:
        """One of its files, downloaded.

        Raises:
            ForgeError: It cannot be had, or the index gives no hash of it.
        """


def newest(state: IndexState) -> Iterator[tuple[str, Sequence[HeldFile]]]:
    """Each project with the files of its newest version that are not yanked."""
    for name, files in state.projects.items():
        kept = [file for file in files if file.yanked is None]
        if kept:
            yield name, [file for file in kept if file.version == kept[-1].version]


def offered(upstream: OtherIndex, name: str) -> list[IndexFile]:
    """What another index has of a project for installers that ask for no version of it: nothing yanked (PEP 592).

    Raises:
        NetworkError: It does not answer.
    """
    return [file for file in upstream.files(name) if not file.is_yanked]


def newer_upstream(state: IndexState, upstream: OtherIndex) -> Iterator[Fault]:
    """Wheels of newer versions, iOS ones and those without compiled code.

    Args:
        state: What the index holds.
        upstream: The other index.

    Raises:
        NetworkError: It does not answer.
    """
    for name, files in newest(state):
        ours = files[0].version
        newer: dict[str, str] = {}
        for file in offered(upstream, name):
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
            last = max(newer, key=Version)
            what = f"{newer[last]} of {last}, which is newer than {ours}"
            yield Fault(Kind.SHADOW, name, f"upstream has {what}: installers that ask both take that")


def same_upstream(place: Place, state: IndexState, upstream: OtherIndex) -> Iterator[Fault]:
    """IOS wheels that a project has published of versions that the index holds, and whether they equal the index's.

    Args:
        place: Where the index is.
        state: What it holds.
        upstream: The other index.

    Raises:
        NetworkError: It does not answer.
    """
    for name, files in state.projects.items():
        theirs = _by_version({file.filename: file for file in offered(upstream, name)})
        ours = _by_version({file.filename: file for file in files if file.yanked is None})
        for version in sorted(ours.keys() & theirs.keys()):
            pairs = {key: (held, theirs[version].get(key)) for key, held in ours[version].items()}
            told = _compared(place, [(held, file) for held, file in pairs.values() if file is not None], upstream)
            if told:
                message = f"upstream has iOS wheels of the project's own of {version}, as the index has: {told}"
                yield Fault(Kind.NOTE, name, message)


def _by_version(files: Mapping[str, File]) -> dict[Version, dict[Key, File]]:
    """IOS wheels by version, and by what they are for; of several builds the last."""
    found: dict[Version, dict[Key, File]] = {}
    for filename in sorted(files):
        try:
            name = parse_wheel_name(filename)
        except WheelError:
            continue
        if (target := promised_target(name.platforms)) is not None:
            key = (tuple(name.pythons), tuple(name.abis), target.multiarch)
            found.setdefault(name.version, {})[key] = files[filename]
    return found


def _compared(place: Place, pairs: Sequence[tuple[HeldFile, IndexFile]], upstream: OtherIndex) -> str:
    """What to say of pairs of wheels; an empty string if the index has just upstream's files."""
    if not pairs:
        return "for other Pythons or targets"
    others = [(held, file) for held, file in pairs if file.sha256 != held.sha256]
    if not others:
        return ""
    differ: dict[str, dict[str, None]] = {}
    for held, file in others:
        for what in _differences(place, held, file, upstream):
            differ.setdefault(what, {}).setdefault(held.filename)
    if not differ:
        return f"they are built otherwise and hold the same, as far as forge check compares ({len(others)} compared)"
    listed = "; ".join(f"{what} ({', '.join(names)})" for what, names in differ.items())
    return f"they differ from the index's in {listed}"


def _differences(place: Place, held: HeldFile, file: IndexFile, upstream: OtherIndex) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="forge-compare-") as temporary:
        ours = Path(temporary) / held.filename
        with ours.open("w+b") as out:
            if problem(place, held.path, held.size, held.sha256, out):
                return  # it is told as a fault of the file
        try:
            found = compare_wheels(ours, upstream.get(file)).differences
        except (SourceError, WheelError) as error:
            yield f"what cannot be compared: {error.message}"
            return
        told = [one for one in found if one.kind not in _EXPECTED and not _is_bill_of_materials(one)]
        yield from dict.fromkeys(str(one.kind) for one in told)


def _is_bill_of_materials(difference: Difference) -> bool:
    listed = (*difference.only_a, *difference.only_b)
    return difference.kind is DifferenceKind.FILES and all(member.startswith(_SBOMS) for member in listed)
