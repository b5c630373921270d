"""What emulated code is told of the CPU: the commpage and sysctl agree, on this machine's CPU and on others' (qemu)."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.emulate.guest import find_qemu
from forge.emulate.runtime.config import LoaderConfig
from forge.plan.provision import ensure_context
from forge.toolchain.environment import cross_environment
from forge.trial.emulator import ensure_linux, host_arch

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "emulate" / "loader" / "cpu.c"

SCRIPT = """
import ctypes, json, sys
sys.path.insert(0, {root!r})
from forge.emulate.runtime import LoaderConfig, install
install(LoaderConfig.from_json({config!r}))
library = ctypes.CDLL({library!r})
for name in ("capabilities", "memory", "number"):
    getattr(library, name).restype = ctypes.c_int64
signature = ctypes.create_string_buffer(16)
library.signature(signature)
print(json.dumps(dict(
    capabilities=library.capabilities() & (1 << 64) - 1, version=library.version(), cpus=library.logical_cpus(),
    memory=library.memory(), signature=signature.raw.rstrip(bytes(1)).decode(),
    numbers={{name: library.number(name.encode()) for name in {names!r}}},
)), flush=True)
if {fault}:
    library.write_to_page()
"""

# hw.optional's names and the capabilities' bits (xnu, osfmk/i386/cpu_capabilities.h and osfmk/arm/cpu_capabilities.h).
BITS = {
    Arch.X86_64: {
        "hw.optional.sse4_2": 0x800, "hw.optional.aes": 0x1000, "hw.optional.avx1_0": 0x01000000,
        "hw.optional.fma": 0x10000000, "hw.optional.avx2_0": 0x20000000, "hw.optional.bmi2": 0x80000000,
        "hw.optional.avx512f": 0x0000004000000000, "hw.optional.avx512vl": 0x0000100000000000,
    },
    Arch.ARM64: {
        "hw.optional.neon": 0x100, "hw.optional.armv8_crc32": 0x04000000, "hw.optional.arm.FEAT_LSE": 0x02000000,
        "hw.optional.arm.FEAT_DotProd": 0x0000040000000000, "hw.optional.arm.FEAT_FP16": 0x8,
    },
}  # fmt: skip
OTHERS = ("hw.logicalcpu", "hw.memsize", "hw.cputype", "hw.optional.nothing_that_there_is")


@dataclass(frozen=True)
class Cpu:
    """A CPU to run on, and which of the bits above it must, and must not, have."""

    arch: Arch
    model: str | None
    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.arch}-{self.model or 'this-machine'}"


CPUS = (
    Cpu(host_arch() or Arch.X86_64, None),
    Cpu(Arch.X86_64, "Nehalem", frozenset({"sse4_2"}), frozenset({"avx1_0", "avx2_0", "avx512f"})),
    Cpu(Arch.X86_64, "Haswell", frozenset({"avx2_0", "fma", "bmi2"}), frozenset({"avx512f"})),
    Cpu(Arch.X86_64, "EPYC", frozenset({"avx2_0", "aes"}), frozenset({"avx512f", "avx512vl"})),
    Cpu(Arch.ARM64, "cortex-a57", frozenset({"neon", "armv8_crc32"}), frozenset({"FEAT_LSE", "FEAT_DotProd"})),
    Cpu(Arch.ARM64, "max,pauth=off,sve=off,sme=off", frozenset({"FEAT_LSE", "FEAT_DotProd", "FEAT_FP16"})),
)


def ask(cpu: Cpu, tmp_path: Path, *, launcher: tuple[str, ...] = (), fault: bool = False) -> tuple[dict[str, Any], int]:
    """What a Mach-O library that is compiled for the CPU reads, and the process's exit code."""
    if cpu.arch is not host_arch() or cpu.model is not None:
        if find_qemu(cpu.arch) is None:
            pytest.skip(f"there is no qemu for {cpu.arch}")
        if cpu.arch is Arch.X86_64 and host_arch() is not Arch.X86_64:
            pytest.skip("x86-64 code runs on x86-64 alone")
    target = Target(Abi.IPHONESIMULATOR if cpu.arch is Arch.X86_64 else Abi.IPHONEOS, cpu.arch)
    context = ensure_context(ForgeHome.from_environment(), "3.13", [target], SilentProgress())
    library = tmp_path / "libcpu.dylib"
    output(
        ["xcrun", "--sdk", target.abi, "clang", "-target", target.clang_triple, "-dynamiclib", SOURCE, "-o", library],
        env=cross_environment(context.toolchain, target, tmp_path),
    )
    linux = ensure_linux(context, target.arch, SilentProgress(), cpu.model)
    script = SCRIPT.format(
        root=str(ROOT), config=LoaderConfig(shim=linux.shim).to_json(), library=str(library),
        names=[*BITS[cpu.arch], *OTHERS], fault=fault,
    )  # fmt: skip
    done = subprocess.run(
        [*launcher, *linux.command, "-I", "-c", script],
        check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.stdout, done.stderr
    return json.loads(done.stdout), done.returncode


@pytest.mark.parametrize("cpu", CPUS, ids=str)
def test_the_commpage_and_sysctl_agree(cpu: Cpu, tmp_path: Path) -> None:
    found, code = ask(cpu, tmp_path)
    assert code == 0
    numbers = found["numbers"]
    assert {name: numbers[name] for name in BITS[cpu.arch]} == {
        name: int(found["capabilities"] & bit != 0) for name, bit in BITS[cpu.arch].items()
    }
    has = {name.rpartition(".")[2] for name in BITS[cpu.arch] if numbers[name]}
    assert cpu.has <= has
    assert not cpu.lacks & has
    assert found["signature"] == "commpage 64-bit"
    assert found["version"] == (13 if cpu.arch is Arch.X86_64 else 3)
    assert found["cpus"] == numbers["hw.logicalcpu"] == found["capabilities"] >> 16 & 0xFF
    assert found["memory"] == numbers["hw.memsize"] > 0
    assert numbers["hw.cputype"] == (0x1000007 if cpu.arch is Arch.X86_64 else 0x100000C)
    assert numbers["hw.optional.nothing_that_there_is"] == -1


@pytest.mark.skipif(host_arch() is not Arch.X86_64, reason="reads the flags of an x86-64 CPU")
def test_avx512_is_told_as_this_machines_kernel_tells_it(tmp_path: Path) -> None:
    flags = set(Path("/proc/cpuinfo").read_text().split())
    numbers = ask(Cpu(Arch.X86_64, None), tmp_path)[0]["numbers"]
    linux = {"sse4_2": "sse4_2", "aes": "aes", "avx1_0": "avx", "fma": "fma", "avx2_0": "avx2", "bmi2": "bmi2"}
    linux |= {"avx512f": "avx512f", "avx512vl": "avx512vl"}
    assert {name: numbers[f"hw.optional.{name}"] for name in linux} == {n: int(f in flags) for n, f in linux.items()}


def test_nothing_can_be_written_there(tmp_path: Path) -> None:
    assert ask(Cpu(host_arch() or Arch.X86_64, None), tmp_path, fault=True)[1] < 0


def test_the_page_is_there_without_address_randomisation(tmp_path: Path) -> None:
    """setarch(8) starts a program so, and some debuggers do: the stack lies around the page then."""
    found, code = ask(Cpu(host_arch() or Arch.X86_64, None), tmp_path, launcher=("setarch", "--addr-no-randomize"))
    assert (found["signature"], code) == ("commpage 64-bit", 0)
