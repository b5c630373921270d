"""forge's time for numpy, beside ninja's own time for the same tree.

``make bench`` (or ``python -m bench build``) builds numpy for one target with a warm toolchain, iOS Python and cross
environment, then runs ninja again over the very same build tree after removing what it had made, then runs
``forge build`` once more with nothing changed. What counts are the ratios: machines are noisy, but one run is one
machine.

The physical limit is the compiler's own time. ninja's run is most of it, spread over the cores; the rest is Meson's
configure, which runs the compiler some hundred times, one run after the other, whoever builds. So there are two ratios:
over ninja alone (aim: 1.15 or less), and over ninja with configure, which is what forge itself adds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Target, parse_multiarch
from forge.plan.builds import build_one
from forge.plan.cache import entry_directory
from forge.plan.provision import ensure_context
from forge.recipe.store import RecipeStore, find_recipes

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.crossbuild.context import BuildContext
    from forge.recipe.model import Recipe

AIM = 1.15


T = TypeVar("T")


def timed(run: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    value = run()
    return time.perf_counter() - start, value


def children_seconds() -> float:
    usage = os.times()
    return usage.children_user + usage.children_system


def ninja_again(work: Path) -> float:
    """Seconds that ninja takes to make everything in a build tree again, in the environment of the build."""
    command = [str(work / "enter"), "ninja", "-C", str(work / "meson-build")]
    subprocess.run([*command, "-t", "clean"], check=True, capture_output=True)
    seconds, _ = timed(lambda: subprocess.run(command, check=True, capture_output=True))
    return seconds


def configure_seconds(work: Path) -> float:
    """Seconds that Meson took to configure: from the machine file written before it to the build file it ends with."""
    build = work / "meson-build"
    return (build / "build.ninja").stat().st_mtime - (build / "meson-python-native-file.ini").stat().st_mtime


@dataclass(frozen=True)
class Round:
    """One round's seconds, and the CPU seconds of forge's build."""

    forge: float
    ninja: float
    configure: float
    again: float
    cpu: float


def least(rounds: list[Round]) -> Round:
    """The least of each: what the machine does besides only ever adds."""
    return Round(*(min(column) for column in zip(*map(dataclasses.astuple, rounds), strict=True)))


def measure(recipe: Recipe, target: Target, context: BuildContext) -> Round:
    store = RecipeStore(recipe.directory.parent)
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "dist"
        known = build_one(recipe, target, context, store, out, SilentProgress())  # warms cross environment and sources
        shutil.rmtree(entry_directory(context.home, known.fingerprint))
        keeping = dataclasses.replace(context, keep_work=True)
        before = children_seconds()
        forge_seconds, result = timed(lambda: build_one(recipe, target, keeping, store, out, SilentProgress()))
        cpu = children_seconds() - before
        again_seconds, second = timed(lambda: build_one(recipe, target, context, store, out, SilentProgress()))
    assert result.built
    assert result.work is not None
    assert not second.built
    configure = configure_seconds(result.work)
    ninja_seconds = ninja_again(result.work)
    shutil.rmtree(result.work)
    return Round(forge_seconds, ninja_seconds, configure, again_seconds, cpu)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench build", description=__doc__)
    parser.add_argument("--target", default="arm64-iphoneos")
    parser.add_argument("--package", default="numpy", help="a recipe of the meson-python back end")
    parser.add_argument("--repeat", type=int, default=1, help="take the least of so many runs of each")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    target = parse_multiarch(options.target)
    home = ForgeHome.from_environment()
    context = ensure_context(home, "3.13", [target], SilentProgress())
    recipe = find_recipes().load(options.package)
    best = least([measure(recipe, target, context) for _ in range(options.repeat)])
    figures = {
        "package": f"{recipe.name} {recipe.version}",
        "target": str(target),
        "forge_seconds": round(best.forge, 1),
        "configure_seconds": round(best.configure, 1),
        "ninja_seconds": round(best.ninja, 1),
        "forge_over_ninja": round(best.forge / best.ninja, 3),
        "aim": AIM,
        "forge_over_configure_and_ninja": round(best.forge / (best.configure + best.ninja), 3),
        "second_build_seconds": round(best.again, 3),
        "second_over_first": round(best.again / best.forge, 5),
        "cpu_seconds_of_the_build": round(best.cpu, 1),
    }
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {value}")
