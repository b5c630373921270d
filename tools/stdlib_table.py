"""Run CPython's own tests over the extension modules of forge's iOS Python on Linux, and print a table of the results.

    python tools/stdlib_table.py [GROUP...] [--json FILE]

It takes the x86_64 simulator modules (arm64 on an arm64 machine) and builds, once, a Linux CPython of the same release
with Darwin's layout (docs/emulation.md). The table beside each module has the same tests with the Linux modules.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Target
from forge.emulate.darwin_python import ensure_darwin_python
from forge.ios_python.model import Provider
from forge.ios_python.releases import find_release
from forge.plan.provision import ensure_context
from forge.trial.emulator import host_arch
from forge.trial.stdlib import GROUPS, GroupResult, try_standard_library


class Printer(SilentProgress):
    """Progress as plain lines."""

    def phase(self, subject: str, phase: str) -> None:
        """Print it."""
        print(f"{subject}: {phase}", flush=True)

    def note(self, subject: str, text: str) -> None:
        """Print it."""
        self.phase(subject, text)


def main() -> None:
    """Run the groups and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", help=f"of: {'; '.join(GROUPS)}; all by default")
    parser.add_argument("--json", type=Path, help="write every difference to this file")
    parser.add_argument("--python", default="3.13")
    options = parser.parse_args()
    home, progress, arch = ForgeHome.from_environment(), Printer(), host_arch()
    if arch is None:
        parser.error("this machine's CPU is none of iOS's")
    target = Target(Abi.IPHONESIMULATOR, arch)
    context = ensure_context(home, options.python, [target], progress, Provider.BUILT)
    python = ensure_darwin_python(home, find_release(options.python), progress)
    directory = context.python.require_product().platform_lib(target) / "lib-dynload"
    results: list[GroupResult] = []
    for name in options.groups or GROUPS:
        results += try_standard_library(python, directory, target, context, [name], progress)
        if options.json:  # after each: a run takes half an hour
            text = json.dumps([asdict(one) for one in results], indent=2)
            options.json.write_text(text + "\n", encoding="utf-8")
    print("| modules | CPython's tests | pass with the Linux modules | of these pass here | differ |")
    print("| --- | --- | --- | --- | --- |")
    for one in results:
        worse = [difference for difference in one.comparison.differences if difference.is_worse]
        said = one.comparison
        print(
            f"| {one.name} | {', '.join(GROUPS[one.name])} | {said.host_passed} | {said.both_passed} | {len(worse)} |"
        )
    for one in results:
        for difference in one.comparison.differences:
            print(f"{one.name}: {difference.id}: {difference.emulated}, with the Linux modules {difference.host}")
        for note in one.notes:
            print(f"{one.name}: {note}")


if __name__ == "__main__":
    main()
