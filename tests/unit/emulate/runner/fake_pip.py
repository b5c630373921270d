"""A build Python whose ``venv``, ``crossenv`` and ``pip`` write down what they are asked, and answer as recorded."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.base.paths import ForgeHome
from forge.crossbuild.context import BuildContext
from forge.ios_python.build_python import BuildPython
from forge.ios_python.model import IOSPython
from tests.unit.ios_python.fakes import VERSION, make_toolchain, write_ios_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.base.target import Target

PROGRAM = """\
#!{python}
import json, os, re, shutil, sys, zipfile
from pathlib import Path

def become(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(__file__, path)

arguments = sys.argv[1:]
answers = json.loads(Path({answers!r}).read_text())
with open({said!r}, "a") as file:
    file.write(json.dumps([__file__, *arguments]) + "\\n")
if "venv" in arguments:
    become(Path(arguments[-1], "bin", "python"))
elif "crossenv" in arguments:
    for side in ("cross", "build"):
        become(Path(arguments[-1], side, "bin", "python"))
elif "--requirement" in arguments:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==(\\S+)", Path(arguments[-1]).read_text(), flags=re.MULTILINE)
    Path({said!r} + ".installed").write_text(json.dumps(pins))
elif "-c" in arguments:  # what is installed
    print(json.dumps(["3.13", json.loads(Path({said!r} + ".installed").read_text())]))
elif "download" in arguments:
    answer = answers["download"]
    print(answer.get("says", ""))
    for wheel in answer.get("wheels", []):
        shutil.copy(wheel, arguments[arguments.index("--dest") + 1])
    sys.exit(answer.get("code", 0))
elif "install" in arguments:
    for wheel in arguments:
        if wheel.endswith(".whl"):
            zipfile.ZipFile(wheel).extractall(arguments[arguments.index("--target") + 1])
    sys.exit(answers.get("install", {{}}).get("code", 0))
else:
    sys.exit(64)
"""


@dataclass(frozen=True)
class FakePip:
    """A build context whose build Python is such a program.

    Args:
        context: The context.
        said: Where it writes down what it is asked.
    """

    context: BuildContext
    said: Path

    def asked(self, command: str) -> list[str]:
        """What pip was asked last, from a command of its on, after the program and what it was started for."""
        lines = [json.loads(line) for line in self.said.read_text().splitlines()]
        found: list[str] = next(line for line in reversed(lines) if command in line and "--requirement" not in line)
        return found


def make_pip(root: Path, targets: Sequence[Target], **answers: dict[str, Any]) -> FakePip:
    """A build context for targets, with nothing real in it.

    Args:
        root: A directory for all of it.
        targets: What the iOS Python is for.
        **answers: For ``download`` and ``install``: ``wheels`` to hand out, ``says``, ``code``.
    """
    said, recorded, program = root / "said", root / "answers.json", root / "python3.13"
    recorded.write_text(json.dumps({"download": {}, **answers}, default=str))
    program.write_text(PROGRAM.format(python=sys.executable, answers=str(recorded), said=str(said)))
    program.chmod(0o755)
    python = IOSPython(
        write_ios_python(root / "Python.xcframework", targets), VERSION, tuple(targets),
        tuple((target.multiarch, "abc") for target in targets),
    )  # fmt: skip
    home = ForgeHome(root / "home")
    home.root.mkdir()
    return FakePip(BuildContext(home, make_toolchain(root / "toolchain"), python, BuildPython(program, VERSION)), said)
