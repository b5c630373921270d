"""The wheels that the recipes give: named right, what they promise, installable, the same each time."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from forge.audit.promise import Promise, check_promise
from forge.base.target import parse_multiarch
from forge.macho.reader import read_macho
from tests.integration.crossbuild.conftest import ROOT_MODULES, Forge
from tests.integration.own_wheels import with_own_wheels
from tests.integration.publications import MACOS_ARM64, MACOS_X86_64, published_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target

pytestmark = pytest.mark.toolchain


@pytest.mark.parametrize("name", ROOT_MODULES)
def test_is_named_for_its_target_and_passes_every_check(name: str, target: Target, forge: Forge) -> None:
    result = forge.build(name, target)
    wheel = result.wheel
    assert wheel.name.endswith(f"-cp313-cp313-ios_12_0_{target.arch}_{target.abi}.whl")
    promise = Promise(
        name=name,
        version=wheel.name.split("-")[1],
        target=target,
        python="cp313",
        native=True,
        forbidden_prefixes=(str(forge.context.home.root), str(forge.out)),
    )
    assert check_promise(wheel, promise) == ()


def test_numpy_is_called_what_the_issue_says(target: Target, forge: Forge) -> None:
    assert forge.build("numpy", target).wheel.name == f"numpy-2.5.5-cp313-cp313-{target.platform_tag}.whl"


def cpu_features(wheel: Path) -> tuple[list[str], list[str]]:
    """The CPU features that a numpy was built with and dispatches to, as its own messages name them."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [n for n in archive.namelist() if n.startswith("numpy/_core/_multiarray_umath.")]
        binary = archive.read(name)
    baseline, dispatch = re.findall(rb"\n\(((?:[A-Z][A-Z0-9_]+ ?)+)\)\.", binary)
    return baseline.decode().split(), dispatch.decode().split()


def test_numpy_has_the_cpu_features_of_its_macos_wheel(target: Target, forge: Forge, tmp_path: Path) -> None:
    """A lost feature is a bug in the toolchain: a check that failed for another reason than the CPU."""
    ours = forge.build("numpy", target)
    platforms = MACOS_ARM64 if target.arch == "arm64" else MACOS_X86_64
    published = published_wheel("numpy", "2.5.5", platforms, tmp_path)
    assert published is not None
    baseline, dispatch = cpu_features(ours.wheel)
    theirs = cpu_features(published)
    if target.arch == "arm64":
        # clang 19 crashes where one of SVE's vectors is an argument in Darwin's calling convention, so the check fails.
        # Nothing is lost. Apple's CPUs have SVE in SME's streaming mode only, which numpy does not enter.
        theirs = (theirs[0], [feature for feature in theirs[1] if feature != "SVE"])
    assert (baseline, dispatch) == theirs
    expected = ["ASIMDHP", "ASIMDDP", "ASIMDFHM"] if target.arch == "arm64" else ["X86_V3", "X86_V4", "AVX512_ICL"]
    assert dispatch == expected
    # What the configure summary says is what went into the binary.
    enabled = [line.partition(":")[2].split() for line in forge.log(ours).splitlines() if "  Enabled   :" in line]
    assert enabled == [baseline, dispatch]


def test_numpy_was_built_on_the_build_machine_for_ios(target: Target, forge: Forge) -> None:
    log = forge.log(forge.build("numpy", target))
    assert "Build machine cpu family: x86_64" in log or "Build machine cpu family: aarch64" in log
    with zipfile.ZipFile(forge.build("numpy", target).wheel) as archive:
        config = archive.read("numpy/__config__.py").decode()
    assert '"system": "ios"' in config
    assert f'"system": "{sys.platform}"' in config
    assert str(forge.context.home.root) not in config


@pytest.mark.parametrize("ios", ["12_0", "13_0", "18_5"])
def test_pip_installs_it_for_every_later_ios(ios: str, forge: Forge, tmp_path: Path) -> None:
    forge.build("multidict", parse_multiarch("arm64-iphoneos"))
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", str(forge.out),
        "--platform", f"ios_{ios}_arm64_iphoneos", "--only-binary=:all:", "--implementation", "cp",
        "--python-version", "3.13", "--target", str(tmp_path), "multidict",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    modules = list(tmp_path.rglob("_multidict.cpython-313-iphoneos.so"))
    assert len(modules) == 1
    (piece,) = read_macho(modules[0]).slices
    assert piece.exports_symbol("_PyInit__multidict")


def test_the_same_build_gives_the_same_bytes(target: Target, forge: Forge, tmp_path: Path) -> None:
    first = forge.build("multidict", target)
    own = Forge(with_own_wheels(forge.context, tmp_path / "kept"), tmp_path / "dist")
    own.out.mkdir()
    second = own.build("multidict", target)
    assert second.built
    assert second.fingerprint == first.fingerprint
    assert second.wheel.read_bytes() == first.wheel.read_bytes()


def test_nothing_is_built_twice(target: Target, forge: Forge) -> None:
    forge.build("lru-dict", target)
    assert not forge.build("lru-dict", target).built
