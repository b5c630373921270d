"""What emulation costs: numpy's iOS simulator wheel beside the Linux wheel of the same version, in the same Python.

``python -m bench emulate`` takes numpy's simulator wheel for this machine's CPU (built, or from the cache; ``--wheel``
names another), installs both, and measures in processes that alternate: the time that ``import numpy`` takes, and
that of pieces of work which stay in numpy's code (no BLAS: the two wheels have different ones). The least of several
rounds counts. Ratios are emulated over Linux.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Target
from forge.emulate.app import make_app
from forge.emulate.host_wheels import install_host
from forge.emulate.session import Emulator
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from forge.trial.emulator import ensure_emulator, host_arch
from forge.trial.run import wheel_target
from forge.wheel.contents import read_wheel

if TYPE_CHECKING:
    from forge.crossbuild.context import BuildContext

WORK = """
import json, sys, time
start = time.perf_counter()
import numpy
found = {"import": time.perf_counter() - start}
random = numpy.random.default_rng(1)
# Arrays that come from the heap and fit a cache: for large ones Linux's numpy asks the kernel for huge pages, which
# says nothing of the code.
a, b = random.normal(size=(2, 12_000))
whole = random.integers(0, 1 << 40, 12_000)
text = numpy.array([f"name {n % 977}" for n in range(3_000)])
def measure(name, work):
    best = 1e9
    for _ in range(15):
        start = time.perf_counter()
        for _ in range(20):
            work()
        best = min(best, time.perf_counter() - start)
    found[name] = best
measure("arithmetic", lambda: a * b + a - b / 3)
measure("comparison and where", lambda: numpy.where(a > b, a, b))
measure("sums", lambda: (a.sum(), a.std(), a.cumsum()))
measure("sort float64", lambda: numpy.sort(a))
measure("sort int64", lambda: numpy.sort(whole))
measure("integer division", lambda: whole // 977)
measure("exp, log, sin", lambda: (numpy.exp(b), numpy.log(numpy.abs(a)), numpy.sin(a)))
measure("fft", lambda: numpy.fft.fft(a))
measure("normal random numbers", lambda: random.normal(size=12_000))
measure("unique texts", lambda: numpy.unique(text))
measure("fancy indexing", lambda: a[whole % 12_000])
measure("einsum", lambda: numpy.einsum("i,i->", a, b))
open(sys.argv[-1], "w").write(json.dumps(found))
"""


def measured(emulator: Emulator, packages: Path, work: Path) -> dict[str, float]:
    script, out = work / "work.py", work / "found.json"
    script.write_text(WORK)
    loader = None if emulator.loader is None else json.loads(emulator.loader.to_json())
    session = {
        "loader": loader, "guise": None, "executable": None, "paths": [str(packages)], "memory": 0, "run": "script",
        "arguments": [str(script), str(out)], "report": str(work / "report.json"),
    }  # fmt: skip
    (work / "session.json").write_text(json.dumps(session))
    subprocess.run(
        [*emulator.command, "-m", "forge.emulate.runtime.main", str(work / "session.json")],
        env=dict(emulator.env), cwd=work, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(out.read_text())
    return found


def least(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: min(one[name] for one in rounds) for name in rounds[0]}


def numpy_wheel(context: BuildContext, target: Target, out: Path) -> Path:
    store = find_recipes()
    return build_one(store.load("numpy"), target, context, store, out, SilentProgress()).wheel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="numpy's simulator wheel for this machine's CPU")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    arch = host_arch()
    assert arch is not None, "this machine's CPU is none of iOS's"
    target = wheel_target(options.wheel) if options.wheel else Target(Abi.IPHONESIMULATOR, arch)
    context = ensure_context(ForgeHome.from_environment(), "3.13", [target], SilentProgress())
    with tempfile.TemporaryDirectory(prefix="bench-emulate-", dir=context.home.root) as temporary:
        root = Path(temporary)
        wheel = options.wheel or numpy_wheel(context, target, root / "dist")
        log = root / "log"
        app = make_app([wheel], [], target, context, [], root, log)
        name = read_wheel(wheel).name
        packages, _ = install_host(name, [], arch, context, root / "host", log)
        emulator = ensure_emulator(context, target, app.root, root, SilentProgress(), as_host=True)
        plain = Emulator(emulator.command, emulator.env, None, None)
        rounds: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
        for _ in range(options.rounds):
            rounds[0].append(measured(emulator, app.packages, root))
            rounds[1].append(measured(plain, packages, root))
    report(f"numpy {name.version}", least(rounds[0]), least(rounds[1]))


def report(subject: str, emulated: dict[str, float], linux: dict[str, float]) -> None:
    print(f"{subject}: emulated and Linux wheel, the least of the rounds, ms")
    ratios: list[float] = []
    for name, seconds in emulated.items():
        ratio = seconds / linux[name]
        ratios += [ratio] if name != "import" else []
        print(f"  {name:24} {seconds * 1e3:9.2f} {linux[name] * 1e3:9.2f}   {ratio:5.2f}")
    print(f"  import takes {emulated['import'] - linux['import']:.3f} s more")
    middle = statistics.median(ratios)
    print(f"  compute ratio {middle:.2f}: the median of {len(ratios)}, {min(ratios):.2f} to {max(ratios):.2f}")
