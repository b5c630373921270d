from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.macho.edit_strip import strip_debug
from forge.macho.errors import MachOError
from forge.macho.model import Binding, Cpu, FileType, LoadKind, Platform, SignatureKind, Version
from forge.macho.reader import read_macho
from tests.unit.macho import builder
from tests.unit.macho.builder import ad_hoc_signature, fat, macho

if TYPE_CHECKING:
    from pathlib import Path

    from forge.macho.model import MachOSlice


def only(data: bytes) -> MachOSlice:
    file = read_macho(data)
    assert not file.is_fat
    (one,) = file.slices
    return one


def test_extension_module_for_the_device() -> None:
    one = only(macho())
    assert (one.cpu, one.file_type, one.platform) == (Cpu.ARM64, FileType.DYLIB, Platform.IOS)
    assert one.build is not None
    assert one.build.minos == Version(12)
    assert one.build.sdk == Version(17)
    assert one.two_level
    assert one.install_name is not None
    assert one.install_name.name == "@rpath/x.framework/x"
    assert [dylib.name for dylib in one.dylibs] == [builder.PYTHON, builder.SYSTEM]
    assert one.exports_symbol("_PyInit_x")
    assert [(i.name, i.library) for i in one.imports] == [
        ("_PyModule_Create2", builder.PYTHON),
        ("_free", builder.SYSTEM),
    ]
    assert one.uuid == bytes(range(16)).hex()
    assert one.signature is SignatureKind.NONE
    assert one.encryption is None
    assert not one.has_dwarf
    assert not one.has_debug_map
    assert [segment.name for segment in one.segments] == ["__TEXT", "__LINKEDIT"]
    assert one.segments[0].sections[0].name == "__text"


@pytest.mark.parametrize(
    ("cpu", "expected"),
    [(builder.ARM64, "arm64"), (builder.ARM64E, "arm64e"), (builder.X86_64, "x86_64"), ((18, 0), "other")],
)
def test_cpu(cpu: tuple[int, int], expected: str) -> None:
    assert only(macho(cpu=cpu)).cpu == expected


@pytest.mark.parametrize(("cpu", "expected"), [(builder.ARM64, Platform.IOS), (builder.X86_64, Platform.IOS_SIMULATOR)])
def test_version_min_means_the_simulator_on_x86_64(cpu: tuple[int, int], expected: Platform) -> None:
    one = only(macho(cpu=cpu, version_min=True))
    assert one.platform is expected
    assert one.build is not None
    assert one.build.command == "LC_VERSION_MIN_IPHONEOS"


@pytest.mark.parametrize(
    ("number", "label"), [(1, "macOS"), (6, "Mac Catalyst"), (7, "iOS simulator"), (77, "unknown platform")]
)
def test_platform(number: int, label: str) -> None:
    one = only(macho(platform=number))
    assert one.platform.label == label
    assert one.build is not None
    assert one.build.number == number


def test_no_version_command() -> None:
    one = only(macho(platform=None))
    assert one.build is None
    assert one.platform is Platform.UNKNOWN


def test_load_kinds_and_rpaths() -> None:
    loads = (("/usr/lib/libz.1.dylib", builder.WEAK), ("@rpath/y.dylib", builder.REEXPORT))
    one = only(macho(loads=loads, rpaths=("@loader_path/..", "/build"), imports=()))
    assert [dylib.kind for dylib in one.dylibs] == [LoadKind.WEAK, LoadKind.REEXPORT]
    assert one.rpaths == ("@loader_path/..", "/build")


def test_bindings() -> None:
    imports = (("_a", builder.DYNAMIC_LOOKUP, False), ("_b", 0, False), ("_c", 0xFF, False), ("_d", 2, True))
    one = only(macho(imports=imports))
    assert [i.binding for i in one.imports] == [
        Binding.DYNAMIC_LOOKUP,
        Binding.SELF,
        Binding.EXECUTABLE,
        Binding.LIBRARY,
    ]
    assert [i.weak for i in one.imports] == [False, False, False, True]


def test_flat_namespace_binds_to_nothing() -> None:
    one = only(macho(flags=0x85 & ~0x80))
    assert {i.binding for i in one.imports} == {Binding.FLAT}


def test_exports_from_the_symbol_table_where_there_is_no_trie() -> None:
    one = only(macho(trie=b"", exports=("_b", "_a")))
    assert [export.name for export in one.exports] == ["_a", "_b"]


@pytest.mark.parametrize(
    ("signature", "kind"),
    [
        (ad_hoc_signature(), SignatureKind.LINKER),
        (ad_hoc_signature(0x2), SignatureKind.AD_HOC),
        (ad_hoc_signature(0x0, cms=b"signed by somebody"), SignatureKind.SIGNED),
        (ad_hoc_signature(0x2, cms=b""), SignatureKind.AD_HOC),
        (ad_hoc_signature(0x0), SignatureKind.UNKNOWN),
        (b"garbage, of no kind at all", SignatureKind.UNKNOWN),
        (b"short", SignatureKind.UNKNOWN),
    ],
)
def test_signature(signature: bytes, kind: SignatureKind) -> None:
    assert only(macho(signature=signature)).signature is kind


def test_encryption_and_debug_information() -> None:
    one = only(macho(encrypted=True, extra_section=("__DWARF", "__debug_info"), stabs=("/build/x.o",)))
    assert one.encryption is not None
    assert one.encryption.crypt_id == 0
    assert one.has_dwarf
    assert one.has_debug_map


def test_fat_file_even_over_one_slice() -> None:
    two = read_macho(fat(macho(), macho(cpu=builder.X86_64, platform=builder.SIMULATOR)))
    assert two.is_fat
    assert [one.cpu for one in two.slices] == [Cpu.ARM64, Cpu.X86_64]
    assert two.slices[1].offset > 0
    assert read_macho(fat(macho())).is_fat


def test_names_that_are_not_utf8_are_escaped() -> None:
    one = only(macho(loads=(("/usr/lib/\udcff.dylib", builder.LOAD),), imports=()))
    assert one.dylibs[0].name == "/usr/lib/\\xff.dylib"


def test_path_and_its_errors(tmp_path: Path) -> None:
    file = tmp_path / "x.so"
    file.write_bytes(macho())
    assert read_macho(file) == read_macho(macho())
    with pytest.raises(MachOError, match="cannot be read"):
        read_macho(tmp_path / "absent.so")
    file.write_bytes(b"\x7fELF\2\1\1")
    with pytest.raises(MachOError, match=r"x\.so: not a Mach-O file but ELF"):
        read_macho(file)
    with pytest.raises(MachOError, match=r"^y: not a Mach-O file"):
        read_macho(b"", name="y")


def test_version_text() -> None:
    assert str(Version.unpack(0x000D0400)) == "13.4"
    assert str(Version.unpack(0x000D0401)) == "13.4.1"


def test_the_mark_of_strip_is_no_debug_map() -> None:
    assert not read_macho(macho(stabs=("radr://5614542",))).slices[0].has_debug_map
    assert read_macho(macho(stabs=("radr://5614542", "/build/x.o"))).slices[0].has_debug_map


def test_the_mark_of_strip_is_nothing_to_strip() -> None:
    data = macho(stabs=("radr://5614542",))
    assert strip_debug(data) is data
