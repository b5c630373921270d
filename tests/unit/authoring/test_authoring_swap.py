"""Directories that take the place of others."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forge.authoring import swap
from forge.authoring.swap import exchange, swap_in

FILES = 5


def write(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True)
    for number in range(FILES):
        (directory / str(number)).write_text(text)
    return directory


def read(directory: Path) -> set[str]:
    assert len(list(directory.iterdir())) == FILES
    return {file.read_text() for file in directory.iterdir()}


@pytest.mark.parametrize("is_supported", [True, False])
def test_new_for_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_supported: bool) -> None:
    if not is_supported:
        monkeypatch.setattr(swap, "_exchanged", lambda *_: errno.ENOSYS)
    recipes = tmp_path / "recipes"
    ours = {write(recipes / name, "old"): write(tmp_path / "made" / name, "new") for name in ("a", "b")}
    (recipes / "c").symlink_to(write(tmp_path / "elsewhere", "old"))
    swap_in(recipes, {**ours, recipes / "c": write(tmp_path / "made" / "c", "new")})
    assert [read(recipes / name) for name in "abc"] == [{"new"}] * 3
    assert sorted(path.name for path in recipes.iterdir()) == ["a", "b", "c"]
    assert (recipes / "c").is_symlink()
    assert read(tmp_path / "made" / "a") == {"new"}, "what was prepared is only read"


def test_a_system_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "_exchanged", lambda *_: errno.EACCES)
    one, other = write(tmp_path / "one", "1"), write(tmp_path / "other", "2")
    with pytest.raises(PermissionError):
        exchange(one, other)
    assert (read(one), read(other)) == ({"1"}, {"2"})


def test_what_cannot_be_renamed_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "_exchanged", lambda *_: errno.ENOSYS)
    other = write(tmp_path / "other", "2")
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "missing", other)
    assert read(other) == {"2"}


SWAPPER = """\
import signal
import sys
from pathlib import Path
from forge.authoring.swap import swap_in
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
recipes, made = map(Path, sys.argv[1:])
print("ready", flush=True)
while True:
    for text in ("new", "old"):
        swap_in(recipes, {recipes / name: made / text / name for name in ("a", "b")})
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_process_that_is_ended(tmp_path: Path, number: signal.Signals) -> None:
    """Whenever it is, each directory is wholly the old or the new one."""
    recipes, made = tmp_path / "recipes", tmp_path / "made"
    for name in ("a", "b"):
        write(recipes / name, "old")
        for text in ("old", "new"):
            write(made / text / name, text)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    for attempt in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", SWAPPER, recipes, made], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.02 + attempt * 0.013)
            process.send_signal(number)
        states = [read(recipes / name) for name in ("a", "b")]
        assert all(state in ({"old"}, {"new"}) for state in states)
        if number == signal.SIGINT:
            assert states[0] == states[1], "what belongs together"
            assert sorted(path.name for path in recipes.iterdir()) == ["a", "b"], "and nothing else is left"
    swap_in(recipes, {})
    assert sorted(path.name for path in recipes.iterdir()) == ["a", "b"], "what a killed one left is removed"
