from __future__ import annotations

import ctypes
import errno
import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.emulate.shim_compile import NATIVE

DARWIN = {
    name: int(value)
    for name, value in re.findall(r"#define DARWIN_(E\w+) (\d+)", (NATIVE / "darwin_abi.h").read_text(encoding="utf-8"))
}
# Numbers of Linux's that Darwin's sys/errno.h has by the same name.
SHARED = sorted({getattr(errno, name) for name in DARWIN if hasattr(errno, name)})


class Cells:
    """glibc's errno and Darwin's, of the calling thread."""

    def __init__(self, shim: ctypes.CDLL) -> None:
        self._error = shim["forge_darwin___error"]
        self._error.restype = ctypes.POINTER(ctypes.c_int)
        location = ctypes.CDLL(None)["__errno_location"]
        location.restype = ctypes.POINTER(ctypes.c_int)
        self.host = location()
        self.publish = shim.forge_darwin_errno_publish

    def darwin(self) -> ctypes._Pointer[ctypes.c_int]:
        found: ctypes._Pointer[ctypes.c_int] = self._error()
        return found


@pytest.fixture
def cells(shim: ctypes.CDLL) -> Cells:
    return Cells(shim)


def test_every_shared_name_is_translated_to_darwins_number(cells: Cells) -> None:
    # Linux gives one number to both; Darwin's for sockets is taken.
    ambiguous = {errno.EOPNOTSUPP: DARWIN["EOPNOTSUPP"]}
    for name, number in DARWIN.items():
        if not hasattr(errno, name):
            continue
        host = getattr(errno, name)
        cells.host[0] = host
        assert cells.darwin()[0] == ambiguous.get(host, number), name


@given(number=st.integers(0, 140) | st.sampled_from(SHARED))
def test_what_the_host_says_comes_back_to_the_host(shim: ctypes.CDLL, number: int) -> None:
    cells = Cells(shim)
    cells.host[0] = number
    seen = cells.darwin()[0]
    cells.darwin()[0] = seen
    cells.publish()
    assert cells.host[0] == number


@given(number=st.integers(0, DARWIN["EQFULL"]))
def test_what_darwin_code_stores_comes_back_to_it(shim: ctypes.CDLL, number: int) -> None:
    cells = Cells(shim)
    cells.darwin()[0] = number
    cells.publish()
    # Two pairs share one number of Linux's.
    merged = {DARWIN["ENOTSUP"]: DARWIN["EOPNOTSUPP"], DARWIN["ENOATTR"]: DARWIN["ENODATA"]}
    assert cells.darwin()[0] == merged.get(number, number)


def test_no_two_host_numbers_look_alike(cells: Cells) -> None:
    seen = set()
    for number in range(1, 134):
        cells.host[0] = number
        seen.add(cells.darwin()[0])
    assert len(seen) == 133


def test_a_failure_after_a_store_wins_even_with_the_same_number(cells: Cells) -> None:
    cells.host[0] = errno.EAGAIN
    assert cells.darwin()[0] == 35
    cells.darwin()[0] = 0
    assert cells.darwin()[0] == 0
    cells.host[0] = errno.EAGAIN
    assert cells.darwin()[0] == 35


def test_each_thread_has_its_own(shim: ctypes.CDLL) -> None:
    own = Cells(shim)
    own.darwin()[0] = 35
    seen: list[int] = []

    def other() -> None:
        theirs = Cells(shim)
        theirs.host[0] = errno.ELOOP
        seen.append(theirs.darwin()[0])

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [62]
    assert own.darwin()[0] == 35


def test_texts(shim: ctypes.CDLL) -> None:
    strerror = shim.forge_darwin_strerror
    strerror.restype = ctypes.c_char_p
    assert strerror(35) == os.strerror(errno.EAGAIN).encode()
    assert strerror(2) == b"No such file or directory"
    assert strerror(93) == b"Attribute not found"
    assert strerror(102) == b"Operation not supported on socket"
    assert strerror(107) == b"Unknown error: 107"
    assert strerror(-1) == b"Unknown error: -1"


def test_text_into_a_buffer(shim: ctypes.CDLL) -> None:
    buffer = ctypes.create_string_buffer(64)
    assert shim.forge_darwin_strerror_r(62, buffer, 64) == 0
    assert buffer.value == os.strerror(errno.ELOOP).encode()
    assert shim.forge_darwin_strerror_r(62, buffer, 4) == 34
    assert len(buffer.value) == 3
    assert shim.forge_darwin_strerror_r(500, buffer, 64) == 22


def test_exceptions_carry_the_hosts_number(shim: ctypes.CDLL) -> None:
    cells = Cells(shim)
    # By PyDLL, which holds the interpreter's lock and raises what the C API function has set.
    function = ctypes.PyDLL(shim._name).forge_darwin_PyErr_SetFromErrno
    function.argtypes = [ctypes.py_object]
    function.restype = ctypes.py_object
    cells.darwin()[0] = 35
    with pytest.raises(BlockingIOError) as caught:
        function(OSError)
    assert caught.value.errno == errno.EAGAIN
