from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest
from packaging.tags import parse_tag

from forge.audit.check import FILE_CHECKS
from forge.audit.promise import CHECKS, check_promise
from forge.audit.report import render_text, to_json
from forge.audit.rules import all_rules, rule
from forge.audit.subject import Promise
from forge.audit.wheel_checks import check_platform_tag_itself
from forge.base.severity import Severity
from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.macho.sign import sign_ad_hoc
from tests.unit.macho import builder
from tests.unit.macho.builder import fat, macho
from tests.unit.wheel.wheels import make_wheel, wheel_text

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.audit.finding import Finding

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
ARM_SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.ARM64)
X86_SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.X86_64)
PROMISE = Promise("example", "1.0", DEVICE, "cp313", native=True, extensions=("example.x",))
PURE = dataclasses.replace(PROMISE, native=False, extensions=())
MODULE = "example/x.cpython-313-iphoneos.so"
BUILD = "/home/someone/build"


def check(
    tmp_path: Path, data: bytes | None = None, promise: Promise = PROMISE, **wheel: object
) -> tuple[Finding, ...]:
    files = {MODULE: macho() if data is None else data}
    path = make_wheel(tmp_path, **{"files": files, **wheel})  # type: ignore[arg-type]  # make_wheel's own fields
    return check_promise(path, promise)


def names(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings]


def test_as_promised(tmp_path: Path) -> None:
    assert check(tmp_path) == ()
    assert check(tmp_path, files={"example/__init__.py": b""}, tag="py3-none-any", promise=PURE) == ()


@pytest.mark.parametrize(
    ("target", "spec"),
    [
        (ARM_SIMULATOR, builder.Spec(platform=7, minos=(14, 0))),
        (X86_SIMULATOR, builder.Spec(platform=7, cpu=builder.X86_64)),
        (X86_SIMULATOR, builder.Spec(version_min=True, cpu=builder.X86_64)),
        (DEVICE, builder.Spec(version_min=True, encrypted=True)),
        (Target(Abi.IPHONEOS, Arch.ARM64, IOSVersion(13, 4)), builder.Spec(minos=(13, 4))),
    ],
)
def test_each_target_as_promised(tmp_path: Path, target: Target, spec: builder.Spec) -> None:
    promise = dataclasses.replace(PROMISE, target=target)
    files = {f"example/x.cpython-313-{target.abi}.so": macho(spec)}
    if target == ARM_SIMULATOR:
        files = {member: sign_ad_hoc(data) for member, data in files.items()}
    assert check(tmp_path, files=files, tag=f"cp313-cp313-{target.platform_tag}", promise=promise) == ()


@pytest.mark.parametrize(
    ("tag", "suffix", "expected"),
    [
        ("cp313-cp313", ".cpython-313-iphoneos.so", []),
        ("cp313-cp313", ".abi3.so", []),
        ("cp313-cp313", ".so", []),
        ("cp39-abi3", ".abi3.so", []),
        ("cp313-abi3", ".abi3.so", []),
        ("cp39-abi3", ".cpython-313-iphoneos.so", ["wrong-suffix"]),
        ("cp314-abi3", ".abi3.so", ["wrong-python-tag"]),
        ("cp312-cp312", ".cpython-312-iphoneos.so", ["wrong-python-tag", "wrong-suffix"]),
        ("cp313-cp313t", ".cpython-313t-iphoneos.so", ["wrong-python-tag", "wrong-suffix", "free-threaded"]),
        ("py3-none", ".so", []),
        ("py3-none", ".cpython-313-iphoneos.so", ["wrong-python-tag"]),
        ("py2-none", ".so", ["wrong-python-tag"]),
        ("cp313-cp313", ".cpython-313-iphonesimulator.so", ["wrong-suffix"]),
        ("cp313-cp313", ".cpython-313-darwin.so", ["wrong-suffix"]),
        ("cp313-cp313", ".cpython-313-x86_64-linux-gnu.so", ["wrong-suffix"]),
    ],
)
def test_python_and_abi_tags(tmp_path: Path, tag: str, suffix: str, expected: list[str]) -> None:
    findings = check(tmp_path, files={f"example/x{suffix}": macho()}, tag=f"{tag}-{DEVICE.platform_tag}")
    assert names(findings) == expected


@pytest.mark.parametrize("promise", [PURE, dataclasses.replace(PURE, python="cp39")])
@pytest.mark.parametrize("tag", ["py3-none-any", "py2.py3-none-any"])
def test_pure_tags(tmp_path: Path, tag: str, promise: Promise) -> None:
    wheel = wheel_text(*map(str, parse_tag(tag)), pure=True)
    assert check(tmp_path, files={"x.py": b""}, tag=tag, wheel=wheel, promise=promise) == ()


def test_findings_in_full(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """Everything that can be wrong at once, and how it reads."""
    spec = builder.Spec(
        cpu=builder.X86_64,
        platform=builder.MACOS,
        file_type=builder.BUNDLE,
        install_name=None,
        loads=((f"{BUILD}/libz.dylib", builder.LOAD), ("@rpath/liby.dylib", builder.WEAK)),
        rpaths=(f"{BUILD}/lib",),
        exports=("_init_x",),
        imports=(("_z", builder.DYNAMIC_LOOKUP, False),),
        strings=f"{BUILD}/x.c\0".encode(),
    )
    files = {
        MODULE: macho(spec),
        "example/bad.cpython-313-iphoneos.so": macho()[:500],
        "example/elf.cpython-313-x86_64-linux-gnu.so": b"\x7fELF\2\1\1\0",
        "example/fat.abi3.so": fat(macho(exports=("_PyInit_fat",)), macho(minos=(17, 0))),
        "example/config.py": f"PREFIX = '{BUILD}/prefix'\nOTHER = '{BUILD}'\nSAME = '{BUILD}er'\n".encode(),
    }
    promise = dataclasses.replace(
        PROMISE,
        name="sample",
        version="2.0",
        extensions=("example.x", "example.gone"),
        forbidden_prefixes=(f"{BUILD}/", "/nowhere", ""),
    )
    path = make_wheel(
        tmp_path,
        files,
        tag="cp312-cp312-ios_13_0_arm64_iphoneos",
        wheel=wheel_text("py3-none-any", pure=True),
        record="",
    )
    findings = check_promise(path, promise)
    assert render_text(findings) == snapshot
    assert json.loads(to_json(findings))["findings"][0]["id"] == findings[0].id


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (builder.Spec(file_type=builder.BUNDLE), ["not-a-dylib"]),
        (builder.Spec(cpu=builder.ARM64E), ["wrong-cpu"]),
        (builder.Spec(platform=builder.SIMULATOR), ["wrong-platform"]),
        (builder.Spec(platform=builder.CATALYST), ["wrong-platform"]),
        (builder.Spec(platform=None), ["wrong-platform"]),
        (builder.Spec(minos=(12, 1)), ["minos-too-high"]),
        (builder.Spec(minos=(9, 0)), []),
        (builder.Spec(exports=()), ["no-init-function"]),
        (builder.Spec(flags=0x85 & ~0x80, imports=(("_gone", 1, False),)), ["missing-symbol"]),
        (builder.Spec(flags=0x85 & ~0x80), []),  # Python and libSystem have them
    ],
)
def test_binaries(tmp_path: Path, spec: builder.Spec, expected: list[str]) -> None:
    assert names(check(tmp_path, macho(spec))) == expected


@pytest.mark.parametrize(
    ("load", "rpaths", "expected"),
    [
        ("/usr/lib/libz.1.dylib", (), []),
        ("/usr/lib/../../opt/x.dylib", (), ["foreign-library"]),
        ("/usr/local/lib/libz.dylib", (), ["foreign-library"]),
        ("/opt/homebrew/lib/libz.dylib", (), ["foreign-library"]),
        ("/System/Library/Frameworks/Accelerate.framework/Accelerate", (), []),
        ("/System/Library/PrivateFrameworks/X.framework/X", (), ["private-framework"]),
        ("libz.dylib", (), ["foreign-library"]),
        (builder.PYTHON, (), []),
        ("@rpath/Other.framework/Other", (), ["unanswered-library"]),
        # An app moves each .so into a framework of its own, so that only the framework's name finds it.
        ("@rpath/lib.libhelper.framework/lib.libhelper", (), []),
        ("@rpath/libhelper.so", ("@loader_path/../lib",), ["unanswered-library"]),
        ("@rpath/libhelper.so", ("@loader_path",), ["unanswered-library"]),
        ("@rpath/libhelper.so", (), ["unanswered-library"]),
        ("@loader_path/../lib/libhelper.so", (), ["unanswered-library"]),
        ("@loader_path/../../lib/libhelper.so", (), ["unanswered-library"]),
        ("@executable_path/lib/libhelper.so", (), ["unanswered-library"]),
        ("@rpath/helper.framework/helper", (), ["unanswered-library"]),
    ],
)
def test_libraries(tmp_path: Path, load: str, rpaths: tuple[str, ...], expected: list[str]) -> None:
    files = {
        MODULE: macho(loads=((load, builder.LOAD),), rpaths=rpaths, imports=()),
        "lib/libhelper.so": macho(install_name="@rpath/helper.framework/helper", exports=("_PyInit_libhelper",)),
    }
    assert names(check(tmp_path, files=files)) == expected


def test_a_plain_library_may_lack_an_init_function(tmp_path: Path) -> None:
    files = {MODULE: macho(), "example/libplain.so": macho(exports=("_f",))}
    (finding,) = check(tmp_path, files=files)
    assert (finding.name, finding.severity) == ("no-init-function", Severity.WARNING)
    promise = dataclasses.replace(PROMISE, extensions=("example.libplain",))
    (finding,) = check(tmp_path, files=files, promise=promise)
    assert finding.severity is Severity.ERROR


def test_native_where_pure_was_promised(tmp_path: Path) -> None:
    findings = check(tmp_path, tag="py3-none-any", promise=PURE)
    assert "not-pure" in names(findings)


def test_pure_where_native_was_promised(tmp_path: Path) -> None:
    findings = check(tmp_path, files={"x.py": b""}, tag="py3-none-any")
    assert names(findings) == ["not-native", "wrong-platform-tag", "missing-extension"]


def test_a_native_library_holds_archives(tmp_path: Path) -> None:
    promise = dataclasses.replace(PROMISE, extensions=())
    files = {"opt/lib/libz.a": b"!<arch>\n", "opt/include/zlib.h": b""}
    assert check(tmp_path, files=files, tag=f"py3-none-{DEVICE.platform_tag}", promise=promise) == ()


def test_build_paths_and_their_severities(tmp_path: Path) -> None:
    promise = dataclasses.replace(PROMISE, forbidden_prefixes=(BUILD,))
    data = macho(install_name=f"{BUILD}/x.so", stabs=(f"{BUILD}/x.o",))
    findings = check(tmp_path, files={MODULE: data, "x.txt": BUILD.encode()}, promise=promise)
    assert [(finding.name, finding.severity) for finding in findings] == [
        ("build-path-in-load-command", Severity.ERROR),
        ("build-path-in-binary", Severity.WARNING),
        ("build-path-in-file", Severity.WARNING),
    ]


def test_unreadable_wheel_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "example-1.0-py3-none-any.whl"
    path.write_bytes(b"no zip file")
    (finding,) = check_promise(path, PROMISE)
    assert finding.name == "unreadable-wheel"
    (finding,) = check_promise(tmp_path / "x.zip", PROMISE)
    assert "not a wheel's name" in finding.message


def test_names_and_versions_may_be_spelled_differently(tmp_path: Path) -> None:
    assert check(tmp_path, promise=dataclasses.replace(PROMISE, name="Example", version="1.0.0")) == ()


def test_rules_are_unique_and_each_belongs_to_a_check() -> None:
    rules = all_rules()
    assert len({one.id for one in rules}) == len({one.name for one in rules}) == len(rules)
    used = {name for check in (*CHECKS, *FILE_CHECKS) for name in check.rules}
    used |= {"unreadable-wheel", "missing-target", "unmet-requirement"}
    assert used == {one.name for one in rules}
    with pytest.raises(KeyError):
        rule("no-such-rule")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (macho() + bytes(16), "unsignable-layout"),
        (macho(install_name=None), "missing-install-name"),
        (macho(rpaths=("@loader_path", "@loader_path")), "duplicate-load-command"),
        (macho(chained=bytes(32), trie=b""), "newer-load-command"),
    ],
)
def test_what_is_checked_of_any_file_is_checked_of_a_build(tmp_path: Path, data: bytes, expected: str) -> None:
    assert names(check(tmp_path, data)) == [expected]


def test_every_file_check_but_those_of_the_tag_is_run_for_builds() -> None:
    assert {check.run for check in FILE_CHECKS} - {check.run for check in CHECKS} == {check_platform_tag_itself}


def test_ids_never_change(snapshot: SnapshotAssertion) -> None:
    assert {one.id: one.name for one in all_rules()} == snapshot


def test_nothing_to_report() -> None:
    assert render_text(()) == "no findings\n"
    assert json.loads(to_json(())) == {"version": 1, "findings": []}
