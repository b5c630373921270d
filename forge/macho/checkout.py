"""Whether Apple's tools can rewrite a file: the order in which they ask for the tables of ``__LINKEDIT``.

``codesign`` embeds a signature through ``codesign_allocate``, which first runs the check of cctools'
``libstuff/checkout.c``; ``install_name_tool`` and ``strip`` run it too. The tables must follow each other without a
gap, in one order, and end where the file ends. dyld and LLVM's tools ask for none of that, so that a file can load
well and still not be signed.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forge.macho import layout
from forge.macho.errors import MachOError
from forge.macho.model import FileType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.macho.layout import Command, SliceLayout

_LC_TWOLEVEL_HINTS = 0x16
_LC_SEGMENT_SPLIT_INFO = 0x1E
_LC_CODE_SIGN_DRS = 0x2B
_LC_ATOM_INFO = 0x36
_DYLDLINK = 0x4
_XAR_HEADER = 28
"""``sizeof(struct xar_header)``: the least that a segment of bitcode holds."""
_SIGNATURE_ALIGNMENT = 16

_SINGLE = {
    layout.LC_SYMTAB: "LC_SYMTAB",
    layout.LC_DYSYMTAB: "LC_DYSYMTAB",
    _LC_TWOLEVEL_HINTS: "LC_TWOLEVEL_HINTS",
    layout.LC_CODE_SIGNATURE: "LC_CODE_SIGNATURE",
    _LC_SEGMENT_SPLIT_INFO: "LC_SEGMENT_SPLIT_INFO",
    layout.LC_FUNCTION_STARTS: "LC_FUNCTION_STARTS",
    layout.LC_DATA_IN_CODE: "LC_DATA_IN_CODE",
    _LC_ATOM_INFO: "LC_ATOM_INFO",
    _LC_CODE_SIGN_DRS: "LC_DYLIB_CODE_SIGN_DRS",
    layout.LC_LINKER_OPTIMIZATION_HINT: "LC_LINKER_OPTIMIZATION_HINT",
    layout.LC_DYLD_INFO: "LC_DYLD_INFO",
    layout.LC_DYLD_EXPORTS_TRIE: "LC_DYLD_EXPORTS_TRIE",
    layout.LC_DYLD_CHAINED_FIXUPS: "LC_DYLD_CHAINED_FIXUPS",
    layout.LC_ENCRYPTION_INFO_64: "LC_ENCRYPTION_INFO_64",
    layout.LC_ID_DYLIB: "LC_ID_DYLIB",
}
"""Commands that there can be one of; ``LC_DYLD_INFO_ONLY`` counts as ``LC_DYLD_INFO``."""

_FIXUPS = ((layout.LC_DYLD_CHAINED_FIXUPS, "the chained fixups"), (layout.LC_DYLD_EXPORTS_TRIE, "the export trie"))
_TABLES = (
    (_LC_SEGMENT_SPLIT_INFO, "the segment split information"),
    (layout.LC_FUNCTION_STARTS, "the function starts"),
    (layout.LC_DATA_IN_CODE, "the table of data in code"),
    (_LC_ATOM_INFO, "the atom information"),
    (_LC_CODE_SIGN_DRS, "the code signing requirements"),
    (layout.LC_LINKER_OPTIMIZATION_HINT, "the linker optimization hints"),
)
"""What lies between the fixups and the symbol table, in order."""


def layout_problem(frame: SliceLayout) -> str | None:
    """Why Apple's tools would refuse to sign or edit a thin file or a slice; None if they would take it.

    Args:
        frame: Its load commands. Object files are laid out in another way, and always pass.

    Returns:
        The first problem, e.g. ``the string table is at byte 52480 instead of 52476``. That a dylib has an install
        name, which the same check of Apple's asks for, is not looked at.
    """
    linked = frame.file_type in (FileType.DYLIB, FileType.BUNDLE) or frame.flags & _DYLDLINK
    if frame.file_type == FileType.OBJECT or not linked:
        return None
    try:
        _check(frame)
    except MachOError as error:
        return error.problem
    return None


def keep_layout(before: bytes, after: bytes) -> bytes:
    """*after*, an edit of the thin file *before*, if Apple's tools take it, or did not take *before* either.

    Raises:
        MachOError: The edit would make a file that cannot be signed.
    """
    problem = layout_problem(_only_slice(after))
    if problem is not None and layout_problem(_only_slice(before)) is None:
        raise MachOError(f"the edited file could not be signed: {problem}")
    return after


def _only_slice(data: bytes) -> SliceLayout:
    return layout.read_layout(data)[1][0]


def _check(frame: SliceLayout) -> None:
    one = _single_commands(frame)
    linkedit = _linkedit(frame)
    offset, size = struct.unpack_from("<QQ", linkedit.data, 40)
    if size and offset + size != frame.size:
        raise MachOError(f"the segment __LINKEDIT ends at byte {offset + size}, the file at byte {frame.size}")
    _check_bitcode(frame, linkedit)
    at = _after_dyld_info(one.get(layout.LC_DYLD_INFO), offset)
    for number, what in _FIXUPS:
        if (command := one.get(number)) is not None and command.u32(8):
            at = _at(what, command.u32(8), at) + command.u32(12)
    symtab, dysymtab = one.get(layout.LC_SYMTAB), one.get(layout.LC_DYSYMTAB)
    signature = one.get(layout.LC_CODE_SIGNATURE)
    if symtab is None and dysymtab is not None:
        raise MachOError("there is an LC_DYSYMTAB and no LC_SYMTAB")
    if symtab is not None and dysymtab is None:
        _check_end(symtab, signature, frame.size)
    elif symtab is not None and dysymtab is not None:
        at = _before_symbols(one, dysymtab, at)
        at, rounded = _symbols(symtab, dysymtab, one.get(_LC_TWOLEVEL_HINTS), at)
        _strings_and_signature(symtab, signature, at, rounded, frame.size)


def _before_symbols(one: Mapping[int, Command], dysymtab: Command, at: int) -> int:
    """Where the symbol table is to start."""
    at = _relocations(dysymtab, 72, "the local relocations", at)
    for number, what in _TABLES:
        if (command := one.get(number)) is not None:
            if command.u32(8):
                _at(what, command.u32(8), at)
            at += command.u32(12)
    return at


def _symbols(symtab: Command, dysymtab: Command, hints: Command | None, at: int) -> tuple[int, int]:
    """Where the string table is to start; the second is where it may start instead."""
    if symtab.u32(12):
        at = _at("the symbol table", symtab.u32(8), at) + 16 * symtab.u32(12)
    _check_ranges(dysymtab)
    if hints is not None and len(hints.data) >= 16 and hints.u32(12):
        at = _at("the two-level hints", hints.u32(8), at) + 4 * hints.u32(12)
    at = _relocations(dysymtab, 64, "the external relocations", at)
    if dysymtab.u32(60):
        at = _at("the indirect symbol table", dysymtab.u32(56), at) + 4 * dysymtab.u32(60)
    # An odd number of 4-byte entries may be padded or not; for no other table a gap is allowed.
    rounded = _rounded(at, 8) if dysymtab.u32(60) % 2 else at
    for field, width, what in ((32, 8, "table of contents"), (40, 56, "module table"), (48, 4, "reference table")):
        if dysymtab.u32(field + 4):
            at = rounded = _at(f"the {what}", dysymtab.u32(field), at, rounded) + width * dysymtab.u32(field + 4)
    return at, rounded


def _strings_and_signature(symtab: Command, signature: Command | None, at: int, rounded: int, size: int) -> None:
    if symtab.u32(20):
        at = rounded = _at("the string table", symtab.u32(16), at, rounded) + symtab.u32(20)
    if signature is not None:
        due = _rounded(rounded, _SIGNATURE_ALIGNMENT)
        at = rounded = _at("the code signature", signature.u32(8), due) + signature.u32(12)
    if size not in (at, rounded):
        raise MachOError(f"the tables of __LINKEDIT end at byte {at}, the segment at byte {size}")


def _single_commands(frame: SliceLayout) -> dict[int, Command]:
    found: dict[int, Command] = {}
    for command in frame.commands:
        number = layout.LC_DYLD_INFO if command.number == layout.LC_DYLD_INFO_ONLY else command.number
        if number not in _SINGLE:
            continue
        if number in found:
            raise MachOError(f"there is more than one {_SINGLE[number]}")
        found[number] = command
    return found


def _linkedit(frame: SliceLayout) -> Command:
    found = _segments(frame, b"__LINKEDIT")
    if len(found) != 1:
        raise MachOError("there is no segment __LINKEDIT" if not found else "there is more than one __LINKEDIT")
    return found[0]


def _segments(frame: SliceLayout, name: bytes) -> list[Command]:
    return [
        command
        for command in frame.commands
        if command.number == layout.LC_SEGMENT_64 and command.data[8:24].partition(b"\0")[0] == name
    ]


def _check_bitcode(frame: SliceLayout, linkedit: Command) -> None:
    """A segment of bitcode lies right before ``__LINKEDIT``, in the file and in memory."""
    found = _segments(frame, b"__LLVM")
    if not found:
        return
    if len(found) > 1:
        raise MachOError("there is more than one segment __LLVM")
    address, memory, offset, size = struct.unpack_from("<QQQQ", found[0].data, 24)
    linkedit_address, _, linkedit_offset = struct.unpack_from("<QQQ", linkedit.data, 24)
    if size < _XAR_HEADER or offset + size != linkedit_offset or address + memory != linkedit_address:
        raise MachOError("the segment __LLVM is not right before __LINKEDIT")


def _after_dyld_info(command: Command | None, start: int) -> int:
    """Where dyld's information ends. It starts the segment; what lies within it is not looked at."""
    if command is None:
        return start
    numbers = struct.unpack_from("<10I", command.data, 8)
    rebase, bind, export = numbers[0], numbers[2], numbers[8]
    if rebase or bind:
        _at("dyld's information", rebase or bind, start)
    elif export and numbers[5] and numbers[7]:
        _at("dyld's information", export, start)
    for index in (8, 6, 4, 2, 0):
        if numbers[index + 1]:
            end: int = numbers[index] + numbers[index + 1]
            return end
    return start


def _relocations(dysymtab: Command, field: int, what: str, at: int) -> int:
    if not dysymtab.u32(field + 4):
        return at
    return _at(what, dysymtab.u32(field), at) + 8 * dysymtab.u32(field + 4)


def _check_ranges(dysymtab: Command) -> None:
    """Local, defined and undefined symbols follow each other in the table."""
    first = 0
    for field, what in ((8, "local"), (16, "defined"), (24, "undefined")):
        count = dysymtab.u32(field + 4)
        if count and dysymtab.u32(field) != first:
            raise MachOError(f"the {what} symbols start at index {dysymtab.u32(field)} instead of {first}")
        first += count


def _check_end(symtab: Command, signature: Command | None, size: int) -> None:
    """Without an ``LC_DYSYMTAB``: symbols, strings and signature end the file."""
    symbols, count, strings, strings_size = struct.unpack_from("<4I", symtab.data, 8)
    if not count:
        return
    end = strings + strings_size
    due = size if signature is None else signature.u32(8)
    if signature is not None and signature.u32(8) + signature.u32(12) != size:
        raise MachOError("the code signature is not at the end of the file")
    if strings_size and due not in (end, _rounded(end, 8), _rounded(end, _SIGNATURE_ALIGNMENT)):
        raise MachOError("the string table is not at the end of the file")
    _at("the string table", strings, symbols + 16 * count)


def _at(what: str, offset: int, *due: int) -> int:
    if offset not in due:
        verb = "are" if what.endswith("s") else "is"
        raise MachOError(f"{what} {verb} at byte {offset} instead of {due[0]}")
    return offset


def _rounded(number: int, to: int) -> int:
    return -(-number // to) * to
