"""Numbers of the format (``mach-o/loader.h``, ``mach-o/fat.h``, ``mach-o/nlist.h``), and ULEB128.

The runtime has a reader of its own beside `forge.macho`: it runs inside the emulating Python, where the libraries
that forge uses are not installed, and it reads what a dynamic linker needs, which nobody else does.
"""

from __future__ import annotations

import platform
from typing import Final

from forge.emulate.runtime.errors import MachOImportError

MH_MAGIC_64: Final = 0xFEEDFACF
MH_DYLIB: Final = 0x6
MH_BUNDLE: Final = 0x8
MH_WEAK_DEFINES: Final = 0x8000

CPU_X86_64: Final = 0x01000007
CPU_ARM64: Final = 0x0100000C
CPU_SUBTYPE_ARM64E: Final = 2
CPU_SUBTYPE_X86_64H: Final = 8

HOST_CPUS: Final = {"x86_64": CPU_X86_64, "aarch64": CPU_ARM64}
"""``cputype`` of the code that a Linux machine runs, by ``platform.machine()``."""

LC_REQ_DYLD: Final = 0x80000000
LC_SYMTAB: Final = 0x2
LC_LOAD_DYLIB: Final = 0xC
LC_ID_DYLIB: Final = 0xD
LC_SEGMENT_64: Final = 0x19
LC_ROUTINES_64: Final = 0x1A
LC_LAZY_LOAD_DYLIB: Final = 0x20
LC_DYLD_INFO: Final = 0x22
LC_VERSION_MIN_MACOSX: Final = 0x24
LC_VERSION_MIN_IPHONEOS: Final = 0x25
LC_ENCRYPTION_INFO_64: Final = 0x2C
LC_BUILD_VERSION: Final = 0x32
LC_LOAD_WEAK_DYLIB: Final = 0x18 | LC_REQ_DYLD
LC_RPATH: Final = 0x1C | LC_REQ_DYLD
LC_REEXPORT_DYLIB: Final = 0x1F | LC_REQ_DYLD
LC_DYLD_INFO_ONLY: Final = LC_DYLD_INFO | LC_REQ_DYLD
LC_LOAD_UPWARD_DYLIB: Final = 0x23 | LC_REQ_DYLD
LC_DYLD_EXPORTS_TRIE: Final = 0x33 | LC_REQ_DYLD
LC_DYLD_CHAINED_FIXUPS: Final = 0x34 | LC_REQ_DYLD

PROT_READ: Final = 1
PROT_WRITE: Final = 2
PROT_EXECUTE: Final = 4
SG_READ_ONLY: Final = 0x10
"""Segment flag: writable only until fixups are applied (``__DATA_CONST``)."""

S_ZEROFILL: Final = 0x1
S_MOD_INIT_FUNC_POINTERS: Final = 0x9
S_MOD_TERM_FUNC_POINTERS: Final = 0xA
S_GB_ZEROFILL: Final = 0xC
S_THREAD_LOCAL_REGULAR: Final = 0x11
S_THREAD_LOCAL_ZEROFILL: Final = 0x12
S_THREAD_LOCAL_VARIABLES: Final = 0x13
S_INIT_FUNC_OFFSETS: Final = 0x16
ZEROFILL: Final = frozenset({S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL})
"""Types of sections without bytes in the file."""

PAGE: Final = 0x1000
"""Bytes: the smallest page of any machine that Mach-O code runs on; segments start at multiples of it."""

ADDRESS_MASK: Final = (1 << 64) - 1


def host_cpu() -> int:
    """The ``cputype`` that this machine runs.

    Raises:
        MachOImportError: It is not Linux on x86_64 or aarch64.
    """
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in HOST_CPUS:
        raise MachOImportError(f"Mach-O code is run on Linux on x86_64 and aarch64 only, not on {machine}")
    return HOST_CPUS[machine]


def uleb(data: bytes, at: int, what: str) -> tuple[int, int]:
    """The ULEB128 number at *at*, and where it ends.

    Args:
        data: The table.
        at: Bytes from its start.
        what: The table's name, for errors.

    Raises:
        MachOImportError: It runs past the end, or takes more than 64 bits.
    """
    value = shift = 0
    end = len(data)
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value > ADDRESS_MASK:
                break
            return value, at
        shift += 7
        if shift > 63:
            break
    raise MachOImportError(f"malformed uleb128 in {what}")


def sleb(data: bytes, at: int, what: str) -> tuple[int, int]:
    """The SLEB128 number at *at*, and where it ends; arguments and errors as in `uleb`."""
    value = shift = 0
    end = len(data)
    while at < end and shift <= 63:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value - (1 << shift) if byte & 0x40 else value, at
    raise MachOImportError(f"malformed sleb128 in {what}")


def c_string(data: bytes, at: int, what: str) -> tuple[str, int]:
    """The NUL-terminated name at *at*, and what follows it; bytes that are not UTF-8 become surrogates (PEP 383).

    Raises:
        MachOImportError: It is not terminated.
    """
    end = data.find(b"\0", at)
    if end < 0 or at > len(data):
        raise MachOImportError(f"unterminated string in {what}")
    return data[at:end].decode("utf-8", "surrogateescape"), end + 1
