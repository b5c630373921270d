"""Directories of attempts: never one that an earlier attempt had, and the leftovers removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from forge.base.attempts import COMPLETE, complete_attempt, new_attempt, new_log, remove_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_each_attempt_has_its_own(tmp_path: Path) -> None:
    first = new_attempt(tmp_path / "builds", "demo-1.0")
    assert first.name == "demo-1.0.1"
    (first / "left").touch()
    second = new_attempt(tmp_path / "builds", "demo-1.0")
    assert (second.name, list(second.iterdir()), first.exists()) == ("demo-1.0.2", [], False)
    assert new_attempt(tmp_path / "builds", "demo").name == "demo.1", "the name of another"
    assert second.exists()


def test_a_name_is_used_again_once_nothing_is_left(tmp_path: Path) -> None:
    """The usual case: an attempt that ended well was removed, and the next has the same path."""
    assert remove_tree(new_attempt(tmp_path, "demo"))
    assert new_attempt(tmp_path, "demo").name == "demo.1"


def test_an_earlier_one_can_be_kept(tmp_path: Path) -> None:
    first, second = new_attempt(tmp_path, "demo"), tmp_path / "demo.2"
    assert new_attempt(tmp_path, "demo", keep=[first]) == second
    assert new_attempt(tmp_path, "demo", keep=[first]).name == "demo.3"
    assert (first.exists(), second.exists()) == (True, False)


def test_a_killed_attempts_process_writes_into_no_other(tmp_path: Path) -> None:
    first = new_attempt(tmp_path, "demo")
    script = "import os,sys,time\nfor _ in range(400): os.makedirs(sys.argv[1], exist_ok=True);"
    script += " open(sys.argv[1] + '/orphan', 'w').close(); time.sleep(0.005)"
    orphan = subprocess.Popen([sys.executable, "-c", script, first])
    try:
        while not (first / "orphan").exists():
            time.sleep(0.01)
        second = new_attempt(tmp_path, "demo")
        time.sleep(0.1)
        assert list(second.iterdir()) == []
    finally:
        orphan.kill()
        orphan.wait()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only directories")
def test_read_only_directories_go_too(tmp_path: Path) -> None:
    _read_only(tmp_path / "tree")
    assert remove_tree(tmp_path / "tree")


def test_read_only_directories_go_too_for_a_user(tmp_path: Path) -> None:
    """As root, by becoming somebody else in a child."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(12345)
            _read_only(tmp_path / "tree")
            code = 0 if remove_tree(tmp_path / "tree") else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _read_only(tree: Path) -> None:
    (tree / "mod" / "cache" / "deep").mkdir(parents=True)
    (tree / "mod" / "cache" / "file").touch()
    for directory in (tree / "mod" / "cache" / "deep", tree / "mod" / "cache", tree / "mod"):
        directory.chmod(0o555)


def test_only_a_complete_one_counts(tmp_path: Path) -> None:
    assert complete_attempt(tmp_path / "nothing", "demo") is None
    first = new_attempt(tmp_path, "demo")
    assert complete_attempt(tmp_path, "demo") is None
    (first / COMPLETE).touch()
    assert complete_attempt(tmp_path, "demo") == first


def test_each_attempt_has_its_own_log(tmp_path: Path) -> None:
    first = new_log(tmp_path / "logs", "demo")
    first.write_text("of the first")
    second = new_log(tmp_path / "logs", "demo")
    assert [first.name, second.name] == ["demo.1.log", "demo.2.log"]
    assert (first.read_text(), second.read_text()) == ("of the first", "")
    assert new_log(tmp_path / "logs", "dem").name == "dem.1.log", "the name of another"


def test_processes_that_start_at_once_share_no_log(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from forge.base.attempts import new_log\n"
    code += "for _ in range(50): print(new_log(Path(sys.argv[1]), 'demo'))"
    command = [sys.executable, "-c", code, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    names = [name for process in running for name in process.communicate()[0].split()]
    assert len(names) == len(set(names)) == 150


def test_old_logs_go(tmp_path: Path) -> None:
    old, newer = new_log(tmp_path, "demo"), new_log(tmp_path, "demo")
    other = new_log(tmp_path, "other")
    for path in (old, other):
        os.utime(path, (0, 0))
    assert new_log(tmp_path, "demo").name == "demo.3.log"
    assert [path.exists() for path in (old, newer, other)] == [False, True, True]
