"""Fat files: several thin ones in one, as ``lipo`` makes them (``mach-o/fat.h``)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.errors import MachOError
from forge.macho.formats import FAT_MAGIC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.macho.layout import SliceLayout

_ARM64 = 0x0100000C
_ALIGNMENTS = {_ARM64: 14, 0x01000007: 12}
"""By ``cputype``, the power of two of a page."""
_DEFAULT_ALIGNMENT = 14


def join_fat(files: Sequence[bytes]) -> bytes:
    """Join thin files to a fat one: each aligned to its CPU's page, arm64 last, as ``lipo -create`` does.

    Args:
        files: Thin files, each for another CPU, in any order.

    Raises:
        MachOError: One is no thin file, two are for the same CPU, there is none, or it all takes 4 GiB or more.
    """
    slices: list[tuple[SliceLayout, bytes]] = []
    for data in files:
        is_fat, frames = layout.read_layout(data)
        if is_fat:
            raise MachOError("a fat file cannot be a slice of another")
        slices.append((frames[0], data))
    if len({_cpu(frame) for frame, _ in slices}) != len(slices) or not slices:
        raise MachOError("a fat file has one slice for each CPU" if slices else "a fat file has at least one slice")
    slices.sort(key=lambda one: (one[0].cpu_type == _ARM64, _alignment(one[0]), _cpu(one[0])))
    table, body = b"", b""
    start = 8 + 20 * len(slices)
    for frame, data in slices:
        power = _alignment(frame)
        body += bytes(-(start + len(body)) % (1 << power))
        offset = start + len(body)
        if offset + len(data) >= 1 << 32:
            raise MachOError("its slices take more than 4 GiB")
        table += struct.pack(">5I", frame.cpu_type, frame.cpu_subtype, offset, len(data), power)
        body += data
    return FAT_MAGIC + struct.pack(">I", len(slices)) + table + body


def split_fat(data: bytes) -> tuple[bytes, ...]:
    """The thin files in a fat one, in its order; of a thin file, itself.

    Raises:
        MachOError: It is no Mach-O file, or contradicts itself.
    """
    _, frames = layout.read_layout(data)
    return tuple(data[frame.offset : frame.offset + frame.size] for frame in frames)


def _cpu(frame: SliceLayout) -> tuple[int, int]:
    return frame.cpu_type, frame.cpu_subtype & 0x00FFFFFF


def _alignment(frame: SliceLayout) -> int:
    return _ALIGNMENTS.get(frame.cpu_type, _DEFAULT_ALIGNMENT)
