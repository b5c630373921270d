"""What the corpus of broken wheels is made of: sound wheels, and ways to break them."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.audit.subject import Promise
from forge.base.target import Abi, Arch, Target
from forge.macho.sign import sign_ad_hoc
from forge.wheel.privacy import openssl_manifest
from tests.unit.macho import builder
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DEVICE = "ios_12_0_arm64_iphoneos"
ARM_SIMULATOR = "ios_12_0_arm64_iphonesimulator"
MODULE = "example/x.cpython-313-iphoneos.so"
SIMULATOR_MODULE = "example/x.cpython-313-iphonesimulator.so"
PROMISE = Promise("example", "1.0", Target(Abi.IPHONEOS, Arch.ARM64), "cp313", native=True, extensions=("example.x",))
BUILD = "/build/machine/tree"
SOUND = macho()
SOUND_Z = macho(exports=("_PyInit_z",))
OPENSSL = b'OpenSSL 3.0.16 11 Feb 2025\0OPENSSLDIR: "/usr"\0'


PYTHON_AT_LOAD = builder.Spec(
    sections=(
        ("__code", struct.pack("<I", 0x94000080), 0x80000400, 0, 0),  # bl to the stub, 0x200 bytes on
        ("__stubs", struct.pack("<3I", 0x90000010, 0xF9400210, 0xD61F0200), 0x80000408, 0, 12),
        ("__init_offsets", struct.pack("<I", builder.EXTRA_AT), 0x16, 0, 0),
    ),
    indirect=(1,),  # after the one export
    function_starts=bytes([builder.EXTRA_AT & 0x7F | 0x80, builder.EXTRA_AT >> 7, 0]),
)


@dataclass(frozen=True)
class Case:
    """A wheel that breaks one rule.

    Args:
        rule: The rule's name.
        label: What is wrong with it.
        make: Writes the wheel (or several) into a directory and gives what is to be checked.
        promise: Where only a recipe's promise can be broken so.
        tiny_limits: Whether sizes count from a byte on.
    """

    rule: str
    label: str
    make: Callable[[Path], Path]
    promise: Promise | None = None
    tiny_limits: bool = False


def sound(**changes: Any) -> dict[str, bytes]:
    """The members of a wheel whose one module differs from a sound one."""
    return {MODULE: macho(**changes)}


def with_section(data: bytes, name: str, *, flags: int | None = None, size: int | None = None) -> bytes:
    """A file with a section's flags and size (bytes) changed."""
    changed = bytearray(data)
    at = data.index(name.encode().ljust(16, b"\0") + b"__")
    if size is not None:
        struct.pack_into("<Q", changed, at + 40, size)
    if flags is not None:
        struct.pack_into("<I", changed, at + 64, flags)
    return bytes(changed)


def with_atomics() -> tuple[str, bytes, int, int, int]:
    """A section of arm64 code as for an M1: moves, ``ldaddal w0, w0, [x1]``, moves."""
    moves = [0xAA0103E0] * 8
    return "__more", struct.pack("<17I", *moves, 0xB8E00020, *moves), 0x80000400, 0, 0


def with_protection(data: bytes, segment: str, protection: int) -> bytes:
    """A file with a segment's initial protection changed."""
    changed = bytearray(data)
    at = data.index(b"\x19\0\0\0" + data[data.index(segment.encode().ljust(16, b"\0")) - 4 :][:4] + segment.encode())
    struct.pack_into("<i", changed, at + 60, protection)
    return bytes(changed)


def wheel(
    files: Mapping[str, bytes] | None = None, tag: str = f"cp313-cp313-{DEVICE}", **changes: object
) -> Callable[[Path], Path]:
    """Writes a wheel of *files*; *changes* are `make_wheel`'s."""
    contents = {MODULE: SOUND} if files is None else files
    return lambda directory: make_wheel(directory, contents, tag=tag, **changes)  # type: ignore[arg-type]  # its own fields


def archive(
    change: Callable[[zipfile.ZipInfo], None], name: str = "example/evil", data: bytes = b""
) -> Callable[[Path], Path]:
    """Writes a wheel with one member more, whose header *change* alters."""

    def make(directory: Path) -> Path:
        path = make_wheel(directory, {MODULE: SOUND}, tag=f"cp313-cp313-{DEVICE}")
        with zipfile.ZipFile(path, "a") as out:
            entry = zipfile.ZipInfo("x", (2024, 1, 1, 0, 0, 0))
            entry.filename = name
            entry.compress_type = zipfile.ZIP_DEFLATED
            change(entry)
            out.writestr(entry, data)
        return path

    return make


def bytes_of(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    """Writes a wheel whose bytes *change* alters."""

    def make(directory: Path) -> Path:
        path = make_wheel(directory, {MODULE: SOUND}, tag=f"cp313-cp313-{DEVICE}")
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def several(*tags: str) -> Callable[[Path], Path]:
    """Writes a directory of sound wheels."""

    def make(directory: Path) -> Path:
        for tag in tags:
            simulator = tag.endswith("simulator")
            cpu = builder.X86_64 if "x86_64" in tag else builder.ARM64
            minos = (14, 0) if simulator and cpu == builder.ARM64 else (12, 0)
            data = macho(cpu=cpu, platform=builder.SIMULATOR if simulator else builder.IOS, minos=minos)
            if simulator and cpu == builder.ARM64:
                data = sign_ad_hoc(data)
            make_wheel(directory, {SIMULATOR_MODULE if simulator else MODULE: data}, tag=f"cp313-cp313-{tag}")
        return directory

    return make


def unreadable_bomb(directory: Path) -> Path:
    """Writes a wheel with 32 MiB of zeros, which pack to 32 KiB."""
    return make_wheel(directory, {MODULE: SOUND, "example/zeros": bytes(32 << 20)}, tag=f"cp313-cp313-{DEVICE}")


def not_utf8(data: bytes) -> bytes:
    """An archive whose member names are marked as UTF-8 and are not."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("example/é", b"")
    return out.getvalue().replace("é".encode(), b"\xff\xfe")


def renamed(name: str) -> Callable[[Path], Path]:
    """Writes a sound wheel and gives it another name."""

    def make(directory: Path) -> Path:
        return make_wheel(directory, {MODULE: SOUND}, tag=f"cp313-cp313-{DEVICE}").rename(directory / name)

    return make


def as_link(entry: zipfile.ZipInfo) -> None:
    """Makes a member a symbolic link."""
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def unchanged(_entry: zipfile.ZipInfo) -> None:
    """Leaves a member as it is."""


SIMULATOR_SPEC = builder.Spec(platform=builder.SIMULATOR, minos=(14, 0))
SIGNED = sign_ad_hoc(macho(SIMULATOR_SPEC))
INIT_SECTION = builder.Spec(extra_section=("__DATA", "__mod_init_func"))
OFFSET_SECTION = builder.Spec(extra_section=("__TEXT", "__init_offsets"))
FRAMEWORKS = "/System/Library/Frameworks/"


def loads(*names: str, kind: int = builder.LOAD) -> dict[str, bytes]:
    """The members of a wheel whose module loads *names* too."""
    every = ((builder.PYTHON, builder.LOAD), (builder.SYSTEM, builder.LOAD), *((name, kind) for name in names))
    return sound(loads=every)


def imports(*names: str, ordinal: int = 2, module: str = MODULE, library: str | None = None) -> dict[str, bytes]:
    """The members of a wheel whose module imports *names* from libSystem, or from the library of that ordinal."""
    extra = ((library, builder.LOAD),) if library else ()
    every = (("_free", 2, False), *((name, 3 if library else ordinal, False) for name in names))
    return {
        module: macho(loads=((builder.PYTHON, builder.LOAD), (builder.SYSTEM, builder.LOAD), *extra), imports=every)
    }


METADATA = "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n"
PAGE_ZERO = struct.pack("<II16sQQQQiiII", 0x19, 72, b"__PAGEZERO", 0, 1 << 32, 0, 0, 0, 0, 0, 0)
OVERLAPPING = struct.pack("<II16sQQQQiiII", 0x19, 72, b"__DATA", 0x1000, 0x1000, 0, 0, 1, 1, 0, 0)


def linked_python(version: int) -> bytes:
    """What the load command of Python's framework holds for a packed version."""
    return struct.pack("<3I", 2, version, version) + builder.PYTHON.encode()


def requiring(requirement: str) -> Callable[[Path], Path]:
    """Writes a directory with a wheel that requires something, and a pure wheel of another project."""

    def make(directory: Path) -> Path:
        several(*ALL_TAGS)(directory)
        make_wheel(directory, {"other.py": b""}, name="other", tag="py3-none-any", version="0.0.1")
        make_wheel(
            directory,
            {"third.py": b""},
            name="third",
            tag="py3-none-any",
            metadata=f"Metadata-Version: 2.1\nName: third\nVersion: 1.0\nRequires-Dist: {requirement}\n",
        )
        return directory

    return make


ALL_TAGS = ("ios_12_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator", "ios_12_0_x86_64_iphonesimulator")


def bound(name: str) -> bytes:
    """dyld's opcodes that bind a pointer of the first segment to a symbol of the second library."""
    return b"\x12\x40" + name.encode() + b"\0\x51\x70\x00\x90\0"


def chained(*names: str) -> bytes:
    """What LC_DYLD_CHAINED_FIXUPS points to, with imports from the second library and no places."""
    at, entries, strings = 28 + 4, b"", b"\0"
    for name in names:
        entries += struct.pack("<I", 2 | len(strings) << 9)
        strings += name.encode() + b"\0"
    return struct.pack("<8I", 0, 28, at, at + len(entries), len(names), 1, 0, 0) + entries + strings


def zipped(name: str, data: bytes) -> bytes:
    """A zip archive with one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(name, data)
    return out.getvalue()


MANIFEST = openssl_manifest()
LICENSED = "Metadata-Version: 2.4\nName: example\nVersion: 1.0\nLicense-File: LICENSE\n"


def encrypted() -> bytes:
    """A library whose LC_ENCRYPTION_INFO_64 says that it is."""
    data = macho(encrypted=True)
    at = data.index(struct.pack("<2I", 0x2C, 24))
    return data[: at + 16] + struct.pack("<I", 1) + data[at + 20 :]
