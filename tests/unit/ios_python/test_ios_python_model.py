from __future__ import annotations

import contextlib
import plistlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import IOSPythonError
from forge.base.target import IOSVersion, Target, select_targets
from forge.ios_python.model import IOSPython
from forge.ios_python.product import read_xcframework
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, VERSION, X86_SIMULATOR, write_ios_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

SLICE = "ios-arm64"
NOWHERE = Path("/nowhere/Python.xcframework")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_ios_python(tmp_path / "Python.xcframework")


def told(error: IOSPythonError, tmp_path: Path) -> str:
    return f"{error}\nhint: {error.hint}".replace(str(tmp_path), "TMP")


def test_reads_versions_and_targets(root: Path) -> None:
    python = read_xcframework(root)
    assert (python.version, python.minor) == ("3.13.5", "3.13")
    assert python.targets == select_targets()


@pytest.mark.parametrize("version", ["3.14.0rc1", "3.15.0a2+", "3.13.10"])
def test_versions_as_cpython_writes_them(tmp_path: Path, version: str) -> None:
    python = read_xcframework(write_ios_python(tmp_path / "x", version=version))
    assert python.version == version
    assert python.minor == version[:4]


@pytest.mark.parametrize("targets", [(DEVICE,), (X86_SIMULATOR,), (DEVICE, ARM_SIMULATOR)], ids=str)
def test_reads_only_the_targets_that_are_there(tmp_path: Path, targets: tuple[Target, ...]) -> None:
    assert read_xcframework(write_ios_python(tmp_path / "x", targets)).targets == targets


def test_reads_the_minimum_of_each_slice(root: Path) -> None:
    plist = root / SLICE / "Python.framework" / "Info.plist"
    plist.write_bytes(plistlib.dumps({"MinimumOSVersion": "13.4"}, fmt=plistlib.FMT_BINARY))
    found = {target.multiarch: str(target.ios_version) for target in read_xcframework(root).targets}
    assert found == {"arm64-iphoneos": "13.4", "arm64-iphonesimulator": "12.0", "x86_64-iphonesimulator": "12.0"}


def test_every_path_is_where_it_says(root: Path) -> None:
    python = read_xcframework(root)
    assert python.stdlib.is_dir()
    for target in python.targets:
        assert (python.headers(target) / "Python.h").is_file()
        assert (python.wrappers(target) / f"{target.host_triple}-clang").is_file()
        assert python.sysconfigdata(target).parent == python.platform_lib(target)
        assert target.multiarch in python.sysconfigdata(target).read_text()
        assert python.extension_modules(target) == ("_ssl", "zlib")


def test_wheels_can_be_built_for_any_minimum() -> None:
    """A wheel for iOS 12 runs in a Python for iOS 13, and there is no machine code in a build's way."""
    built_for = Target(DEVICE.abi, DEVICE.arch, IOSVersion(13, 1))
    python = IOSPython(NOWHERE, VERSION, (built_for,))
    assert python.has(built_for)
    assert python.has(Target(DEVICE.abi, DEVICE.arch, IOSVersion(14)))
    assert python.has(DEVICE)
    assert not python.has(ARM_SIMULATOR)


def test_fingerprints_are_by_target(snapshot: SnapshotAssertion) -> None:
    python = IOSPython(NOWHERE, VERSION, (DEVICE,), ((DEVICE.multiarch, "abc"),))
    assert python.fingerprint(DEVICE) == "abc"
    assert python.fingerprint(Target(DEVICE.abi, DEVICE.arch, IOSVersion(15))) == "abc"
    with pytest.raises(IOSPythonError) as error:
        python.fingerprint(ARM_SIMULATOR)
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot


def replaced(path: str, content: bytes) -> Callable[[Path], object]:
    return lambda root: (root / path).write_bytes(content)


def without(pattern: str) -> Callable[[Path], object]:
    def remove(root: Path) -> None:
        for path in list(root.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return remove


PLIST = f"{SLICE}/Python.framework/Info.plist"
DAMAGE: dict[str, Callable[[Path], object]] = {
    "nothing there": shutil.rmtree,
    "another framework": without("ios-*/Python.framework/Headers"),
    "no version": replaced(f"{SLICE}/Python.framework/Headers/patchlevel.h", b"#define PY_MAJOR_VERSION 3\n"),
    "version not text": replaced(f"{SLICE}/Python.framework/Headers/patchlevel.h", b'#define PY_VERSION "\xff"\n'),
    "no sysconfig data": without("ios-*/lib-*"),
    "no plist": without(PLIST),
    "plist cut off": replaced(PLIST, plistlib.dumps({"MinimumOSVersion": "12.0"})[:150]),
    "binary plist cut off": replaced(PLIST, plistlib.dumps({"a": "12.0"}, fmt=plistlib.FMT_BINARY)[:20]),
    "empty plist": replaced(PLIST, b""),
    "plist of a list": replaced(PLIST, plistlib.dumps(["12.0"])),
    "no minimum": replaced(PLIST, plistlib.dumps({"CFBundleName": "Python"})),
    "odd minimum": replaced(PLIST, plistlib.dumps({"MinimumOSVersion": "twelve"})),
    "minimum too low": replaced(PLIST, plistlib.dumps({"MinimumOSVersion": "9.0"})),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_amiss_is_said(root: Path, tmp_path: Path, damage: str, snapshot: SnapshotAssertion) -> None:
    DAMAGE[damage](root)
    with pytest.raises(IOSPythonError) as error:
        read_xcframework(root)
    assert told(error.value, tmp_path) == snapshot


@given(data=st.data())
def test_a_damaged_plist_is_read_or_is_an_error_of_forges(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever a disk does to the file, forge says what it is or reads it, and never falls over it."""
    whole = plistlib.dumps({"MinimumOSVersion": "12.0"}, fmt=data.draw(st.sampled_from(list(plistlib.PlistFormat))))
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole)))))
    root = tmp_path_factory.getbasetemp() / "damaged"
    if not root.is_dir():
        write_ios_python(root, (DEVICE,))
    (root / PLIST).write_bytes(whole[:start] + data.draw(st.binary(max_size=8)) + whole[end:])
    with contextlib.suppress(IOSPythonError):
        (target,) = read_xcframework(root).targets
        assert target.ios_version >= IOSVersion(12)
