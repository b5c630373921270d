"""Load commands taken out of a library and put back: the room for them is what the linker left.

Code and data of a linked library cannot move: addresses in it count from its header (unwind tables, the export
trie, fixups, function starts). So load commands may grow only into the padding before the first section.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.errors import MachOError
from forge.macho.layout import Command, SliceLayout
from forge.macho.model import FileType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_EMPTY_IS_NOTHING = (layout.LC_DATA_IN_CODE, layout.LC_LINKER_OPTIMIZATION_HINT, layout.LC_FUNCTION_STARTS)
"""Commands that point to a table and say nothing where it is empty."""

_PAGE_SIZES = {0x0100000C: 0x4000, 0x01000007: 0x1000}
"""Bytes in a page, by ``cputype``: segments start at multiples of it (lld's and ld64's ``-segalign``)."""


class NoRoomError(MachOError):
    """The load commands do not fit before the first section.

    Args:
        needed: Bytes that they take.
        available: Bytes that there are.
    """

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"no room for its load commands: {needed} bytes are needed, {available} are there",
            hint="link it with -Wl,-headerpad_max_install_names",
        )
        self.needed = needed
        self.available = available


def open_library(data: bytes) -> SliceLayout:
    """The checked frame of a thin dylib or bundle, the only files that forge edits.

    Raises:
        MachOError: It is no such file, or contradicts itself.
    """
    is_fat, slices = layout.read_layout(data)
    if is_fat:
        raise MachOError("a fat file; only its slices can be changed")
    frame = slices[0]
    if frame.file_type not in (FileType.DYLIB, FileType.BUNDLE):
        raise MachOError(f"of file type {frame.file_type}; only dylibs and bundles are changed")
    if frame.cpu_type not in _PAGE_SIZES:
        raise MachOError(f"for CPU type 0x{frame.cpu_type:x}; only arm64 and x86_64 are changed")
    if header_limit(frame, len(data)) < frame.commands_end:
        raise MachOError("a section lies in its load commands")
    return frame


def page_size(frame: SliceLayout) -> int:
    """Bytes in a page of the library's CPU."""
    return _PAGE_SIZES[frame.cpu_type]


def header_limit(frame: SliceLayout, size: int) -> int:
    """Where load commands must end at the latest, in bytes from the start.

    Args:
        frame: The library's frame.
        size: Its length in bytes.
    """
    return min([size, *_first_contents(frame)])


def only(frame: SliceLayout, *numbers: int) -> int | None:
    """The index of the one load command of that number, or None.

    Raises:
        MachOError: There is more than one.
    """
    found = [index for index, command in enumerate(frame.commands) if command.number in numbers]
    if len(found) > 1:
        raise MachOError(f"it has {len(found)} load commands 0x{numbers[0]:x}; there can be one")
    return found[0] if found else None


def named_command(number: int, fields: bytes, name: str) -> Command:
    """A load command that ends in a string.

    Args:
        number: E.g. ``LC_RPATH``.
        fields: What stands between the string's offset and the string.
        name: The string.

    Raises:
        MachOError: The string has a NUL in it, or cannot be UTF-8.
    """
    try:
        text = name.encode("utf-8") + b"\0"
    except UnicodeEncodeError as error:
        raise MachOError(f"{name!r} cannot be written as UTF-8") from error
    if text.index(b"\0") != len(text) - 1:
        raise MachOError(f"{name!r} has a NUL in it")
    start = 12 + len(fields)
    size = -(-(start + len(text)) // 8) * 8
    return Command(number, (struct.pack("<III", number, size, start) + fields + text).ljust(size, b"\0"))


def with_u32(command: Command, at: int, *values: int) -> Command:
    """The command with other 32-bit numbers from byte *at* on.

    Raises:
        MachOError: One does not fit into 32 bits.
    """
    if max(values) >= 1 << 32:
        raise MachOError("it would be larger than 4 GiB")
    data = bytearray(command.data)
    struct.pack_into(f"<{len(values)}I", data, at, *values)
    return Command(command.number, bytes(data))


def write_commands(
    data: bytes,
    frame: SliceLayout,
    commands: Sequence[Command],
    *,
    file_type: int | None = None,
    flags: int | None = None,
) -> bytes:
    """The file with other load commands, and nothing else changed.

    Where they do not fit, what no loader asks for goes: ``LC_SOURCE_VERSION``, tables of no entries, the versions
    of compiler and linker.

    Args:
        data: The file.
        frame: Its frame.
        commands: What it is to have, in order.
        file_type: Another file type.
        flags: Other header flags.

    Raises:
        NoRoomError: They do not fit before the first section.
        MachOError: Something else stands where they would grow to.
    """
    limit = header_limit(frame, len(data))
    kept = _fitting(list(commands), limit - layout.HEADER_SIZE)
    body = b"".join(command.data for command in kept)
    end = layout.HEADER_SIZE + len(body)
    if any(data[frame.commands_end : end]):
        raise MachOError("something stands in the padding after its load commands")
    header = data[:12] + struct.pack(
        "<4I",
        frame.file_type if file_type is None else file_type,
        len(kept),
        len(body),
        frame.flags if flags is None else flags,
    )
    head = (header + data[28 : layout.HEADER_SIZE] + body).ljust(frame.commands_end, b"\0")
    return head + data[len(head) :]


def _fitting(commands: list[Command], available: int) -> list[Command]:
    """The commands, without those that nobody needs as far as it takes for them to fit."""
    needed = size = sum(len(command.data) for command in commands)
    kept: list[Command | None] = list(commands)
    for index in sorted(range(len(kept)), key=lambda i: commands[i].number != layout.LC_SOURCE_VERSION):
        if size <= available:
            break
        smaller = _smaller(commands[index])
        size += (len(smaller.data) if smaller else 0) - len(commands[index].data)
        kept[index] = smaller
    if size > available:
        raise NoRoomError(needed, available)
    return [command for command in kept if command is not None]


def _smaller(command: Command) -> Command | None:
    """The command without what says nothing to a loader; None where nothing is left."""
    if command.number == layout.LC_SOURCE_VERSION or (command.number in _EMPTY_IS_NOTHING and command.u32(12) == 0):
        return None
    if command.number == layout.LC_BUILD_VERSION and command.u32(20):
        # The versions of compiler and linker, which the command names after the platform's.
        return with_u32(with_u32(Command(command.number, command.data[:24]), 4, 24), 20, 0)
    return command


def _first_contents(frame: SliceLayout) -> Iterator[int]:
    """Where contents other than load commands start."""
    for command in frame.commands:
        if command.number == layout.LC_SEGMENT_64:
            file_offset, file_size = struct.unpack_from("<QQ", command.data, 40)
            if file_offset and file_size:
                yield file_offset
            for at in layout.section_offsets(command):
                length, offset = struct.unpack_from("<QI", command.data, at + 40)
                if length and offset:
                    yield offset
        elif command.number == layout.LC_ENCRYPTION_INFO_64 and command.u32(12):
            # The kernel reads load commands before it decrypts anything.
            yield command.u32(8)
