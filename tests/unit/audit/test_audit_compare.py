from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.compare import DifferenceKind, compare_wheels
from tests.unit.macho import builder
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel, wheel_text

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

MODULE = "example/x.cpython-313-iphoneos.so"
NEWER = "cp313-cp313-ios_13_0_arm64_iphoneos"


def test_wheels_that_agree_but_for_who_packed_them(tmp_path: Path) -> None:
    a = make_wheel(tmp_path / "a", {MODULE: macho()})
    b = make_wheel(tmp_path / "b", {MODULE: macho()}, tag=NEWER, wheel=wheel_text(NEWER, extra="X: y\n"))
    comparison = compare_wheels(a, b)
    assert comparison.differences == ()
    assert str(comparison) == f"{a.name} and {b.name} agree"


def test_differences(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    ours = builder.Spec(install_name="@rpath/x.framework/x")
    theirs = builder.Spec(
        file_type=builder.BUNDLE,
        flags=0x8085 | 0x40000000,
        minos=(13, 0),
        install_name="build/x.so",
        exports=("_PyInit_x", "_helper"),
        imports=(("_free", 1, False), ("_malloc", 1, True)),
        loads=((builder.SYSTEM, builder.LOAD), ("/usr/lib/libz.1.dylib", builder.WEAK)),
    )
    a = make_wheel(
        tmp_path / "a", {MODULE: macho(ours), "only_a.py": b"", "same.so": b"\x7fELF", "bad.so": macho()[:99]}
    )
    b = make_wheel(tmp_path / "b", {MODULE: macho(theirs), "same.so": macho(), "bad.so": macho()[:99], "lib.a": b""})
    comparison = compare_wheels(a, b)
    assert str(comparison) == snapshot
    kept = comparison.without(DifferenceKind.INSTALL_NAME, DifferenceKind.FILES)
    assert {d.kind for d in comparison.differences} - {d.kind for d in kept.differences} == {
        DifferenceKind.INSTALL_NAME,
        DifferenceKind.FILES,
    }
