"""What is wrong with wheels, and what is said of it (snapshots)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import WheelError
from forge.base.target import IOSVersion
from forge.frameworks.findings import FrameworksError, render_text, rules
from tests.unit.frameworks.modules import ARM, DEVICE, INTEL, make, module, suffix, wheel, wheels
from tests.unit.macho import builder
from tests.unit.macho.builder import LOAD, SYSTEM, macho

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

SUFFIX = suffix(DEVICE)
TIGHT = 0x2B0
"""Where code starts right behind the load commands."""
X = f"pkg/_x{SUFFIX}"


def these(files: dict[str, bytes]) -> Callable[[Path], list[Path]]:
    return lambda root: [wheel(root, DEVICE, files)]


def two(first: dict[str, bytes], second: dict[str, bytes]) -> Callable[[Path], list[Path]]:
    return lambda root: [wheel(root, DEVICE, first, name="one"), wheel(root, DEVICE, second, name="two")]


CASES: dict[str, tuple[Callable[[Path], list[Path]], dict[str, Any]]] = {
    "same file": (two({"a.py": b"1"}, {"a.py": b"2"}), {}),
    "same file, same bytes": (two({"ns/__init__.py": b""}, {"ns/__init__.py": b""}), {}),
    "file and directory": (two({"a": b"1"}, {"a/b.py": b"2"}), {}),
    "directory and file": (two({"a/b.py": b"1"}, {"a": b"2"}), {}),
    "letter case of files": (two({"a.py": b"1"}, {"A.py": b"1"}), {}),
    "letter case of directories": (two({"pkg/a.py": b"1"}, {"PKG/b.py": b"1"}), {}),
    "twice in one wheel": (these({"a.py": b"1", "pkg-1.0.data/purelib/a.py": b"2"}), {}),
    "collision of abi3 and versioned": (these({"pkg/_x.abi3.so": module(), X: module()}), {}),
    "collision of letter case": (these({f"pkg/_X{SUFFIX}": module(name="_X"), X: module()}), {}),
    "dotted directory": (these({"pkg.libs/x.so": module()}), {}),
    "hidden directory": (these({"pkg/.dylibs/x.so": module()}), {}),
    "Python's own": (these({f"python{SUFFIX}": module(name="python")}), {}),
    "long name": (these({f"{'a' * 100}/{'b' * 100}/{'c' * 60}.so": module()}), {}),
    "dylib": (these({"pkg/libx.dylib": module()}), {}),
    "library under another name": (these({"pkg/x.bin": module()}), {}),
    "called a dylib": (these({"pkg/libx.dylib": b"text"}), {}),
    "broken Mach-O": (these({"pkg/x.bin": module()[:64]}), {}),
    "program": (these({"pkg/tool": module(file_type=2)}), {}),
    "ELF": (these({X: b"\x7fELF" + bytes(60)}), {}),
    "text": (these({X: b"text"}), {}),
    "truncated": (these({X: module()[:5000]}), {}),
    "program called a module": (these({X: module(file_type=2)}), {}),
    "another CPU": (these({X: module(INTEL, platform=builder.IOS)}), {}),
    "another platform": (these({X: module(platform=builder.MACOS)}), {}),
    "no platform": (these({X: module(platform=None)}), {}),
    "a library of the build machine": (
        these({X: module(loads=(("/opt/lib/libz.1.dylib", LOAD), (SYSTEM, LOAD)), imports=())}),
        {},
    ),
    "a framework that is not there": (
        these({X: module(loads=(("@rpath/y.framework/y", LOAD), (SYSTEM, LOAD)), imports=())}),
        {},
    ),
    "no entry point": (these({X: module(exports=("_PyInit_y",))}), {}),
    "suffix of another ABI": (these({f"pkg/_x{suffix(ARM)}": module()}), {}),
    "suffix of another system": (these({"pkg/_x.cpython-313-darwin.so": module()}), {}),
    "no room for the install name": (
        these({f"{'a' * 100}/_x{SUFFIX}": module(install_name="@rpath/x.framework/x", text_at=TIGHT)}),
        {},
    ),
    "binary above the app's minimum": (these({X: module(minos=(13, 0))}), {"ios_version": IOSVersion(12)}),
    "tag above the app's minimum": (
        lambda root: [wheel(root, DEVICE, {X: module(minos=(13, 0))}, tag="cp313-cp313-ios_13_0_arm64_iphoneos")],
        {"ios_version": IOSVersion(12)},
    ),
    "privacy manifest": (these({X: module(), "pkg/_x.xcprivacy": b"{}"}), {}),
    "RECORD": (lambda root: [wheel(root, DEVICE, {"a.py": b""}, record="")], {}),
    "simulators differ": (
        lambda root: [
            wheel(root, ARM, {"a.py": b"1", "b.py": b"", f"_x{suffix(ARM)}": module(ARM)}),
            wheel(root, INTEL, {"a.py": b"2"}),
        ],
        {},
    ),
}


@pytest.mark.parametrize("case", list(CASES))
def test_findings(case: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    given, options = CASES[case]
    made = make(tmp_path, given(tmp_path / "in"), **options)
    said = render_text(made.findings)
    assert said == snapshot
    assert (made.directory is None) == any(finding.is_error for finding in made.findings)
    assert (tmp_path / "out").exists() == (made.directory is not None)


def test_a_module_of_one_simulator_only(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    path = f"_x{suffix(ARM)}"
    given = [wheel(tmp_path, ARM, {path: module(ARM), f"_y{suffix(ARM)}": module(ARM, name="_y")})]
    given.append(wheel(tmp_path, INTEL, {f"_y{suffix(ARM)}": module(INTEL, name="_y")}))
    made = make(tmp_path, given, prefer=ARM.arch)
    assert render_text(made.findings) == snapshot


SETS: dict[str, Callable[[Path], list[Path]]] = {
    "a simulator missing": lambda root: [*wheels(root), wheel(root, DEVICE, name="b"), wheel(root, ARM, name="b")],
    "an ABI missing": lambda root: [*wheels(root), wheel(root, DEVICE, name="b")],
    "two for one target": lambda root: [wheel(root), wheel(root, tag="cp312-abi3-ios_12_0_arm64_iphoneos")],
    "two versions": lambda root: [wheel(root), wheel(root, version="2.0")],
    "abi3 of a later Python": lambda root: [
        wheel(root),
        wheel(root, name="b", tag="cp315-abi3-ios_12_0_arm64_iphoneos"),
    ],
    "a GIL and none": lambda root: [
        wheel(root, tag="cp315-abi3-ios_12_0_arm64_iphoneos"),
        wheel(root, name="b", tag="cp315-abi3t-ios_12_0_arm64_iphoneos"),
    ],
    "two Pythons": lambda root: [wheel(root), wheel(root, name="b", tag="cp314-cp314-ios_12_0_arm64_iphoneos")],
    "two pure ones": lambda root: [
        wheel(root, None),
        wheel(root, None, tag="py2.py3-none-any"),
    ],
    "another system": lambda root: [wheel(root, tag="cp313-cp313-macosx_11_0_arm64")],
    "several targets": lambda root: [
        wheel(root, tag="cp313-cp313-ios_12_0_arm64_iphoneos.ios_12_0_arm64_iphonesimulator")
    ],
    "no wheel": lambda root: [_file(root / "a.zip")],
}


def _file(path: Path) -> Path:
    path.parent.mkdir()
    path.touch()
    return path


@pytest.mark.parametrize("case", list(SETS))
def test_sets_of_wheels(case: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(WheelError) as caught:
        make(tmp_path, SETS[case](tmp_path / "in"))
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot
    assert not (tmp_path / "out").exists()


def test_bundle_id(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(FrameworksError) as caught:
        make(tmp_path, [wheel(tmp_path)], bundle_id="com.example.my_app")
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


def test_abi3_goes_with_any_python(tmp_path: Path) -> None:
    given = [wheel(tmp_path), wheel(tmp_path, files={}, name="b", tag="cp310-abi3-ios_12_0_arm64_iphoneos")]
    assert make(tmp_path, given).findings == ()


def test_a_library_may_be_missing_if_weak(tmp_path: Path) -> None:
    loads = (("@rpath/y.framework/y", builder.WEAK), (SYSTEM, LOAD))
    assert make(tmp_path, [wheel(tmp_path, DEVICE, {X: module(loads=loads, imports=())})]).findings == ()


def test_modules_that_load_each_other(tmp_path: Path) -> None:
    library = macho(install_name="@rpath/pkg.liby.framework/pkg.liby", exports=("_f",), imports=())
    loads = (("@rpath/pkg.liby.framework/pkg.liby", LOAD), (SYSTEM, LOAD))
    files = {X: module(loads=loads, imports=(("_f", 1, False),)), "pkg/liby.so": library}
    assert make(tmp_path, [wheel(tmp_path, DEVICE, files)]).findings == ()


def test_every_rule_says_why_and_how() -> None:
    assert len({rule.name for rule in rules().values()}) == len(rules())
    assert all(rule.why.endswith(".") and rule.mend for rule in rules().values())
