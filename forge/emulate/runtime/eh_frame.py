"""The section ``__eh_frame``: DWARF call frame information, for functions whose frames no compact encoding describes.

The layout is the Linux Standard Base's (``.eh_frame``), which Darwin shares: a CIE, then FDEs that refer to it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from forge.emulate.runtime.constants import ADDRESS_MASK, sleb, uleb
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.unwind_model import Frame, Rules

_WHAT: Final = "__eh_frame"
_OMIT, _PCREL, _INDIRECT = 0xFF, 0x10, 0x80
_FORMATS: Final = {0x0: "<Q", 0x2: "<H", 0x3: "<I", 0x4: "<Q", 0xA: "<h", 0xB: "<i", 0xC: "<q"}
"""``DW_EH_PE_*`` formats of fixed size."""


@dataclass(frozen=True, slots=True)
class _Cie:
    rules: Rules
    lsda_encoding: int
    pointer_encoding: int
    augmented: bool


def read_eh_frame(table: bytes, section_at: int, preferred: int) -> list[Frame]:
    """Read the section.

    Args:
        table: Its bytes.
        section_at: Its offset in the image.
        preferred: The address that the image was linked for: what absolute pointers count from.

    Raises:
        MachOImportError: An entry is cut off, or written in a way that Darwin's compilers do not use.
    """
    reader = _Reader(table, section_at, preferred)
    cies: dict[int, _Cie] = {}
    frames: list[Frame] = []
    at = 0
    while at + 4 <= len(table):
        (length,) = struct.unpack_from("<I", table, at)
        if length == 0:
            break
        start, end = at + 4, at + 4 + length
        if length == 0xFFFFFFFF or length < 4 or end > len(table):
            raise MachOImportError("malformed __eh_frame, an entry is cut off")
        (link,) = struct.unpack_from("<I", table, start)
        if link == 0:
            cies[at] = reader.cie(start + 4, end)
        else:
            cie = cies.get(start - link)
            if cie is None:
                raise MachOImportError("malformed __eh_frame, an entry without its CIE")
            frames.append(reader.fde(cie, start + 4, end))
        at = end
    return frames


class _Reader:
    def __init__(self, table: bytes, section_at: int, preferred: int) -> None:
        self.table = table
        self.section_at = section_at
        self.preferred = preferred

    def cie(self, at: int, end: int) -> _Cie:  # noqa: PLR0912 - one branch a letter
        table = self.table[:end]
        version = table[at] if at < end else 0
        finish = table.find(b"\0", at + 1)
        if version not in (1, 3) or finish < 0:
            raise MachOImportError(f"malformed __eh_frame, CIE of version {version}")
        augmentation, at = table[at + 1 : finish], finish + 1
        code, at = uleb(table, at, _WHAT)
        data, at = sleb(table, at, _WHAT)
        if version == 1:
            register, at = self._byte(table, at), at + 1
        else:
            register, at = uleb(table, at, _WHAT)
        personality, lsda, pointer, signal = None, _OMIT, 0, False
        if augmentation[:1] == b"z":
            size, at = uleb(table, at, _WHAT)
            rest = at
            for letter in augmentation[1:].decode("latin-1"):
                if letter == "P":
                    encoding = self._byte(table, rest)
                    personality, rest = self._pointer(table, encoding, rest + 1)
                    if personality is not None and not encoding & _INDIRECT:
                        raise MachOImportError("malformed __eh_frame, a personality that is not in a pointer")
                elif letter == "L":
                    lsda, rest = self._byte(table, rest), rest + 1
                elif letter == "R":
                    pointer, rest = self._byte(table, rest), rest + 1
                elif letter == "S":
                    signal = True
                else:
                    raise MachOImportError(f"malformed __eh_frame, unknown augmentation {letter!r}")
            at += size
        elif augmentation:
            raise MachOImportError("malformed __eh_frame, unknown augmentation")
        if at > end:
            raise MachOImportError("malformed __eh_frame, a CIE is cut off")
        return _Cie(Rules(personality, table[at:], code, data, register, signal), lsda, pointer, bool(augmentation))

    def fde(self, cie: _Cie, at: int, end: int) -> Frame:
        table = self.table[:end]
        start, at = self._pointer(table, cie.pointer_encoding, at)
        size, at = self._number(table, cie.pointer_encoding, at)
        lsda = None
        if cie.augmented:
            length, at = uleb(table, at, _WHAT)
            if cie.lsda_encoding != _OMIT and length:
                lsda, _ = self._pointer(table, cie.lsda_encoding, at)
            at += length
        if start is None or size < 0 or at > end:
            raise MachOImportError("malformed __eh_frame, an FDE is cut off")
        return Frame(cie.rules, start, size, lsda, table[at:])

    @staticmethod
    def _byte(table: bytes, at: int) -> int:
        if at >= len(table):
            raise MachOImportError("malformed __eh_frame, an entry is cut off")
        return table[at]

    @staticmethod
    def _number(table: bytes, encoding: int, at: int) -> tuple[int, int]:
        kind = encoding & 0xF
        if kind == 0x1:
            return uleb(table, at, _WHAT)
        if kind == 0x9:
            return sleb(table, at, _WHAT)
        layout = _FORMATS.get(kind)
        if layout is None or at + struct.calcsize(layout) > len(table):
            raise MachOImportError(f"malformed __eh_frame, a pointer of encoding {encoding:#x}")
        return struct.unpack_from(layout, table, at)[0], at + struct.calcsize(layout)

    def _pointer(self, table: bytes, encoding: int, at: int) -> tuple[int | None, int]:
        """A pointer as an offset in the image, None where it is null; and what follows it."""
        if encoding == _OMIT:
            return None, at
        value, after = self._number(table, encoding, at)
        if not value:
            return None, after
        if encoding & 0x70 == _PCREL:
            value += self.section_at + at
        elif encoding & 0x70 == 0:
            value -= self.preferred
        else:
            raise MachOImportError(f"malformed __eh_frame, a pointer of encoding {encoding:#x}")
        return value & ADDRESS_MASK, after
