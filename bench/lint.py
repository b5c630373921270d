"""forge lint's time for made-up recipes: ``python -m bench lint [--recipes 100]``.

The recipes are of the kinds that a forge has: most small, some with conditions and variants, every tenth with a hundred
extension modules. What counts is the whole command, as a user runs it: 100 recipes are to take less than two seconds.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from forge.lint.subject import subject_of
from tests.unit.lint.conftest import CLEAN, LOCK

CONDITIONS = """\
  config_settings:
    setup-args:
      - {value: -Dlongdouble=x87, when: {arch: x86_64}}
      - {value: -Dfast=true, when: {variant: fast, ios_version: ">=17"}}
      - {value: -Dnew=true, when: {python: ">=3.14"}}
"""


def recipe(number: int) -> str:
    text = CLEAN.replace("demo", f"demo-{number}", 1).replace("name: demo-", "name: demo")
    if number % 3 == 0:
        variants = 'variants:\n  fast:\n    summary: A fast one\n    ios_version: ">=16.4"\n\nsource:\n'
        text = text.replace("source:\n", variants).replace(
            "  backend: setuptools\n", f"  backend: setuptools\n{CONDITIONS}"
        )
    if number % 10 == 0:
        modules = "".join(f"    - demo._module_{each}\n" for each in range(100))
        text = text.replace("    - demo._speed\n\n", f"    - demo._speed\n{modules}\n")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench lint", description=__doc__)
    parser.add_argument("--recipes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        recipes = Path(work) / "recipes"
        for number in range(options.recipes):
            directory = recipes / f"demo{number}"
            directory.mkdir(parents=True)
            (directory / "recipe.yaml").write_text(recipe(number))
            (directory / "build-requirements.lock").write_text(LOCK)
            found = subject_of((directory / "recipe.yaml").read_bytes(), directory / "recipe.yaml").problems
            assert not found, found[0].render()
        command = [sys.executable, "-m", "forge", "lint", "--recipes", str(recipes), "--ignore", "REC101"]
        times = []
        for _ in range(options.rounds):
            start = time.perf_counter()
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            times.append(time.perf_counter() - start)
        print(run.stdout.splitlines()[-1])
    middle, best = statistics.median(times), min(times)
    print(f"{options.recipes} recipes: {middle:.2f} s (median of {options.rounds}, {best:.2f} at best)")


if __name__ == "__main__":
    main()
