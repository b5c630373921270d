from __future__ import annotations

import ctypes
import os
import select
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

AF_INET, AF_INET6, AF_UNIX, SOL_SOCKET = 2, 30, 1, 0xFFFF


def inet(port: int, host: str = "127.0.0.1") -> bytes:
    """struct sockaddr_in of Darwin's netinet/in.h: length, family, port, address."""
    return struct.pack("!BBH4s8x", 16, AF_INET, port, socket.inet_aton(host))


@pytest.fixture
def error(shim: ctypes.CDLL) -> ctypes._FuncPointer:
    function = shim["forge_darwin___error"]
    function.restype = ctypes.POINTER(ctypes.c_int)
    return function


def test_a_connection_over_loopback(shim: ctypes.CDLL) -> None:
    server, client = shim.forge_darwin_socket(AF_INET, 1, 0), shim.forge_darwin_socket(AF_INET, 1, 0)
    assert shim.forge_darwin_bind(server, inet(0), 16) == 0
    name, length = ctypes.create_string_buffer(64), ctypes.c_uint32(64)
    assert shim.forge_darwin_getsockname(server, name, ctypes.byref(length)) == 0
    assert length.value == 16
    assert name.raw[:2] == bytes([16, AF_INET])
    port = int.from_bytes(name.raw[2:4], "big")
    os.set_blocking(server, False)
    listener = socket.socket(fileno=os.dup(server))
    listener.listen()
    assert shim.forge_darwin_connect(client, inet(port), 16) == 0
    select.select([server], [], [], 10)
    peer, length = ctypes.create_string_buffer(b"\xee" * 64, 64), ctypes.c_uint32(8)
    accepted = shim.forge_darwin_accept(server, peer, ctypes.byref(length))
    assert accepted >= 0
    assert length.value == 16
    assert peer.raw[:2] == bytes([16, AF_INET])
    assert peer.raw[8:] == b"\xee" * 56
    assert not os.get_blocking(accepted)  # BSD's inherit it
    assert shim.forge_darwin_send(client, b"hello", ctypes.c_size_t(5), 0) == 5
    select.select([accepted], [], [], 10)
    data = ctypes.create_string_buffer(16)
    assert shim.forge_darwin_recv(accepted, data, ctypes.c_size_t(16), 0x2) == 5  # MSG_PEEK
    assert shim.forge_darwin_recv(accepted, data, ctypes.c_size_t(16), 0x80) == 5
    assert data.value == b"hello"
    listener.close()
    for descriptor in (server, client, accepted):
        os.close(descriptor)


def test_waiting_is_darwins_eagain(shim: ctypes.CDLL, error: ctypes._FuncPointer) -> None:
    pair = (ctypes.c_int * 2)()
    assert shim.forge_darwin_socketpair(AF_UNIX, 1, 0, pair) == 0
    assert shim.forge_darwin_recv(pair[0], ctypes.create_string_buffer(1), ctypes.c_size_t(1), 0x80) == -1
    assert error()[0] == 35
    for descriptor in pair:
        os.close(descriptor)


def test_unknown_families_and_options_fail(shim: ctypes.CDLL, error: ctypes._FuncPointer) -> None:
    assert shim.forge_darwin_socket(32, 1, 0) == -1
    assert error()[0] == 47  # EAFNOSUPPORT
    descriptor = shim.forge_darwin_socket(AF_INET, 1, 0)
    value = ctypes.c_int(1)
    assert shim.forge_darwin_setsockopt(descriptor, SOL_SOCKET, 0x7777, ctypes.byref(value), 4) == -1
    assert error()[0] == 42  # ENOPROTOOPT
    os.close(descriptor)


def test_options_by_darwins_numbers(shim: ctypes.CDLL) -> None:
    descriptor = shim.forge_darwin_socket(AF_INET, 1, 0)
    own = socket.socket(fileno=os.dup(descriptor))
    one, size = ctypes.c_int(1), ctypes.c_uint32(4)
    for level, option, real in (
        (SOL_SOCKET, 0x4, socket.SO_REUSEADDR), (SOL_SOCKET, 0x8, socket.SO_KEEPALIVE),
        (SOL_SOCKET, 0x200, socket.SO_REUSEPORT),
    ):  # fmt: skip
        assert own.getsockopt(socket.SOL_SOCKET, real) == 0
        assert shim.forge_darwin_setsockopt(descriptor, level, option, ctypes.byref(one), 4) == 0
        assert own.getsockopt(socket.SOL_SOCKET, real) == 1
    seconds = ctypes.c_int(77)
    assert shim.forge_darwin_setsockopt(descriptor, 6, 0x10, ctypes.byref(seconds), 4) == 0
    assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 77
    wanted, told = ctypes.c_int(20000), ctypes.c_int()
    assert shim.forge_darwin_setsockopt(descriptor, SOL_SOCKET, 0x1002, ctypes.byref(wanted), 4) == 0
    assert shim.forge_darwin_getsockopt(descriptor, SOL_SOCKET, 0x1002, ctypes.byref(told), ctypes.byref(size)) == 0
    assert told.value == 20000
    limit = struct.pack("<qi4x", 3, 500_000)
    assert shim.forge_darwin_setsockopt(descriptor, SOL_SOCKET, 0x1006, limit, 16) == 0
    assert own.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16) == struct.pack("<qq", 3, 500_000)
    own.close()
    os.close(descriptor)


def test_no_sigpipe(shim: ctypes.CDLL, error: ctypes._FuncPointer) -> None:
    pair = (ctypes.c_int * 2)()
    assert shim.forge_darwin_socketpair(AF_UNIX, 1, 0, pair) == 0
    one, told, size = ctypes.c_int(1), ctypes.c_int(), ctypes.c_uint32(4)
    assert shim.forge_darwin_setsockopt(pair[0], SOL_SOCKET, 0x1022, ctypes.byref(one), 4) == 0
    assert shim.forge_darwin_getsockopt(pair[0], SOL_SOCKET, 0x1022, ctypes.byref(told), ctypes.byref(size)) == 0
    assert told.value == 1
    os.close(pair[1])
    assert shim.forge_darwin_send(pair[0], b"x", ctypes.c_size_t(1), 0) == -1
    assert error()[0] == 32
    os.close(pair[0])


class Msghdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.c_void_p), ("iovlen", ctypes.c_int32),
        ("control", ctypes.c_void_p), ("controllen", ctypes.c_uint32), ("flags", ctypes.c_int32),
    ]  # fmt: skip


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


def message(data: ctypes.Array[ctypes.c_char], control: ctypes.Array[ctypes.c_char]) -> tuple[Msghdr, object]:
    """A message, and what it points to."""
    iov = Iovec(ctypes.addressof(data), len(data))
    made = Msghdr(iov=ctypes.addressof(iov), iovlen=1, control=ctypes.addressof(control), controllen=len(control))
    return made, (iov, data, control)


def test_descriptors_in_messages(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_sendmsg.restype = shim.forge_darwin_recvmsg.restype = ctypes.c_ssize_t
    pair = (ctypes.c_int * 2)()
    assert shim.forge_darwin_socketpair(AF_UNIX, 1, 0, pair) == 0
    read, write = os.pipe()
    control = ctypes.create_string_buffer(struct.pack("<Iiii", 16, SOL_SOCKET, 1, write), 16)
    sent, _keep = message(ctypes.create_string_buffer(b"d", 1), control)
    assert shim.forge_darwin_sendmsg(pair[0], ctypes.byref(sent), 0) == 1
    room = ctypes.create_string_buffer(64)
    received, _keep2 = message(ctypes.create_string_buffer(8), room)
    assert shim.forge_darwin_recvmsg(pair[1], ctypes.byref(received), 0) == 1
    assert received.controllen == 16
    assert received.flags == 0
    length, level, kind, passed = struct.unpack("<Iiii", room.raw[:16])
    assert (length, level, kind) == (16, SOL_SOCKET, 1)
    assert passed not in {read, write}
    os.write(passed, b"through")
    assert os.read(read, 10) == b"through"
    # Without room for it the descriptor is closed, and the caller told.
    assert shim.forge_darwin_sendmsg(pair[0], ctypes.byref(sent), 0) == 1
    received, _keep3 = message(ctypes.create_string_buffer(8), ctypes.create_string_buffer(4))
    assert shim.forge_darwin_recvmsg(pair[1], ctypes.byref(received), 0) == 1
    assert received.flags & 0x20
    assert received.controllen == 0
    for descriptor in (*pair, read, write, passed):
        os.close(descriptor)


def test_of_two_descriptors_the_one_that_fits(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_sendmsg.restype = shim.forge_darwin_recvmsg.restype = ctypes.c_ssize_t
    one, other = socket.socketpair()
    with one, other:
        ends = os.pipe()
        control = ctypes.create_string_buffer(struct.pack("<Iiiii", 20, SOL_SOCKET, 1, *ends), 20)
        sent, _keep = message(ctypes.create_string_buffer(b"d", 1), control)
        assert shim.forge_darwin_sendmsg(one.fileno(), ctypes.byref(sent), 0) == 1
        room = ctypes.create_string_buffer(18)
        received, _keep2 = message(ctypes.create_string_buffer(8), room)
        open_before = len(list(Path("/proc/self/fd").iterdir()))
        assert shim.forge_darwin_recvmsg(other.fileno(), ctypes.byref(received), 0) == 1
        assert len(list(Path("/proc/self/fd").iterdir())) == open_before + 1
        assert (received.controllen, received.flags & 0x20) == (16, 0x20)
        length, _, _, passed = struct.unpack("<Iiii", room.raw[:16])
        assert length == 16
        for descriptor in (*ends, passed):
            os.close(descriptor)


IPPROTO_IPV6, RECVTCLASS, TCLASS, RECVHOPLIMIT, HOPLIMIT, PKTINFO, RECVPKTINFO = 41, 35, 36, 37, 47, 46, 61


@pytest.fixture
def datagrams() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as two,
    ):
        try:
            two.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
        one.connect(two.getsockname())
        two.settimeout(10)
        yield one, two


def test_what_ipv6_packets_carry(shim: ctypes.CDLL, datagrams: tuple[socket.socket, socket.socket]) -> None:
    """RFC 3542 by Darwin's numbers (netinet6/in6.h)."""
    shim.forge_darwin_sendmsg.restype = shim.forge_darwin_recvmsg.restype = ctypes.c_ssize_t
    one, two = datagrams
    for option in (RECVTCLASS, RECVHOPLIMIT, RECVPKTINFO):
        yes = ctypes.c_int(1)
        assert shim.forge_darwin_setsockopt(two.fileno(), IPPROTO_IPV6, option, ctypes.byref(yes), 4) == 0
    packed = struct.pack("<IiiiIiii", 16, IPPROTO_IPV6, HOPLIMIT, 7, 16, IPPROTO_IPV6, TCLASS, 32)
    sent, _keep = message(ctypes.create_string_buffer(b"d", 1), ctypes.create_string_buffer(packed, len(packed)))
    assert shim.forge_darwin_sendmsg(one.fileno(), ctypes.byref(sent), 0) == 1
    room = ctypes.create_string_buffer(128)
    received, _keep2 = message(ctypes.create_string_buffer(8), room)
    assert shim.forge_darwin_recvmsg(two.fileno(), ctypes.byref(received), 0) == 1
    found, at = {}, 0
    while at < received.controllen:
        length, level, kind = struct.unpack_from("<Iii", room.raw, at)
        assert level == IPPROTO_IPV6
        found[kind] = room.raw[at + 12 : at + length]
        at += (length + 3) // 4 * 4
    assert found[HOPLIMIT] == struct.pack("<i", 7)
    assert found[TCLASS] == struct.pack("<i", 32)
    assert found[PKTINFO][:16] == socket.inet_pton(socket.AF_INET6, "::1")
    # What does not fit is cut off: a header and half a number.
    assert shim.forge_darwin_sendmsg(one.fileno(), ctypes.byref(sent), 0) == 1
    yes = ctypes.c_int(0)
    for option in (RECVTCLASS, RECVPKTINFO):
        assert shim.forge_darwin_setsockopt(two.fileno(), IPPROTO_IPV6, option, ctypes.byref(yes), 4) == 0
    received, _keep3 = message(ctypes.create_string_buffer(8), ctypes.create_string_buffer(14))
    assert shim.forge_darwin_recvmsg(two.fileno(), ctypes.byref(received), 0) == 1
    assert (received.controllen, received.flags & 0x20) == (14, 0x20)


def test_control_messages_that_are_not_known(shim: ctypes.CDLL, error: ctypes._FuncPointer) -> None:
    one, other = socket.socketpair()
    with one, other:
        control = ctypes.create_string_buffer(struct.pack("<Iiii", 16, SOL_SOCKET, 99, 0), 16)
        sent, _keep = message(ctypes.create_string_buffer(b"d", 1), control)
        assert shim.forge_darwin_sendmsg(one.fileno(), ctypes.byref(sent), 0) == -1
        assert error()[0] == 22


class Addrinfo(ctypes.Structure):
    pass


Addrinfo._fields_ = [
    ("flags", ctypes.c_int32), ("family", ctypes.c_int32), ("socktype", ctypes.c_int32), ("protocol", ctypes.c_int32),
    ("addrlen", ctypes.c_uint32), ("canonname", ctypes.c_char_p), ("addr", ctypes.c_void_p),
    ("next", ctypes.POINTER(Addrinfo)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("node", "family", "address"),
    [("127.0.0.1", AF_INET, inet(8080)),
     ("::1", AF_INET6, struct.pack("!BBHI16sI", 28, AF_INET6, 8080, 0, socket.inet_pton(socket.AF_INET6, "::1"), 0))],
)  # fmt: skip
def test_addresses_of_names(shim: ctypes.CDLL, node: str, family: int, address: bytes) -> None:
    hints, found = Addrinfo(flags=4 | 4096, socktype=1), ctypes.POINTER(Addrinfo)()
    code = shim.forge_darwin_getaddrinfo(node.encode(), b"8080", ctypes.byref(hints), ctypes.byref(found))
    assert code == 0
    first = found.contents
    assert (first.family, first.socktype, first.addrlen) == (family, 1, len(address))
    assert ctypes.string_at(first.addr, first.addrlen) == address
    host, service = ctypes.create_string_buffer(64), ctypes.create_string_buffer(64)
    assert shim.forge_darwin_getnameinfo(ctypes.c_void_p(first.addr), first.addrlen, host, 64, service, 64, 2 | 8) == 0
    assert (host.value.decode(), service.value) == (node, b"8080")
    shim.forge_darwin_freeaddrinfo(found)


def test_errors_of_names_are_darwins(shim: ctypes.CDLL) -> None:
    hints, found = Addrinfo(flags=4, family=AF_INET), ctypes.POINTER(Addrinfo)()
    code = shim.forge_darwin_getaddrinfo(b"no number", None, ctypes.byref(hints), ctypes.byref(found))
    assert code == 8  # EAI_NONAME, -2 on Linux
    shim.forge_darwin_gai_strerror.restype = ctypes.c_char_p
    assert b"not known" in shim.forge_darwin_gai_strerror(8)


def test_poll(shim: ctypes.CDLL) -> None:
    read, write = os.pipe()
    entries = ctypes.create_string_buffer(struct.pack("<ihhihh", read, 0x41, 0, write, 0x4, 0))
    assert shim.forge_darwin_poll(entries, 2, 0) == 1
    assert struct.unpack("<ihhihh", entries.raw[:16]) == (read, 0x41, 0, write, 0x4, 0x4)
    os.write(write, b"x")
    assert shim.forge_darwin_poll(entries, 2, 1000) == 2
    assert struct.unpack("<ihh", entries.raw[:8]) == (read, 0x41, 0x41)
    many = ctypes.create_string_buffer(struct.pack("<ihh", read, 1, 0) * 40)
    assert shim.forge_darwin_poll(many, 40, 0) == 40
    os.close(read)
    os.close(write)
