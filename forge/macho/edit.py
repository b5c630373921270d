"""Names in a library's load commands, changed: install name, libraries loaded, search paths; a bundle made a dylib.

What ``install_name_tool`` does, and no more: code, data and symbols stay where they are. A code signature does
not hold afterwards; `forge.macho.sign` renews it.
"""

from __future__ import annotations

import struct
from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.checkout import keep_layout
from forge.macho.edit_commands import named_command, only, open_library, write_commands
from forge.macho.errors import MachOError
from forge.macho.model import FileType, HeaderFlag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.macho.layout import Command

_NEW_DYLIB = struct.pack("<III", 1, 0, 0)
"""``timestamp``, ``current_version``, ``compatibility_version`` of ``dylib_command`` as linkers write them."""


@dataclass(frozen=True)
class Edit:
    """What to change in a library; the defaults change nothing.

    Args:
        install_name: The name in ``LC_ID_DYLIB``, which is added where there is none.
        make_dylib: Make an ``MH_BUNDLE`` an ``MH_DYLIB``.
        loads: Libraries loaded, and what to call them instead; names that it does not load count for nothing.
        rpaths: Every ``LC_RPATH`` that it is to have, in order; None keeps what it has.
    """

    install_name: str | None = None
    make_dylib: bool = False
    loads: Mapping[str, str] = field(default_factory=dict)
    rpaths: tuple[str, ...] | None = None


def apply_edit(data: bytes, edit: Edit) -> bytes:
    """Change a thin dylib or bundle for arm64 or x86_64.

    Args:
        data: The file.
        edit: What to change.

    Returns:
        The file with its length and everything behind the load commands as before; *data* itself where nothing
        changes.

    Raises:
        NoRoomError: The load commands would not fit before the first section.
        MachOError: It is no such file, or contradicts itself, or would be a dylib without an install name.
    """
    frame = open_library(data)
    commands = [_renamed(command, edit.loads) for command in frame.commands]
    if edit.install_name is not None:
        _set_install_name(commands, edit.install_name, only(frame, layout.LC_ID_DYLIB))
    if edit.rpaths is not None:
        commands = _with_rpaths(commands, edit.rpaths)
    file_type, flags = frame.file_type, frame.flags
    if edit.make_dylib and file_type == FileType.BUNDLE:
        file_type = FileType.DYLIB.value
        if not any(command.number == layout.LC_REEXPORT_DYLIB for command in commands):
            flags |= HeaderFlag.NO_REEXPORTED_DYLIBS.value
        if not any(command.number == layout.LC_ID_DYLIB for command in commands):
            raise MachOError("a dylib needs an install name")
    if tuple(commands) == frame.commands and file_type == frame.file_type:
        return data
    return keep_layout(data, write_commands(data, frame, commands, file_type=file_type, flags=flags))


def command_name(command: Command) -> str:
    """The string of a load command that has it at byte 8, e.g. ``LC_RPATH``, read as the reader reads it."""
    start = command.u32(8)
    return command.data[start : command.data.index(b"\0", start)].decode("utf-8", errors="backslashreplace")


def _renamed(command: Command, loads: Mapping[str, str]) -> Command:
    if command.number not in layout.LOAD_DYLIBS:
        return command
    name = command_name(command)
    new = loads.get(name, name)
    return command if new == name else named_command(command.number, command.data[12:24], new)


def _set_install_name(commands: list[Command], name: str, index: int | None) -> None:
    if index is not None:
        if command_name(commands[index]) != name:
            commands[index] = named_command(layout.LC_ID_DYLIB, commands[index].data[12:24], name)
        return
    # Linkers put it right behind the segments.
    segments = [i for i, command in enumerate(commands) if command.number == layout.LC_SEGMENT_64]
    commands.insert(segments[-1] + 1 if segments else 0, named_command(layout.LC_ID_DYLIB, _NEW_DYLIB, name))


def _with_rpaths(commands: list[Command], rpaths: tuple[str, ...]) -> list[Command]:
    old = {command_name(c): c for c in commands if c.number == layout.LC_RPATH}
    made = {path: named_command(layout.LC_RPATH, b"", path) for path in rpaths if path not in old}
    new = [ChainMap(old, made)[path] for path in rpaths]
    if new == [c for c in commands if c.number == layout.LC_RPATH]:
        return commands
    place = next(
        (i for i, c in enumerate(commands) if c.number in (layout.LC_RPATH, layout.LC_CODE_SIGNATURE)), len(commands)
    )
    others = [c for c in commands if c.number != layout.LC_RPATH]
    return others[:place] + new + others[place:]
