from __future__ import annotations

import os
import threading
import time

import pytest

from forge.base.jobserver import JobServer


def test_as_many_slots_as_jobs() -> None:
    running, most = 0, 0
    guard = threading.Lock()

    def work(server: JobServer) -> None:
        nonlocal running, most
        with server.slot():
            with guard:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with guard:
                running -= 1

    with JobServer(3) as server:
        threads = [threading.Thread(target=work, args=(server,)) for _ in range(9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 3


def test_tokens_of_killed_programs_come_back_when_nothing_runs() -> None:
    with JobServer(2) as server:
        pipe = os.open(server.path, os.O_RDWR)
        os.set_blocking(pipe, False)
        with server.slot():
            assert os.read(pipe, 10) == b"+"  # and it is killed before it puts it back
        with server.slot(), server.slot(), pytest.raises(BlockingIOError):
            os.read(pipe, 10)
        os.close(pipe)


def test_the_pipe_is_removed() -> None:
    with JobServer(1) as server:
        path = server.path
        assert path.is_fifo()
        assert str(path) in server.makeflags
    assert not path.parent.exists()
