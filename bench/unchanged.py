"""What forge costs where nothing is to be done: starting, planning, and a build of recipes that are all in the cache.

``python -m bench unchanged`` builds made-up native libraries for all targets once, then measures the processor time of
``forge build --all`` of them, of ``forge plan numpy`` and of ``forge --version``, each the least of several runs.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RECIPE = """\
schema: 2
package: {{name: lib{number}, version: "1.0"}}
about:
  summary: A made-up library
  homepage: https://example.invalid
  license: MIT
source: {{path: source}}
build:
  backend: script
  script:
    - mkdir -p $DESTDIR$PREFIX/lib
    - $CC -c lib{number}.c -o lib{number}.o && $AR cr $DESTDIR$PREFIX/lib/lib{number}.a lib{number}.o
{requirements}"""
AIMS = {"forge build --all": 1.0, "forge plan numpy": 0.5, "forge --version": 0.15}
"""Seconds of processor time."""


def write_recipes(root: Path, count: int) -> None:
    """Small libraries, some of which need others."""
    for number in range(count):
        source = root / f"lib{number}" / "source"
        source.mkdir(parents=True)
        (source / f"lib{number}.c").write_text(f"int lib{number} = {number};\n")
        linked = [f"lib{number // 2}"] if number and number % 3 == 0 else []
        requirements = f"requirements: {{host: [{', '.join(linked)}]}}\n" if linked else ""
        (root / f"lib{number}" / "recipe.yaml").write_text(RECIPE.format(number=number, requirements=requirements))


def measured(*arguments: str, env: dict[str, str] | None = None) -> float:
    """Processor seconds of a command of forge's, and of what it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "forge", *arguments], env=env, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-unchanged-") as temporary:
        root = Path(temporary)
        write_recipes(root / "recipes", arguments.recipes)
        build = ["build", "--all", "--recipes", str(root / "recipes"), "--out", str(root / "dist")]
        env = {**os.environ, "FORGE_HOME": str(root / "home")}
        first = measured(*build, env=env)
        print(f"{arguments.recipes} recipes, three targets, from nothing: {first:.1f} s of processor time")
        commands = {"forge build --all": build, "forge plan numpy": ["plan", "numpy"], "forge --version": ["--version"]}
        for name, command in commands.items():
            least = min(measured(*command, env=env if command == build else None) for _ in range(arguments.runs))
            print(f"{name + ':':<20}{least:6.2f} s   (aim: {AIMS[name]})")
