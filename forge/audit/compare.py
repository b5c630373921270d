"""How two wheels of one release differ, e.g. forge's and the one that its maintainers built with Xcode."""

from __future__ import annotations

import contextlib
import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit.subject import Subject, read_subject
from forge.base.errors import WheelError
from forge.macho.model import HeaderFlag, MachOSlice
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from packaging.version import Version

    from forge.wheel.name import WheelName

_IGNORED = ("RECORD", "WHEEL")
"""Files of the dist-info that differ by who packed the wheel."""


class DifferenceKind(enum.StrEnum):
    """In what two wheels differ."""

    FILES = "files"
    FORMAT = "format"
    FILE_TYPE = "file type"
    FLAGS = "header flags"
    PLATFORM = "platform"
    EXPORTS = "exported symbols"
    IMPORTS = "imported symbols"
    BINDINGS = "libraries that imports are bound to"
    LIBRARIES = "libraries loaded"
    INSTALL_NAME = "install name"


@dataclass(frozen=True)
class Difference:
    """One difference.

    Args:
        kind: In what.
        member: The file, with the dist-info directory called ``*.dist-info``; None for the list of files.
        only_a: What only the first wheel has.
        only_b: What only the second has.
    """

    kind: DifferenceKind
    member: str | None
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    def __str__(self) -> str:
        where = f"{self.member}: " if self.member else ""
        lines = [f"{where}{self.kind}"]
        lines += [f"  - {text}" for text in self.only_a]
        lines += [f"  + {text}" for text in self.only_b]
        return "\n".join(lines)


@dataclass(frozen=True)
class Comparison:
    """How two wheels differ.

    Args:
        a: The file name of the one; empty where there is none.
        b: The file name of the other.
        differences: All differences.
        problem: Why they cannot be compared; empty if they can.
    """

    a: str
    b: str
    differences: tuple[Difference, ...] = ()
    problem: str = ""

    def without(self, *kinds: DifferenceKind) -> Comparison:
        """The same without some kinds of difference."""
        return Comparison(self.a, self.b, tuple(d for d in self.differences if d.kind not in kinds))

    def __str__(self) -> str:
        if self.problem:
            return f"{self.b} is not compared: {self.problem}"
        if not self.differences:
            return f"{self.a} and {self.b} agree"
        return "\n".join([f"--- {self.a}", f"+++ {self.b}", *map(str, self.differences)])


def compare_wheels(a: Path, b: Path) -> Comparison:
    """Compare two wheels: lists of files, and what their Mach-O files say.

    Not compared: RECORD and WHEEL, the contents of other files, code, UUIDs, signatures, the SDK's version.

    Raises:
        WheelError: One cannot be read.
    """
    one, other = read_subject(a), read_subject(b)
    return Comparison(a.name, b.name, tuple(_differences(one, other)))


def compare_all(wheels: Iterable[Path], others: Iterable[Path]) -> Iterator[Comparison]:
    """Compare each wheel with the one of another builder that is for the same project, Python and target.

    Args:
        wheels: Wheels.
        others: Those of another builder, of whatever projects and releases; of several releases the same one counts, or
            else the newest. Files whose names are not those of wheels do not count.

    Yields:
        A comparison for each wheel; one that cannot be compared says why.
    """
    candidates: dict[tuple[object, ...], list[tuple[Version, Path]]] = {}
    for other in others:
        with contextlib.suppress(WheelError):
            name = parse_wheel_name(other.name)
            candidates.setdefault(_purpose(name), []).append((name.version, other))
    for wheel in wheels:
        try:
            name = parse_wheel_name(wheel.name)
            found = candidates.get(_purpose(name), ())
            chosen = max(found, key=lambda one: (one[0] == name.version, one[0]), default=None)
            if chosen is None:
                yield Comparison("", wheel.name, problem="there is no other wheel for the same Python and target")
            else:
                yield compare_wheels(chosen[1], wheel)
        except WheelError as error:
            yield Comparison("", wheel.name, problem=error.message)


def _purpose(name: WheelName) -> tuple[object, ...]:
    """What a wheel is for, whatever iOS it needs at least."""
    platforms = frozenset(re.sub(r"^ios_\d+_\d+_", "", platform) for platform in name.platforms)
    return name.canonical_distribution, frozenset(name.pythons), frozenset(name.abis), platforms


def _differences(a: Subject, b: Subject) -> Iterator[Difference]:
    yield from _compare(DifferenceKind.FILES, None, _files(a), _files(b))
    for member in sorted(_files(a) & _files(b)):
        yield from _compare(DifferenceKind.FORMAT, member, _format(a, member), _format(b, member))
        first, second = a.binaries.get(member), b.binaries.get(member)
        if first and second and len(first.slices) == len(second.slices):
            for left, right in zip(first.slices, second.slices, strict=True):
                yield from _compare_slices(member, left, right)


def _compare_slices(member: str, a: MachOSlice, b: MachOSlice) -> Iterator[Difference]:
    for kind, left, right in (
        (DifferenceKind.FILE_TYPE, [a.file_type.macro], [b.file_type.macro]),
        (DifferenceKind.FLAGS, _flags(a), _flags(b)),
        (DifferenceKind.PLATFORM, _platforms(a), _platforms(b)),
        (DifferenceKind.EXPORTS, _exports(a), _exports(b)),
        (DifferenceKind.IMPORTS, _imports(a), _imports(b)),
        (DifferenceKind.LIBRARIES, _libraries(a), _libraries(b)),
        (DifferenceKind.INSTALL_NAME, _install_name(a), _install_name(b)),
    ):
        yield from _compare(kind, member, left, right)
    common = {i.name for i in a.imports} & {i.name for i in b.imports}
    yield from _compare(DifferenceKind.BINDINGS, member, _bindings(a, common), _bindings(b, common))


def _compare(kind: DifferenceKind, member: str | None, a: Iterable[str], b: Iterable[str]) -> Iterator[Difference]:
    left, right = set(a), set(b)
    if left != right:
        yield Difference(kind, member, tuple(sorted(left - right)), tuple(sorted(right - left)))


def _files(subject: Subject) -> set[str]:
    dist_info = subject.contents.dist_info
    ignored = {f"{dist_info}/{name}" for name in _IGNORED}
    return {
        f"*.dist-info{m.path.removeprefix(dist_info)}" if m.path.startswith(f"{dist_info}/") else m.path
        for m in subject.contents.members
        if m.path not in ignored
    }


def _format(subject: Subject, member: str) -> list[str]:
    if member in subject.binaries:
        return [", ".join(f"Mach-O {one.cpu}" for one in subject.binaries[member].slices)]
    if member in subject.broken:
        return ["malformed Mach-O"]
    return [subject.formats.get(member, "static archive" if member in subject.archives else "other")]


def _flags(one: MachOSlice) -> list[str]:
    unnamed = one.flags & ~sum(HeaderFlag)
    return [flag.name for flag in HeaderFlag if flag in one.flags and flag.name] + ([hex(unnamed)] if unnamed else [])


def _platforms(one: MachOSlice) -> list[str]:
    return [f"{build.platform.label} {build.minos}" for build in one.builds]


def _exports(one: MachOSlice) -> list[str]:
    return [export.name + (" (weak)" if export.weak else "") for export in one.exports]


def _imports(one: MachOSlice) -> list[str]:
    return [i.name + (" (weak)" if i.weak else "") for i in one.imports]


def _bindings(one: MachOSlice, names: set[str]) -> list[str]:
    return [f"{i.name} from {i.library or i.binding}" for i in one.imports if i.name in names]


def _libraries(one: MachOSlice) -> list[str]:
    return [dylib.name + ("" if dylib.kind == "normal" else f" ({dylib.kind})") for dylib in one.dylibs]


def _install_name(one: MachOSlice) -> list[str]:
    return [one.install_name.name] if one.install_name else []
