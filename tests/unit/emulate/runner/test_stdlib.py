"""CPython's tests in the emulating process, with a ``test`` package of a few lines; in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]
RUN = """
import json, sys
sys.path[:0] = [{root!r}, {tests!r}]
import ctypes.util, demo, subprocess
from pathlib import Path
from forge.emulate.runtime import stdlib
stdlib.run([Path(path) for path in {directories!r}], ["-x", "test_demo"])
"""
MAIN = """
import ctypes.util, json, subprocess, sys
def main():
    import demo
    dyld = ctypes.util.find_library.__code__.co_names
    print(json.dumps({
        "argv": sys.argv, "first": sys.path[:2], "demo": demo.answer, "platform": sys.platform,
        "darwin": "dyld_find" in dyld or "_dyld_find" in dyld, "process": subprocess.run(["true"]).returncode,
    }))
"""


def run(tmp_path: Path, *directories: Path) -> dict[str, Any]:
    package = tmp_path / "tests" / "test" / "libregrtest"
    package.mkdir(parents=True)
    (tmp_path / "tests" / "demo.py").write_text("answer = 1\n")
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "main.py").write_text(MAIN)
    script = RUN.format(root=str(ROOT), tests=str(tmp_path / "tests"), directories=[str(path) for path in directories])
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_without_directories_everything_stays(tmp_path: Path) -> None:
    said = run(tmp_path)
    assert said["argv"] == ["test", "-x", "test_demo"]
    assert (said["demo"], said["darwin"]) == (1, False)


def test_modules_of_directories_come_first(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for directory in (one, other):
        directory.mkdir()
    (one / "demo.cpython-313-iphonesimulator.so").touch()
    (one / "demo.py").write_text("answer = 42\n")  # what is found here: no loader is installed
    said = run(tmp_path, one, other)
    assert said["first"] == [str(one), str(other)]
    assert (said["demo"], said["darwin"]) == (42, False)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="ctypes.util knows iOS since 3.13")
def test_ctypes_finds_libraries_as_on_ios_and_processes_start(tmp_path: Path) -> None:
    directory = tmp_path / "lib"
    directory.mkdir()
    (directory / "_ctypes.cpython-313-iphonesimulator.so").touch()
    said = run(tmp_path, directory)
    assert (said["darwin"], said["platform"], said["process"]) == (True, sys.platform, 0)
