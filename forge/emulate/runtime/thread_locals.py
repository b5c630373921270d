"""Thread locals in a Mach-O file: the descriptors that code calls, and the template that each thread gets a copy of.

Which sections make the template is dyld's rule (``MachOLoaded::forEachThreadLocalVariable``): all of the types
``S_THREAD_LOCAL_REGULAR`` and ``S_THREAD_LOCAL_ZEROFILL``, from the first one's start to the last one's end.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime import constants
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import ThreadLocals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.emulate.runtime.model import Section, Segment

DESCRIPTOR: Final = 24
"""Bytes of ``{thunk, key, offset}``."""


def read_thread_locals(data: bytes, segments: Sequence[Segment], sections: Sequence[Section]) -> ThreadLocals | None:
    """The thread locals of an image; None where it has none.

    Args:
        data: The slice.
        segments: Its segments.
        sections: Its sections.

    Raises:
        MachOImportError: A descriptor is cut off, not writable, or of an offset outside the template.
    """
    variables = [s for s in sections if s.kind == constants.S_THREAD_LOCAL_VARIABLES]
    if not variables:
        return None
    filled = [s for s in sections if s.kind == constants.S_THREAD_LOCAL_REGULAR]
    template = filled + [s for s in sections if s.kind == constants.S_THREAD_LOCAL_ZEROFILL]
    start = min((s.at for s in template), default=0)
    end = max((s.at + s.size for s in template), default=0)
    if template and not any(s.at <= start and end <= s.at + s.size for s in segments):
        raise MachOImportError("malformed mach-o: thread locals lie in more than one segment")
    descriptors: list[int] = []
    for section in variables:
        if section.size % DESCRIPTOR:
            raise MachOImportError(f"malformed mach-o: size {section.size} of {section.name} is not of descriptors")
        offset = _file_offset(segments, section)
        for at in range(0, section.size, DESCRIPTOR):
            (place,) = struct.unpack_from("<Q", data, offset + at + 16)
            if place > end - start:
                raise MachOImportError(f"malformed mach-o: thread local at {place:#x}, of {end - start:#x} bytes")
            descriptors.append(section.at + at)
    content = max((s.at + s.size for s in filled), default=start) - start
    alignment = max((s.alignment for s in template), default=1)
    return ThreadLocals(tuple(descriptors), start, content, end - start, max(alignment, 16))


def _file_offset(segments: Sequence[Segment], section: Section) -> int:
    for segment in segments:
        inside = section.at - segment.at
        if inside >= 0 and inside + section.size <= segment.file_size and segment.writable:
            return segment.file_offset + inside
    raise MachOImportError(f"malformed mach-o: thread local descriptors in {section.name} are not writable")
