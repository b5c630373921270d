"""Where two wheels differ: members, sections of binaries, lines of text, and how the archive was written."""

from __future__ import annotations

import difflib
import json
import zipfile
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from forge.base.errors import WheelError
from forge.macho.errors import MachOError
from forge.macho.reader import read_macho
from forge.plan.explain import changed
from forge.wheel.contents import read_wheel
from forge.wheel.sbom_read import is_sbom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forge.macho.model import MachOSlice

_LINES = 10
"""How many lines of a text are shown."""


@dataclass(frozen=True)
class Difference:
    """One difference of two wheels.

    Args:
        member: The file in the wheel; empty for the archive itself.
        what: What differs, for people.
        lines: More of it: changed lines or values.
    """

    member: str
    what: str
    lines: tuple[str, ...] = ()


def wheel_differences(first: Path, second: Path) -> tuple[Difference, ...]:
    """Where two wheels differ; nothing if they are equal, byte for byte.

    Args:
        first: The one.
        second: The other.

    Raises:
        WheelError: One is not a wheel.
    """
    if first.read_bytes() == second.read_bytes() and first.name == second.name:
        return ()
    found = [] if first.name == second.name else [Difference("", f"the names differ: {first.name}, {second.name}")]
    one, other = read_wheel(first), read_wheel(second)
    paths = [{member.path for member in wheel.members} for wheel in (one, other)]
    found += [Difference(path, "only in the first") for path in sorted(paths[0] - paths[1])]
    found += [Difference(path, "only in the second") for path in sorted(paths[1] - paths[0])]
    content = []
    for path in sorted(paths[0] & paths[1]):
        before, after = one.read(path), other.read(path)
        if before != after:
            content += list(_content(path, before, after))
    # RECORD has the others' hashes: what it says of them is no difference of its own.
    record = f"{one.dist_info}/RECORD"
    found += [each for each in content if each.member != record or len(content) + len(found) == 1]
    return tuple(found) or tuple(_archive(first, second)) or (Difference("", "the archives' bytes differ"),)


def _content(path: str, before: bytes, after: bytes) -> Iterator[Difference]:
    if is_sbom(path):
        try:
            changes = list(changed(json.loads(before), json.loads(after)))
        except ValueError:
            changes = []
        if changes:
            lines = tuple(f"{change.what}: {change.before} -> {change.now}" for change in changes[:_LINES])
            yield Difference(path, f"{len(changes)} values differ", lines)
            return
    try:
        slices = [read_macho(data, name=path).slices for data in (before, after)]
    except MachOError:
        yield _bytes(path, before, after)
        return
    parts: list[str] = []
    for one, other in zip_longest(*slices):
        if one is None or other is None or one.cpu is not other.cpu:
            parts.append("the architectures differ")
            break
        whole = [data[each.offset : each.offset + each.size] for data, each in ((before, one), (after, other))]
        parts += _slices(whole[0], one, whole[1], other)
    yield Difference(path, "the binaries differ", tuple(parts[:_LINES]))


def _slices(before: bytes, one: MachOSlice, after: bytes, other: MachOSlice) -> Iterator[str]:
    cpu = one.cpu.value
    if one.uuid != other.uuid:
        yield f"{cpu}: UUID {one.uuid} -> {other.uuid}"
    if before[: one.commands_end] != after[: other.commands_end]:
        yield f"{cpu}: load commands: {_counted(before[: one.commands_end], after[: other.commands_end])}"
    parts = [
        {
            name: data[offset : offset + size]
            for segment in each.segments
            for name, offset, size in [
                *((f"{segment.name},{s.name}", s.offset, s.size) for s in segment.sections if s.offset),
                *([(segment.name, segment.file_offset, segment.file_size)] if not segment.sections else []),
            ]
        }
        for data, each in ((before, one), (after, other))
    ]
    for name in dict.fromkeys([*parts[0], *parts[1]]):
        if name not in parts[0] or name not in parts[1]:
            yield f"{cpu}: {name}: only in the {'second' if name in parts[1] else 'first'}"
        elif parts[0][name] != parts[1][name]:
            yield f"{cpu}: {name}: {_counted(parts[0][name], parts[1][name])}"


def _bytes(path: str, before: bytes, after: bytes) -> Difference:
    try:
        one, other = before.decode("utf-8").splitlines(), after.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return Difference(path, _counted(before, after))
    lines = [line for line in difflib.unified_diff(one, other, lineterm="", n=0) if not line.startswith(("---", "+++"))]
    return Difference(path, "the text differs", tuple(lines[:_LINES]))


def _counted(before: bytes, after: bytes) -> str:
    if len(before) != len(after):
        return f"{len(before):,} bytes -> {len(after):,} bytes"
    places = [number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    return f"{len(places):,} of {len(before):,} bytes differ, the first at {places[0]:#x}"


def _archive(first: Path, second: Path) -> Iterator[Difference]:
    """How the archives were written, where their contents are equal."""
    try:
        with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
            lists = one.infolist(), other.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        raise WheelError(f"{first.name}: {error}", hint="pass two wheels") from error
    if [info.filename for info in lists[0]] != [info.filename for info in lists[1]]:
        yield Difference("", "the order of the members differs")
        return
    for before, after in zip(*lists, strict=True):
        for what, name in (
            ("date_time", "time"), ("external_attr", "mode"), ("compress_type", "compression"),
            ("compress_size", "compressed size"), ("extra", "extra field"),
        ):  # fmt: skip
            values = getattr(before, what), getattr(after, what)
            if values[0] != values[1]:
                yield Difference(before.filename, f"the {name} differs: {values[0]} -> {values[1]}")
