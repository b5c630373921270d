from __future__ import annotations

import ctypes
import fcntl
import mmap
import multiprocessing
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_int64), ("nsec", ctypes.c_int64)]


class Stat(ctypes.Structure):
    """struct stat of Darwin's sys/stat.h, with 64-bit inodes."""

    _fields_ = [
        ("dev", ctypes.c_int32), ("mode", ctypes.c_uint16), ("nlink", ctypes.c_uint16), ("ino", ctypes.c_uint64),
        ("uid", ctypes.c_uint32), ("gid", ctypes.c_uint32), ("rdev", ctypes.c_int32),
        ("atime", Timespec), ("mtime", Timespec), ("ctime", Timespec), ("birthtime", Timespec),
        ("size", ctypes.c_int64), ("blocks", ctypes.c_int64), ("blksize", ctypes.c_int32),
        ("flags", ctypes.c_uint32), ("gen", ctypes.c_uint32), ("lspare", ctypes.c_int32),
        ("qspare", ctypes.c_int64 * 2),
    ]  # fmt: skip


class Dirent(ctypes.Structure):
    _fields_ = [
        ("ino", ctypes.c_uint64), ("seekoff", ctypes.c_uint64), ("reclen", ctypes.c_uint16),
        ("namlen", ctypes.c_uint16), ("type", ctypes.c_uint8), ("name", ctypes.c_char * 1024),
    ]  # fmt: skip


class Flock(ctypes.Structure):
    _fields_ = [
        ("start", ctypes.c_int64), ("len", ctypes.c_int64), ("pid", ctypes.c_int32), ("type", ctypes.c_int16),
        ("whence", ctypes.c_int16),
    ]  # fmt: skip


O_CREAT, O_EXCL, O_APPEND, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_EXLOCK, O_NONBLOCK = (
    0x200, 0x800, 0x8, 0x1000000, 0x100000, 0x100, 0x20, 0x4,
)  # fmt: skip
F_GETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_GETPATH, F_DUPFD_CLOEXEC, F_FULLFSYNC = 1, 3, 4, 7, 8, 50, 67, 51


@pytest.fixture
def error(shim: ctypes.CDLL) -> ctypes._FuncPointer:
    function = shim["forge_darwin___error"]
    function.restype = ctypes.POINTER(ctypes.c_int)
    return function


def check(made: Stat, real: os.stat_result) -> None:
    assert (made.mode, made.nlink, made.ino, made.size) == (real.st_mode, real.st_nlink, real.st_ino, real.st_size)
    assert (made.uid, made.gid, made.blocks, made.blksize) == (
        real.st_uid, real.st_gid, real.st_blocks, real.st_blksize,
    )  # fmt: skip
    assert made.mtime.sec * 10**9 + made.mtime.nsec == real.st_mtime_ns
    assert made.ctime.sec * 10**9 + made.ctime.nsec == real.st_ctime_ns


def test_stat_of_files_directories_and_links(shim: ctypes.CDLL, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 12345)
    (tmp_path / "link").symlink_to("file")
    out = Stat()
    assert ctypes.sizeof(out) == 144
    for path in (tmp_path, tmp_path / "file", tmp_path / "link"):
        assert shim.forge_darwin_stat(os.fsencode(path), ctypes.byref(out)) == 0
        check(out, path.stat())
        assert shim.forge_darwin_lstat(os.fsencode(path), ctypes.byref(out)) == 0
        check(out, path.lstat())
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    assert shim.forge_darwin_fstat(descriptor, ctypes.byref(out)) == 0
    check(out, os.fstat(descriptor))
    os.close(descriptor)
    directory = os.open(tmp_path, os.O_RDONLY)
    assert shim.forge_darwin_fstatat(directory, b"link", ctypes.byref(out), 0x20) == 0
    assert stat.S_ISLNK(out.mode)
    assert shim.forge_darwin_fstatat(directory, b"link", ctypes.byref(out), 0) == 0
    assert stat.S_ISREG(out.mode)
    os.close(directory)


def test_stat_of_what_is_not_there(shim: ctypes.CDLL, tmp_path: Path, error: ctypes._FuncPointer) -> None:
    assert shim.forge_darwin_stat(os.fsencode(tmp_path / "none"), ctypes.byref(Stat())) == -1
    assert error()[0] == 2


def test_device_numbers_have_darwins_halves(shim: ctypes.CDLL) -> None:
    out = Stat()
    assert shim.forge_darwin_stat(b"/dev/null", ctypes.byref(out)) == 0
    real = Path("/dev/null").stat().st_rdev
    assert out.rdev == os.major(real) << 24 | os.minor(real)


def test_directory_walk(shim: ctypes.CDLL, tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / f"file{'é' * (i % 40)}{i}").touch()
    (tmp_path / "sub").mkdir()
    shim.forge_darwin_opendir.restype = ctypes.c_void_p
    shim.forge_darwin_readdir.restype = ctypes.POINTER(Dirent)
    stream = ctypes.c_void_p(shim.forge_darwin_opendir(os.fsencode(tmp_path)))
    found = {}
    while entry := shim.forge_darwin_readdir(stream):
        assert entry.contents.namlen == len(entry.contents.name)
        assert entry.contents.reclen % 8 == 0
        found[os.fsdecode(entry.contents.name)] = (entry.contents.ino, entry.contents.type)
    assert shim.forge_darwin_closedir(stream) == 0
    assert found.pop(".")
    assert found.pop("..")
    assert found == {e.name: (e.inode(), 4 if e.is_dir() else 8) for e in os.scandir(tmp_path)}


def test_an_entry_stays_until_its_own_streams_next(shim: ctypes.CDLL, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"in-{name}").touch()
    shim.forge_darwin_opendir.restype = ctypes.c_void_p
    shim.forge_darwin_readdir.restype = ctypes.POINTER(Dirent)
    streams = [ctypes.c_void_p(shim.forge_darwin_opendir(os.fsencode(tmp_path / n))) for n in ("one", "two")]
    first = shim.forge_darwin_readdir(streams[0]).contents
    kept = first.name
    while shim.forge_darwin_readdir(streams[1]):
        pass
    assert first.name == kept
    for stream in streams:
        shim.forge_darwin_closedir(stream)


def test_open_flags(shim: ctypes.CDLL, tmp_path: Path, error: ctypes._FuncPointer) -> None:
    path = os.fsencode(tmp_path / "file")
    made = shim.forge_darwin_open(path, 1 | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    assert made >= 0
    assert not os.get_inheritable(made)
    assert stat.S_IMODE(os.fstat(made).st_mode) == 0o600  # which no usual umask takes away from
    assert shim.forge_darwin_open(path, 1 | O_CREAT | O_EXCL, 0o640) == -1
    assert error()[0] == 17
    assert shim.forge_darwin_open(path, O_DIRECTORY) == -1
    assert error()[0] == 20
    (tmp_path / "link").symlink_to("file")
    assert shim.forge_darwin_open(os.fsencode(tmp_path / "link"), O_NOFOLLOW) == -1
    assert error()[0] == 62  # ELOOP, 40 on Linux
    os.close(made)


def test_a_lock_is_taken_while_opening(shim: ctypes.CDLL, tmp_path: Path, error: ctypes._FuncPointer) -> None:
    path = os.fsencode(tmp_path / "file")
    one = shim.forge_darwin_open(path, 2 | O_CREAT | O_EXLOCK, 0o600)
    assert shim.forge_darwin_open(path, 2 | O_EXLOCK | O_NONBLOCK) == -1
    assert error()[0] == 35
    os.close(one)
    again = shim.forge_darwin_open(path, 2 | O_EXLOCK | O_NONBLOCK)
    assert again >= 0
    os.close(again)


def test_fcntl_flags_and_paths(shim: ctypes.CDLL, tmp_path: Path) -> None:
    path = tmp_path / "file"
    descriptor = shim.forge_darwin_open(os.fsencode(path), 2 | O_CREAT, 0o600)
    assert shim.forge_darwin_fcntl(descriptor, F_GETFL, 0) == 2
    assert shim.forge_darwin_fcntl(descriptor, F_SETFL, O_APPEND | O_NONBLOCK) == 0
    assert shim.forge_darwin_fcntl(descriptor, F_GETFL, 0) == 2 | O_APPEND | O_NONBLOCK
    assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & (os.O_APPEND | os.O_NONBLOCK) == os.O_APPEND | os.O_NONBLOCK
    buffer = ctypes.create_string_buffer(1024)
    assert shim.forge_darwin_fcntl(descriptor, F_GETPATH, buffer) == 0
    assert buffer.value == os.fsencode(path.resolve())
    copy = shim.forge_darwin_fcntl(descriptor, F_DUPFD_CLOEXEC, 100)
    assert copy >= 100
    assert shim.forge_darwin_fcntl(copy, F_GETFD, 0) == 1
    assert shim.forge_darwin_fcntl(descriptor, F_FULLFSYNC, 0) == 0
    os.close(copy)
    os.close(descriptor)


def _hold_lock(path: str, ready: Event, release: Event) -> None:
    with Path(path).open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 10, 5)
        ready.set()
        release.wait(30)


def test_record_locks_of_another_process_are_seen(
    shim: ctypes.CDLL, tmp_path: Path, error: ctypes._FuncPointer
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0" * 100)
    context = multiprocessing.get_context("spawn")
    ready, release = context.Event(), context.Event()
    process = context.Process(target=_hold_lock, args=(str(path), ready, release))
    process.start()
    assert ready.wait(30)
    descriptor = os.open(path, os.O_RDWR)
    lock = Flock(start=0, len=0, type=3, whence=0)
    assert shim.forge_darwin_fcntl(descriptor, F_GETLK, ctypes.byref(lock)) == 0
    assert (lock.type, lock.start, lock.len, lock.pid) == (3, 5, 10, process.pid)
    lock = Flock(start=0, len=100, type=3, whence=0)
    assert shim.forge_darwin_fcntl(descriptor, F_SETLK, ctypes.byref(lock)) == -1
    assert error()[0] == 35
    release.set()
    process.join()
    assert shim.forge_darwin_fcntl(descriptor, F_SETLK, ctypes.byref(lock)) == 0
    os.close(descriptor)


def test_mmap_anonymous_private_and_shared(shim: ctypes.CDLL, tmp_path: Path) -> None:
    shim.forge_darwin_mmap.restype = ctypes.c_void_p
    number = ctypes.c_int
    shim.forge_darwin_mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, number, number, number, ctypes.c_int64]
    size = mmap.PAGESIZE
    # The descriptor of anonymous memory may be a Mach VM tag.
    memory = shim.forge_darwin_mmap(None, size, 3, 0x1000 | 0x2, 240 << 24, 0)
    assert memory != ctypes.c_void_p(-1).value
    assert ctypes.string_at(memory, 16) == bytes(16)
    path = tmp_path / "file"
    path.write_bytes(b"a" * size)
    descriptor = os.open(path, os.O_RDWR)
    shared = shim.forge_darwin_mmap(None, size, 3, 0x1, descriptor, 0)
    ctypes.memmove(shared, b"forge", 5)
    assert shim.forge_darwin_msync(ctypes.c_void_p(shared), size, 0x10) == 0
    assert path.read_bytes()[:6] == b"forgea"
    # MADV_DONTNEED keeps the contents on Darwin, also of private memory.
    ctypes.memmove(memory, b"kept", 4)
    assert shim.forge_darwin_madvise(ctypes.c_void_p(memory), size, 4) == 0
    assert ctypes.string_at(memory, 4) == b"kept"
    os.close(descriptor)


def test_times_by_darwins_constants(shim: ctypes.CDLL, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    os.utime(path, ns=(10**18, 10**18))
    times = (Timespec * 2)(Timespec(5, 7), Timespec(0, -2))  # UTIME_OMIT
    assert shim.forge_darwin_utimensat(-2, os.fsencode(path), times, 0) == 0
    assert (path.stat().st_atime_ns, path.stat().st_mtime_ns) == (5 * 10**9 + 7, 10**18)


def test_seek_data_and_hole_are_exchanged(shim: ctypes.CDLL, tmp_path: Path) -> None:
    shim.forge_darwin_lseek.restype = ctypes.c_int64
    shim.forge_darwin_lseek.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int]
    path = tmp_path / "file"
    path.write_bytes(b"data" * 1000)
    descriptor = os.open(path, os.O_RDONLY)
    assert shim.forge_darwin_lseek(descriptor, 0, 4) == 0  # SEEK_DATA
    assert shim.forge_darwin_lseek(descriptor, 0, 3) == 4000  # SEEK_HOLE: the end counts as one
    os.close(descriptor)


def test_statvfs_and_statfs(shim: ctypes.CDLL) -> None:
    out = (ctypes.c_uint64 * 8)()
    assert shim.forge_darwin_statvfs(b"/", out) == 0
    real = os.statvfs("/")
    assert (out[0], out[1], out[7]) == (real.f_bsize, real.f_frsize, real.f_namemax)
    statfs = ctypes.create_string_buffer(2168)
    assert shim.forge_darwin_statfs(b"/", statfs) == 0
    assert int.from_bytes(statfs.raw[8:16], "little") == real.f_blocks
