from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NoReturn

import pytest

from forge.base.atomic import atomic_directory, atomic_file, locked, replace_directory, storage_error

if TYPE_CHECKING:
    from pathlib import Path


class StopError(Exception):
    pass


def stop_after(_: object) -> NoReturn:
    raise StopError


def test_a_directory_is_there_when_the_body_ends_well(tmp_path: Path) -> None:
    destination = tmp_path / "not" / "yet" / "made"
    with atomic_directory(destination) as temporary:
        (temporary / "x").write_text("1")
        assert not destination.exists()
        assert temporary.parent == destination.parent
    assert (destination / "x").read_text() == "1"
    assert [p.name for p in destination.parent.iterdir()] == ["made"]
    assert destination.stat().st_mode & 0o777 == 0o755


def test_a_directory_is_replaced_whole(tmp_path: Path) -> None:
    for name in ("old", "new"):
        with atomic_directory(tmp_path / "d") as temporary:
            (temporary / name).touch()
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


@pytest.mark.parametrize("existing", [False, True])
def test_a_failing_body_leaves_no_trace_of_a_directory(tmp_path: Path, existing: bool) -> None:
    if existing:
        (tmp_path / "d").mkdir()
        (tmp_path / "d" / "old").touch()
    with pytest.raises(StopError), atomic_directory(tmp_path / "d") as temporary:
        stop_after((temporary / "new").write_text("new"))
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")) == (
        ["d", "d/old"] if existing else []
    )


def test_replacing_by_what_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_directory(tmp_path / "missing", tmp_path / "d")
    (tmp_path / "d").mkdir()
    with pytest.raises(FileNotFoundError):
        replace_directory(tmp_path / "missing", tmp_path / "d")
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_a_file_is_there_when_the_body_ends_well(tmp_path: Path) -> None:
    destination = tmp_path / "a" / "f"
    with atomic_file(destination) as file:
        file.write(b"1")
        assert not destination.exists()
    with atomic_file(destination, "w", permissions=0o755) as file:
        file.write("ä")
    assert destination.read_bytes() == "ä".encode()
    assert destination.stat().st_mode & 0o777 == 0o755
    assert [p.name for p in destination.parent.iterdir()] == ["f"]


def test_a_failing_body_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("old")
    with pytest.raises(StopError), atomic_file(tmp_path / "f", "w") as file:
        stop_after(file.write("new"))
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("f", "old")]


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    texts = [str(n) * 100_000 for n in range(8)]

    def write(text: str) -> None:
        with atomic_file(tmp_path / "f", "w") as file:
            file.write(text)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, texts))
    assert (tmp_path / "f").read_text() in texts
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_lock_lets_one_in_at_a_time(tmp_path: Path) -> None:
    inside = 0
    most = 0
    guard = threading.Lock()

    def work(_: int) -> None:
        nonlocal inside, most
        with locked(tmp_path / "locks", "name"):
            with guard:
                inside += 1
                most = max(most, inside)
            with guard:
                inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))
    assert most == 1
    with locked(tmp_path / "locks", "one"), locked(tmp_path / "locks", "other"):
        pass  # different names do not wait for each other


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_HOME", "/cache")
    for place, what in (
        ("/cache/x", "set FORGE_HOME"),
        ("/out/x", "choose a location"),
        (None, "set FORGE_HOME, TMPDIR and the output directory"),
    ):
        error = storage_error(OSError(number, "No space left on device", place))
        assert error is not None
        assert error.message == "no space left on the disk" + (f": {place}" if place else "")
        assert what in (error.hint or "")


def test_a_write_that_finds_the_disk_full_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught, atomic_file(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")  # as `write` does: without a name
    told = storage_error(caught.value)
    assert told is not None
    assert told.message == f"no space left on the disk: {tmp_path / 'x'}"
    assert list(tmp_path.iterdir()) == []


def test_what_may_not_be_read_is_not_said_to_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    error = storage_error(OSError(errno.EACCES, "Permission denied", str(tmp_path / "x")))
    assert error is not None
    assert error.message == f"no permission to read: {tmp_path / 'x'}"


def test_a_cache_below_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "file"))
    with pytest.raises(OSError, match="Not a directory") as caught, locked(tmp_path / "file" / "locks", "x"):
        pass
    error = storage_error(caught.value)
    assert error is not None
    assert error.message == f"part of the path is not a directory: {tmp_path / 'file' / 'locks'}"
    assert error.hint == "set FORGE_HOME to a directory that exists"


def test_waiting_for_another_process_is_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = (
        "import sys, pathlib; from forge.base.atomic import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), 'name'):\n    print('held', flush=True); sys.stdin.readline()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder, holder.stdin:
        assert holder.stdout.readline() == "held\n"
        threading.Timer(1.3, holder.stdin.write, ["\n"]).start()
        threading.Timer(1.4, holder.stdin.flush).start()
        with locked(tmp_path, "name"):
            assert caplog.messages == [
                f"waiting for another forge process (pid {holder.pid}), which holds the lock name"
            ]
    with locked(tmp_path, "name"):
        assert len(caplog.messages) == 1


def test_waiting_for_another_thread_of_this_process_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What that is at is on the screen already."""
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with locked(tmp_path, "name"):
            held.set()
            let_go.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    threading.Timer(1.2, let_go.set).start()
    with locked(tmp_path, "name"):
        assert caplog.messages == []
    thread.join()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_directory_that_may_not_be_written_is_told(number: int) -> None:
    error = storage_error(OSError(number, "Permission denied"))
    assert error is not None
    assert error.message == "no permission to write"


def test_other_errors_are_not_about_storage() -> None:
    assert storage_error(OSError(errno.ENOENT, "No such file", "x")) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_a_cache_of_another_users_is_not_locked(tmp_path: Path) -> None:
    """It can be read by many, and who cannot write to it cannot make anything that a lock protects."""
    for directory in (tmp_path, *tmp_path.parents[:3]):
        directory.chmod(directory.stat().st_mode | 0o055)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setuid(12345)
            with locked(tmp_path / "home" / "locks", "x"):
                code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(tmp_path.iterdir()) == []
