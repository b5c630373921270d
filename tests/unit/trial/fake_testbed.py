"""A testbed whose program takes CPython's arguments, writes them down, and answers as it was recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
import json, os, sys, time
from pathlib import Path

here = Path(__file__).resolve().parent
answers = json.loads((here / "answers.json").read_text())
with open(answers["said"], "a") as file:
    file.write(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd(), "home": os.environ.get("HOME")}) + "\\n")
answer = answers[sys.argv[1]]
if sys.argv[1] == "clone" and not answer.get("code"):
    place = Path(sys.argv[-1])
    for name in answer.get("directories", ["app", "app_packages"]):
        (place / "iOSTestbed" / name).mkdir(parents=True)
    (place / "__main__.py").write_text(Path(__file__).read_text())
    (place / "answers.json").write_text((here / "answers.json").read_text())
if "junit" in answer:
    (path,) = [a.partition("=")[2] for a in sys.argv if a.startswith("--junit-xml=")]
    Path(path).write_text(answer["junit"])
print(answer.get("says", ""), flush=True)
time.sleep(answer.get("sleeps", 0))
sys.exit(answer.get("code", 0))
"""


def write_testbed(
    source: Path, said: Path, *, place: str = "iOS/testbed", answers: dict[str, Any] | None = None
) -> Path:
    """A CPython source tree with such a testbed; the testbed's directory."""
    testbed = source / place
    testbed.mkdir(parents=True)
    (testbed / "__main__.py").write_text(PROGRAM)
    (testbed / "answers.json").write_text(json.dumps({"clone": {}, "run": {}, **(answers or {}), "said": str(said)}))
    return testbed


def calls(said: Path) -> list[dict[str, Any]]:
    """What it was called with, in order."""
    return [json.loads(line) for line in said.read_text().splitlines()]
