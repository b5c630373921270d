from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge.emulate.runtime import constants
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.model import Dependency, ExportKind, Link
from forge.emulate.runtime.reader import read_image
from tests.unit.effort import cases
from tests.unit.emulate.loader import fuzz
from tests.unit.emulate.loader.samples import (
    ARM64,
    CHAINED,
    CLASSIC,
    LOAD,
    PAGE,
    REEXPORT,
    SYSTEM,
    THREADED,
    UPWARD,
    WEAK,
    X86_64,
    Sample,
)
from tests.unit.macho import builder

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

CPU = X86_64[0]


def changed(**fields: object) -> bytes:
    return dataclasses.replace(CLASSIC, **fields).bytes()  # type: ignore[arg-type]  # tests name Sample's fields


def problem(data: bytes, cpu: int = CPU) -> str:
    with pytest.raises(MachOImportError) as caught:
        read_image(data, cpu)
    return caught.value.problem


def test_what_a_file_says() -> None:
    loads = (("/a", LOAD), ("/b", WEAK), ("/c", REEXPORT), ("/d", UPWARD))
    image = read_image(changed(loads=loads, rpaths=("@loader_path",)), CPU)
    assert image.dependencies == (
        Dependency("/a", Link.LOAD),
        Dependency("/b", Link.WEAK),
        Dependency("/c", Link.REEXPORT),
        Dependency("/d", Link.UPWARD),
    )
    assert image.rpaths == ("@loader_path",)
    assert (image.install_name, image.platform, image.minimum_os) == ("@rpath/libsample.dylib", 7, "13.0")
    assert [(s.name, s.at, s.size, s.writable) for s in image.segments] == [
        ("__TEXT", 0, PAGE, False),
        ("__DATA", PAGE, PAGE, True),
        ("__LINKEDIT", 2 * PAGE, PAGE, False),
    ]
    assert image.size == 3 * PAGE


def test_a_file_linked_for_an_address_counts_from_it() -> None:
    image = read_image(changed(preferred=0x1_0000_0000), CPU)
    assert image.preferred == 0x1_0000_0000
    assert list(image.fixups.slides) == [PAGE, PAGE + 8]


def test_the_slice_of_a_fat_file() -> None:
    arm, intel = dataclasses.replace(CLASSIC, cpu=ARM64).bytes(), CLASSIC.bytes()
    data = builder.fat(arm, intel)
    assert read_image(data, constants.CPU_X86_64).cpu_type == constants.CPU_X86_64
    assert read_image(data, constants.CPU_ARM64).cpu_type == constants.CPU_ARM64


def test_data_const_is_writable_for_fixups_only() -> None:
    segment = read_image(changed(data_flags=0x10), CPU).segments[1]
    assert segment.writable
    assert segment.read_only_after


def test_exports_of_the_symbol_table_where_there_is_no_trie() -> None:
    symbols = (
        ("_plain", 0x0F, 1, 0, 0x800),
        ("_weak", 0x0F, 1, 0x80, 0x808),
        ("_absolute", 0x03, 0, 0, 0x1234),
        ("_private", 0x1F, 1, 0, 0x810),
        ("_wanted", 0x01, 0, 0x100, 0),
    )
    exports = read_image(changed(trie=b"", symbols=symbols), CPU).exports
    assert {name: (e.kind, e.value, e.weak) for name, e in exports.items()} == {
        "_plain": (ExportKind.REGULAR, 0x800, False),
        "_weak": (ExportKind.REGULAR, 0x808, True),
        "_absolute": (ExportKind.ABSOLUTE, 0x1234, False),
    }


def test_a_name_that_is_not_utf8_comes_back() -> None:
    assert read_image(changed(install_name="caf\udce9"), CPU).install_name == "caf\udce9"


def test_thread_locals() -> None:
    found = read_image(THREADED.bytes(), CPU).thread_locals
    assert found is not None
    assert found.descriptors == (PAGE,)
    assert (found.template_at, found.content_size, found.size, found.alignment) == (PAGE + 24, 8, PAGE + 40, 64)


def test_names_for_reports_are_where_the_image_has_them() -> None:
    data = CLASSIC.bytes()
    symbols = read_image(data, CPU).symbols
    assert symbols is not None
    assert data[symbols.strings_at : symbols.strings_at + symbols.strings_size] == b"\0_exported\0_local\0"
    assert symbols.count == 2


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xcf\xfa\xed\xfe", id="four bytes"),
        pytest.param(b"\x7fELF".ljust(64, b"\0"), id="ELF"),
        pytest.param(changed(cpu=ARM64), id="other CPU"),
        pytest.param(changed(file_type=2), id="a program"),
        pytest.param(CLASSIC.bytes()[:0x900], id="cut off"),
        pytest.param(changed(extra=(struct.pack("<II", 0x80000099, 8),)), id="unknown required command"),
        pytest.param(changed(extra=(struct.pack("<II", 0x99, 9),)), id="odd command size"),
        pytest.param(changed(extra=(struct.pack("<6I", 0x2C, 24, 0, 0, 1, 0),)), id="encrypted"),
        pytest.param(changed(data_protection=7), id="writable and executable"),
        pytest.param(changed(data_protection=1), id="fixups in read-only data"),
        pytest.param(changed(sections=(("__x", PAGE - 4, 8, 0, 0),)), id="section outside its segment"),
        pytest.param(changed(sections=(("__thread_vars", 0, 20, 0x13, 3),)), id="half a descriptor"),
        pytest.param(dataclasses.replace(THREADED, data=bytes(16) + b"\xff\xff" + bytes(9)).bytes(), id="TLV outside"),
        pytest.param(builder.fat(changed(cpu=ARM64)), id="fat without the CPU"),
        pytest.param(struct.pack(">II", 0xCAFEBABE, 45) + bytes(200), id="a Java class"),
    ],
)
def test_what_is_refused(data: bytes, snapshot: SnapshotAssertion) -> None:
    assert problem(data) == snapshot


def test_arm64e_is_refused(snapshot: SnapshotAssertion) -> None:
    assert problem(changed(cpu=(ARM64[0], 2)), ARM64[0]) == snapshot


def test_the_error_is_an_import_error_with_the_path() -> None:
    error = MachOImportError("no segments").at("/a/b.so")
    assert isinstance(error, ImportError)
    assert (str(error), error.path) == ("/a/b.so: no segments", "/a/b.so")
    assert error.at("/other") is error


@pytest.mark.parametrize("sample", [CLASSIC, CHAINED, THREADED, Sample(loads=((SYSTEM, LOAD),))])
def test_every_prefix_of_a_file_is_read_or_refused(sample: Sample) -> None:
    data = sample.bytes()
    for size in [*range(0, 0x500, 7), *range(0x500, len(data), 61)]:
        fuzz.read(data[:size])


@settings(max_examples=cases(100))
@given(chance=st.randoms(use_true_random=False), which=st.sampled_from(fuzz.SOUND))
def test_damaged_files_are_read_or_refused(chance: object, which: bytes) -> None:
    fuzz.read(fuzz.mutate(which, chance))  # type: ignore[arg-type]  # hypothesis' Random is typed as its own class


@given(st.binary(max_size=400))
def test_anything_behind_a_sound_header_is_read_or_refused(rest: bytes) -> None:
    header = struct.pack("<8I", 0xFEEDFACF, *X86_64, 6, 4, len(rest), 0x85, 0)
    fuzz.read((header + rest).ljust(2 * PAGE, b"\0"))
