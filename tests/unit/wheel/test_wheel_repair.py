from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from forge.base.errors import WheelError
from forge.macho.model import FileType
from forge.macho.reader import read_macho
from forge.macho.sign import SignatureStatus, sign_ad_hoc, verify_signature
from forge.wheel.contents import read_wheel
from forge.wheel.repair import repair_wheel
from forge.wheel.repair_model import render_text, to_json
from tests.unit.macho import builder
from tests.unit.macho.builder import fat, macho
from tests.unit.wheel.wheels import DEVICE, make_wheel, record_line, wheel_text

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from forge.macho.model import MachOSlice
    from forge.wheel.repair_model import RepairResult

SUFFIX = ".cpython-313-iphoneos.so"
MODULE = f"pkg/_x{SUFFIX}"
RIGHT = "@rpath/pkg._x.framework/pkg._x"
ARM_SIMULATOR = "cp313-cp313-ios_12_0_arm64_iphonesimulator"
ARM_FIELDS: dict[str, Any] = {"platform": builder.SIMULATOR, "minos": (14, 0)}
X86_SIMULATOR = "cp313-cp313-ios_12_0_x86_64_iphonesimulator"
SCHEMA = Path(__file__).parents[3] / "schemas" / "repair.schema.json"


def module(name: str = RIGHT, **fields: Any) -> bytes:
    return macho(builder.Spec(**{"install_name": name, "exports": ("_PyInit__x",), **fields}))


def library(name: str, *exports: str, **fields: Any) -> bytes:
    return module(name, exports=exports or ("_f",), imports=(), **fields)


def using(*loads: str, **fields: Any) -> bytes:
    """A module that loads libraries and takes ``_f`` from the first."""
    every = tuple((load, builder.LOAD) for load in (*loads, builder.SYSTEM))
    return module(loads=every, imports=(("_f", 1, False),), **fields)


def repair(tmp_path: Path, files: dict[str, bytes], tag: str = DEVICE, **fields: str) -> RepairResult:
    wheel = make_wheel(tmp_path / "in", files, tag=tag, **fields)  # type: ignore[arg-type]  # only strings
    result = repair_wheel(wheel, tmp_path / "out")
    assert result.output is not None
    contents = read_wheel(result.output)
    assert contents.record_problems == ()
    assert contents.read(f"{contents.dist_info}/METADATA") == read_wheel(wheel).read(f"{contents.dist_info}/METADATA")
    # Repairing what is repaired changes nothing, and doing it twice gives the same.
    again = repair_wheel(result.output, tmp_path / "again")
    assert again.changes == ()
    assert again.output is not None
    assert again.output.read_bytes() == result.output.read_bytes()
    first = result.output.read_bytes()
    assert repair_wheel(wheel, tmp_path / "out").output == result.output
    assert result.output.read_bytes() == first
    dry = repair_wheel(wheel, tmp_path / "never", dry_run=True)
    assert (dry.changes, dry.unmendable, dry.output) == (result.changes, result.unmendable, None)
    assert not (tmp_path / "never").exists()
    return result


def changes(result: RepairResult) -> list[tuple[str | None, str, str, str]]:
    return [(one.member, one.what, one.before, one.after) for one in result.changes]


def left(result: RepairResult) -> list[tuple[str | None, str]]:
    return [(one.member, one.what) for one in result.unmendable]


def one(result: RepairResult, member: str = MODULE) -> MachOSlice:
    return read_macho(data(result, member)).slices[0]


def data(result: RepairResult, member: str = MODULE) -> bytes:
    assert result.output is not None
    return read_wheel(result.output).read(member)


def loads(result: RepairResult, member: str = MODULE) -> list[str]:
    return [dylib.name for dylib in one(result, member).dylibs if dylib.name != builder.SYSTEM]


def members(result: RepairResult) -> list[str]:
    assert result.output is not None
    return [m.path for m in read_wheel(result.output).members if ".dist-info/" not in m.path]


def test_a_sound_wheel_is_copied(tmp_path: Path) -> None:
    result = repair(tmp_path, {MODULE: module(), "pkg/__init__.py": b""})
    assert (result.changes, result.unmendable) == ((), ())
    assert result.output is not None
    assert result.output.read_bytes() == result.wheel.read_bytes()
    assert render_text(result) == f"{result.output}\n    nothing to fix\n"


def test_a_pure_wheel_is_copied(tmp_path: Path) -> None:
    assert repair(tmp_path, {"pkg/__init__.py": b""}, tag="py3-none-any").changes == ()


def test_everything_at_once(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    metadata = "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n\nA description,\r\n\n\twith odd  white space\n"
    broken = using(
        "/Users/me/deps/libjpeg.62.dylib",
        "/Users/me/deps/libmissing.dylib",
        "/Users/me/Python.xcframework/ios-arm64/Python.framework/Python",
        file_type=builder.BUNDLE,
        install_name=None,
        rpaths=("/Users/me/deps", "@loader_path", "@loader_path", "build"),
        stabs=("/Users/me/x.o",),
    )
    result = repair(
        tmp_path,
        {MODULE: broken, "pkg/.dylibs/libjpeg.62.dylib": library("/DLC/libjpeg.62.dylib"), "pkg/__init__.py": b""},
        tag="cp312-abi3-ios_13_0_x86_64_iphoneos",
        metadata=metadata,
    )
    assert result.output is not None
    assert result.output.name == "example-1.0-cp312-abi3-ios_13_0_arm64_iphoneos.whl"
    assert render_text(result).replace(str(tmp_path), "") == snapshot
    assert one(result).file_type is FileType.DYLIB
    assert one(result).rpaths == ("@loader_path",)
    assert loads(result) == [
        "@rpath/pkg._dylibs.libjpeg.framework/pkg._dylibs.libjpeg".replace("libjpeg", "libjpeg_62"),
        "/Users/me/deps/libmissing.dylib",
        builder.PYTHON,
    ]
    assert b"/Users/me/x.o" not in data(result)
    found = json.loads(to_json([result]))
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert found["wheels"][0]["output"] == str(result.output)


@pytest.mark.parametrize("name", ["build/lib/x.so", "/opt/x", "@rpath/x.so"])
def test_install_name(tmp_path: Path, name: str) -> None:
    assert changes(repair(tmp_path, {MODULE: module(name)})) == [(MODULE, "install name", name, RIGHT)]


def test_modules_of_data_schemes_and_others(tmp_path: Path) -> None:
    inner = "example-1.0.data/platlib/pkg/_x.abi3.so"
    other = "example-1.0.data/data/lib/x.so"
    result = repair(tmp_path, {inner: module("/x"), other: module("/x")})
    assert changes(result) == [
        (other, "install name", "/x", "@rpath/lib.x.framework/lib.x"),
        (inner, "install name", "/x", RIGHT),
    ]


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("pkg/.dylibs/libf.1.2.dylib", "pkg/_dylibs/libf_1_2.so"),
        ("pkg.libs/libf.so", "pkg_libs/libf.so"),
        ("pkg/lib/libf.dylib", "pkg/lib/libf.so"),
        ("pkg/libf.so.1", "pkg/libf.so"),
        ("libf.dylib", "libf.so"),
        ("example-1.0.data/platlib/pkg/.dylibs/libf.dylib", "example-1.0.data/platlib/pkg/_dylibs/libf.so"),
    ],
)
def test_vendored_libraries(tmp_path: Path, path: str, made: str) -> None:
    result = repair(tmp_path, {MODULE: using(f"/build/{path.rpartition('/')[2]}"), path: library("/DLC/x")})
    installed = made.removeprefix("example-1.0.data/platlib/")
    name = installed.removesuffix(".so").replace("/", ".")
    assert loads(result) == [f"@rpath/{name}.framework/{name}"]
    assert members(result) == sorted([MODULE, made])
    identity = one(result, made).install_name
    assert identity is not None
    assert identity.name == loads(result)[0]
    assert left(result) == []


@pytest.mark.parametrize(
    "load", ["@loader_path/../other/libf.so", "@rpath/libf.so", "@rpath/its/own", "/build/libf.so"]
)
def test_how_libraries_are_found(tmp_path: Path, load: str) -> None:
    files = {MODULE: using(load, rpaths=("@loader_path/../other",)), "other/libf.so": library("@rpath/its/own")}
    result = repair(tmp_path, files)
    assert loads(result) == ["@rpath/other.libf.framework/other.libf"]
    assert left(result) == []


def test_libraries_that_load_each_other(tmp_path: Path) -> None:
    files = {
        MODULE: using("@loader_path/.dylibs/liba.dylib"),
        "pkg/.dylibs/liba.dylib": using("@loader_path/libb.dylib", exports=("_f",)),
        "pkg/.dylibs/libb.dylib": library("/libb.dylib"),
    }
    result = repair(tmp_path, files)
    assert loads(result, "pkg/_dylibs/liba.so") == ["@rpath/pkg._dylibs.libb.framework/pkg._dylibs.libb"]
    assert left(result) == []


def test_new_names_do_not_collide(tmp_path: Path) -> None:
    files = {
        MODULE: using("@loader_path/.dylibs/libf.dylib", "@loader_path/_dylibs/LIBF.dylib"),
        "pkg/.dylibs/libf.dylib": library("a"),
        "pkg/_dylibs/LIBF.dylib": library("b"),
        "pkg/_dylibs/libf_2.so": library("@rpath/pkg._dylibs.libf_2.framework/pkg._dylibs.libf_2"),
    }
    result = repair(tmp_path, files)
    assert members(result) == ["pkg/_dylibs/LIBF_3.so", "pkg/_dylibs/libf.so", "pkg/_dylibs/libf_2.so", MODULE]
    assert left(result) == []


@pytest.mark.parametrize(
    ("files", "problems"),
    [
        ({MODULE: using("/build/libz.dylib")}, [(MODULE, "load")]),
        ({MODULE: using("/b/libf.dylib"), "a/libf.dylib": library("a"), "b/libf.dylib": library("b")},
         [("a/libf.dylib", "path"), ("b/libf.dylib", "path"), (MODULE, "load")]),
        ({MODULE: using("/b/libf.dylib"), "a/libf.dylib": library("a", "_g")},
         [("a/libf.dylib", "path"), (MODULE, "load")]),
        ({MODULE: using("/b/libf.dylib"), "a/libf.dylib": library("a", cpu=builder.X86_64)},
         [("a/libf.dylib", "path"), (MODULE, "load")]),
        ({MODULE: using("@loader_path/libf.dylib"), "pkg/libf.dylib": library("a"), "pkg/a.py": b"CDLL('libf.dylib')"},
         [(MODULE, "load"), ("pkg/libf.dylib", "path")]),
        ({"pkg/libf.dylib": library("a")}, [("pkg/libf.dylib", "path")]),
        ({"pkg.v1/_x.so": module()}, [("pkg.v1/_x.so", "path")]),
        ({"pkg/_x.abi3.so": module(), MODULE: module()}, [("pkg/_x.abi3.so", "framework"), (MODULE, "framework")]),
        ({MODULE: b"\xcf\xfa\xed\xfe"}, [(MODULE, "Mach-O")]),
        ({MODULE: module("/x", text_at=read_macho(module("/x")).slices[0].commands_end)}, [(MODULE, "install name")]),
        ({MODULE: module(stabs=("/x",), extra_commands=b"\x99\0\0\0\x08\0\0\0", extra_count=1)},
         [(MODULE, "debug information")]),
        ({MODULE: module(cpu=(18, 0), install_name="/x")}, [(MODULE, "load commands")]),
    ],
    ids=["missing", "ambiguous", "lacks a symbol", "other CPU", "named in code", "not loaded",
         "module in a dotted directory", "collision", "broken", "no room", "unknown load command", "unknown CPU"],
)  # fmt: skip
def test_what_cannot_be_mended(
    tmp_path: Path, files: dict[str, bytes], problems: list[tuple[str, str]], snapshot: SnapshotAssertion
) -> None:
    result = repair(tmp_path, files)
    assert left(result) == problems
    assert [f"{rest.member}: {rest}" for rest in result.unmendable] == snapshot


def test_a_load_that_does_not_fit_leaves_the_library_where_it_is(tmp_path: Path) -> None:
    load = "@loader_path/libf.dylib"
    tight = using(load, text_at=read_macho(using(load)).slices[0].commands_end)
    files = {MODULE: tight, f"pkg/_y{SUFFIX}": using(load), "pkg/libf.dylib": library("a")}
    result = repair(tmp_path, files)
    assert members(result) == sorted(files)
    assert loads(result) == [load]
    assert loads(result, f"pkg/_y{SUFFIX}") == [load]
    assert ("pkg/libf.dylib", "path") in left(result)
    assert (MODULE, "load") in left(result)


@pytest.mark.parametrize(("spare", "name"), [(0, None), (32, "_x"), (40, "@rpath/pkg._x"), (200, RIGHT)])
def test_a_bundle_takes_the_name_that_fits(tmp_path: Path, spare: int, name: str | None) -> None:
    fields: dict[str, Any] = {"file_type": builder.BUNDLE, "install_name": None}
    end = read_macho(module(**fields)).slices[0].commands_end
    result = repair(tmp_path, {MODULE: module(**fields, text_at=end + spare)})
    identity = one(result).install_name
    assert (identity.name if identity else None) == name
    assert one(result).file_type is (FileType.DYLIB if name else FileType.BUNDLE)
    assert left(result) == ([] if name == RIGHT else [(MODULE, "install name" if name else "file type")])


def test_signatures_of_arm64_simulators_are_renewed(tmp_path: Path) -> None:
    signed = sign_ad_hoc(module("/x", **ARM_FIELDS), "given")
    files = {MODULE: signed, f"pkg/_y{SUFFIX}": module("@rpath/pkg._y.framework/pkg._y", **ARM_FIELDS)}
    result = repair(tmp_path, files, tag=ARM_SIMULATOR)
    for member in files:
        assert verify_signature(data(result, member)).status is SignatureStatus.VALID
    assert b"given\0" in data(result)
    assert changes(result) == [
        (MODULE, "install name", "/x", RIGHT),
        (f"pkg/_y{SUFFIX}", "signature", "", "ad-hoc, by the linker, valid"),
    ]


def test_a_broken_signature_is_renewed(tmp_path: Path) -> None:
    signed = sign_ad_hoc(module(**ARM_FIELDS)).replace(b"hello", b"HELLO")
    result = repair(tmp_path, {MODULE: signed}, tag=ARM_SIMULATOR)
    assert [change[1] for change in changes(result)] == ["signature"]
    assert verify_signature(data(result)).status is SignatureStatus.VALID


def test_device_binaries_have_no_signature(tmp_path: Path) -> None:
    result = repair(tmp_path, {MODULE: sign_ad_hoc(module())})
    assert changes(result) == [(MODULE, "signature", "ad-hoc, by the linker, valid", "")]


def test_fat_files_are_thinned(tmp_path: Path) -> None:
    x86 = module(cpu=builder.X86_64, platform=builder.SIMULATOR)
    arm = module(**ARM_FIELDS)
    result = repair(tmp_path, {MODULE: fat(arm, x86)}, tag=X86_SIMULATOR)
    assert changes(result) == [(MODULE, "slices", "arm64, x86_64", "x86_64")]
    assert data(result) == x86
    result = repair(tmp_path, {MODULE: fat(x86, cpus=(builder.X86_64,))}, tag=ARM_SIMULATOR)
    assert left(result) == [(MODULE, "Mach-O")]


@pytest.mark.parametrize(
    ("fields", "tag", "expected"),
    [
        ({}, "ios_13_0_x86_64_iphoneos", "ios_13_0_arm64_iphoneos"),
        ({}, "ios_13_0_iphoneos_arm64", "ios_13_0_arm64_iphoneos"),
        ({}, "ios_1_0_arm64_iphoneos", "ios_12_0_arm64_iphoneos"),
        ({"minos": (15, 4)}, "ios_13_0_arm64_iphoneos", "ios_15_4_arm64_iphoneos"),
        ({"minos": (13, 0)}, "linux_x86_64", "ios_13_0_arm64_iphoneos"),
        ({"minos": (13, 11)}, "macosx_11_0_arm64", "ios_14_0_arm64_iphoneos"),
        (ARM_FIELDS, "ios_13_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator"),
        (ARM_FIELDS, "macosx_11_0_arm64", "ios_14_0_arm64_iphonesimulator"),
        ({"cpu": builder.X86_64, "version_min": True}, "ios_13_0_arm64_iphoneos", "ios_13_0_x86_64_iphonesimulator"),
    ],
)  # fmt: skip
def test_platform_tags(tmp_path: Path, fields: dict[str, Any], tag: str, expected: str) -> None:
    result = repair(tmp_path, {MODULE: module(**fields)}, tag=f"cp311-abi3-{tag}")
    assert result.output is not None
    assert result.output.name == f"example-1.0-cp311-abi3-{expected}.whl"
    assert read_wheel(result.output).wheel.tags == read_wheel(result.output).name.tags
    assert left(result) == []


@pytest.mark.parametrize(
    ("files", "name", "inside"),
    [
        ({}, "cp313-cp313-ios_12_0_arm64_iphoneos", "cp313-cp313-ios_13_0_arm64_iphoneos"),
        ({MODULE: module()}, "cp313-cp313-ios_12_0_arm64_iphoneos", "cp313-abi3-ios_12_0_arm64_iphoneos"),
        ({MODULE: module()}, "py3-none-any", "py3-none-any"),
        ({MODULE: module(), "a.so": module("@rpath/a.framework/a", platform=1)}, "py3-none-any", "py3-none-b"),
    ],
    ids=["no binary", "other ABI", "any", "several platforms"],
)  # fmt: skip
def test_tags_that_nothing_proves(
    tmp_path: Path, files: dict[str, bytes], name: str, inside: str, snapshot: SnapshotAssertion
) -> None:
    result = repair(tmp_path, {"pkg/__init__.py": b"", **files}, tag=name, wheel=wheel_text(inside))
    assert changes(result) == []
    assert [str(rest) for rest in result.unmendable] == snapshot


def test_tags_of_name_and_wheel_agree_afterwards(tmp_path: Path) -> None:
    result = repair(tmp_path, {MODULE: module()}, wheel=wheel_text("cp313-cp313-linux_x86_64", pure=True))
    assert changes(result) == [
        ("example-1.0.dist-info/WHEEL", "tags", "cp313-cp313-linux_x86_64", "cp313-cp313-ios_12_0_arm64_iphoneos"),
        ("example-1.0.dist-info/WHEEL", "Root-Is-Purelib", "true", "false"),
    ]


def test_build_tags_and_spelling_of_the_name_stay(tmp_path: Path) -> None:
    filename = "Example-1.0-7-cp313-cp313-ios_12_0_x86_64_iphoneos.whl"
    result = repair(tmp_path, {MODULE: module()}, filename=filename)
    assert result.output is not None
    assert result.output.name == "Example-1.0-7-cp313-cp313-ios_12_0_arm64_iphoneos.whl"


def test_record_is_made_anew(tmp_path: Path) -> None:
    result = repair(tmp_path, {MODULE: module()}, record=record_line(MODULE, b"another"))
    assert [change[1] for change in changes(result)] == ["RECORD"]


def test_in_place(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {MODULE: module("/x")})
    result = repair_wheel(wheel, tmp_path)
    assert result.output == wheel
    assert repair_wheel(wheel, tmp_path).changes == ()
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


def test_modes_and_time_stamps(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {MODULE: module("/x"), "pkg/run": b"#!"}, executables=frozenset({"pkg/run"}))
    output = repair_wheel(wheel, tmp_path / "out").output
    assert output is not None
    with zipfile.ZipFile(output) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert [e.filename for e in archive.infolist() if e.external_attr >> 16 & 0o111] == ["pkg/run"]


def test_a_wheel_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "example-1.0-py3-none-any.whl"
    path.write_bytes(b"no zip")
    with pytest.raises(WheelError, match="not a zip file"):
        repair_wheel(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_where_nothing_is_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a directory: the wheel's own may be read-only."""
    wheel = make_wheel(tmp_path, {MODULE: module()})

    def no_directory(**_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(tempfile, "TemporaryDirectory", no_directory)
    assert repair_wheel(wheel, tmp_path).changes == ()
    assert [path.name for path in tmp_path.iterdir()] == [wheel.name]


def test_the_libraries_of_a_native_library_stay_where_builds_look_for_them(tmp_path: Path) -> None:
    """One loads the other, and one of another host requirement; a path of the build machine to Python is no name."""
    python = "/Users/me/Python.xcframework/ios-arm64/Python.framework/Python"
    files = {
        "opt/lib/libone.dylib": library("@rpath/libone.dylib"),
        "opt/lib/libtwo.1.dylib": using(
            "@rpath/libone.dylib", "@rpath/libelsewhere.dylib", python, install_name="@rpath/libtwo.1.dylib"
        ),
    }
    result = repair(tmp_path, files, tag="py3-none-ios_12_0_arm64_iphoneos")
    assert changes(result) == [("opt/lib/libtwo.1.dylib", "load", python, builder.PYTHON)]
    assert left(result) == []
    assert members(result) == sorted(files)


def test_a_privacy_manifest_goes_along_with_its_library(tmp_path: Path) -> None:
    """App builds look for it beside the library's new place."""
    files = {
        MODULE: using("@rpath/libx.1.dylib"),
        "pkg/.dylibs/libx.1.dylib": library("@rpath/libx.1.dylib"),
        "pkg/.dylibs/libx.xcprivacy": b"<plist/>",
    }
    result = repair(tmp_path, files)
    assert members(result) == sorted([MODULE, "pkg/_dylibs/libx_1.so", "pkg/_dylibs/libx_1.xcprivacy"])
    assert data(result, "pkg/_dylibs/libx_1.xcprivacy") == b"<plist/>"
    moved = [change for change in changes(result) if change[1] == "path"]
    assert [(old, new) for old, _, _, new in moved] == [
        ("pkg/.dylibs/libx.1.dylib", "pkg/_dylibs/libx_1.so"),
        ("pkg/.dylibs/libx.xcprivacy", "pkg/_dylibs/libx_1.xcprivacy"),
    ]
