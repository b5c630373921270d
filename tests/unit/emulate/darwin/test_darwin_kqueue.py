"""kqueue and kevent, called as Darwin code calls them (sys/event.h)."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

READ, WRITE, VNODE, PROC, SIGNAL, TIMER, USER = -1, -2, -4, -5, -6, -7, -10
ADD, DELETE, ENABLE, DISABLE, ONESHOT, CLEAR, RECEIPT, DISPATCH = 1, 2, 4, 8, 16, 32, 64, 128
UDATA_SPECIFIC, ERROR, EOF = 0x100, 0x4000, 0x8000
TRIGGER, FFAND, FFOR, FFCOPY = 0x01000000, 0x40000000, 0x80000000, 0xC0000000
SECONDS, USECONDS, NSECONDS, ABSOLUTE, MACHTIME = 1, 2, 4, 8, 0x100
EXIT, EXITSTATUS, FORK = 0x80000000, 0x04000000, 0x40000000
ENOTSUP, EBADF, ENOENT, ESRCH, EINVAL = 102, 9, 2, 3, 22  # Darwin's (Linux's ENOTSUP is its EOPNOTSUPP)


class Kevent(ctypes.Structure):
    _fields_ = (
        ("ident", ctypes.c_size_t), ("filter", ctypes.c_int16), ("flags", ctypes.c_uint16),
        ("fflags", ctypes.c_uint32), ("data", ctypes.c_ssize_t), ("udata", ctypes.c_size_t),
    )  # fmt: skip


class Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


def event(ident: int, filter: int, flags: int, fflags: int = 0, data: int = 0, udata: int = 0) -> Kevent:  # noqa: A002 - the header's name
    return Kevent(ident, filter, flags, fflags, data, udata)


class Queue:
    """A kqueue."""

    def __init__(self, shim: ctypes.CDLL, fd: int | None = None) -> None:
        self._kevent: Any = shim.forge_darwin_kevent
        self._error: Any = shim["forge_darwin___error"]
        self._error.restype = ctypes.POINTER(ctypes.c_int)
        self.fd: int = shim.forge_darwin_kqueue() if fd is None else fd

    def call(self, *changes: Kevent, room: int = 8, seconds: float | None = 0) -> list[Kevent]:
        made, told = (Kevent * max(len(changes), 1))(*changes), (Kevent * max(room, 1))()
        limit = None if seconds is None else Timespec(int(seconds), int(seconds % 1 * 1e9))
        count = self._kevent(self.fd, made, len(changes), told, room, limit and ctypes.byref(limit))
        if count < 0:
            raise OSError(self._error().contents.value, "kevent")
        return list(told[:count])

    def told(self, *changes: Kevent, **named: Any) -> list[tuple[int, int]]:
        return sorted((one.ident, one.filter) for one in self.call(*changes, **named))


@pytest.fixture
def queue(shim: ctypes.CDLL) -> Iterator[Queue]:
    made = Queue(shim)
    assert made.fd >= 0
    yield made
    assert shim.forge_darwin_close(made.fd) == 0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


Pair = tuple[socket.socket, socket.socket]


def fails(queue: Queue, number: int, *changes: Kevent) -> None:
    with pytest.raises(OSError, match="kevent") as caught:
        queue.call(*changes, room=0)
    assert caught.value.errno == number


def test_a_queue_is_a_descriptor(queue: Queue, pair: Pair) -> None:
    assert not os.get_inheritable(queue.fd)
    queue.call(event(pair[0].fileno(), READ, ADD))
    assert select.select([queue.fd], [], [], 0)[0] == []
    pair[1].send(b"x")
    assert select.select([queue.fd], [], [], 5)[0] == [queue.fd]


def test_reading_and_writing(queue: Queue, pair: Pair) -> None:
    one, other = pair
    fd = one.fileno()
    assert queue.told(event(fd, READ, ADD, udata=7), event(fd, WRITE, ADD, udata=8)) == [(fd, WRITE)]
    other.send(b"hello")
    found = {each.filter: each for each in queue.call(seconds=5)}
    assert (found[READ].data, found[READ].udata, found[READ].flags & EOF) == (5, 7, 0)
    assert (found[WRITE].udata, found[WRITE].data > 0) == (8, True)
    assert queue.told(event(fd, WRITE, DELETE)) == [(fd, READ)]
    one.recv(5)
    assert queue.told() == []
    other.close()
    (ended,) = queue.call(seconds=5)
    assert (ended.filter, ended.flags & EOF) == (READ, EOF)


def test_room_for_one_event(queue: Queue, pair: Pair) -> None:
    """Both directions happen at once; neither is lost, edge-triggered or not."""
    fd = pair[0].fileno()
    for flags in (0, CLEAR):
        queue.call(event(fd, READ, ADD | flags), event(fd, WRITE, ADD | flags), room=0)
        pair[1].send(b"x")
        assert sorted(one.filter for _ in range(2) for one in queue.call(room=1, seconds=5)) in (
            [WRITE, READ], [WRITE, WRITE], [READ, READ],
        )  # fmt: skip
        assert {one.filter for _ in range(3) for one in queue.call(room=2, seconds=0)} <= {READ, WRITE}
        pair[0].recv(10)
        queue.call(event(fd, READ, DELETE), event(fd, WRITE, DELETE), room=0)


def test_a_pipes_ends(queue: Queue) -> None:
    reading, writing = os.pipe()
    assert queue.told(event(reading, READ, ADD), event(writing, WRITE, ADD)) == [(writing, WRITE)]
    os.write(writing, b"abc")
    found = {each.filter: each.data for each in queue.call(seconds=5)}
    assert found[READ] == 3
    assert found[WRITE] > 1000
    os.close(reading)
    (broken,) = queue.call(seconds=5)
    assert (broken.ident, broken.flags & EOF) == (writing, EOF)
    os.close(writing)


def test_a_socket_that_listens(queue: Queue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        (one,) = queue.call(event(server.fileno(), READ, ADD), seconds=5)
        assert one.data >= 1


def test_once_and_dispatched_and_edges(queue: Queue, pair: Pair) -> None:
    fd = pair[0].fileno()
    pair[1].send(b"x")
    assert queue.told(event(fd, READ, ADD | ONESHOT)) == [(fd, READ)]
    assert queue.told() == []
    fails(queue, ENOENT, event(fd, READ, DELETE))
    assert queue.told(event(fd, READ, ADD | DISPATCH)) == [(fd, READ)]
    assert queue.told() == []
    assert queue.told(event(fd, READ, ENABLE)) == [(fd, READ)]
    assert queue.told(event(fd, READ, ADD | CLEAR)) == [(fd, READ)]
    assert queue.told() == []
    pair[1].send(b"y")
    assert queue.told(seconds=5) == [(fd, READ)]


def test_disabled(queue: Queue, pair: Pair) -> None:
    fd = pair[0].fileno()
    pair[1].send(b"x")
    assert queue.told(event(fd, READ, ADD | DISABLE)) == []
    assert queue.told(event(fd, READ, ENABLE)) == [(fd, READ)]
    assert queue.told(event(fd, READ, DISABLE)) == []
    assert queue.told(event(fd, READ, ADD)) == [(fd, READ)]  # adding again enables


def test_a_descriptor_that_was_closed(queue: Queue) -> None:
    """What was waited for goes with it; another descriptor of its number knows nothing of it."""
    one, other = socket.socketpair()
    fd = one.fileno()
    queue.call(event(fd, READ, ADD), event(fd, WRITE, ADD), room=0)
    one.close()
    assert queue.told() == []
    fails(queue, EBADF, event(fd, READ, DELETE))
    fails(queue, EBADF, event(fd, READ, ADD))
    third, fourth = socket.socketpair()
    assert third.fileno() == fd
    fails(queue, ENOENT, event(fd, WRITE, DELETE))
    assert queue.told(event(fd, READ, ADD)) == []
    fourth.send(b"x")
    assert queue.told(seconds=5) == [(fd, READ)]
    for each in (other, third, fourth):
        each.close()


def test_a_number_that_comes_back_is_a_new_queue(shim: ctypes.CDLL, pair: Pair) -> None:
    first = Queue(shim)
    first.call(event(pair[0].fileno(), WRITE, ADD), event(1, USER, ADD, TRIGGER), room=0)
    os.close(first.fd)
    with pytest.raises(OSError, match="kevent") as caught:
        first.call()
    assert caught.value.errno == EBADF
    again = Queue(shim)
    assert again.fd == first.fd
    assert again.call() == []
    os.close(again.fd)


def test_a_copy_is_the_same_queue(shim: ctypes.CDLL, pair: Pair) -> None:
    """tokio wakes its thread by a copy. What one descriptor is asked for, any tells, when the first is closed too."""
    one, other = pair
    number, fcntl_dupfd_cloexec = one.fileno(), 67
    first = Queue(shim)
    first.call(event(number, READ, ADD, udata=1), event(1, USER, ADD | CLEAR))
    copies = [shim.forge_darwin_dup(first.fd), shim.forge_darwin_fcntl(first.fd, fcntl_dupfd_cloexec, 0)]
    free = fcntl.fcntl(first.fd, fcntl.F_DUPFD, 200)
    os.close(free)
    copies.append(shim.forge_darwin_dup2(copies[0], free))
    assert len({first.fd, *copies}) == 4
    assert copies[2] == free == shim.forge_darwin_dup2(free, free)
    queues = [first, *(Queue(shim, fd) for fd in copies)]
    assert queues[3].told(event(1, USER, 0, TRIGGER), room=0) == []
    assert queues[0].told(seconds=5) == [(1, USER)]
    assert shim.forge_darwin_close(first.fd) == 0
    other.send(b"x")
    for queue in queues[1:]:
        assert [(each.ident, each.udata) for each in queue.call(seconds=5)] == [(number, 1)]
    again = Queue(shim)
    assert again.fd == first.fd
    assert again.told() == [], "a number that comes back is a new queue, whatever has copies of the old one"
    assert queues[2].told(event(number, READ, DELETE)) == []
    assert shim.forge_darwin_dup2(again.fd, copies[2]) == copies[2]
    again.call(event(number, WRITE, ADD))
    assert (queues[3].told(), queues[1].told()) == ([(number, WRITE)], [])
    assert shim.forge_darwin_dup2(number, copies[2]) == copies[2]
    fails(queues[3], EBADF)
    for fd in (again.fd, *copies):
        assert shim.forge_darwin_close(fd) == 0


def test_a_copy_of_nothing(shim: ctypes.CDLL) -> None:
    fd = os.dup(0)
    os.close(fd)
    assert shim.forge_darwin_dup(fd) == shim.forge_darwin_dup2(fd, fd + 1) == shim.forge_darwin_close(fd) == -1


def test_what_is_no_queue(shim: ctypes.CDLL, pair: Pair) -> None:
    made = Queue(shim)
    os.close(made.fd)
    made.fd = pair[0].fileno()
    with pytest.raises(OSError, match="kevent") as caught:
        made.call()
    assert caught.value.errno == EBADF


@pytest.mark.parametrize(
    ("unit", "data"), [(0, 20), (USECONDS, 20_000), (NSECONDS, 20_000_000), (MACHTIME, 20_000_000)]
)
def test_a_timer(queue: Queue, unit: int, data: int) -> None:
    start = time.monotonic()
    (one,) = queue.call(event(3, TIMER, ADD | ONESHOT, unit, data, udata=5), seconds=5)
    assert 0.019 < time.monotonic() - start < 4
    assert (one.ident, one.filter, one.data, one.udata, one.fflags) == (3, TIMER, 1, 5, 0)
    assert queue.call(seconds=0.05) == []


def test_timers_count_and_start_anew(queue: Queue) -> None:
    queue.call(event(3, TIMER, ADD, USECONDS, 1000), room=0)
    time.sleep(0.05)
    (one,) = queue.call()
    assert one.data > 10
    assert queue.told(event(3, TIMER, ADD, SECONDS, 1000)) == []
    assert queue.told(event(3, TIMER, ADD | ONESHOT, 0, 0), seconds=5) == [(3, TIMER)]  # no time is at once
    past = int(time.time()) - 10
    assert queue.told(event(4, TIMER, ADD, SECONDS | ABSOLUTE, past), seconds=5) == [(4, TIMER)]
    fails(queue, ENOTSUP, event(5, TIMER, ADD, MACHTIME | ABSOLUTE, 1))
    fails(queue, ENOENT, event(5, TIMER, DELETE))


def test_users_events(queue: Queue) -> None:
    assert queue.told(event(9, USER, ADD | CLEAR, FFCOPY | 0b0110)) == []
    assert queue.told(event(9, USER, 0, FFOR | 0b1000)) == []
    (one,) = queue.call(event(9, USER, 0, FFAND | TRIGGER | 0b1100, udata=0))
    assert (one.fflags, one.filter) == (0b1100, USER)
    assert queue.told() == []  # EV_CLEAR takes it back
    queue.call(event(8, USER, ADD), event(8, USER, 0, TRIGGER), room=0)
    assert queue.told() == queue.told() == [(8, USER)]
    assert queue.told(event(8, USER, DELETE)) == []


def test_another_thread_wakes_a_waiting_one(queue: Queue) -> None:
    queue.call(event(1, USER, ADD | CLEAR), room=0)
    timer = threading.Timer(0.05, lambda: queue.call(event(1, USER, 0, TRIGGER), room=0))
    timer.start()
    assert queue.told(seconds=None) == [(1, USER)]
    timer.join()


@pytest.mark.parametrize(("code", "status"), [("sys.exit(3)", 3 << 8), ("os.kill(os.getpid(), 10)", 30)])
def test_a_process_that_ends(queue: Queue, code: str, status: int) -> None:
    """Its status is Darwin's: SIGUSR1 is 10 here and 30 there."""
    assert int(signal.SIGUSR1) == 10
    script = f"import os, sys; sys.stdin.read(1); {code}"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        assert queue.told(event(child.pid, PROC, ADD, EXIT | EXITSTATUS)) == []
        assert child.stdin is not None
        child.stdin.close()
        (one,) = queue.call(seconds=20)
        assert (one.ident, one.fflags, one.data, one.flags & EOF) == (child.pid, EXIT | EXITSTATUS, status, EOF)
        assert queue.call() == []  # it is told once
    fails(queue, ENOTSUP, event(os.getpid(), PROC, ADD, EXIT | FORK))
    fails(queue, ESRCH, event(2**30, PROC, ADD, EXIT))


def test_what_is_refused_by_name(queue: Queue, tmp_path: Any) -> None:
    for filter_ in (VNODE, SIGNAL, -3, -8, -9):
        fails(queue, ENOTSUP, event(1, filter_, ADD))
    fails(queue, EINVAL, event(1, 5, ADD))
    fails(queue, EINVAL, event(1, -99, ADD))
    fails(queue, ENOTSUP, event(1, USER, ADD | UDATA_SPECIFIC))
    with (tmp_path / "file").open("w") as file:
        fails(queue, ENOTSUP, event(file.fileno(), WRITE, ADD))
        fails(queue, ENOENT, event(file.fileno(), WRITE, DELETE))  # nothing is left of it


def test_errors_have_their_place_among_the_events(queue: Queue, pair: Pair) -> None:
    good, bad = event(pair[0].fileno(), WRITE, ADD), event(1, SIGNAL, ADD, udata=4)
    (one,) = queue.call(bad, good)
    assert (one.flags, one.data, one.udata) == (ERROR, ENOTSUP, 4)
    assert queue.told() == [(pair[0].fileno(), WRITE)]  # the other change was made
    receipts = queue.call(event(2, USER, ADD | RECEIPT), event(3, USER, DELETE | RECEIPT))
    assert [(each.ident, each.flags, each.data) for each in receipts] == [
        (2, ERROR | RECEIPT, 0),
        (3, ERROR | RECEIPT, ENOENT),
    ]


def test_limits(queue: Queue) -> None:
    start = time.monotonic()
    assert queue.call(seconds=0.05) == []
    assert time.monotonic() - start >= 0.05
    limit = Timespec(0, 10**9)
    assert queue._kevent(queue.fd, None, 0, (Kevent * 1)(), 1, ctypes.byref(limit)) == -1
    assert queue._error().contents.value == EINVAL
    assert queue._kevent(queue.fd, None, -1, None, 0, None) == -1


def test_a_child_has_no_queue(queue: Queue) -> None:
    queue.call(event(1, USER, ADD, TRIGGER), room=0)
    child = os.fork()
    if child == 0:
        try:
            queue.call()
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EBADF
    assert queue.told() == [(1, USER)]
