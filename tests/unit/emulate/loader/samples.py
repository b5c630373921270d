"""A writer of small dylibs with every table that a dynamic linker reads, for the loader's tests."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

X86_64, ARM64 = (0x01000007, 3), (0x0100000C, 0)
PAGE = 0x1000
DATA_AT = PAGE
LINKEDIT_AT = 2 * PAGE
LOAD, WEAK, REEXPORT, UPWARD = 0xC, 0x80000018, 0x8000001F, 0x80000023
SYSTEM = "/usr/lib/libSystem.B.dylib"


@dataclass(frozen=True)
class Sample:
    """What to write: __TEXT (read, execute), __DATA (read, write), __LINKEDIT.

    Args:
        data: The contents of __DATA, at most a page.
        data_size: Its bytes in memory; 0 for a page.
        sections: Of __DATA: name, offset in it, size, flags, alignment exponent.
        text_sections: The same of __TEXT.
    """

    cpu: tuple[int, int] = X86_64
    file_type: int = 6
    flags: int = 0x85
    preferred: int = 0
    text: bytes = b"\xc3" * 64
    text_at: int = 0x800
    data: bytes = bytes(256)
    data_size: int = 0
    data_flags: int = 0
    data_protection: int = 3
    sections: tuple[tuple[str, int, int, int, int], ...] = ()
    text_sections: tuple[tuple[str, int, int, int, int], ...] = ()
    loads: tuple[tuple[str, int], ...] = ((SYSTEM, LOAD),)
    rpaths: tuple[str, ...] = ()
    install_name: str | None = "@rpath/libsample.dylib"
    rebase: bytes = b""
    bind: bytes = b""
    weak: bytes = b""
    lazy: bytes = b""
    chained: bytes | None = None
    trie: bytes = b""
    symbols: tuple[tuple[str, int, int, int, int], ...] = ()
    extra: tuple[bytes, ...] = field(default=())

    def bytes(self) -> bytes:
        """The file."""
        linkedit = bytearray()

        def put(table: bytes) -> tuple[int, int]:
            at = LINKEDIT_AT + len(linkedit)
            linkedit.extend(table.ljust(-(-len(table) // 8) * 8, b"\0"))
            return (at, len(table)) if table else (0, 0)

        commands: list[bytes] = []
        if self.install_name is not None:
            commands.append(string_command(0xD, struct.pack("<4I", 24, 1, 0, 0), self.install_name))
        if self.chained is not None:
            commands.append(struct.pack("<4I", 0x80000034, 16, *put(self.chained)))
            commands.append(struct.pack("<4I", 0x80000033, 16, *put(self.trie)))
        else:
            pairs = [put(t) for t in (self.rebase, self.bind, self.weak, self.lazy, self.trie)]
            commands.append(struct.pack("<12I", 0x80000022, 48, *(n for pair in pairs for n in pair)))
        if self.symbols:
            strings, rows = b"\0", b""
            for name, kind, section, description, value in self.symbols:
                rows += struct.pack("<IBBHQ", len(strings), kind, section, description, value)
                strings += name.encode() + b"\0"
            first, _ = put(rows)
            commands.append(struct.pack("<6I", 0x2, 24, first, len(self.symbols), *put(strings)))
        commands.append(struct.pack("<6I", 0x32, 24, 7, 13 << 16, 17 << 16, 0))
        commands += [string_command(kind, struct.pack("<4I", 24, 2, 0, 0), name) for name, kind in self.loads]
        commands += [string_command(0x8000001C, struct.pack("<I", 12), path) for path in self.rpaths]
        commands += self.extra
        base = self.preferred
        segments = [
            segment("__TEXT", base, PAGE, 0, PAGE, 5, 0, self.text_sections, base),
            segment(
                "__DATA", base + DATA_AT, self.data_size or PAGE, DATA_AT, PAGE, self.data_protection, self.data_flags,
                self.sections, base + DATA_AT,
            ),
            segment(
                "__LINKEDIT", base + max(LINKEDIT_AT, DATA_AT + -(-(self.data_size or PAGE) // PAGE) * PAGE),
                -(-(len(linkedit) or 1) // PAGE) * PAGE, LINKEDIT_AT, len(linkedit), 1, 0, (), 0,
            ),
        ]  # fmt: skip
        body = b"".join(segments + commands)
        count = len(segments) + len(commands)
        header = struct.pack("<8I", 0xFEEDFACF, *self.cpu, self.file_type, count, len(body), self.flags, 0)
        assert len(header + body) <= self.text_at
        text = (header + body).ljust(self.text_at, b"\0") + self.text
        return text.ljust(PAGE, b"\0") + self.data.ljust(PAGE, b"\0") + bytes(linkedit)


def segment(
    name: str, address: int, size: int, offset: int, file_size: int, protection: int, flags: int,
    sections: tuple[tuple[str, int, int, int, int], ...], sections_at: int,
) -> bytes:  # fmt: skip
    """An ``LC_SEGMENT_64``."""
    data = struct.pack(
        "<II16sQQQQiiII", 0x19, 72 + 80 * len(sections), name.encode(), address, size, offset, file_size,
        protection, protection, len(sections), flags,
    )  # fmt: skip
    for section, at, length, kind, align in sections:
        data += struct.pack(
            "<16s16sQQ8I", section.encode(), name.encode(), sections_at + at, length, offset + at, align, 0, 0, kind,
            0, 0, 0,
        )  # fmt: skip
    return data


def string_command(number: int, fields: bytes, text: str) -> bytes:
    """A load command that ends in a string."""
    body = fields + text.encode("utf-8", "surrogateescape") + b"\0"
    size = -(-(8 + len(body)) // 8) * 8
    return struct.pack("<II", number, size) + body.ljust(size - 8, b"\0")


def trie(*entries: tuple[str, bytes]) -> bytes:
    """An export trie with one edge for each name; what stands at its end as given."""
    root_size = 2 + sum(len(name.encode()) + 3 for name, _ in entries)
    root, nodes = bytearray([0, len(entries)]), b""
    for name, terminal in entries:
        at = root_size + len(nodes)
        root += name.encode() + b"\0" + bytes([at & 0x7F | 0x80, at >> 7])
        nodes += bytes([len(terminal)]) + terminal + b"\0"
    return bytes(root) + nodes


def chained(
    imports: tuple[tuple[int, int, int], ...] = ((1, 0, 0),),
    names: tuple[str, ...] = ("_malloc",),
    *,
    pointer_format: int = 6,
    imports_format: int = 1,
    starts: tuple[int, ...] = (0,),
    symbols_format: int = 0,
) -> bytes:
    """Chained fixups of __DATA; imports are (ordinal, weak, addend), *starts* the pages' first fixups."""
    symbols, offsets = b"\0", []
    for name in names:
        offsets.append(len(symbols))
        symbols += name.encode() + b"\0"
    table = b""
    for (ordinal, weak, addend), offset in zip(imports, offsets, strict=True):
        if imports_format == 3:
            table += struct.pack("<Qq", ordinal & 0xFFFF | weak << 16 | offset << 32, addend)
        else:
            table += struct.pack("<I", ordinal & 0xFF | weak << 8 | offset << 9)
            table += struct.pack("<i", addend) if imports_format == 2 else b""
    in_segment = struct.pack("<IHHQIH", 22 + 2 * len(starts), PAGE, pointer_format, DATA_AT, 0, len(starts))
    in_segment += struct.pack(f"<{len(starts)}H", *starts)
    in_image = struct.pack("<4I", 3, 0, 16, 0) + in_segment
    starts_at = 32
    imports_at = starts_at + -(-len(in_image) // 8) * 8
    symbols_at = imports_at + len(table)
    header = struct.pack("<7I", 0, starts_at, imports_at, symbols_at, len(imports), imports_format, symbols_format)
    return header.ljust(32, b"\0") + in_image.ljust(imports_at - starts_at, b"\0") + table + symbols


def rebase_64(target: int, next_words: int = 0, high: int = 0) -> bytes:
    """A chained pointer into the image."""
    return struct.pack("<Q", target | high << 36 | next_words << 51)


def bind_64(ordinal: int, next_words: int = 0, addend: int = 0) -> bytes:
    """A chained import."""
    return struct.pack("<Q", ordinal | addend << 24 | next_words << 51 | 1 << 63)


CLASSIC = Sample(
    rebase=b"\x11\x21\x00\x52\x00",
    bind=b"\x11\x40_malloc\0\x51\x71\x20\x90\x00",
    lazy=b"\x71\x28\x11\x40_free\0\x90\x00",
    weak=b"\x40__Znwm\0\x51\x71\x30\x90\x00",
    trie=trie(("_exported", b"\x00\x80\x10"), ("_weak", b"\x04\x90\x10")),
    symbols=(("_exported", 0x0F, 1, 0, 0x800), ("_local", 0x0E, 1, 0, 0x810)),
)
"""Two rebases, a bind, a lazy bind, a weak bind, two exports, two symbols."""

CHAINED = Sample(
    chained=chained(((1, 0, 0), (-2, 1, 4)), ("_malloc", "_maybe"), imports_format=2),
    data=rebase_64(0x800, 2) + bind_64(0, 2, 3) + bind_64(1),
    trie=trie(("_exported", b"\x00\x80\x10")),
)
"""One chain of a pointer and two imports, one of them weak with an addend."""

THREADED = Sample(
    data=bytes(24) + struct.pack("<Q", 7) + bytes(24),
    data_size=2 * PAGE,
    sections=(
        ("__thread_vars", 0, 24, 0x13, 3),
        ("__thread_data", 24, 8, 0x11, 3),
        ("__thread_bss", PAGE, 64, 0x12, 6),
    ),
)
"""One thread local, with initial contents and zeros on another page."""
