"""How close a graph of builds comes to the least that it can take, beside one build after the other.

``python -m bench plan`` builds twenty made-up native libraries that link each other, from cold: each configures for a
while in one process, as Meson and configure scripts do, then compiles C files with make. The lower bound is the larger
of all processor seconds over the number of CPUs, and the longest chain of builds, each by itself with all CPUs. Both
are measured in the same run, as is building one after the other.
"""

from __future__ import annotations

import argparse
import random
import resource
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.cpus import cpu_count
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.plan.builds import build_requests, plan_requests
from forge.plan.closure import closure
from forge.plan.explain import explain_plan
from forge.plan.provision import ensure_context
from forge.plan.request import Request, RunOptions
from forge.recipe.store import RecipeStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.crossbuild.context import BuildContext

AIM = 1.10
RECIPE = """\
schema: 2
package: {{name: lib{number}, version: "1.0"}}
source: {{path: source}}
build:
  backend: script
  script:
    - for n in $(seq {probes}); do echo "int probe_$n;" | $CC -c -x c -o probe.o -; done
    - make -j$JOBS
    - mkdir -p $DESTDIR$PREFIX/lib; $AR cr $DESTDIR$PREFIX/lib/lib{number}.a *.o
{requirements}"""
MAKEFILE = "all: $(patsubst %.c,%.o,$(wildcard *.c))\n%.o: %.c\n\t$(CC) -O2 -c $< -o $@\n"
TARGET = Target(Abi.IPHONEOS, Arch.ARM64)


def write_recipes(root: Path, nodes: int, seed: int = 1) -> None:
    """Libraries that configure for a while, longer or shorter, have some files, and link some of those before them."""
    chance = random.Random(seed)
    for number in range(nodes):
        directory = root / f"lib{number}"
        (directory / "source").mkdir(parents=True)
        (directory / "source" / "Makefile").write_text(MAKEFILE)
        for file in range(chance.randint(2, 12)):
            functions = "\n".join(
                f"double f{file}_{n}(double *a, int m) {{ double s = 0; for (int i = 0; i < m; i++) "
                f"for (int j = 0; j < i; j++) s += a[i] * a[j] / ({n} + a[j - i + m]); return s; }}"
                for n in range(chance.randint(20, 80))
            )
            (directory / "source" / f"part{file}.c").write_text(functions)
        linked = [f"lib{other}" for other in range(number) if chance.random() < 2.0 / max(number, 1)]
        requirements = f"requirements: {{host: [{', '.join(linked)}]}}\n" if linked else ""
        text = RECIPE.format(number=number, probes=chance.randint(5, 40), requirements=requirements)
        (directory / "recipe.yaml").write_text(text)


def processor_seconds() -> float:
    """Of this process and of those that it has started and that have ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def build(context: BuildContext, store: RecipeStore, names: Sequence[str], out: Path, jobs: int) -> tuple[float, float]:
    """Build recipes and what they link; seconds by the clock, and of all processors."""
    steps = closure([store.load(name) for name in names], TARGET, context.python.minor, store)
    before, start = processor_seconds(), time.perf_counter()
    options = RunOptions(jobs=jobs, follow=False)
    build_requests([Request(steps, TARGET, context)], store, out, SilentProgress(), options)
    return time.perf_counter() - start, processor_seconds() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=cpu_count())
    arguments = parser.parse_args()
    context = ensure_context(ForgeHome.from_environment(), "3.13", [TARGET], SilentProgress())
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as temporary:
        root = Path(temporary)
        write_recipes(root / "recipes", arguments.nodes)
        store = RecipeStore(root / "recipes")
        names = [f"lib{number}" for number in range(arguments.nodes)]
        # The toolchain and the Pythons are the user's; wheels, logs and cross environments are made anew.
        own = ForgeHome(root / "home")
        context = replace(context, home=own)
        build(context, store, names[:1], root / "warm", arguments.jobs)
        shutil.rmtree(own.wheels)

        graph, work = build(context, store, names, root / "graph", arguments.jobs)
        shutil.rmtree(own.wheels)
        serial = 0.0
        for name in names:  # each after what it links, which comes from the cache by then
            serial += build(context, store, [name], root / "serial", arguments.jobs)[0]
        # What each build takes by itself with all CPUs was noted by the serial run.
        steps = closure([store.load(name) for name in names], TARGET, context.python.minor, store)
        shutil.rmtree(own.wheels)
        longest = explain_plan(plan_requests([Request(steps, TARGET, context)], store)).seconds
    bound = max(work / arguments.jobs, longest)
    print(f"one graph:             {graph:6.1f} s")
    print(f"one after the other:   {serial:6.1f} s")
    print(f"processor seconds:     {work:6.1f} s, over {arguments.jobs} CPUs {work / arguments.jobs:.1f} s")
    print(f"longest chain:         {longest:6.1f} s")
    print(f"graph over the bound:  {graph / bound:6.2f}   (aim: {AIM})")
    print(f"serial over the bound: {serial / bound:6.2f}")


if __name__ == "__main__":
    main()
