from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from forge.emulate.runtime.child import MAX_DEPTH, SITECUSTOMIZE
from forge.emulate.runtime.main import VARIABLE

if TYPE_CHECKING:
    from pathlib import Path


def run(tmp_path: Path, program: str) -> subprocess.CompletedProcess[str]:
    """A Python that an emulating one starts."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITECUSTOMIZE)
    session = {"loader": None, "guise": None, "executable": None, "paths": ()}
    (tmp_path / "session.json").write_text(json.dumps(session))
    (tmp_path / "program.py").write_text(program)
    environment = {
        VARIABLE: str(tmp_path / "session.json"),
        "PYTHONPATH": ":".join([str(tmp_path / "site"), *filter(None, sys.path)]),
    }
    return subprocess.run(
        [sys.executable, tmp_path / "program.py"], env=environment, text=True, capture_output=True, check=False
    )


def test_pythons_that_start_themselves_without_end(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        "import subprocess, sys\n"
        "print('started', flush=True)\n"
        "sys.exit(subprocess.run([sys.executable, __file__]).returncode)\n",
    )
    assert ended.returncode == 1
    assert ended.stdout == "started\n" * MAX_DEPTH
    assert ended.stderr == f"forge test: {MAX_DEPTH} Pythons have started one another; this one is not run\n"


def test_pythons_side_by_side(tmp_path: Path) -> None:
    ended = run(
        tmp_path,
        "import subprocess, sys\n"
        f"for _ in range({MAX_DEPTH + 1}):\n"
        "    subprocess.run([sys.executable, '-c', 'print(1)'], check=True)\n",
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n" * (MAX_DEPTH + 1), "")
