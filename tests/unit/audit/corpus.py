"""Broken wheels, at least one for each rule, made from sound ones."""

from __future__ import annotations

import dataclasses
import io
import stat
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.audit.subject import Promise
from forge.base.target import Abi, Arch, Target
from forge.macho.sign import sign_ad_hoc
from tests.unit.macho import builder
from tests.unit.macho.builder import fat, macho
from tests.unit.wheel.wheels import make_wheel, wheel_text

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


def encrypted() -> bytes:
    """A library whose LC_ENCRYPTION_INFO_64 says that it is."""
    data = macho(encrypted=True)
    at = data.index(struct.pack("<2I", 0x2C, 24))
    return data[: at + 16] + struct.pack("<I", 1) + data[at + 20 :]


CASES = (
    Case("unreadable-wheel", "cut off", bytes_of(lambda data: data[:-30])),
    Case("unreadable-wheel", "no zip file", bytes_of(lambda _: b"no zip file")),
    Case("unreadable-wheel", "traversal", archive(unchanged, "../evil")),
    Case("unreadable-wheel", "absolute", archive(unchanged, "/etc/evil")),
    Case("unreadable-wheel", "symbolic link", archive(as_link, data=b"/etc/passwd")),
    Case("unreadable-wheel", "backslash", archive(unchanged, "..\\evil")),
    Case("unreadable-wheel", "zip bomb", unreadable_bomb),
    Case("unreadable-wheel", "name is not UTF-8", bytes_of(not_utf8)),
    Case("unreadable-wheel", "no wheel's name", renamed("example.whl")),
    Case("unreadable-wheel", "of another project", renamed(f"other-1.0-cp313-cp313-{DEVICE}.whl")),
    Case("unreadable-wheel", "no METADATA's name", wheel(metadata="Version: 1.0\n")),
    Case("wrong-name", "METADATA", wheel(metadata="Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")),
    Case("wrong-version", "METADATA", wheel(metadata="Metadata-Version: 2.1\nName: example\nVersion: 2.0\n")),
    Case("not-native", "pure", wheel({"example/__init__.py": b""})),
    Case(
        "not-pure",
        "native",
        wheel({"example/x.so": SOUND}, "py3-none-any"),
        dataclasses.replace(PROMISE, native=False, extensions=()),
    ),
    Case("native-in-purelib", "says pure", wheel(wheel=wheel_text(f"cp313-cp313-{DEVICE}", pure=True))),
    Case("wrong-python-tag", "none with a versioned module", wheel(tag=f"py3-none-{DEVICE}")),
    Case("free-threaded", "abi3t", wheel({"example/x.abi3t.so": SOUND}, f"cp315-abi3t-{DEVICE}")),
    Case("startup-file", "entry point", wheel({MODULE: SOUND, "example.start": b"example:run\n"})),
    Case("startup-file", "import line", wheel({MODULE: SOUND, "example.pth": b"import example\n"})),
    Case("wrong-platform-tag", "not the recipe's", wheel(tag="cp313-cp313-ios_13_0_arm64_iphoneos"), PROMISE),
    Case("tags-disagree", "WHEEL", wheel(wheel=wheel_text("cp313-cp313-ios_13_0_arm64_iphoneos"))),
    Case("record-mismatch", "empty", wheel(record="")),
    Case("invalid-platform-tag", "x86_64 device", wheel(tag="cp313-cp313-ios_13_0_x86_64_iphoneos")),
    Case("invalid-platform-tag", "below 12.0", wheel(tag="cp313-cp313-ios_11_0_arm64_iphoneos")),
    Case("invalid-platform-tag", "minor above 9", wheel(tag="cp313-cp313-ios_13_10_arm64_iphoneos")),
    Case("invalid-platform-tag", "ABI first", wheel(tag="cp313-cp313-ios_13_0_iphoneos_arm64")),
    Case("invalid-platform-tag", "unknown", wheel(tag="cp313-cp313-ios_13_0_riscv_iphoneos")),
    Case(
        "several-targets",
        "two simulators",
        wheel(
            {SIMULATOR_MODULE: SIGNED},
            f"cp313-cp313-{ARM_SIMULATOR}.ios_12_0_x86_64_iphonesimulator",
            wheel=wheel_text(f"cp313-cp313-{ARM_SIMULATOR}", "cp313-cp313-ios_12_0_x86_64_iphonesimulator"),
        ),
    ),
    Case("missing-target", "no simulators", several(DEVICE)),
    Case("missing-target", "one simulator", several(DEVICE, "ios_13_0_arm64_iphonesimulator")),
    Case("wrong-suffix", "simulator's", wheel({SIMULATOR_MODULE: SOUND})),
    Case("wrong-suffix", "Linux's", wheel({"example/x.cpython-313-x86_64-linux-gnu.so": SOUND})),
    Case("wrong-suffix", "newer than the tag", wheel({"example/x.abi3-iphoneos.so": SOUND}, f"cp313-abi3-{DEVICE}")),
    Case("wrong-suffix", "of one Python in abi3", wheel(tag=f"cp39-abi3-{DEVICE}")),
    Case("missing-extension", "promised", wheel(), dataclasses.replace(PROMISE, extensions=("example.gone",))),
    Case("foreign-binary", "ELF", wheel({MODULE: b"\x7fELF\2\1\1\0"})),
    Case("malformed-macho", "cut off", wheel({MODULE: SOUND[:500]})),
    Case("malformed-macho", "size of a command", wheel({MODULE: SOUND[:36] + b"\7" + SOUND[37:]})),
    Case("malformed-macho", "binds a name that is in no symbol table", wheel(sound(binds=bound("_ptrace")))),
    Case("malformed-macho", "the same, lazily", wheel(sound(lazy_binds=bound("_ptrace")))),
    Case("malformed-macho", "32 bits", wheel({MODULE: b"\xce\xfa\xed\xfe" + SOUND[4:]})),
    Case("unsignable-layout", "bytes behind __LINKEDIT", wheel({MODULE: SOUND + bytes(16)})),
    Case("fat-binary", "one slice", wheel({MODULE: fat(SOUND)})),
    Case("wrong-cpu", "x86_64", wheel(sound(cpu=builder.X86_64))),
    Case("wrong-cpu", "arm64e", wheel(sound(cpu=builder.ARM64E))),
    Case("wrong-platform", "macOS", wheel(sound(platform=builder.MACOS))),
    Case("wrong-platform", "simulator", wheel(sound(platform=builder.SIMULATOR))),
    Case("wrong-platform", "none", wheel(sound(platform=None))),
    Case("minos-too-high", "12.1", wheel(sound(minos=(12, 1)))),
    Case("not-a-dylib", "bundle", wheel(sound(file_type=builder.BUNDLE, install_name=None))),
    Case("foreign-library", "Homebrew's", wheel(loads("/opt/homebrew/lib/libz.dylib"))),
    Case("foreign-library", "not in normal form", wheel(loads("/usr/lib/../../x/libz.dylib"))),
    Case("unanswered-library", "rpath", wheel(loads("@rpath/libz.dylib"))),
    Case("no-init-function", "another name", wheel(sound(exports=("_PyInit_y",)))),
    Case("unbound-symbols", "Python's", wheel(sound(imports=(("_PyList_New", builder.DYNAMIC_LOOKUP, False),)))),
    Case(
        "unbound-symbols",
        "of a library that is not known",
        wheel(
            sound(
                loads=((builder.SYSTEM, builder.LOAD), (f"{FRAMEWORKS}Metal.framework/Metal", builder.LOAD)),
                imports=(("_MTLCreateSystemDefaultDevice", builder.DYNAMIC_LOOKUP, False),),
            )
        ),
    ),
    Case("missing-symbol", "dynamic lookup", wheel(sound(imports=(("_z", builder.DYNAMIC_LOOKUP, False),)))),
    Case("unavailable-symbol", "dynamic lookup", wheel(sound(imports=(("_system", builder.DYNAMIC_LOOKUP, False),)))),
    Case("newer-symbol", "dynamic lookup", wheel(sound(imports=(("_aligned_alloc", builder.DYNAMIC_LOOKUP, False),)))),
    Case("unbound-symbols", "flat", wheel(sound(flags=0x5))),
    Case("private-framework", "X", wheel(loads("/System/Library/PrivateFrameworks/X.framework/X"))),
    Case("macos-library", "AppKit", wheel(loads(f"{FRAMEWORKS}AppKit.framework/Versions/C/AppKit"))),
    Case("macos-library", "libcurl", wheel(loads("/usr/lib/libcurl.4.dylib"))),
    Case("newer-library", "CryptoKit", wheel(loads(f"{FRAMEWORKS}CryptoKit.framework/CryptoKit"))),
    Case("unknown-library", "framework", wheel(loads(f"{FRAMEWORKS}Nobody.framework/Nobody"))),
    Case("unknown-library", "library", wheel(loads("/usr/lib/libnobody.1.dylib"))),
    Case("unavailable-symbol", "NSLinkModule", wheel(imports("_NSLinkModule"))),
    Case("newer-symbol", "aligned_alloc", wheel(imports("_aligned_alloc"))),
    Case(
        "newer-symbol",
        "libc++",
        wheel(imports("__ZNSt3__122__libcpp_verbose_abortEPKcz", library="/usr/lib/libc++.1.dylib")),
    ),
    Case("unknown-symbol", "libSystem", wheel(imports("_no_such_function"))),
    Case("unknown-symbol", "zlib", wheel(imports("_crc64", library="/usr/lib/libz.1.dylib"))),
    Case("non-public-symbol", "libffi exported", wheel(sound(exports=("_PyInit_x", "_ffi_call", "_ffi_type_double")))),
    Case("non-public-symbol", "BLAS exported", wheel(sound(exports=("_PyInit_x", "_dcopy_")))),
    Case(
        "non-public-symbol",
        "BLAS imported",
        wheel(imports("_dgemm_", library=f"{FRAMEWORKS}Accelerate.framework/Accelerate")),
    ),
    Case(
        "outside-limited-api",
        "private",
        wheel(imports("__PyUnicode_Ready", ordinal=1, module="example/x.abi3.so"), f"cp39-abi3-{DEVICE}"),
    ),
    Case(
        "outside-limited-api",
        "later",
        wheel(imports("_PyType_GetName", ordinal=1, module="example/x.abi3.so"), f"cp39-abi3-{DEVICE}"),
    ),
    Case(
        "outside-limited-api",
        "in a wheel of one Python",
        wheel(imports("_PyUnstable_Long_IsCompact", ordinal=1, module="example/x.abi3.so")),
    ),
    Case(
        "invalid-signature",
        "changed after it was made",
        wheel({SIMULATOR_MODULE: SIGNED.replace(b"hello", b"HELLO")}, f"cp313-cp313-{ARM_SIMULATOR}"),
    ),
    Case("invalid-signature", "on the device", wheel({MODULE: sign_ad_hoc(SOUND).replace(b"hello", b"HELLO")})),
    Case(
        "unsigned-simulator-binary",
        "none",
        wheel({SIMULATOR_MODULE: macho(SIMULATOR_SPEC)}, f"cp313-cp313-{ARM_SIMULATOR}"),
    ),
    Case("signed-device-binary", "ad hoc", wheel({MODULE: sign_ad_hoc(SOUND)})),
    Case("text-relocations", "section", wheel({MODULE: with_section(SOUND, "__text", flags=0x80000500)})),
    Case("executable-stack", "flag", wheel(sound(flags=0x120085))),
    Case("writable-code", "text", wheel({MODULE: with_protection(SOUND, "__TEXT", 7)})),
    Case("debug-information", "debug map", wheel(sound(stabs=("x.o",)))),
    Case("debug-information", "DWARF", wheel(sound(extra_section=("__DWARF", "__debug_info")))),
    Case(
        "runs-code-at-load",
        "pointers",
        wheel({MODULE: with_section(macho(INIT_SECTION), "__mod_init_func", flags=9, size=16)}),
    ),
    Case(
        "runs-code-at-load",
        "offsets",
        wheel({MODULE: with_section(macho(OFFSET_SECTION), "__init_offsets", flags=0x16, size=4)}),
    ),
    Case("python-at-load", "constructor", wheel({MODULE: macho(PYTHON_AT_LOAD)})),
    Case("text-relocations", "rebase", wheel(sound(rebases=b"\x11\x20\x10\x51"))),
    Case("install-name", "build directory", wheel(sound(install_name="build/lib/x.so"))),
    Case("absolute-rpath", "build directory", wheel(sound(rpaths=("/opt/lib",)))),
    Case(
        "build-path-in-load-command",
        "rpath",
        wheel(sound(rpaths=(f"@loader_path{BUILD}",))),
        dataclasses.replace(PROMISE, forbidden_prefixes=(BUILD,)),
    ),
    Case("build-path-in-binary", "guessed", wheel(sound(strings=b"\0/Users/runner/work/x.c\0"))),
    Case(
        "build-path-in-binary",
        "known",
        wheel(sound(strings=f"{BUILD}/x.c\0".encode())),
        dataclasses.replace(PROMISE, forbidden_prefixes=(BUILD,)),
    ),
    Case(
        "build-path-in-file",
        "text",
        wheel({MODULE: SOUND, "example/config.py": f"P = '{BUILD}'".encode()}),
        dataclasses.replace(PROMISE, forbidden_prefixes=(BUILD,)),
    ),
    Case(
        "invalid-framework-name",
        "letters",
        wheel({"exämple/x.so": SOUND}),
    ),
    Case(
        "framework-name-clash",
        "abi3 beside cpython",
        wheel({MODULE: SOUND, "example/x.abi3.so": SOUND}),
    ),
    Case("dotted-directory", "vendored", wheel({MODULE: SOUND, "example.libs/x.so": SOUND})),
    Case("dotted-directory", "hidden", wheel({MODULE: SOUND, "example/.dylibs/x.so": SOUND})),
    Case("file-not-for-apps", "dylib", wheel({MODULE: SOUND, "example/libz.dylib": macho(exports=("_z",))})),
    Case("file-not-for-apps", "program", wheel({MODULE: SOUND, "example/run": macho(file_type=2)})),
    Case("static-archive", "object", wheel({MODULE: SOUND, "example/x.o": macho(file_type=1, install_name=None)})),
    Case("file-not-for-apps", "ELF", wheel({MODULE: SOUND, "example/run": b"\x7fELF\2\1\1\0"})),
    Case("file-not-for-apps", "for builds", wheel({MODULE: SOUND, "opt/lib/libz.dylib": macho(exports=("_z",))})),
    Case(
        "file-not-for-apps",
        "XCframework",
        wheel({MODULE: SOUND, "SDL3.xcframework/ios-arm64/SDL3": macho(exports=("_z",))}),
    ),
    Case("file-not-for-apps", "only called a library", wheel({MODULE: SOUND, "example/libz.a": b"text"})),
    Case("file-not-for-apps", "script", wheel({MODULE: SOUND, "example-1.0.data/scripts/run": macho(file_type=2)})),
    Case("static-archive", "unknown", wheel({MODULE: SOUND, "example/libz.a": b"!<arch>\n"})),
    Case("static-archive", "numpy's", wheel({MODULE: SOUND, "numpy/_core/lib/libnpymath.a": b"!<arch>\n"})),
    Case("missing-privacy-manifest", "OpenSSL", wheel(sound(strings=OPENSSL))),
    Case("invalid-metadata", "requirement", wheel(metadata=METADATA + "Requires-Dist: numpy >>== 3\n")),
    Case("invalid-metadata", "Python", wheel(metadata=METADATA + "Requires-Python: three\n")),
    Case("invalid-metadata", "no version of itself", wheel(metadata="Name: example\nVersion: 1.0\n")),
    Case(
        "invalid-metadata",
        "entry points",
        wheel({MODULE: SOUND, "example-1.0.dist-info/entry_points.txt": b"[console_scripts\nx = y\n"}),
    ),
    Case("missing-install-name", "none", wheel(sound(install_name=None))),
    Case("bitcode", "segment", wheel({MODULE: macho(dwarf=bytes(0x1000)).replace(b"__DWARF\0", b"__LLVM\0\0")})),
    Case("encrypted", "by a store", wheel({MODULE: encrypted()})),
    Case("refused-by-dyld", "over another", wheel(sound(extra_commands=OVERLAPPING, extra_count=1))),
    Case("newer-load-command", "chained fixups", wheel(sound(chained=bytes(32), trie=b""))),
    Case(
        "wrong-python-library", "3.14", wheel({MODULE: SOUND.replace(linked_python(0x10000), linked_python(0x30E00))})
    ),
    Case("unmet-requirement", "not given", requiring("numpy>=2; sys_platform == 'ios'")),
    Case("unmet-requirement", "placeholder", requiring("other==2.33.2")),
    Case("duplicate-load-command", "search path", wheel(sound(rpaths=("@loader_path", "@loader_path")))),
    Case("path-clash", "case", wheel({MODULE: SOUND, "example/a.py": b"", "example/A.py": b""})),
    Case("path-clash", "twice", wheel({MODULE: SOUND, "a.py": b"", "example-1.0.data/purelib/a.py": b""})),
    Case("path-clash", "file and directory", wheel({MODULE: SOUND, "a": b"", "example-1.0.data/purelib/a/b": b""})),
    Case("invalid-framework-name", "too long", wheel({f"{'x' * 130}/{'y' * 130}/z.so": SOUND_Z})),
    Case("path-clash", "Unicode", wheel({MODULE: SOUND, "example/\xe9": b"", "example/e\u0301": b""})),
    Case("required-reason-api", "stat", wheel(sound(imports=(("_fstat", 2, False),)))),
    Case("invalid-privacy-manifest", "text", wheel({MODULE: SOUND, "example/x.xcprivacy": b"text"})),
    Case("invalid-framework-name", "Python's own", wheel({"python.so": macho(exports=("_PyInit_python",))})),
    Case("file-not-for-apps", "dSYM", wheel({MODULE: SOUND, "x.dSYM/x": macho(file_type=10, install_name=None)})),
    Case("path-clash", "data", wheel({MODULE: SOUND, f"example-1.0.data/data/{MODULE}": SOUND})),
    Case("not-pure", "tagged for any", wheel({"example/x.so": SOUND}, "py3-none-any")),
    Case("large", "wheel and code", wheel(), tiny_limits=True),
)
