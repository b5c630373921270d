"""The lowest iOS that a wheel needs, and wheels that need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from forge.audit.check import check_paths, check_wheel
from forge.audit.check_report import render_text
from tests.unit.audit.broken import DEVICE, FRAMEWORKS, MODULE, SIMULATOR_MODULE, chained, imports, loads, sound
from tests.unit.macho import builder
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

FLAT = builder.DYNAMIC_LOOKUP


@pytest.mark.parametrize(
    ("files", "needed"),
    [
        (sound(), "12.0"),
        (sound(minos=(13, 0)), "13.0 is built for 13.0"),
        (sound(minos=(13, 10)), "14.0 is built for 13.10"),
        (sound(minos=(9, 0)), "12.0"),
        (imports("_aligned_alloc"), "13.0 imports _aligned_alloc"),
        (sound(imports=(("_aligned_alloc", 2, True),)), "12.0"),
        (sound(imports=(("_aligned_alloc", FLAT, False),)), "13.0 looks up _aligned_alloc"),
        (sound(chained=chained("_free"), trie=b""), "13.4 has LC_DYLD_CHAINED_FIXUPS"),
        (loads(f"{FRAMEWORKS}CryptoKit.framework/CryptoKit"), "13.0 loads"),
        (loads(f"{FRAMEWORKS}CryptoKit.framework/CryptoKit", kind=builder.WEAK), "12.0"),
        (sound(minos=(13, 0), chained=chained("_free"), trie=b""), "13.4 has LC_DYLD_CHAINED_FIXUPS"),
    ],
)
def test_lowest_ios(tmp_path: Path, files: dict[str, Any], needed: str) -> None:
    needs = check_wheel(make_wheel(tmp_path, files, tag=f"cp313-cp313-{DEVICE}")).needs
    assert needs is not None
    version, _, reason = needed.partition(" ")
    assert str(needs.version) == version
    assert [one.startswith(f"{MODULE}: {reason}") for one in needs.reasons] == ([True] if reason else [])


def test_arm64_simulators_start_at_14(tmp_path: Path) -> None:
    for minos, expected in (((14, 0), "14.0"), ((15, 2), "15.2")):
        files = {SIMULATOR_MODULE: macho(platform=builder.SIMULATOR, minos=minos)}
        path = make_wheel(tmp_path, files, tag="cp313-cp313-ios_12_0_arm64_iphonesimulator")
        needs = check_wheel(path).needs
        assert needs is not None
        assert str(needs.version) == expected


def test_the_report_says_what_needs_more_than_the_tag(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, imports("_aligned_alloc"), tag=f"cp313-cp313-{DEVICE}")
    said = f"  needs   iOS 13.0: {MODULE}: imports _aligned_alloc\n"
    assert said in render_text(check_paths([path]))
    enough = make_wheel(tmp_path, imports("_aligned_alloc"), tag="cp313-cp313-ios_13_0_arm64_iphoneos")
    assert "needs " not in render_text(check_paths([enough]))


def test_a_library_that_another_wheel_brings(tmp_path: Path) -> None:
    user = make_wheel(tmp_path, loads("@rpath/lib.libarrow.framework/lib.libarrow"), tag=f"cp313-cp313-{DEVICE}")
    assert [one.name for one in check_paths([user]).findings] == ["unanswered-library"]
    files = {"lib/libarrow.so": macho(exports=("_f",), install_name="@rpath/lib.libarrow.framework/lib.libarrow")}
    library = make_wheel(tmp_path, files, name="lib", tag=f"py3-none-{DEVICE}")
    assert "unanswered-library" not in [one.name for one in check_paths([user, library]).findings]
    elsewhere = make_wheel(tmp_path, files, name="lib", tag="py3-none-ios_12_0_x86_64_iphonesimulator")
    assert "unanswered-library" in [one.name for one in check_paths([user, elsewhere]).findings]
