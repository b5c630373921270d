from __future__ import annotations

import struct
from typing import Any

import pytest

from forge.macho.edit import Edit, apply_edit
from forge.macho.edit_commands import NoRoomError
from forge.macho.errors import MachOError
from forge.macho.model import Dylib, FileType, HeaderFlag, LoadKind, MachOSlice, Version
from forge.macho.reader import read_macho
from tests.unit.macho import builder
from tests.unit.macho.builder import fat, macho

PAGE = 0x1000
SOURCE_VERSION = struct.pack("<IIQ", 0x2A, 16, 0)
EMPTY_DATA_IN_CODE = struct.pack("<IIII", 0x29, 16, 0, 0)


def only(data: bytes) -> MachOSlice:
    (one,) = read_macho(data).slices
    return one


def room(data: bytes) -> int:
    """Where the section must start for the load commands to have exactly the room that they take."""
    return only(data).commands_end


def install_name(data: bytes) -> str | None:
    name = only(data).install_name
    return name.name if name else None


@pytest.mark.parametrize("name", ["@rpath/a.framework/a", "/a", "@rpath/" + "long" * 50])
@pytest.mark.parametrize("cpu", [builder.ARM64, builder.X86_64])
def test_install_name(name: str, cpu: tuple[int, int]) -> None:
    before = macho(cpu=cpu)
    after = apply_edit(before, Edit(install_name=name))
    assert install_name(after) == name
    assert after[PAGE:] == before[PAGE:]
    assert only(after).exports == only(before).exports
    assert only(after).imports == only(before).imports
    assert only(after).dylibs == only(before).dylibs
    assert not any(after[only(after).commands_end : PAGE])


def test_install_name_keeps_the_librarys_versions() -> None:
    identity = struct.pack("<6I", 0xD, 32, 24, 7, 0x20000, 0x10000) + b"old\0\0\0\0\0"
    after = apply_edit(macho(install_name=None, extra_commands=identity, extra_count=1), Edit(install_name="new"))
    assert only(after).install_name == Dylib("new", LoadKind.NORMAL, Version(1), Version(2))


def test_what_is_right_already_is_given_back() -> None:
    data = macho(rpaths=("@loader_path",))
    edit = Edit("@rpath/x.framework/x", True, {builder.SYSTEM: builder.SYSTEM, "/no": "/x"}, ("@loader_path",))
    assert apply_edit(data, edit) is data
    assert apply_edit(data, Edit()) is data


def test_bundle_becomes_a_dylib() -> None:
    before = macho(file_type=builder.BUNDLE, install_name=None, flags=0x85)
    after = apply_edit(before, Edit("@rpath/x.framework/x", make_dylib=True))
    assert only(after).file_type is FileType.DYLIB
    assert only(after).flags == HeaderFlag.NO_REEXPORTED_DYLIBS | 0x85
    assert after == macho(flags=0x100085).replace(macho()[:32], after[:32])


def test_bundle_that_reexports_does_not_claim_otherwise() -> None:
    before = macho(file_type=builder.BUNDLE, install_name=None, flags=0x85, loads=((builder.SYSTEM, builder.REEXPORT),),
                   imports=())  # fmt: skip
    after = apply_edit(before, Edit("x", make_dylib=True))
    assert HeaderFlag.NO_REEXPORTED_DYLIBS not in only(after).flags


def test_dylib_must_have_a_name() -> None:
    with pytest.raises(MachOError, match="a dylib needs an install name"):
        apply_edit(macho(file_type=builder.BUNDLE, install_name=None), Edit(make_dylib=True))


def test_loads() -> None:
    before = macho(
        loads=(("/opt/a", builder.WEAK), ("/opt/b", builder.LOAD), ("/opt/a2", builder.REEXPORT)), imports=()
    )
    after = only(apply_edit(before, Edit(loads={"/opt/a": "@rpath/new.framework/new", "/opt/a2": "/a", "/no": "/n"})))
    assert [(dylib.name, dylib.kind) for dylib in after.dylibs] == [
        ("@rpath/new.framework/new", LoadKind.WEAK),
        ("/opt/b", LoadKind.NORMAL),
        ("/a", LoadKind.REEXPORT),
    ]
    assert after.dylibs[0].current_version == only(before).dylibs[0].current_version


@pytest.mark.parametrize("rpaths", [(), ("@loader_path",), ("@new", "/a"), ("/a", "@loader_path", "/b")])
@pytest.mark.parametrize("old", [("/a", "@loader_path", "/b"), ()])
def test_rpaths(old: tuple[str, ...], rpaths: tuple[str, ...]) -> None:
    after = only(apply_edit(macho(rpaths=old), Edit(rpaths=rpaths)))
    assert after.rpaths == rpaths
    assert after.dylibs == only(macho()).dylibs


def test_rpath_that_is_no_text_is_kept_as_it_is() -> None:
    before = macho(rpaths=("/a", "\udcff"))
    after = apply_edit(before, Edit(rpaths=("\\xff",)))
    assert b"\xff\0" in after
    assert only(after).rpaths == ("\\xff",)


def test_no_room() -> None:
    tight = macho(text_at=room(macho()))
    name = "@rpath/pkg.module.framework/pkg.module"
    with pytest.raises(NoRoomError) as caught:
        apply_edit(tight, Edit(install_name=name))
    assert caught.value.needed - caught.value.available == 16
    assert str(caught.value).startswith("no room for its load commands: ")
    assert install_name(apply_edit(tight, Edit(install_name="@rpath/y.framework/y"))) == "@rpath/y.framework/y"


def test_dispensable_commands_give_room() -> None:
    fields: dict[str, Any] = {"extra_commands": SOURCE_VERSION + EMPTY_DATA_IN_CODE, "extra_count": 2}
    tight = macho(**fields, text_at=room(macho(**fields)))
    one_goes = "@rpath/pkg.module.framework/pkg.module"
    after = apply_edit(tight, Edit(install_name=one_goes))
    assert install_name(after) == one_goes
    assert SOURCE_VERSION not in after
    assert EMPTY_DATA_IN_CODE in after
    both_go = one_goes + "0123456789abcdef"
    after = apply_edit(tight, Edit(install_name=both_go))
    assert install_name(after) == both_go
    assert EMPTY_DATA_IN_CODE not in after
    with pytest.raises(NoRoomError):
        apply_edit(tight, Edit(install_name=both_go + "0123456789"))
    # With room enough, nothing goes.
    assert SOURCE_VERSION in apply_edit(macho(**fields), Edit(install_name=both_go))


def test_compilers_versions_give_room() -> None:
    build = struct.pack("<8I", 0x32, 32, builder.IOS, 0xC0000, 0x110000, 1, 3, 0)
    fields: dict[str, Any] = {"platform": None, "extra_commands": build, "extra_count": 1}
    tight = macho(**fields, text_at=room(macho(**fields)))
    after = apply_edit(tight, Edit(install_name="@rpath/xyz.framework/xyz"))
    assert only(after).builds == only(tight).builds


def test_encrypted_part_is_the_limit() -> None:
    data = bytearray(macho(encrypted=True, text_at=2048))
    at = data.index(struct.pack("<II", 0x2C, 24))
    struct.pack_into("<II", data, at + 8, room(bytes(data)), 64)
    with pytest.raises(NoRoomError):
        apply_edit(bytes(data), Edit(install_name="@rpath/" + "x" * 100))


def test_padding_in_use_is_not_overwritten() -> None:
    data = bytearray(macho())
    data[room(bytes(data)) + 2] = 1
    with pytest.raises(MachOError, match="something stands in the padding"):
        apply_edit(bytes(data), Edit(install_name="@rpath/" + "x" * 50))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a Mach-O file"),
        (macho()[:900], "cut off|not within"),
        (fat(macho()), "a fat file"),
        (macho(file_type=2), "only dylibs and bundles"),
        (macho(cpu=(18, 0)), "only arm64 and x86_64"),
        (macho(extra_commands=struct.pack("<6I", 0xD, 32, 24, 1, 0, 0) + bytes(8), extra_count=1), "it has 2 load"),
    ],
    ids=["empty", "cut off", "fat", "executable", "PowerPC", "two install names"],
)
def test_files_that_are_not_edited(data: bytes, said: str) -> None:
    with pytest.raises(MachOError, match=said):
        apply_edit(data, Edit(install_name="x"))


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_names_that_cannot_be_written(name: str) -> None:
    with pytest.raises(MachOError, match=r"NUL|UTF-8"):
        apply_edit(macho(), Edit(install_name=name))
