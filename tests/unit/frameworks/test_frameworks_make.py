from __future__ import annotations

import os
import plistlib
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import StorageError, WheelError
from forge.base.hashing import tree_sha256
from forge.base.target import Abi, Arch, IOSVersion
from forge.frameworks.verify import verify_frameworks
from forge.macho.fat import split_fat
from forge.macho.model import FileType
from forge.macho.reader import read_macho
from forge.macho.sign import SignatureStatus, sign_ad_hoc, verify_signature
from forge.wheel.record import parse_record, verify_record
from tests.unit.frameworks.modules import ARM, DEVICE, INTEL, listing, make, module, suffix, told, wheel, wheels
from tests.unit.macho import builder
from tests.unit.macho.builder import fat

if TYPE_CHECKING:
    from pathlib import Path

DEVICE_MODULE = f"pkg/_x{suffix(DEVICE)}"
FWORK = "pkg/_x.cpython-313-iphoneos.fwork"
PRIVACY = b'<plist version="1.0"><dict/></plist>'


def test_a_devices_tree(tmp_path: Path) -> None:
    made = make(tmp_path, [wheel(tmp_path)], bundle_id="com.example.app")
    assert made.findings == ()
    assert made.directory == tmp_path / "out"
    out = tmp_path / "out"
    assert listing(out) == [
        "frameworks.json",
        "iphoneos/Frameworks/pkg._x.framework/Info.plist",
        "iphoneos/Frameworks/pkg._x.framework/pkg._x",
        "iphoneos/Frameworks/pkg._x.framework/pkg._x.origin",
        "iphoneos/app_packages/pkg-1.0.dist-info/INSTALLER",
        "iphoneos/app_packages/pkg-1.0.dist-info/METADATA",
        "iphoneos/app_packages/pkg-1.0.dist-info/RECORD",
        "iphoneos/app_packages/pkg-1.0.dist-info/WHEEL",
        "iphoneos/app_packages/pkg/__init__.py",
        f"iphoneos/app_packages/{FWORK}",
    ]
    framework = out / "iphoneos/Frameworks/pkg._x.framework"
    site = out / "iphoneos/app_packages"
    assert (site / FWORK).read_text() == "Frameworks/pkg._x.framework/pkg._x\n"
    assert (framework / "pkg._x.origin").read_text() == f"app_packages/{FWORK}\n"
    one = read_macho(framework / "pkg._x").slices[0]
    assert one.install_name is not None
    assert one.install_name.name == "@rpath/pkg._x.framework/pkg._x"
    assert plistlib.loads((framework / "Info.plist").read_bytes()) == {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleExecutable": "pkg._x",
        "CFBundleIdentifier": "com.example.app.pkg.-x",
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": "1.0",
        "CFBundleSupportedPlatforms": ["iPhoneOS"],
        "CFBundleVersion": "1.0",
        "MinimumOSVersion": "12.0",
    }
    assert (framework / "pkg._x").stat().st_mode & 0o111


def test_record_is_of_what_is_there(tmp_path: Path) -> None:
    make(tmp_path, [wheel(tmp_path)])
    site = tmp_path / "out/iphoneos/app_packages"
    record = "pkg-1.0.dist-info/RECORD"
    entries = parse_record((site / record).read_bytes())
    assert verify_record(entries, listing(site), record, lambda path: (site / path).read_bytes()) == ()


def test_simulators_are_joined(tmp_path: Path) -> None:
    made = make(tmp_path, wheels(tmp_path))
    assert made.findings == ()
    tree = tmp_path / "out/iphonesimulator"
    data = (tree / "Frameworks/pkg._x.framework/pkg._x").read_bytes()
    slices = dict(zip([one.cpu.value for one in read_macho(data).slices], split_fat(data), strict=True))
    assert sorted(slices) == ["arm64", "x86_64"]
    assert verify_signature(slices["arm64"]).status is SignatureStatus.VALID
    assert verify_signature(slices["x86_64"]).status is SignatureStatus.NONE
    plist = plistlib.loads((tree / "Frameworks/pkg._x.framework/Info.plist").read_bytes())
    assert plist["CFBundleSupportedPlatforms"] == ["iPhoneSimulator"]
    assert plist["MinimumOSVersion"] == "14.0"  # arm64 simulators start there
    said = (tree / "app_packages/pkg-1.0.dist-info/WHEEL").read_text()
    assert f"Tag: cp313-cp313-{ARM.platform_tag}\nTag: cp313-cp313-{INTEL.platform_tag}\n" in said


def test_one_simulator_alone(tmp_path: Path) -> None:
    made = make(tmp_path, [wheel(tmp_path, INTEL)], xcframeworks=True)
    assert made.findings == ()
    assert (tmp_path / "out/XCFrameworks/pkg._x.xcframework/ios-x86_64-simulator").is_dir()


def test_a_bundle_becomes_a_signed_dylib(tmp_path: Path) -> None:
    files = {f"pkg/_x{suffix(ARM)}": module(ARM, file_type=builder.BUNDLE, install_name=None)}
    assert make(tmp_path, [wheel(tmp_path, ARM, files)]).findings == ()
    binary = tmp_path / "out/iphonesimulator/Frameworks/pkg._x.framework/pkg._x"
    assert read_macho(binary).slices[0].file_type is FileType.DYLIB
    assert verify_signature(binary.read_bytes()).status is SignatureStatus.VALID


def test_a_devices_binary_has_no_signature(tmp_path: Path) -> None:
    files = {DEVICE_MODULE: sign_ad_hoc(module())}
    assert make(tmp_path, [wheel(tmp_path, DEVICE, files)]).findings == ()
    binary = tmp_path / "out/iphoneos/Frameworks/pkg._x.framework/pkg._x"
    assert verify_signature(binary.read_bytes()).status is SignatureStatus.NONE


def test_a_signature_that_does_not_fit_is_renewed(tmp_path: Path) -> None:
    data = bytearray(sign_ad_hoc(module(ARM, install_name="@rpath/_x.framework/_x")))
    data[0x1000] ^= 1
    assert make(tmp_path, [wheel(tmp_path, ARM, {f"_x{suffix(ARM)}": bytes(data)})]).findings == ()
    binary = tmp_path / "out/iphonesimulator/Frameworks/_x.framework/_x"
    assert verify_signature(binary.read_bytes()).status is SignatureStatus.VALID


def test_a_fat_module_is_thinned(tmp_path: Path) -> None:
    both = fat(module(ARM), module(INTEL))
    given = [wheel(tmp_path, target, {f"_x{suffix(target)}": both}) for target in (ARM, INTEL)]
    assert make(tmp_path, given).findings == ()
    assert len(read_macho(tmp_path / "out/iphonesimulator/Frameworks/_x.framework/_x").slices) == 2


def test_xcframeworks(tmp_path: Path) -> None:
    assert make(tmp_path, wheels(tmp_path), xcframeworks=True).findings == ()
    bundle = tmp_path / "out/XCFrameworks/pkg._x.xcframework"
    framework = "pkg._x.framework"
    files = ["Info.plist", "pkg._x", "pkg._x.origin"]
    assert listing(bundle) == [
        "Info.plist",
        *(f"ios-arm64/{framework}/{file}" for file in files),
        *(f"ios-arm64_x86_64-simulator/{framework}/{file}" for file in files),
    ]
    device = {
        "BinaryPath": "pkg._x.framework/pkg._x",
        "LibraryIdentifier": "ios-arm64",
        "LibraryPath": framework,
        "SupportedArchitectures": ["arm64"],
        "SupportedPlatform": "ios",
    }
    simulator = {
        **device,
        "LibraryIdentifier": "ios-arm64_x86_64-simulator",
        "SupportedArchitectures": ["arm64", "x86_64"],
        "SupportedPlatformVariant": "simulator",
    }
    assert plistlib.loads((bundle / "Info.plist").read_bytes()) == {
        "AvailableLibraries": [device, simulator],
        "CFBundlePackageType": "XFWK",
        "XCFrameworkFormatVersion": "1.0",
    }


def test_a_module_for_one_abi_only(tmp_path: Path) -> None:
    given = [wheel(tmp_path, DEVICE, {f"_y{suffix(DEVICE)}": module(name="_y")}), *wheels(tmp_path, name="other")[1:]]
    given += [wheel(tmp_path, target, {"pkg.py": b""}) for target in (ARM, INTEL)]
    given.append(wheel(tmp_path, DEVICE, name="other"))
    made = make(tmp_path, given, xcframeworks=True)
    assert told(made) == ["FW309 XCFrameworks/_y.xcframework"]
    assert made.directory is not None


def test_abi_narrows(tmp_path: Path) -> None:
    made = make(tmp_path, wheels(tmp_path), abis=(Abi.IPHONEOS,))
    assert [tree.plan.abi for tree in made.trees] == [Abi.IPHONEOS]
    assert not (tmp_path / "out/iphonesimulator").exists()


def test_pure_wheels_go_into_every_tree(tmp_path: Path) -> None:
    made = make(tmp_path, [*wheels(tmp_path), wheel(tmp_path, None, name="pure")])
    assert made.findings == ()
    for abi in Abi:
        assert (tmp_path / f"out/{abi}/app_packages/pure/__init__.py").is_file()


def test_a_pure_wheel_stands_in_for_a_missing_simulator(tmp_path: Path) -> None:
    given = [*wheels(tmp_path), *wheels(tmp_path, name="b")[:2], wheel(tmp_path, None, name="b")]
    made = make(tmp_path, given)
    assert made.findings == ()
    assert [tree.frameworks for tree in made.trees] == [("b._x", "pkg._x"), ("pkg._x",)]


def test_only_pure_wheels(tmp_path: Path) -> None:
    made = make(tmp_path, [wheel(tmp_path, None, name="pure")])
    assert [tree.frameworks for tree in made.trees] == [(), ()]
    assert (tmp_path / "out/iphonesimulator/Frameworks").is_dir()


def test_schemes(tmp_path: Path) -> None:
    data = "pkg-1.0.data"
    files = {
        f"{data}/platlib/pkg/_x{suffix(DEVICE)}": module(),
        f"{data}/purelib/pkg/a.py": b"",
        f"{data}/data/share/pkg/b.txt": b"",
        f"{data}/scripts/tool": b"#!python\n",
        f"{data}/headers/pkg.h": b"",
    }
    path = wheel(tmp_path, DEVICE, files)
    made = make(tmp_path, [path])
    assert told(made) == [f"FW107 {path.name}"] * 2
    found = [name for name in listing(tmp_path / "out/iphoneos/app_packages") if "dist-info" not in name]
    assert found == [FWORK, "pkg/a.py", "share/pkg/b.txt"]


def test_the_wheels_own_installer_does_not_count(tmp_path: Path) -> None:
    info = "pkg-1.0.dist-info"
    make(tmp_path, [wheel(tmp_path, DEVICE, {"pkg.py": b"", f"{info}/INSTALLER": b"x", f"{info}/REQUESTED": b""})])
    site = tmp_path / "out/iphoneos/app_packages"
    assert (site / info / "INSTALLER").read_text() == "forge\n"
    assert not (site / info / "REQUESTED").exists()


def test_privacy_manifest(tmp_path: Path) -> None:
    files = {DEVICE_MODULE: module(), "pkg/_x.xcprivacy": PRIVACY, "pkg/_y.xcprivacy": PRIVACY}
    made = make(tmp_path, [wheel(tmp_path, DEVICE, files)])
    assert told(made) == ["FW306 iphoneos/app_packages/pkg/_y.xcprivacy"]
    out = tmp_path / "out/iphoneos"
    assert (out / "Frameworks/pkg._x.framework/PrivacyInfo.xcprivacy").read_bytes() == PRIVACY
    assert not (out / "app_packages/pkg/_x.xcprivacy").exists()
    assert (out / "app_packages/pkg/_y.xcprivacy").exists()


def test_windows_programs_stay_out(tmp_path: Path) -> None:
    """setuptools has launchers, and packages require setuptools."""
    program = b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0"
    made = make(
        tmp_path, [wheel(tmp_path, DEVICE, {"pkg/cli.exe": program, "pkg/a.py": b"", "pkg/b.exe": b"MZ is text"})]
    )
    assert told(made) == ["FW112 iphoneos/app_packages/pkg/cli.exe"]
    there = tmp_path / "out/iphoneos/app_packages/pkg"
    assert sorted(path.name for path in there.iterdir()) == ["a.py", "b.exe"]


def test_static_libraries_stay_out(tmp_path: Path) -> None:
    made = make(tmp_path, [wheel(tmp_path, DEVICE, {"pkg/libx.a": b"!<arch>\n", "pkg/x.o": module(file_type=1)})])
    assert told(made) == ["FW106 iphoneos/app_packages/pkg/libx.a", "FW106 iphoneos/app_packages/pkg/x.o"]
    assert not (tmp_path / "out/iphoneos/app_packages/pkg").exists()


def test_sboms_of_both_simulators(tmp_path: Path) -> None:
    path = "pkg-1.0.dist-info/sboms/x.cdx.json"
    given = [wheel(tmp_path, target, {"pkg.py": b"", path: target.arch.encode()}) for target in (ARM, INTEL)]
    assert make(tmp_path, given).findings == ()
    sboms = tmp_path / "out/iphonesimulator/app_packages/pkg-1.0.dist-info/sboms"
    assert listing(sboms) == ["arm64-x.cdx.json", "x86_64-x.cdx.json"]


def test_prefer_and_exclude(tmp_path: Path) -> None:
    config = [wheel(tmp_path, t, {"pkg/a.py": t.arch.encode(), "pkg/tests/t.py": b""}) for t in (ARM, INTEL)]
    place = "iphonesimulator/app_packages/pkg/a.py"
    assert told(make(tmp_path, config)) == [f"FW104 {place}"]
    made = make(tmp_path, config, prefer=Arch.X86_64, exclude=("*/tests/*",))
    assert told(made) == [f"FW105 {place}"]
    assert (tmp_path / "out" / place).read_text() == "x86_64"
    assert not (tmp_path / "out/iphonesimulator/app_packages/pkg/tests").exists()
    assert told(make(tmp_path, config, exclude=("pkg/a.py",))) == []


def test_prefer_leaves_out_what_the_other_has(tmp_path: Path) -> None:
    given = [wheel(tmp_path, ARM, {"a.py": b"", "b.py": b""}), wheel(tmp_path, INTEL, {"a.py": b""})]
    assert told(make(tmp_path, given)) == ["FW104 iphonesimulator/app_packages/b.py"]
    make(tmp_path, given, prefer=Arch.X86_64)
    assert not (tmp_path / "out/iphonesimulator/app_packages/b.py").exists()
    make(tmp_path, given, prefer=Arch.ARM64)
    assert (tmp_path / "out/iphonesimulator/app_packages/b.py").exists()


@pytest.mark.parametrize(("version", "minimum"), [(None, "13.4"), ((13, 4), "13.4"), ((15, 0), "15.0")])
def test_minimum_os(version: tuple[int, int] | None, minimum: str, tmp_path: Path) -> None:
    given = wheel(tmp_path, DEVICE, {DEVICE_MODULE: module(minos=(13, 4))})
    limit = IOSVersion(*version) if version else None
    assert make(tmp_path, [given], ios_version=limit).findings == ()
    plist = plistlib.loads((tmp_path / "out/iphoneos/Frameworks/pkg._x.framework/Info.plist").read_bytes())
    assert plist["MinimumOSVersion"] == minimum


def test_an_arm64_simulator_may_need_more_than_the_app(tmp_path: Path) -> None:
    assert make(tmp_path, wheels(tmp_path), ios_version=IOSVersion(12)).findings == ()


def test_the_same_bytes_again(tmp_path: Path) -> None:
    made = make(tmp_path, wheels(tmp_path), xcframeworks=True)
    assert made.directory is not None
    first = tree_sha256(made.directory)
    make(tmp_path, wheels(tmp_path)[:1])  # fewer files: nothing of the larger tree stays
    assert not (made.directory / "XCFrameworks").exists()
    make(tmp_path, wheels(tmp_path), xcframeworks=True)
    assert tree_sha256(made.directory) == first
    assert verify_frameworks(made.directory) == ()


def test_errors_leave_what_was_there(tmp_path: Path) -> None:
    make(tmp_path, [wheel(tmp_path)])
    before = tree_sha256(tmp_path / "out")
    made = make(tmp_path, [wheel(tmp_path, DEVICE, {"pkg/x.dylib": module()})])
    assert made.directory is None
    assert tree_sha256(tmp_path / "out") == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_only_its_own_directory_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    make(tmp_path, [wheel(tmp_path)])  # an empty one will do
    (tmp_path / "out/frameworks.json").unlink()
    with pytest.raises(StorageError, match="has files that forge frameworks did not make"):
        make(tmp_path, [wheel(tmp_path)])
    assert (tmp_path / "out/iphoneos").is_dir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other/out").touch()
    with pytest.raises(StorageError, match="a file"):
        make(tmp_path / "other", [wheel(tmp_path)])


@pytest.mark.parametrize("path", ["NOTES", "iphoneos/app_packages/pkg/mine.py", "iphoneos/Frameworks/mine"])
def test_files_of_others_are_never_deleted(tmp_path: Path, path: str) -> None:
    make(tmp_path, [wheel(tmp_path)])
    mine = tmp_path / "out" / path
    mine.write_text("mine")
    with pytest.raises(StorageError, match=f"did not make: {path}"):
        make(tmp_path, [wheel(tmp_path)])
    assert mine.read_text() == "mine"


def test_an_empty_directory_of_somebodys_is_kept(tmp_path: Path) -> None:
    make(tmp_path, [wheel(tmp_path)])
    (tmp_path / "out/mine").mkdir()
    with pytest.raises(StorageError, match="did not make: mine"):
        make(tmp_path, [wheel(tmp_path)])


@pytest.mark.parametrize("manifest", ["{}", "not JSON", '{"version": 1, "files": 5}', '{"version": 1}', "[" * 50000])
def test_another_tools_manifest_is_no_licence(tmp_path: Path, manifest: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "frameworks.json").write_text(manifest)
    (out / "src.py").write_text("mine")
    with pytest.raises(StorageError, match=r"did not make: frameworks\.json, src\.py"):
        make(tmp_path, [wheel(tmp_path)])
    assert (out / "src.py").read_text() == "mine"


def test_modes_do_not_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        made = make(tmp_path, [wheel(tmp_path)])
    finally:
        os.umask(before)
    assert made.directory is not None
    modes = {path.name: path.stat().st_mode & 0o777 for path in made.directory.rglob("*")}
    assert (modes["pkg._x"], modes["Info.plist"], modes["__init__.py"], modes["Frameworks"]) == (
        0o755, 0o644, 0o644, 0o755,
    )  # fmt: skip


def test_a_damaged_wheel_leaves_nothing(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(WheelError):
        make(tmp_path, [path])
    assert not (tmp_path / "out").exists()
