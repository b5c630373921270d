"""What stands in for Accelerate: when it is asked for, and what pip is asked then."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ToolchainError, TrialError
from forge.base.target import Arch
from forge.emulate.openblas import OPENBLAS32, OPENBLAS64, Pin, ensure_openblas, loaded_names, names_accelerate
from tests.unit.emulate.runner.fake_pip import make_pip
from tests.unit.frameworks.modules import ARM, module
from tests.unit.ios_python.fakes import Recorder
from tests.unit.macho import builder
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

UMBRELLA = "/System/Library/Frameworks/Accelerate.framework/Accelerate"
VECLIB = "/System/Library/Frameworks/Accelerate.framework/Versions/A/Frameworks/vecLib.framework/libLAPACK.dylib"
SYSTEM = (builder.SYSTEM, builder.LOAD)


def wheels(root: Path) -> list[Path]:
    """The two wheels, as far as what is taken of them goes."""
    pins, tag = (OPENBLAS32, OPENBLAS64), "py3-none-manylinux_2_28_x86_64"
    return [make_wheel(root, {pin.library: b"\x7fELF"}, name=pin.project.replace("-", "_"), tag=tag) for pin in pins]


@pytest.mark.parametrize(("name", "kind"), [(UMBRELLA, builder.LOAD), (VECLIB, builder.LOAD), (UMBRELLA, builder.WEAK)])
def test_an_image_that_names_accelerate(tmp_path: Path, name: str, kind: int) -> None:
    made = tmp_path / "Frameworks" / "x.framework" / "x"
    made.parent.mkdir(parents=True)
    made.write_bytes(module(loads=(SYSTEM, (name, kind))))
    assert names_accelerate(loaded_names(tmp_path))


def test_a_slice_that_names_accelerate(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(
        builder.fat(module(ARM), builder.macho(cpu=builder.X86_64, loads=((UMBRELLA, builder.LOAD),)))
    )
    assert names_accelerate(loaded_names(tmp_path))


def test_nothing_else_counts(tmp_path: Path) -> None:
    plain = module(loads=(SYSTEM, ("/System/Library/Frameworks/AccelerateX.framework/AccelerateX", builder.LOAD)))
    (tmp_path / "plain").write_bytes(plain)
    (tmp_path / "text.py").write_text(f"NAME = {UMBRELLA!r}")
    (tmp_path / "empty").touch()
    (tmp_path / "cut off").write_bytes(module(loads=((UMBRELLA, builder.LOAD),))[:100])
    (tmp_path / "directory.so").mkdir()
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    assert not names_accelerate(loaded_names(tmp_path))
    assert not names_accelerate(loaded_names(tmp_path / "missing"))


@pytest.mark.parametrize(("arch", "machine"), [(Arch.X86_64, "x86_64"), (Arch.ARM64, "aarch64")])
def test_both_are_fetched_once(tmp_path: Path, arch: Arch, machine: str) -> None:
    pip = make_pip(tmp_path, [ARM], download={"wheels": wheels(tmp_path / "index")})
    progress = Recorder()
    made = ensure_openblas(pip.context, arch, progress)
    assert made.openblas32.read_bytes() == made.openblas64.read_bytes() == b"\x7fELF"
    assert made.openblas32.is_relative_to(tmp_path / "home" / "emulate" / "openblas")
    assert progress.said == [f"OpenBLAS for Linux on {machine}: fetch"]
    asked = pip.asked("download")
    assert {"--no-deps", "--require-hashes", "--only-binary=:all:", "-r"} <= set(asked)
    platforms = {two for one, two in pairwise(asked) if one == "--platform"}
    assert f"manylinux_2_28_{machine}" in platforms
    assert {"--no-index", "--no-deps", f"manylinux_2_28_{machine}"} <= set(pip.asked("install"))
    said = pip.said.read_text()
    assert ensure_openblas(pip.context, arch, progress) == made
    assert pip.said.read_text() == said
    assert list((tmp_path / "home" / "builds").iterdir()) == []


@pytest.mark.parametrize("pin", [OPENBLAS32, OPENBLAS64])
def test_versions_are_pinned_with_hashes(pin: Pin) -> None:
    hashes = re.findall("--hash=sha256:([0-9a-f]{64})", pin.requirement)
    assert len(set(hashes)) == 2
    assert pin.requirement.startswith(f"{pin.project}=={pin.version} --hash")


def test_the_index_does_not_have_them(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    says = "ERROR: No matching distribution found for scipy-openblas32"
    pip = make_pip(tmp_path, [ARM], download={"says": says, "code": 1})
    with pytest.raises(TrialError) as caught:
        ensure_openblas(pip.context, Arch.X86_64, Recorder())
    assert f"{caught.value.message}\nhint: {caught.value.hint}".replace(str(tmp_path), "TMP") == snapshot
    assert list((tmp_path / "home" / "emulate" / "openblas").iterdir()) == []


def test_wheels_of_another_shape(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    pip = make_pip(tmp_path, [ARM], download={"wheels": wheels(tmp_path / "index")[:1]})
    with pytest.raises(ToolchainError) as caught:
        ensure_openblas(pip.context, Arch.X86_64, Recorder())
    assert f"{caught.value.message}\nhint: {caught.value.hint}".replace(str(tmp_path), "TMP") == snapshot
    assert list((tmp_path / "home" / "emulate" / "openblas").iterdir()) == []
