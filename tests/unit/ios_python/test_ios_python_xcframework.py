from __future__ import annotations

import os
import plistlib
import shutil
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ToolchainError
from forge.base.target import Target, select_targets
from forge.ios_python.product import read_xcframework
from forge.ios_python.xcframework import assemble_xcframework
from tests.unit.ios_python.fakes import (
    ARM_SIMULATOR,
    DEVICE,
    MINOR,
    X86_SIMULATOR,
    make_toolchain,
    write_thin,
)
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SIMULATOR = "ios-arm64_x86_64-simulator"
OWN = ["_sysconfigdata__ios_{m}.py", "_sysconfig_vars__ios_{m}.json", "build-details.json", "config-3.13-{m}"]


def assemble(tmp_path: Path, *targets: Target) -> Path:
    thin = {target: write_thin(tmp_path / "thin" / target.multiarch, target) for target in targets}
    root = tmp_path / "Python.xcframework"
    root.mkdir()
    assemble_xcframework(thin, MINOR, make_toolchain(tmp_path / "toolchain"), root)
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return assemble(tmp_path, *select_targets())


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_reads_back(root: Path) -> None:
    python = read_xcframework(root)
    assert python.targets == select_targets()
    assert python.extension_modules(DEVICE) == ("_ssl", "zlib")


def test_slices_are_by_abi(root: Path) -> None:
    assert names(root) == {"Info.plist", "lib", "ios-arm64", SIMULATOR}
    assert names(root / "ios-arm64") == {"Python.framework", "bin", "include", "lib", "lib-arm64"}
    assert names(root / SIMULATOR) == {"Python.framework", "bin", "include", "lib", "lib-arm64", "lib-x86_64"}


def test_the_simulators_share_one_joined_binary(root: Path) -> None:
    binary = root / SIMULATOR / "Python.framework" / "Python"
    assert binary.read_text() == "binary of arm64-iphonesimulator\nbinary of x86_64-iphonesimulator\n"
    assert (root / "ios-arm64" / "Python.framework" / "Python").read_text() == "binary of arm64-iphoneos\n"


def test_one_target_is_not_joined(tmp_path: Path) -> None:
    root = assemble(tmp_path, X86_SIMULATOR)
    assert names(root) == {"Info.plist", "lib", SIMULATOR}
    assert names(root / SIMULATOR) == {"Python.framework", "bin", "include", "lib", "lib-x86_64"}
    assert (root / SIMULATOR / "Python.framework" / "Python").read_text() == "binary of x86_64-iphonesimulator\n"


def test_pyconfig_is_the_architectures_own(root: Path, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    headers = root / SIMULATOR / "Python.framework" / "Headers"
    assert (headers / "pyconfig.h").read_text() == snapshot(name="two architectures")
    for target in (ARM_SIMULATOR, X86_SIMULATOR):
        assert (headers / f"pyconfig-{target.arch}.h").read_text() == f"/* pyconfig.h of {target} */\n"
    alone = root / "ios-arm64" / "Python.framework" / "Headers"
    assert (alone / "pyconfig.h").read_text() == snapshot(name="one architecture")
    assert (alone / "pyconfig-arm64.h").read_text() == f"/* pyconfig.h of {DEVICE} */\n"


def test_only_the_wrappers_of_the_abi(root: Path) -> None:
    tools = ("clang", "clang++", "cpp", "ar")
    assert names(root / "ios-arm64" / "bin") == {f"arm64-apple-ios-{tool}" for tool in tools}
    assert names(root / SIMULATOR / "bin") == {
        f"{arch}-apple-ios-simulator-{tool}" for arch in ("arm64", "x86_64") for tool in tools
    }
    assert os.access(root / SIMULATOR / "bin" / "arm64-apple-ios-simulator-clang", os.X_OK)


def test_the_standard_library_is_there_once(root: Path) -> None:
    stdlib = root / "lib" / f"python{MINOR}"
    found = {path.relative_to(stdlib).as_posix() for path in stdlib.rglob("*") if path.is_file()}
    assert found == {"os.py", "email/__init__.py", "email/build-details.json"}
    for target in select_targets():
        own = root / target.slice_name / f"lib-{target.arch}" / f"python{MINOR}"
        assert names(own) == {"lib-dynload", *(name.format(m=target.multiarch) for name in OWN)}
        assert (own / f"config-3.13-{target.multiarch}" / "Makefile").read_text() == f"# of {target}\n"


def test_info_plists(root: Path) -> None:
    info = plistlib.loads((root / "Info.plist").read_bytes())
    assert info["CFBundlePackageType"] == "XFWK"
    assert info["XCFrameworkFormatVersion"] == "1.0"
    device, simulator = info["AvailableLibraries"]
    assert device == {
        "BinaryPath": "Python.framework/Python",
        "LibraryIdentifier": "ios-arm64",
        "LibraryPath": "Python.framework",
        "SupportedArchitectures": ["arm64"],
        "SupportedPlatform": "ios",
    }
    assert simulator == device | {
        "LibraryIdentifier": SIMULATOR,
        "SupportedArchitectures": ["arm64", "x86_64"],
        "SupportedPlatformVariant": "simulator",
    }
    for entry, platform in ((device, "iPhoneOS"), (simulator, "iPhoneSimulator")):
        framework = root / entry["LibraryIdentifier"] / entry["LibraryPath"]
        assert (root / entry["LibraryIdentifier"] / entry["BinaryPath"]).is_file()
        own = plistlib.loads((framework / "Info.plist").read_bytes())
        assert (own["CFBundleSupportedPlatforms"], own["MinimumOSVersion"]) == ([platform], "12.0")
        assert own["CFBundleName"] == "Python"


def test_can_be_moved(root: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "Python.xcframework"
    moved.parent.mkdir()
    root.rename(moved)
    shutil.rmtree(tmp_path / "thin")
    links = [path for path in moved.rglob("*") if path.is_symlink()]
    assert len(links) == 4
    for link in links:
        assert not link.readlink().is_absolute()
        assert link.resolve().is_relative_to(moved)
        assert link.exists()
    for path in moved.rglob("*"):
        if path.is_file():
            assert str(tmp_path).encode() not in path.read_bytes(), path


def test_architectures_that_cannot_be_joined(tmp_path: Path) -> None:
    toolchain = make_toolchain(tmp_path / "toolchain")
    write_program(tmp_path / "toolchain" / "bin" / "xcrun", "echo 'lipo: no such file' >&2; exit 1")
    thin = {t: write_thin(tmp_path / "thin" / t.multiarch, t) for t in (ARM_SIMULATOR, X86_SIMULATOR)}
    (tmp_path / "out").mkdir()
    with pytest.raises(ToolchainError, match="lipo: no such file"):
        assemble_xcframework(thin, MINOR, toolchain, tmp_path / "out")


def test_modules_with_openssl_have_a_privacy_manifest(root: Path) -> None:
    for directory in ("ios-arm64/lib-arm64", f"{SIMULATOR}/lib-arm64", f"{SIMULATOR}/lib-x86_64"):
        modules = root / directory / f"python{MINOR}" / "lib-dynload"
        assert [path.name for path in modules.glob("*.xcprivacy")] == ["_ssl.xcprivacy"]
        manifest = plistlib.loads((modules / "_ssl.xcprivacy").read_bytes())
        assert manifest["NSPrivacyTracking"] is False
        assert [set(entry) for entry in manifest["NSPrivacyAccessedAPITypes"]] == [
            {"NSPrivacyAccessedAPIType", "NSPrivacyAccessedAPITypeReasons"}
        ]
