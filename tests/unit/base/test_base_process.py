from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, ToolchainError
from forge.base.process import TAIL_LINES, end_all, output, run, run_each, tail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syrupy.assertion import SnapshotAssertion

ENV = {"PATH": "/usr/bin:/bin", "ONLY": "this"}


def shell(script: str, directory: Path) -> None:
    run(["/bin/sh", "-c", script], log=directory / "logs" / "x.log", env=ENV, cwd=directory, what="test of x")


def test_everything_goes_to_the_log(tmp_path: Path) -> None:
    shell("echo one; echo two >&2", tmp_path)
    shell("echo $ONLY ${HOME-none}; pwd; cat", tmp_path)
    text = (tmp_path / "logs" / "x.log").read_text()
    assert f"$ cd {tmp_path}\n$ /bin/sh -c 'echo one; echo two >&2'\none\ntwo\n" in text
    assert text.endswith(f"\nthis none\n{tmp_path}\n")


def test_a_failure_carries_the_logs_end(tmp_path: Path) -> None:
    shell("echo earlier", tmp_path)
    with pytest.raises(BuildError) as error:
        shell("for i in $(seq 100); do echo line $i; done; printf '\\377 last'; exit 3", tmp_path)
    assert str(error.value) == "test of x: /bin/sh -c exited with code 3"
    assert error.value.log == tmp_path / "logs" / "x.log"
    assert len(error.value.tail) == TAIL_LINES
    assert error.value.tail[-2:] == ("line 100", "\ufffd last")


def test_the_end_of_a_short_failure_is_its_own(tmp_path: Path) -> None:
    shell("echo earlier", tmp_path)
    with pytest.raises(BuildError) as error:
        shell("exit 1", tmp_path)
    assert "earlier" not in error.value.tail
    assert tail(tmp_path / "logs" / "x.log", lines=1) == (error.value.tail[-1],)


def shells(scripts: list[str], directory: Path) -> str:
    log = directory / "logs" / "x.log"
    log.parent.mkdir(exist_ok=True)
    commands = [(f"test of {number}", ["/bin/sh", "-c", script]) for number, script in enumerate(scripts)]
    run_each(commands, log=log, env=ENV, cwd=directory, jobs=4)
    return log.read_text()


def test_programs_that_run_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do echo {0}; sleep 0.01; done"
    text = shells([script.format(letter) for letter in "abcd"], tmp_path)
    for letter in "abcd":
        assert f"{letter}\n" * 9 in text
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["x.log"]


def test_one_of_several_fails(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as error:
        shells(["echo well", "echo words; exit 3"], tmp_path)
    assert str(error.value) == "test of 1: /bin/sh -c exited with code 3"
    assert (error.value.tail[-1], error.value.log) == ("words", tmp_path / "logs" / "x.log")
    assert "\nwell\n" in (tmp_path / "logs" / "x.log").read_text()
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["x.log"]


def test_what_was_not_started_is_not_after_a_failure(tmp_path: Path) -> None:
    scripts = ["exit 1", *(f"sleep 0.05; touch {number}" for number in range(100))]
    with pytest.raises(BuildError):
        shells(scripts, tmp_path)
    assert len(list(tmp_path.iterdir())) < 50


def test_a_program_ended_by_a_signal(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="was killed by SIGKILL"):
        shell("kill -9 $$", tmp_path)


@pytest.mark.parametrize("kind", ["missing", "directory", "not executable", "no program"])
def test_a_program_that_cannot_run(tmp_path: Path, kind: str, snapshot: SnapshotAssertion) -> None:
    program = tmp_path / "program"
    if kind == "directory":
        program.mkdir()
    elif kind != "missing":
        program.write_text("neither a script nor a binary")
        program.chmod(0o755 if kind == "no program" else 0o644)
    with pytest.raises(ToolchainError) as error:
        run([program, "x"], log=tmp_path / "log", env=ENV, cwd=tmp_path, what="test")
    assert f"{error.value}\nhint: {error.value.hint}".replace(str(tmp_path), "<tmp>") == snapshot
    with pytest.raises(ToolchainError) as error:
        output([program])
    assert str(error.value).replace(str(tmp_path), "<tmp>") == snapshot


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 0)
            return not Path("/proc").is_dir()
        return False
    return state != "Z"


def wait_until_gone(process: int) -> bool:
    deadline = time.monotonic() + 60
    while is_running(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(process)


def read_pid(path: Path) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(path)


@contextlib.contextmanager
def interrupts() -> Iterator[None]:
    """SIGUSR1 is Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize(
    "script", ["sleep 60 & echo $! > pid; wait", "trap '' TERM; (echo $$ > pid; sleep 60); sleep 60"]
)
def test_an_interrupt_ends_the_whole_group(tmp_path: Path, script: str) -> None:
    def send() -> None:
        read_pid(tmp_path / "pid")
        os.kill(os.getpid(), signal.SIGUSR1)

    sender = threading.Thread(target=send)
    sender.start()
    with interrupts(), pytest.raises(KeyboardInterrupt):
        shell(script, tmp_path)
    sender.join()
    assert wait_until_gone(read_pid(tmp_path / "pid"))


def test_every_group_can_be_ended(tmp_path: Path) -> None:
    failures: list[BuildError] = []

    def work() -> None:
        try:
            shell("sleep 60 & echo $! > pid; wait", tmp_path)
        except BuildError as error:
            failures.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    process = read_pid(tmp_path / "pid")
    for _ in range(200):  # the file can be there before the process that made it is known to forge
        end_all()
        worker.join(0.05)
        if not worker.is_alive():
            break
    assert not worker.is_alive()
    assert wait_until_gone(process)
    assert [str(f) for f in failures] == ["test of x: /bin/sh -c was killed by SIGTERM"]
    end_all()  # nothing is left to end


def test_output() -> None:
    assert output(["/bin/sh", "-c", "echo a; echo b >&2; printf '\\377'"]) == "a\n\ufffd"
    assert output(["/bin/sh", "-c", "echo ${HOME-none}"], env=ENV) == "none\n"


@pytest.mark.parametrize("script", ["echo out; exit 4", "seq 9 >&2; exit 1", "exit 2"])
def test_output_of_a_failure(script: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(ToolchainError) as error:
        output(["/bin/sh", "-c", script])
    assert str(error.value) == snapshot


def test_output_that_never_comes() -> None:
    with pytest.raises(ToolchainError, match="sleep 60 timed out after 0 s"):
        output(["sleep", "60"], timeout=0.1)
