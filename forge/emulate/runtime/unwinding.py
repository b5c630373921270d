"""The unwind tables of a loaded image, handed to the process's unwinder."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from forge.emulate.runtime.eh_frame import read_eh_frame
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.frames import write_frames
from forge.emulate.runtime.unwind_info import compact_frames, read_unwind_info

if TYPE_CHECKING:
    from forge.emulate.runtime.image import Image
    from forge.emulate.runtime.model import MachImage
    from forge.emulate.runtime.unwind_model import Frame


def read_frames(mach: MachImage, data: bytes) -> list[Frame]:
    """Every frame that a file describes, each function once.

    Args:
        mach: What the file says.
        data: The slice.

    Raises:
        MachOImportError: A table is damaged.
    """
    frames: list[Frame] = []
    for section in mach.sections:
        if section.segment == "__TEXT" and section.name == "__eh_frame":
            frames += read_eh_frame(_contents(mach, data, section.at, section.size), section.at, mach.preferred)
    described = {frame.at for frame in frames}
    for section in mach.sections:
        if section.segment == "__TEXT" and section.name == "__unwind_info":

            def code(at: int) -> int:
                return int(struct.unpack("<I", _contents(mach, data, at, 4))[0])

            info = read_unwind_info(_contents(mach, data, section.at, section.size))
            frames += [f for f in compact_frames(info, mach.cpu_type, code) if f.at not in described]
    return frames


def unwind_section(image: Image, data: bytes) -> bytes:
    """An ``.eh_frame`` for an image whose imports are bound; empty where it describes no frames.

    Args:
        image: The image.
        data: The slice it was mapped from.

    Raises:
        MachOImportError: A table is damaged, or a function outside the image.
    """
    return write_frames(read_frames(image.mach, data), image.base, image.mach.size, image.read_pointer)


def _contents(mach: MachImage, data: bytes, at: int, size: int) -> bytes:
    """Bytes of the file by their offset in the image."""
    segment = mach.segment_at(at)
    if segment is None or at + size > segment.at + segment.file_size:
        raise MachOImportError(f"malformed unwind info, {at:#x} is not in the file")
    start = segment.file_offset + at - segment.at
    return data[start : start + size]
