"""A small Mach-O writer: libraries and bundles that LLVM's tools and lief read, made from a description."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ARM64 = (0x0100000C, 0)
ARM64E = (0x0100000C, 2)
X86_64 = (0x01000007, 3)
MACOS, IOS, CATALYST, SIMULATOR = 1, 2, 6, 7
DYLIB, BUNDLE = 6, 8
LOAD, WEAK, REEXPORT = 0xC, 0x80000018, 0x8000001F
PYTHON = "@rpath/Python.framework/Python"
SYSTEM = "/usr/lib/libSystem.B.dylib"
DYNAMIC_LOOKUP = 0xFE

_PAGE = 0x1000
EXTRA_AT, EXTRA_STEP = 0x1400, 0x200
"""Address and file offset of the first of a spec's further sections; each `EXTRA_STEP` after the one before."""
_TWO_LEVEL = 0x100085  # NOUNDEFS, DYLDLINK, TWOLEVEL, NO_REEXPORTED_DYLIBS


@dataclass(frozen=True)
class Spec:
    """What to write; the defaults are an extension module for the device.

    Versions are (major, minor); imports are (name, library ordinal, weak).
    """

    cpu: tuple[int, int] = ARM64
    file_type: int = DYLIB
    platform: int | None = IOS
    minos: tuple[int, int] = (12, 0)
    version_min: bool = False
    flags: int = _TWO_LEVEL
    install_name: str | None = "@rpath/x.framework/x"
    loads: tuple[tuple[str, int], ...] = ((PYTHON, LOAD), (SYSTEM, LOAD))
    rpaths: tuple[str, ...] = ()
    exports: tuple[str, ...] = ("_PyInit_x",)
    imports: tuple[tuple[str, int, bool], ...] = (("_PyModule_Create2", 1, False), ("_free", 2, False))
    stabs: tuple[str, ...] = ()
    strings: bytes = b"hello\0"
    trie: bytes | None = None
    """An export trie to write in place of the right one; empty for none, so that the symbol table counts."""
    signature: bytes = b""
    encrypted: bool = False
    extra_section: tuple[str, str] | None = None
    """Segment and section of an empty section more, e.g. DWARF's."""
    text_at: int = _PAGE
    """Where the one section starts; what lies before is the load commands' room."""
    locals: tuple[str, ...] = ()
    """Names of static functions."""
    indirect: tuple[int, ...] = ()
    """The indirect symbols: indexes into the symbol table, which has stabs, locals, exports, imports."""
    sections: tuple[tuple[str, bytes, int, int, int], ...] = ()
    """Further sections of __TEXT, at `EXTRA_AT` and on: name, bytes, flags, reserved1, reserved2."""
    rebases: bytes = b""
    """dyld's rebase opcodes; a trie or this makes an LC_DYLD_INFO_ONLY."""
    binds: bytes = b""
    """dyld's bind opcodes, for an LC_DYLD_INFO_ONLY as well."""
    weak_binds: bytes = b""
    lazy_binds: bytes = b""
    function_starts: bytes = b""
    """What LC_FUNCTION_STARTS points to: ULEB128 differences."""
    chained: bytes = b""
    """What LC_DYLD_CHAINED_FIXUPS points to."""
    dwarf: bytes = b""
    """What a segment __DWARF holds, before __LINKEDIT."""
    extra_commands: bytes = b""
    extra_count: int = 0


def macho(spec: Spec | None = None, **changes: object) -> bytes:
    """The file that *spec*, or the default with *changes*, describes."""
    spec = spec or Spec(**changes)  # type: ignore[arg-type]  # tests name fields; mypy checks Spec's users elsewhere
    return _Writer(spec).write()


def fat(*slices: bytes, cpus: tuple[tuple[int, int], ...] = (ARM64, X86_64)) -> bytes:
    """A fat file of *slices*."""
    header = struct.pack(">II", 0xCAFEBABE, len(slices))
    body, at = b"", _PAGE
    for (cpu, subtype), data in zip(cpus, slices, strict=False):
        header += struct.pack(">5I", cpu, subtype, at, len(data), 12)
        padded = data.ljust(-(-len(data) // _PAGE) * _PAGE, b"\0")
        body += padded
        at += len(padded)
    return header.ljust(_PAGE, b"\0") + body


def ad_hoc_signature(flags: int = 0x20002, *, cms: bytes = b"") -> bytes:
    """A signature's frame: a code directory with *flags*, and a CMS blob if given."""
    directory = struct.pack(">IIII", 0xFADE0C02, 44, 0x20400, flags).ljust(44, b"\0")
    blobs = [(0, directory)]
    if cms:
        blobs.append((0x10000, struct.pack(">II", 0xFADE0B01, 8 + len(cms)) + cms))
    at = 12 + 8 * len(blobs)
    index, body = b"", b""
    for kind, blob in blobs:
        index += struct.pack(">II", kind, at + len(body))
        body += blob
    return struct.pack(">III", 0xFADE0CC0, at + len(body), len(blobs)) + index + body


def export_trie(names: tuple[str, ...]) -> bytes:
    """A trie with one edge for each name."""
    root_size = 2 + sum(len(name) + 1 + 2 for name in names)
    root, nodes = bytearray([0, len(names)]), b""
    for name in names:
        at = root_size + len(nodes)
        root += name.encode() + b"\0" + bytes([at & 0x7F | 0x80, at >> 7])
        nodes += b"\x03\x00\x80\x20\x00"  # 3 bytes: no flags, address 0x1000; no children
    return bytes(root) + nodes


class _Writer:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.linkedit = b""
        self.linkedit_at = 2 * _PAGE + -(-len(spec.dwarf) // _PAGE) * _PAGE

    def write(self) -> bytes:
        spec = self.spec
        tail = self._tail_commands()
        segments = [self._segment("__TEXT", 0, 2 * _PAGE, "__text", at=spec.text_at, length=len(spec.strings))]
        if spec.sections:
            segments = [self._with_sections(segments[0])]
        if spec.extra_section:
            segments.append(self._segment(spec.extra_section[0], _PAGE, 0, spec.extra_section[1], at=_PAGE))
        if spec.dwarf:
            segments.append(self._segment("__DWARF", 2 * _PAGE, len(spec.dwarf)))
        segments.append(self._segment("__LINKEDIT", self.linkedit_at, len(self.linkedit)))
        commands = segments + tail
        data = b"".join(commands) + spec.extra_commands
        header = struct.pack(
            "<8I",
            0xFEEDFACF,
            *spec.cpu,
            spec.file_type,
            len(commands) + spec.extra_count,
            len(data),
            spec.flags,
            0,
        )
        assert len(header + data) <= spec.text_at
        text = (header + data).ljust(spec.text_at, b"\0") + spec.strings
        for index, (_, content, *_) in enumerate(spec.sections):
            text = text.ljust(EXTRA_AT + EXTRA_STEP * index, b"\0") + content
        assert len(text) <= 2 * _PAGE
        return (text.ljust(2 * _PAGE, b"\0") + spec.dwarf).ljust(self.linkedit_at, b"\0") + self.linkedit

    def _append(self, data: bytes, *, pad: bool = True, align: int = 1) -> tuple[int, int]:
        """Adds a table; what aligns the next one counts as its own, as Apple's tools ask."""
        self.linkedit = self.linkedit.ljust(-(-len(self.linkedit) // align) * align, b"\0")
        at = self.linkedit_at + len(self.linkedit)
        body = data.ljust(-(-len(data) // 8) * 8, b"\0") if pad else data
        self.linkedit += body
        return at, len(body)

    def _tail_commands(self) -> list[bytes]:
        spec = self.spec
        commands = []
        if spec.install_name is not None:
            commands.append(_with_string(0xD, struct.pack("<4I", 24, 1, 0, 0), spec.install_name))
        trie = export_trie(spec.exports) if spec.trie is None else spec.trie
        if trie or spec.rebases or spec.binds or spec.weak_binds or spec.lazy_binds:
            rebases = self._append(spec.rebases) if spec.rebases else (0, 0)
            binds = self._append(spec.binds) if spec.binds else (0, 0)
            weak = self._append(spec.weak_binds) if spec.weak_binds else (0, 0)
            lazy = self._append(spec.lazy_binds) if spec.lazy_binds else (0, 0)
            exports = self._append(trie, pad=spec.trie is None)
            commands.append(struct.pack("<12I", 0x80000022, 48, *rebases, *binds, *weak, *lazy, *exports))
        if spec.chained:
            commands.append(struct.pack("<4I", 0x80000034, 16, *self._append(spec.chained)))
        if spec.function_starts:
            commands.append(struct.pack("<4I", 0x26, 16, *self._append(spec.function_starts)))
        commands += self._symbols()
        commands.append(struct.pack("<II16s", 0x1B, 24, bytes(range(16))))
        minos = spec.minos[0] << 16 | spec.minos[1] << 8
        if spec.version_min:
            commands.append(struct.pack("<4I", 0x25, 16, minos, 17 << 16))
        elif spec.platform is not None:
            commands.append(struct.pack("<6I", 0x32, 24, spec.platform, minos, 17 << 16, 0))
        commands += [_with_string(k, struct.pack("<4I", 24, 2, 0x10000, 0x10000), n) for n, k in spec.loads]
        commands += [_with_string(0x8000001C, struct.pack("<I", 12), rpath) for rpath in spec.rpaths]
        if spec.encrypted:
            commands.append(struct.pack("<6I", 0x2C, 24, _PAGE, _PAGE, 0, 0))
        if spec.signature:
            commands.append(struct.pack("<4I", 0x1D, 16, *self._append(spec.signature, pad=False, align=16)))
        return commands

    def _symbols(self) -> list[bytes]:
        spec = self.spec
        strings, table = b"\0", b""
        rows = [(name, 0x3C if name.startswith("radr:") else 0x66, 0, 0, 0) for name in spec.stabs]
        rows += [(name, 0x0E, 1, 0, _PAGE) for name in spec.locals]
        rows += [(name, 0x0F, 1, 0, _PAGE) for name in spec.exports]
        rows += [(name, 0x01, 0, ordinal << 8 | (0x40 if weak else 0), 0) for name, ordinal, weak in spec.imports]
        for name, kind, section, description, value in rows:
            table += struct.pack("<IBBHQ", len(strings), kind, section, description, value)
            strings += name.encode() + b"\0"
        symbols_at, _ = self._append(table)
        indirect = self._append(struct.pack(f"<{len(spec.indirect)}I", *spec.indirect)) if spec.indirect else (0, 0)
        strings_at, strings_size = self._append(strings)
        local, exports, imports = len(spec.stabs + spec.locals), len(spec.exports), len(spec.imports)
        ranges = (0, local, local, exports, local + exports, imports)
        return [
            struct.pack("<6I", 0x2, 24, symbols_at, len(rows), strings_at, strings_size),
            struct.pack("<20I", 0xB, 80, *ranges, *[0] * 6, indirect[0], len(spec.indirect), *[0] * 4),
        ]

    def _with_sections(self, text: bytes) -> bytes:
        for index, (name, content, flags, first, size) in enumerate(self.spec.sections):
            at = EXTRA_AT + EXTRA_STEP * index
            text += struct.pack(
                "<16s16sQQ8I", name.encode(), b"__TEXT", at, len(content), at, 2, 0, 0, flags, first, size, 0
            )
        count = 1 + len(self.spec.sections)
        return text[:4] + struct.pack("<I", len(text)) + text[8:64] + struct.pack("<I", count) + text[68:]

    def _segment(
        self, name: str, offset: int, size: int, section: str | None = None, *, at: int = 0, length: int = 0
    ) -> bytes:
        count = 1 if section else 0
        protection = 5 if name == "__TEXT" else 1
        data = struct.pack(
            "<II16sQQQQiiII",
            0x19,
            72 + 80 * count,
            name.encode(),
            offset,
            -(-size // _PAGE) * _PAGE,
            offset,
            size,
            protection,
            protection,
            count,
            0,
        )
        if section:
            flags = 0x80000400 if section == "__text" else 0x02000000
            data += struct.pack("<16s16sQQ8I", section.encode(), name.encode(), at, length, at, 2, 0, 0, flags, 0, 0, 0)
        return data


def _with_string(number: int, fields: bytes, text: str) -> bytes:
    body = fields + text.encode("utf-8", errors="surrogateescape") + b"\0"
    size = -(-(8 + len(body)) // 8) * 8
    return struct.pack("<II", number, size) + body.ljust(size - 8, b"\0")
