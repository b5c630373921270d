from __future__ import annotations

import ctypes
import faulthandler
import os
import pty
import resource
import signal
import struct
import time
import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGBUS, SIGCHLD, SIGUSR1, SIGUSR2, SIGSTOP, SIGTERM = 10, 20, 30, 31, 17, 15


class Sigaction(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_uint32), ("flags", ctypes.c_int32)]


@pytest.fixture
def usr1() -> Iterator[None]:
    before = signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGUSR1, before)


def test_a_handler_gets_darwins_number(shim: ctypes.CDLL, usr1: None) -> None:
    seen: list[int] = []
    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(seen.append)
    new = Sigaction(ctypes.cast(handler, ctypes.c_void_p).value, 1 << (SIGCHLD - 1), 0x2)
    old = Sigaction()
    assert shim.forge_darwin_sigaction(SIGUSR1, ctypes.byref(new), ctypes.byref(old)) == 0
    assert old.handler == 1  # SIG_IGN
    os.kill(os.getpid(), signal.SIGUSR1)
    assert shim.forge_darwin_raise(SIGUSR1) == 0
    assert seen == [SIGUSR1, SIGUSR1]
    assert shim.forge_darwin_sigaction(SIGUSR1, None, ctypes.byref(old)) == 0
    assert (old.handler, old.mask, old.flags) == (new.handler, new.mask, 0x2)


class Siginfo(ctypes.Structure):
    _fields_ = [
        ("signo", ctypes.c_int32), ("errnum", ctypes.c_int32), ("code", ctypes.c_int32), ("pid", ctypes.c_int32),
        ("uid", ctypes.c_uint32), ("status", ctypes.c_int32), ("addr", ctypes.c_void_p), ("rest", ctypes.c_char * 72),
    ]  # fmt: skip


def test_a_handler_gets_darwins_siginfo(shim: ctypes.CDLL, usr1: None) -> None:
    assert ctypes.sizeof(Siginfo) == 104
    seen: list[tuple[int, ...]] = []

    @ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.POINTER(Siginfo), ctypes.c_void_p)  # type: ignore[untyped-decorator]  # ctypes has no types for callbacks
    def handler(number: int, info: ctypes._Pointer[Siginfo], _context: object) -> None:
        seen.append((number, info[0].signo, info[0].code, info[0].pid, info[0].uid))

    new = Sigaction(ctypes.cast(handler, ctypes.c_void_p).value, 0, 0x40)
    assert shim.forge_darwin_sigaction(SIGUSR1, ctypes.byref(new), None) == 0
    os.kill(os.getpid(), signal.SIGUSR1)
    assert seen == [(SIGUSR1, SIGUSR1, 0x10001, os.getpid(), os.getuid())]


def test_masks_have_32_bits(shim: ctypes.CDLL) -> None:
    mask, old = ctypes.c_uint32(), ctypes.c_uint32()
    assert shim.forge_darwin_sigemptyset(ctypes.byref(mask)) == 0
    assert shim.forge_darwin_sigaddset(ctypes.byref(mask), SIGUSR2) == 0
    assert shim.forge_darwin_sigaddset(ctypes.byref(mask), 32) == -1
    assert mask.value == 1 << 30
    assert shim.forge_darwin_pthread_sigmask(1, ctypes.byref(mask), ctypes.byref(old)) == 0
    assert signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert shim.forge_darwin_pthread_sigmask(3, ctypes.byref(old), ctypes.byref(mask)) == 0
    assert mask.value & 1 << 30
    assert signal.SIGUSR2 not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, SIGTERM), (signal.SIGUSR1, SIGUSR1), (signal.SIGKILL, 9), (None, 7 << 8)]
)
def test_wait_statuses(shim: ctypes.CDLL, number: int | None, status: int) -> None:
    process = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 7" if number is None else "exec sleep 60"], os.environ)
    out = ctypes.c_int()
    if number is not None:
        assert shim.forge_darwin_waitpid(process, ctypes.byref(out), 1) == 0  # WNOHANG
        os.kill(process, number)
    assert shim.forge_darwin_waitpid(process, ctypes.byref(out), 0) == process
    assert out.value == status


def test_a_stopped_child_is_seen_with_darwins_signal(shim: ctypes.CDLL) -> None:
    process = os.posix_spawn("/bin/sh", ["sh", "-c", "exec sleep 60"], os.environ)
    out = ctypes.c_int()
    os.kill(process, signal.SIGSTOP)
    assert shim.forge_darwin_waitpid(process, ctypes.byref(out), 2) == process  # WUNTRACED
    assert out.value == SIGSTOP << 8 | 0x7F
    assert shim.forge_darwin_kill(process, SIGTERM) == 0
    os.kill(process, signal.SIGCONT)
    assert shim.forge_darwin_waitpid(process, ctypes.byref(out), 0) == process
    assert out.value == SIGTERM


def test_spawn(shim: ctypes.CDLL) -> None:
    read, write = os.pipe()
    actions = ctypes.c_void_p()
    assert shim.forge_darwin_posix_spawn_file_actions_init(ctypes.byref(actions)) == 0
    assert shim.forge_darwin_posix_spawn_file_actions_adddup2(ctypes.byref(actions), write, 1) == 0
    argv = (ctypes.c_char_p * 4)(b"sh", b"-c", b"echo $WHO", None)
    env = (ctypes.c_char_p * 2)(b"WHO=forge", None)
    process = ctypes.c_int()
    spawn = shim.forge_darwin_posix_spawn
    assert spawn(ctypes.byref(process), b"/bin/sh", ctypes.byref(actions), None, argv, env) == 0
    out = ctypes.c_int()
    assert shim.forge_darwin_waitpid(process, ctypes.byref(out), 0) == process.value
    assert out.value == 0
    os.close(write)
    with os.fdopen(read) as file:
        assert file.read() == "forge\n"
    assert shim.forge_darwin_posix_spawn_file_actions_destroy(ctypes.byref(actions)) == 0
    assert spawn(ctypes.byref(process), b"/no/such/program", None, None, argv, env) == 2


def test_sysconf_by_darwins_numbers(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_sysconf.restype = ctypes.c_long
    names = {29: "SC_PAGE_SIZE", 58: "SC_NPROCESSORS_ONLN", 3: "SC_CLK_TCK", 5: "SC_OPEN_MAX", 200: "SC_PHYS_PAGES"}
    for number, name in names.items():
        assert shim.forge_darwin_sysconf(number) == os.sysconf(name)
    assert shim.forge_darwin_sysconf(12345) == -1


def test_limits_by_darwins_numbers(shim: ctypes.CDLL) -> None:
    out = (ctypes.c_uint64 * 2)()
    for number, real in ((8, resource.RLIMIT_NOFILE), (3, resource.RLIMIT_STACK), (5, resource.RLIMIT_AS)):
        assert shim.forge_darwin_getrlimit(number, out) == 0
        assert tuple(out) == tuple(2**63 - 1 if value == -1 else value for value in resource.getrlimit(real))
    assert shim.forge_darwin_getrlimit(9, out) == -1


@pytest.mark.parametrize(
    ("clock", "real"),
    [(0, time.CLOCK_REALTIME), (6, time.CLOCK_BOOTTIME), (8, time.CLOCK_MONOTONIC),
     (12, time.CLOCK_PROCESS_CPUTIME_ID), (16, time.CLOCK_THREAD_CPUTIME_ID)],
)  # fmt: skip
def test_clocks(shim: ctypes.CDLL, clock: int, real: int) -> None:
    shim.forge_darwin_clock_gettime_nsec_np.restype = ctypes.c_uint64
    before = time.clock_gettime_ns(real)
    seen = shim.forge_darwin_clock_gettime_nsec_np(clock)
    assert before <= seen <= time.clock_gettime_ns(real)
    assert shim.forge_darwin_clock_gettime(3, (ctypes.c_int64 * 2)()) == -1


@pytest.mark.parametrize(("clock", "real"), [(0, time.CLOCK_MONOTONIC), (1, time.CLOCK_REALTIME)])
def test_clocks_behind_ports(shim: ctypes.CDLL, clock: int, real: int) -> None:
    """mach/clock.h: the system's clock, which stops while the machine sleeps, and the calendar's."""
    port, seen = ctypes.c_uint32(), (ctypes.c_uint32 * 2)()
    host = shim.forge_darwin_mach_host_self()
    assert shim.forge_darwin_host_get_clock_service(host, clock, ctypes.byref(port)) == 0
    before = time.clock_gettime_ns(real)
    assert shim.forge_darwin_clock_get_time(port, seen) == 0
    assert before <= seen[0] * 10**9 + seen[1] <= time.clock_gettime_ns(real)
    assert shim.forge_darwin_host_get_clock_service(host, 2, ctypes.byref(port)) == 4, "KERN_INVALID_ARGUMENT"
    assert shim.forge_darwin_clock_get_time(host, seen) == 4


def test_timeval_has_32_bits_of_microseconds(shim: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(b"\xee" * 16, 16)
    before = time.time()
    assert shim.forge_darwin_gettimeofday(out, None) == 0
    seconds, microseconds = struct.unpack("<qi", out.raw[:12])
    assert before - 1e-5 <= seconds + microseconds / 1e6 <= time.time()
    # Rubbish in the padding is no part of the limit, and the limit is left as it is.
    limit = ctypes.create_string_buffer(struct.pack("<qiI", 0, 20_000, 0xDEADBEEF), 16)
    kept, start = limit.raw, time.monotonic()
    assert shim.forge_darwin_select(0, None, None, None, limit) == 0
    assert 0.019 < time.monotonic() - start < 5
    assert limit.raw == kept


def test_rusage_counts_bytes(shim: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(144)
    assert shim.forge_darwin_getrusage(0, out) == 0
    assert struct.unpack_from("<q", out, 32)[0] == pytest.approx(
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, rel=0.05
    )


def test_uname_and_sysctl_say_darwin(shim: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(1280)
    assert shim.forge_darwin_uname(out) == 0
    fields = [out.raw[i : i + 256].rstrip(b"\0") for i in range(0, 1280, 256)]
    assert fields[0] == b"Darwin"
    assert fields[1] == os.uname().nodename.encode()[:255]
    assert fields[4] in {b"x86_64", b"arm64"}
    value, size = ctypes.c_int(), ctypes.c_size_t(4)
    assert shim.forge_darwin_sysctlbyname(b"hw.ncpu", ctypes.byref(value), ctypes.byref(size), None, 0) == 0
    assert (value.value, size.value) == (os.sysconf("SC_NPROCESSORS_ONLN"), 4)
    text = ctypes.create_string_buffer(b"\xee" * 16, 16)
    size = ctypes.c_size_t(3)
    assert shim.forge_darwin_sysctlbyname(b"kern.ostype", text, ctypes.byref(size), None, 0) == -1
    assert text.raw[:4] == b"Dar\xee"
    size = ctypes.c_size_t(16)
    assert shim.forge_darwin_sysctl((ctypes.c_int * 2)(1, 1), 2, text, ctypes.byref(size), None, 0) == 0
    assert (text.value, size.value) == (b"Darwin", 7)
    assert shim.forge_darwin_sysctlbyname(b"no.such", None, ctypes.byref(size), None, 0) == -1


def test_passwords_have_darwins_members(shim: ctypes.CDLL) -> None:
    class Passwd(ctypes.Structure):
        _fields_ = [
            ("name", ctypes.c_char_p), ("passwd", ctypes.c_char_p), ("uid", ctypes.c_uint32), ("gid", ctypes.c_uint32),
            ("change", ctypes.c_int64), ("cls", ctypes.c_char_p), ("gecos", ctypes.c_char_p), ("dir", ctypes.c_char_p),
            ("shell", ctypes.c_char_p), ("expire", ctypes.c_int64),
        ]  # fmt: skip

    out, found, buffer = Passwd(), ctypes.POINTER(Passwd)(), ctypes.create_string_buffer(4096)
    size = ctypes.c_size_t(4096)
    assert shim.forge_darwin_getpwuid_r(0, ctypes.byref(out), buffer, size, ctypes.byref(found)) == 0
    assert (found[0].name, found[0].uid, found[0].dir, found[0].cls) == (b"root", 0, b"/root", b"")
    assert shim.forge_darwin_getpwnam_r(b"nobody-at-all", ctypes.byref(out), buffer, size, ctypes.byref(found)) == 0
    assert not bool(found)
    assert shim.forge_darwin_getpwuid_r(0, ctypes.byref(out), buffer, ctypes.c_size_t(2), ctypes.byref(found)) == 34


class Termios(ctypes.Structure):
    _fields_ = [
        ("iflag", ctypes.c_uint64), ("oflag", ctypes.c_uint64), ("cflag", ctypes.c_uint64), ("lflag", ctypes.c_uint64),
        ("cc", ctypes.c_uint8 * 20), ("ispeed", ctypes.c_uint64), ("ospeed", ctypes.c_uint64),
    ]  # fmt: skip


def test_terminals(shim: ctypes.CDLL) -> None:
    master, slave = pty.openpty()
    out = Termios()
    assert shim.forge_darwin_tcgetattr(slave, ctypes.byref(out)) == 0
    assert out.lflag & 0x100
    assert out.lflag & 0x8
    assert out.iflag & 0x100
    assert (out.cc[8], out.cc[0], out.ospeed, out.cflag & 0x300) == (3, 4, 38400, 0x300)  # VINTR, VEOF, CS8
    shim.forge_darwin_cfmakeraw(ctypes.byref(out))
    assert shim.forge_darwin_cfsetospeed(ctypes.byref(out), ctypes.c_uint64(9600)) == 0
    assert shim.forge_darwin_tcsetattr(slave, 0, ctypes.byref(out)) == 0
    again = Termios()
    assert shim.forge_darwin_tcgetattr(slave, ctypes.byref(again)) == 0
    assert not again.lflag & 0x108
    assert again.ospeed == 9600
    out.ospeed = 12345
    assert shim.forge_darwin_tcsetattr(slave, 0, ctypes.byref(out)) == -1
    os.close(master)
    os.close(slave)


def test_named_semaphores(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_sem_open.restype = ctypes.c_void_p
    libc = ctypes.CDLL(None)
    name = f"/forge-{os.getpid()}".encode()
    semaphore = shim.forge_darwin_sem_open(name, 0x200 | 0x800, 0o600, 2)
    assert semaphore != ctypes.c_void_p(-1).value
    assert shim.forge_darwin_sem_open(name, 0x200 | 0x800, 0o600, 2) == ctypes.c_void_p(-1).value
    assert [libc.sem_trywait(ctypes.c_void_p(semaphore)) for _ in range(3)] == [0, 0, -1]
    assert libc.sem_unlink(name) == 0
    assert shim.forge_darwin_sem_open(name, 0) == ctypes.c_void_p(-1).value
    assert shim.forge_darwin_sem_open(b"/" + b"x" * 31, 0x200, 0o600, 1) == ctypes.c_void_p(-1).value
    assert shim.forge_darwin_sem_getvalue(ctypes.c_void_p(semaphore), ctypes.byref(ctypes.c_int())) == -1


def test_uuids_of_a_time(shim: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(16)
    shim.forge_darwin_uuid_generate_time(out)
    made = uuid.UUID(bytes=out.raw)
    assert made.version == 1
    assert abs((made.time - 0x01B21DD213814000) / 1e7 - time.time()) < 5
    shim.forge_darwin_uuid_generate_random(out)
    assert uuid.UUID(bytes=out.raw).version == 4


def test_memory_that_is_not_there_is_an_error(shim: ctypes.CDLL) -> None:
    address, copied = ctypes.c_size_t(), ctypes.c_size_t()
    read = shim.forge_darwin_vm_read_overwrite
    read.argtypes = [ctypes.c_uint32, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
    assert shim.forge_darwin_vm_allocate(0x103, ctypes.byref(address), ctypes.c_size_t(8192), 1) == 0
    ctypes.memmove(address.value, b"forge", 5)
    target = ctypes.create_string_buffer(16)
    assert read(0x103, address.value, 5, ctypes.addressof(target), ctypes.byref(copied)) == 0
    assert target.value == b"forge"
    assert copied.value == 5
    assert read(0x103, 16, 5, ctypes.addressof(target), ctypes.byref(copied)) == 1
    assert shim.forge_darwin_vm_protect(0x103, address, ctypes.c_size_t(8192), 0, 1) == 0
    assert shim.forge_darwin_vm_deallocate(0x103, address, ctypes.c_size_t(8192)) == 0
    assert read(0x103, address.value, 5, ctypes.addressof(target), ctypes.byref(copied)) == 1


def test_a_page_of_code_is_mapped_twice(shim: ctypes.CDLL) -> None:
    remap = shim.forge_darwin_vm_remap
    size, word = os.sysconf("SC_PAGE_SIZE"), ctypes.c_size_t
    place, source, current, maximum = word(), word(), ctypes.c_int32(), ctypes.c_int32()
    for out in (place, source):
        assert shim.forge_darwin_vm_allocate(0x103, ctypes.byref(out), word(2 * size), 1) == 0
    ctypes.memmove(source.value, b"code" * 100, 400)
    arguments = (word(size), word(0), 0x4000, 0x103, source, 0, ctypes.byref(current), ctypes.byref(maximum), 1)
    # What can be written to would have to be shared.
    assert remap(0x103, ctypes.byref(place), *arguments) == 46
    assert shim.forge_darwin_vm_protect(0x103, source, word(2 * size), 0, 5) == 0
    before = place.value
    assert remap(0x103, ctypes.byref(place), *arguments) == 0
    assert (place.value, current.value) == (before, 5)
    assert ctypes.string_at(before, 400) == b"code" * 100
    assert remap(0x103, ctypes.byref(place), word(size), word(0), 1, 0x103, word(16), *arguments[5:]) == 1


def test_how_many_processors_the_host_has(shim: ctypes.CDLL) -> None:
    out, count = (ctypes.c_int32 * 12)(), ctypes.c_uint32(12)
    assert shim.forge_darwin_host_info(shim.forge_darwin_mach_host_self(), 1, out, ctypes.byref(count)) == 0
    assert out[0] == out[1] == out[8] == os.sysconf("SC_NPROCESSORS_ONLN")
    assert int.from_bytes(bytes(out)[40:], "little") == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    count = ctypes.c_uint32(5)
    assert shim.forge_darwin_host_info(shim.forge_darwin_mach_host_self(), 1, out, ctypes.byref(count)) == 4


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("__memcpy_chk", (b"12345", 5, 4)), ("__strcpy_chk", (b"1234", 4)), ("__strncpy_chk", (b"1", 5, 4)),
     ("__strcat_chk", (b"1234", 4)), ("__sprintf_chk", (0, 4, b"%s", b"1234"))],
)  # fmt: skip
def test_an_overrun_ends_the_process(shim: ctypes.CDLL, name: str, arguments: tuple[object, ...]) -> None:
    read, write = os.pipe()
    process = os.fork()
    if process == 0:
        faulthandler.disable()
        os.dup2(write, 2)
        target = ctypes.create_string_buffer(8)
        converted = [ctypes.c_size_t(a) if isinstance(a, int) and name != "__sprintf_chk" else a for a in arguments]
        if name == "__sprintf_chk":
            converted[1] = ctypes.c_size_t(4)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        shim[f"forge_darwin_{name}"](target, *converted)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        text = file.read()
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGABRT
    assert name.encode() in text
