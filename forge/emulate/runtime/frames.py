"""Frames written as an ``.eh_frame`` with absolute addresses, for libgcc's ``__register_frame``.

One unwinder serves the whole process, so that exceptions cross from Mach-O code into ELF code and back. It reads DWARF
only, so compact encodings are written out as DWARF.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.unwind_model import Rules, sleb_bytes, uleb_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from forge.emulate.runtime.unwind_model import Frame

_ABSOLUTE: Final = 0x00  # DW_EH_PE_absptr
_FDE: Final = struct.Struct("<IIQQBQ")  # length, back to the CIE, start, size, length of the augmentation, LSDA


def write_frames(frames: Iterable[Frame], base: int, image_size: int, read_pointer: Callable[[int], int]) -> bytes:
    """Write an ``.eh_frame``.

    Args:
        frames: What to describe.
        base: Where the image is in memory.
        image_size: Bytes of its address space.
        read_pointer: The pointer at an offset in the image, once bound: personality functions are imported.

    Returns:
        The section, with its terminator; empty where there are no frames.

    Raises:
        MachOImportError: A frame is outside the image.
    """
    out = bytearray()
    written: dict[Rules, int] = {}
    for frame in frames:
        if frame.at + frame.size > image_size or (frame.lsda or 0) >= image_size:
            raise MachOImportError(f"malformed unwind info, function {frame.at:#x} is outside the image")
        cie = written.get(frame.rules)
        if cie is None:
            cie = written[frame.rules] = len(out)
            out += _cie(frame.rules, image_size, read_pointer)
        here = len(out)
        padding = -(_FDE.size + len(frame.instructions)) % 8
        lsda = 0 if frame.lsda is None else base + frame.lsda
        length = _FDE.size - 4 + len(frame.instructions) + padding
        out += _FDE.pack(length, here + 4 - cie, base + frame.at, frame.size, 8, lsda)
        out += frame.instructions
        out += bytes(padding)  # DW_CFA_nop
    return bytes(out) + bytes(4) if out else b""


def _cie(rules: Rules, image_size: int, read_pointer: Callable[[int], int]) -> bytes:
    augmentation, data = b"z", b""
    if rules.personality is not None:
        if rules.personality + 8 > image_size:
            raise MachOImportError("malformed unwind info, a personality is outside the image")
        augmentation += b"P"
        data += struct.pack("<BQ", _ABSOLUTE, read_pointer(rules.personality))
    augmentation += b"LR" + (b"S" if rules.signal else b"") + b"\0"
    data += bytes([_ABSOLUTE, _ABSOLUTE])
    body = struct.pack("<IB", 0, 1) + augmentation
    body += uleb_bytes(rules.code_alignment) + sleb_bytes(rules.data_alignment) + bytes([rules.return_register & 0xFF])
    body += uleb_bytes(len(data)) + data + rules.initial
    body += bytes(-(4 + len(body)) % 8)
    return struct.pack("<I", len(body)) + body
