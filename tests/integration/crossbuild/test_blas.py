"""OpenBLAS's kernels: those that it takes on macOS, and none that a CPU could not run."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.macho.reader import read_macho
from forge.toolchain.llvm import LLVMToolchain
from forge.trial.emulator import host_arch
from forge.trial.options import TrialOptions
from forge.trial.run import try_wheel

if TYPE_CHECKING:
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.X86_64)

CHOSEN = {"Nehalem": "sse4_2", "Haswell": "avx2", "SkylakeX": "avx512vl"}
"""The cores whose kernels the x86-64 archive has, by OpenBLAS's name, and a CPU feature that each needs."""

PRODUCTS = '''\
"""What every kind of kernel has a part in; OpenBLAS says on stderr whose it takes (OPENBLAS_VERBOSE)."""

import os

os.environ["OPENBLAS_CORETYPE"] = {core!r}
os.environ["OPENBLAS_VERBOSE"] = "2"


def test_products():
    import numpy as np

    generator = np.random.default_rng(7)
    for kind, tolerance in (("f4", 1e-3), ("f8", 1e-10), ("c8", 1e-3), ("c16", 1e-10)):
        a, b = generator.integers(-9, 9, (2, 129, 129)).astype(kind)
        assert (a @ b == np.einsum("ij,jk", a, b)).all()
        assert (a @ b[0] == np.einsum("ij,j", a, b[0])).all()
        assert a[0] @ b[1] == (a[0] * b[1]).sum()
        a = a + 200 * np.eye(129, dtype=kind)
        assert np.allclose(a @ np.linalg.solve(a, b), b, atol=tolerance)
        u, s, v = np.linalg.svd(a)
        assert np.allclose((u * s) @ v, a, atol=10 * tolerance)
'''


def archive(forge: Forge, target: Target, tmp_path: Path) -> Path:
    with zipfile.ZipFile(forge.build("openblas", target).wheel) as wheel:
        wheel.extractall(tmp_path)
    return tmp_path / "opt" / "lib" / "libopenblas.a"


def llvm(forge: Forge, tool: str, *arguments: object) -> str:
    toolchain = forge.context.toolchain
    if not isinstance(toolchain, LLVMToolchain):
        pytest.skip("no LLVM tools with this toolchain")
    command = [str(toolchain.llvm.bin / tool), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_arm64_has_its_apple_kernels_for_every_armv8(forge: Forge, tmp_path: Path) -> None:
    """iOS 12 runs on the A7: an instruction of ARMv8.1 or later stops an app there, on no Mac and on no newer phone."""
    library = archive(forge, DEVICE, tmp_path)
    config = (tmp_path / "opt" / "include" / "openblas_config.h").read_text()
    assert '#define OPENBLAS_CHAR_CORENAME "VORTEX"' in config
    everything = llvm(forge, "llvm-objdump", "-d", library)
    plain = llvm(forge, "llvm-objdump", "-d", "--mattr=-all,+neon,+fp-armv8", library)
    assert everything.count("fmla") > 1000
    assert plain.count("<unknown>") == everything.count("<unknown>"), "constants between functions, no instructions"
    newer = tmp_path / "newer.s"
    newer.write_text("ldadd x0, x1, [x2]\nfcmla v0.2d, v1.2d, v2.2d, #0\nadd x0, x0, x1\n")
    llvm(forge, "clang", "--target=arm64-apple-ios12", "-march=armv8.3-a", "-c", newer, "-o", newer.with_suffix(".o"))
    said = llvm(forge, "llvm-objdump", "-d", "--mattr=-all,+neon,+fp-armv8", newer.with_suffix(".o"))
    assert said.count("<unknown>") == 2, "this is how newer instructions look"


def test_x86_64_has_those_of_every_mac(forge: Forge, tmp_path: Path) -> None:
    library = archive(forge, SIMULATOR, tmp_path)
    members = llvm(forge, "llvm-ar", "t", library).split()
    assert {one[1] for member in members if (one := re.fullmatch(r"dgemm_kernel_([A-Z]+)\.o", member))} == {
        "PRESCOTT", *(core.upper() for core in CHOSEN)
    }  # fmt: skip
    wide: set[str] = set()
    for line in llvm(forge, "llvm-objdump", "-d", library).splitlines():
        if begins := re.match(r"\S+\((\S+)\):", line):
            member = begins[1]
        elif "%ymm" in line or "%zmm" in line:
            wide.add(member)
    assert "dgemm_kernel_HASWELL.o" in wide
    common = {name for name in wide if not name.endswith(("_HASWELL.o", "_SKYLAKEX.o"))}
    assert common == set(), "run on every CPU, and before one is known"


@pytest.mark.parametrize("target", [DEVICE, SIMULATOR], ids=str)
def test_the_shared_library_exports_everything_under_names_of_its_own(
    target: Target, forge: Forge, tmp_path: Path
) -> None:
    """An exported dgemm_ the App Store would take for Apple's."""
    with zipfile.ZipFile(forge.build("openblas-shared", target).wheel) as wheel:
        (one,) = read_macho(wheel.read("opt/lib/libscipy_openblas.dylib")).slices
    names = {export.name for export in one.exports}
    assert {name for name in names if not name.startswith("_scipy_")} == set()
    wanted = ("dgemm_", "zgesdd_", "cblas_sgemm", "dlamch_", "xerbla_", "openblas_get_config")
    assert {f"_scipy_{name}" for name in wanted} <= names
    assert [dylib.name for dylib in one.dylibs] == ["/usr/lib/libSystem.B.dylib"]


@pytest.mark.skipif(host_arch() is not Arch.X86_64, reason="runs x86-64 code")
@pytest.mark.parametrize("core", sorted(CHOSEN))
def test_the_kernels_of_each_run(core: str, forge: Forge, tmp_path: Path) -> None:
    cpu = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    if cpu is None or CHOSEN[core] not in cpu[1].split():
        pytest.skip(f"this machine's CPU has no {CHOSEN[core]}")
    wheel = forge.build("numpy", SIMULATOR).wheel
    tests = tmp_path / "test_products.py"
    tests.write_text(PRODUCTS.format(core=core))
    trial = try_wheel(wheel, forge.context, SilentProgress(), TrialOptions(tests=(tests,), pytest_args=("-s",)))
    assert trial.outcome.is_good, trial.outcome.output.read_text()
    assert set(re.findall(r"^Core: (\w+)$", trial.outcome.output.read_text(), flags=re.MULTILINE)) == {core}
