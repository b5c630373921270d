"""Mach-O code that calls Accelerate's BLAS and LAPACK, with Linux's OpenBLAS in its place."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.progress import SilentProgress
from forge.emulate.guest import find_qemu
from forge.emulate.openblas import ensure_openblas, loaded_names, names_accelerate
from forge.emulate.runtime.config import LoaderConfig
from forge.plan.provision import ensure_context
from forge.toolchain.environment import cross_environment
from forge.trial.emulator import ensure_linux, host_arch
from tests.integration.targets import DEVICE, SIMULATOR

pytestmark = pytest.mark.toolchain

ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).parent / "emulate" / "loader" / "accelerate.c"
TARGETS = (SIMULATOR, DEVICE)
WIDTHS = {"lp64": ("$NEWLAPACK", "openblas32"), "ilp64": ("$NEWLAPACK$ILP64", "openblas64")}
FRAMEWORK = "/System/Library/Frameworks/Accelerate.framework/Accelerate"
TBD = """\
--- !tapi-tbd
tbd-version: 4
targets: [x86_64-ios-simulator, arm64-ios-simulator, arm64-ios]
install-name: {install_name}
exports:
  - targets: [x86_64-ios-simulator, arm64-ios-simulator, arm64-ios]
    symbols: [{symbols}]
...
"""

SCRIPT = """
import ctypes, json, sys
sys.path.insert(0, {root!r})
from forge.emulate.runtime import LoaderConfig, install
loader = install(LoaderConfig.from_json({config!r}))
library = ctypes.CDLL({library!r})
bound = {{row["symbol"]: [row["source"], row["entry"]] for row in loader.report()["bindings"]}}
if {asked!r} == "answers":
    numbers = (ctypes.c_double * 64)()
    count = library.answers(numbers)
    result = list(numbers)[:count]
else:
    result = getattr(library, {asked!r})()
print("\\nresult", json.dumps([result, bound]), flush=True)
"""

ANSWERS = [
    12, 1, 2, 12,  # 4 - 10 + 18; the second is the largest, counted from 0 by C and from 1 by Fortran
    17, 23, 39, 53,
    -5, 12, 11, -4, -5, 12, 11, -4,  # (1+2i)(3+4i) + 2i and (1-2i)(3+4i) - 2i, in both precisions
    0.8, 1.4, 0,
    4, 3, 0,
    2, 1, 1, 0,
    1, 0, 1, ord("T"),
    -2,
]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A library under test, and what it is run in."""

    width: str
    command: tuple[str, ...]
    config: LoaderConfig
    library: Path

    def run(self, asked: str, config: LoaderConfig | None = None) -> subprocess.CompletedProcess[str]:
        script = SCRIPT.format(
            root=str(ROOT), config=(config or self.config).to_json(), library=str(self.library), asked=asked
        )
        return subprocess.run(
            [*self.command, "-I", "-c", script],
            check=False, capture_output=True, text=True, timeout=120, cwd=self.library.parent,
            env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip


@pytest.fixture(scope="module", params=[(t, w) for t in TARGETS for w in WIDTHS], ids=lambda p: f"{p[0]}-{p[1]}")
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    target, width = request.param
    if target.arch != host_arch() and find_qemu() is None:
        pytest.skip("there is no qemu-aarch64")
    context = ensure_context(ForgeHome.from_environment(), "3.13", [target], SilentProgress())
    here = tmp_path_factory.mktemp("accelerate")
    suffix, _ = WIDTHS[width]
    names = re.findall(r"(?:ROUTINE\(|^DOT\()(\w+)", SOURCE.read_text("utf-8"), re.MULTILINE)
    symbols = ", ".join(f'"_{name}{suffix}"' for name in sorted({*names} - {"name"}))
    (here / "Accelerate.tbd").write_text(TBD.format(install_name=FRAMEWORK, symbols=symbols), encoding="utf-8")
    library = here / "libuser.dylib"
    output(
        ["xcrun", "--sdk", target.abi, "clang", "-target", target.clang_triple, "-O1", "-Wall", "-Werror",
         *(["-DILP64"] if width == "ilp64" else []), "-dynamiclib", SOURCE, here / "Accelerate.tbd", "-o", library],
        env=cross_environment(context.toolchain, target, here),
    )  # fmt: skip
    assert names_accelerate(loaded_names(here))
    linux = ensure_linux(context, target.arch, SilentProgress())
    made = ensure_openblas(context, target.arch, SilentProgress())
    config = LoaderConfig(
        shim=linux.shim, report=here / "records.jsonl", openblas32=made.openblas32, openblas64=made.openblas64
    )
    return Case(width, linux.command, config, library)


def result_of(done: subprocess.CompletedProcess[str]) -> tuple[Any, dict[str, list[str]]]:
    assert done.returncode == 0, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("result ")]
    result, bound = json.loads(row.removeprefix("result "))
    return result, bound


def test_numbers_are_right(case: Case) -> None:
    done = case.run("answers")
    result, bound = result_of(done)
    assert result == pytest.approx(ANSWERS, abs=1e-12)
    # OpenBLAS's xerbla says so and goes on.
    assert "DGETRF" in done.stdout + done.stderr
    suffix, provider = WIDTHS[case.width]
    end = "64_" if case.width == "ilp64" else ""
    assert bound[f"_cblas_ddot{suffix}"] == [provider, f"scipy_cblas_ddot{end}"]
    assert bound[f"_dgesv{suffix}"] == [provider, f"scipy_dgesv_{end}"]
    assert bound[f"_zdotu{suffix}"] == ["shim", f"forge_darwin_zdotu_{case.width}"]
    assert bound[f"_ilaenv{suffix}"] == ["trap", ""]


@pytest.mark.parametrize("there", [True, False], ids=["openblas", "nothing"])
def test_what_has_no_counterpart_is_a_trap(case: Case, there: bool) -> None:
    assert case.config.report is not None
    case.config.report.unlink(missing_ok=True)
    config = case.config if there else replace(case.config, openblas32=None, openblas64=None)
    done = case.run("block_size" if there else "answers", config)
    assert done.returncode != 0
    record = json.loads(case.config.report.read_text("utf-8").splitlines()[0])
    name = "ilaenv" if there else "cblas_ddot"
    assert (record["kind"], record["symbol"]) == ("trap", f"_{name}{WIDTHS[case.width][0]}")
    assert record["library"] == FRAMEWORK
