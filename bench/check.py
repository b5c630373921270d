"""forge check's time for wheels, beside ``delocate-listdeps``'s for the macOS wheels of the same packages.

``python -m bench check`` downloads the packages' iOS and macOS wheels with pip (or takes them from ``--wheels``), runs
both programs over them as a user does, and counts milliseconds a wheel and megabytes of unpacked wheel a second. What
``delocate-listdeps`` does is the closest that macOS has: it unpacks a wheel and lists what its binaries load, by calls
of otool; ``forge check`` does that and every other check. Then it feeds mutated binaries to the checks (``--fuzz``).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from pathlib import Path

from forge.audit.check import FILE_CHECKS, check_paths, promise_of, promised_target
from forge.audit.promise import check_subject
from forge.audit.subject import read_files
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.plan.provision import ensure_toolchain
from forge.wheel.contents import read_wheel
from tests.unit.audit.broken import ARM_SIMULATOR, SIMULATOR_MODULE, wheel
from tests.unit.audit.test_audit_fuzz import SEEDS, mutated

PACKAGES = ("pillow", "cffi", "markupsafe", "aiohttp", "frozenlist", "kiwisolver", "pymunk", "lru-dict")
PLATFORMS = {"ios": ("ios_13_0_arm64_iphoneos",), "macos": ("macosx_11_0_arm64", "macosx_10_13_universal2")}


def download(package: str, platforms: tuple[str, ...], directory: Path) -> None:
    named = [option for platform in platforms for option in ("--platform", platform)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version",
         "3.13", *named, "--dest", str(directory), package],
        check=True,
    )  # fmt: skip


def unpacked_bytes(wheels: list[Path]) -> int:
    total = 0
    for path in wheels:
        with zipfile.ZipFile(path) as archive:
            total += sum(member.file_size for member in archive.infolist())
    return total


def seconds(command: list[str], environment: dict[str, str] | None = None) -> float:
    start = time.perf_counter()
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    spent = time.perf_counter() - start
    if run.returncode not in (0, 9):  # 9: forge check found errors
        sys.exit(f"{command[0]} failed: {run.stderr[-400:]}")
    return spent


def with_otool(directory: Path) -> dict[str, str]:
    """An environment where delocate finds otool and lipo: LLVM's, of forge's toolchain."""
    toolchain = ensure_toolchain(ForgeHome.from_environment(), SilentProgress())
    places = os.pathsep.join([*map(str, toolchain.path), os.environ["PATH"]])
    # delocate gives -m (names with parentheses are no archive members), which LLVM's otool neither knows nor needs.
    otool = directory / "otool"
    drop = 'for a; do shift; [ "$a" = -m ] || set -- "$@" "$a"; done'
    otool.write_text(f'#!/bin/sh\n{drop}\nPATH={shlex.quote(places)} exec otool "$@"\n')
    otool.chmod(0o755)
    return os.environ | {"PATH": f"{directory}{os.pathsep}{places}"}


def fuzz(cases: int, seed: int) -> dict[str, float]:
    """Mutated binaries through every check; an exception ends the run."""
    rng = random.Random(seed)
    slowest = 0.0
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as temporary:
        path = wheel({SIMULATOR_MODULE: SEEDS[0]}, f"cp313-cp313-{ARM_SIMULATOR}")(Path(temporary))
        contents = read_wheel(path)
        target = promised_target(contents.name.platforms)
        for _ in range(cases):
            data = mutated(rng)
            before = time.perf_counter()
            subject = read_files(contents, [(SIMULATOR_MODULE, data)], guess=True)
            check_subject(subject, promise_of(subject, target), FILE_CHECKS)
            slowest = max(slowest, time.perf_counter() - before)
    spent = time.perf_counter() - start
    return {
        "fuzz_cases": cases,
        "fuzz_seed": seed,
        "fuzz_cases_per_second": round(cases / spent),
        "fuzz_slowest_case_ms": round(slowest * 1000, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench check", description=__doc__)
    parser.add_argument("--wheels", type=Path, help="a directory with subdirectories ios and macos")
    parser.add_argument("--repeat", type=int, default=3, help="take the least of so many runs of each")
    parser.add_argument("--fuzz", type=int, default=100_000, help="how many mutated binaries")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scripts = Path(sysconfig.get_path("scripts"))
    with tempfile.TemporaryDirectory() as temporary:
        root = options.wheels or Path(temporary)
        for name, platforms in PLATFORMS.items():
            if not (root / name).is_dir():
                for package in PACKAGES:
                    download(package, platforms, root / name)
        ios, macos = sorted((root / "ios").glob("*.whl")), sorted((root / "macos").glob("*.whl"))
        environment = with_otool(Path(temporary))
        forge = [str(scripts / "forge"), "check", *map(str, ios)]
        delocate = [str(scripts / "delocate-listdeps"), *map(str, macos)]
        forge_seconds = min(seconds(forge) for _ in range(options.repeat))
        delocate_seconds = min(seconds(delocate, environment) for _ in range(options.repeat))
        start = time.perf_counter()
        check_paths(ios)
        in_process = time.perf_counter() - start
        ios_bytes, macos_bytes = unpacked_bytes(ios), unpacked_bytes(macos)
    figures: dict[str, float] = {
        "ios_wheels": len(ios),
        "macos_wheels": len(macos),
        "forge_check_ms_per_wheel": round(forge_seconds / len(ios) * 1000, 1),
        "forge_check_mb_per_second": round(ios_bytes / forge_seconds / 1e6, 1),
        "delocate_listdeps_ms_per_wheel": round(delocate_seconds / len(macos) * 1000, 1),
        "delocate_listdeps_mb_per_second": round(macos_bytes / delocate_seconds / 1e6, 1),
        "delocate_over_forge_per_mb": round(delocate_seconds / macos_bytes / (forge_seconds / ios_bytes), 2),
        "in_process_mb_per_second": round(ios_bytes / in_process / 1e6, 1),
        **fuzz(options.fuzz, options.seed),
    }
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):34} {value}")
