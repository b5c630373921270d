"""The slice of a fat file that a CPU runs (``mach-o/fat.h``); thin files are their own slice."""

from __future__ import annotations

import struct

from forge.emulate.runtime.errors import MachOImportError

_FAT, _FAT_64 = 0xCAFEBABE, 0xCAFEBABF
_LAYOUTS = {_FAT: ">5I", _FAT_64: ">IIQQII"}
_MAX_SLICES = 64  # a Java class file, which begins alike, has 45 or more here; no fat file has


def find_slice(data: bytes, cpu_type: int) -> bytes:
    """The part of a file that is for a CPU.

    Args:
        data: The file.
        cpu_type: ``CPU_*``.

    Returns:
        The slice; *data* itself unless it is a fat file.

    Raises:
        MachOImportError: There is no such slice, or the table of slices is damaged.
    """
    if len(data) < 8:
        raise MachOImportError("file too short for a mach header")
    magic, count = struct.unpack_from(">II", data)
    if magic not in _LAYOUTS:
        return data
    layout = _LAYOUTS[magic]
    size = struct.calcsize(layout)
    if count > _MAX_SLICES or 8 + count * size > len(data):
        raise MachOImportError(f"malformed fat file, {count} slices")
    found: dict[int, bytes] = {}
    present: list[str] = []
    for index in range(count):
        cpu, subtype, offset, length = struct.unpack_from(layout, data, 8 + index * size)[:4]
        present.append(f"{cpu:#x}")
        if offset + length > len(data):
            raise MachOImportError(f"malformed fat file, slice #{index} extends past the end of the file")
        if cpu == cpu_type:
            found.setdefault(subtype & 0xFFFFFF, data[offset : offset + length])
    if not found:
        raise MachOImportError(f"fat file, but missing compatible architecture (have {', '.join(present)})")
    # The plain subtype is the lowest number but for x86_64h (Haswell, 8) and arm64e (2), which are above it.
    return found[min(found)]
