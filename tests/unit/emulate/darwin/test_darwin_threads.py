from __future__ import annotations

import ctypes
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MUTEX_SIG, ERRORCHECK_SIG, RECURSIVE_SIG, COND_SIG, RWLOCK_SIG, ONCE_SIG = (
    0x32AAABA7, 0x32AAABA1, 0x32AAABA2, 0x3CB0B1BB, 0x2DA8B3B4, 0x30B1BCBA,
)  # fmt: skip
EDEADLK, EINVAL, EBUSY, EPERM, ETIMEDOUT, ENOTSUP = 11, 22, 16, 1, 60, 45


def static(signature: int, size: int) -> ctypes.Array[ctypes.c_char]:
    """An object as its static initialiser leaves it, with a guard behind it."""
    made = ctypes.create_string_buffer(size + 64)
    ctypes.memmove(made, signature.to_bytes(8, "little") + bytes(size - 8) + b"\xa5" * 64, size + 64)
    return made


def guarded(made: ctypes.Array[ctypes.c_char], size: int) -> bool:
    return made.raw[size:] == b"\xa5" * 64


def in_threads(count: int, function: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("attempt", range(5))  # the race is in the first use
def test_a_static_mutex_excludes_a_hundred_threads(shim: ctypes.CDLL, attempt: int) -> None:
    mutex = static(MUTEX_SIG, 64)
    barrier = threading.Barrier(100)
    inside, seen = [0], [0]

    def work() -> None:
        barrier.wait()
        for _ in range(20):
            assert shim.forge_darwin_pthread_mutex_lock(mutex) == 0
            inside[0] += 1
            seen[0] = max(seen[0], inside[0])
            inside[0] -= 1
            assert shim.forge_darwin_pthread_mutex_unlock(mutex) == 0

    in_threads(100, work)
    assert seen == [1]
    assert inside == [0]
    assert guarded(mutex, 64)
    assert shim.forge_darwin_pthread_mutex_destroy(mutex) == 0


def test_kinds_of_mutexes(shim: ctypes.CDLL) -> None:
    normal, checking, recursive = static(MUTEX_SIG, 64), static(ERRORCHECK_SIG, 64), static(RECURSIVE_SIG, 64)
    lock, trylock, unlock = (
        shim.forge_darwin_pthread_mutex_lock, shim.forge_darwin_pthread_mutex_trylock,
        shim.forge_darwin_pthread_mutex_unlock,
    )  # fmt: skip
    assert lock(normal) == 0
    assert trylock(normal) == EBUSY
    assert unlock(normal) == 0
    assert lock(checking) == 0
    assert lock(checking) == EDEADLK
    assert unlock(checking) == 0
    assert unlock(checking) == EPERM
    assert lock(recursive) == 0
    assert lock(recursive) == 0
    assert unlock(recursive) == 0
    assert unlock(recursive) == 0


def test_what_is_no_mutex_is_refused(shim: ctypes.CDLL) -> None:
    rubbish = static(0x1234, 64)
    assert shim.forge_darwin_pthread_mutex_lock(rubbish) == EINVAL
    mutex = static(MUTEX_SIG, 64)
    assert shim.forge_darwin_pthread_mutex_destroy(mutex) == 0
    assert shim.forge_darwin_pthread_mutex_lock(mutex) == EINVAL


def test_mutex_attributes(shim: ctypes.CDLL) -> None:
    attr, value = static(0, 16), ctypes.c_int()
    assert shim.forge_darwin_pthread_mutexattr_init(attr) == 0
    assert shim.forge_darwin_pthread_mutexattr_settype(attr, 2) == 0
    assert shim.forge_darwin_pthread_mutexattr_gettype(attr, ctypes.byref(value)) == 0
    assert value.value == 2
    assert shim.forge_darwin_pthread_mutexattr_settype(attr, 3) == EINVAL
    assert shim.forge_darwin_pthread_mutexattr_setpshared(attr, 1) == ENOTSUP
    assert shim.forge_darwin_pthread_mutexattr_setpshared(attr, 2) == 0
    mutex = static(0, 64)
    assert shim.forge_darwin_pthread_mutex_init(mutex, attr) == 0
    assert shim.forge_darwin_pthread_mutex_lock(mutex) == 0
    assert shim.forge_darwin_pthread_mutex_lock(mutex) == 0  # recursive
    assert guarded(attr, 16)


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_int64), ("nsec", ctypes.c_int64)]


def test_a_static_condition_wakes_and_times_out(shim: ctypes.CDLL) -> None:
    mutex, cond = static(MUTEX_SIG, 64), static(COND_SIG, 48)
    turns: list[int] = []

    def wait() -> None:
        shim.forge_darwin_pthread_mutex_lock(mutex)
        while not turns:
            assert shim.forge_darwin_pthread_cond_wait(cond, mutex) == 0
        turns.append(1)
        shim.forge_darwin_pthread_mutex_unlock(mutex)

    threads = [threading.Thread(target=wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    shim.forge_darwin_pthread_mutex_lock(mutex)
    turns.append(0)
    shim.forge_darwin_pthread_cond_broadcast(cond)
    shim.forge_darwin_pthread_mutex_unlock(mutex)
    for thread in threads:
        thread.join(30)
    assert len(turns) == 21
    shim.forge_darwin_pthread_mutex_lock(mutex)
    start = time.monotonic()
    limit = Timespec(0, 30_000_000)
    assert shim.forge_darwin_pthread_cond_timedwait_relative_np(cond, mutex, ctypes.byref(limit)) == ETIMEDOUT
    assert time.monotonic() - start >= 0.029
    shim.forge_darwin_pthread_mutex_unlock(mutex)
    assert guarded(cond, 48)
    assert shim.forge_darwin_pthread_cond_destroy(cond) == 0


def test_a_static_rwlock(shim: ctypes.CDLL) -> None:
    lock = static(RWLOCK_SIG, 200)
    assert shim.forge_darwin_pthread_rwlock_rdlock(lock) == 0
    assert shim.forge_darwin_pthread_rwlock_tryrdlock(lock) == 0
    assert shim.forge_darwin_pthread_rwlock_trywrlock(lock) == EBUSY
    for _ in range(2):
        assert shim.forge_darwin_pthread_rwlock_unlock(lock) == 0
    assert shim.forge_darwin_pthread_rwlock_trywrlock(lock) == 0
    assert shim.forge_darwin_pthread_rwlock_tryrdlock(lock) == EBUSY
    assert shim.forge_darwin_pthread_rwlock_unlock(lock) == 0
    assert guarded(lock, 200)
    assert shim.forge_darwin_pthread_rwlock_destroy(lock) == 0


@pytest.mark.parametrize("kind", ["pthread", "dispatch"])
def test_once_runs_once_and_everyone_waits_for_it(shim: ctypes.CDLL, kind: str) -> None:
    once = static(ONCE_SIG if kind == "pthread" else 0, 16)
    runs: list[float] = []

    @ctypes.CFUNCTYPE(None, ctypes.c_void_p)  # type: ignore[untyped-decorator]  # ctypes has no types for callbacks
    def function(_context: object) -> None:
        time.sleep(0.05)
        runs.append(1)

    def work() -> None:
        if kind == "pthread":
            assert shim.forge_darwin_pthread_once(once, function) == 0
        else:
            shim.forge_darwin_dispatch_once_f(once, None, function)
        assert runs == [1]

    in_threads(50, work)
    assert runs == [1]
    if kind == "dispatch":
        assert once.raw[:8] == b"\xff" * 8  # what Darwin's inline code looks for


def test_an_unfair_lock_excludes(shim: ctypes.CDLL) -> None:
    lock = ctypes.c_uint32(0)
    inside, seen = [0], [0]

    def work() -> None:
        for _ in range(500):
            shim.forge_darwin_os_unfair_lock_lock(ctypes.byref(lock))
            inside[0] += 1
            seen[0] = max(seen[0], inside[0])
            inside[0] -= 1
            shim.forge_darwin_os_unfair_lock_unlock(ctypes.byref(lock))

    in_threads(20, work)
    assert seen == [1]
    assert lock.value == 0
    assert shim.forge_darwin_os_unfair_lock_trylock(ctypes.byref(lock)) == 1
    assert shim.forge_darwin_os_unfair_lock_trylock(ctypes.byref(lock)) == 0
    shim.forge_darwin_os_unfair_lock_unlock(ctypes.byref(lock))


def test_keys_are_never_null_and_run_destructors(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_pthread_getspecific.restype = ctypes.c_void_p
    shim.forge_darwin_pthread_getspecific.argtypes = [ctypes.c_ulong]
    shim.forge_darwin_pthread_setspecific.argtypes = [ctypes.c_ulong, ctypes.c_void_p]
    destroyed: list[int] = []

    @ctypes.CFUNCTYPE(None, ctypes.c_void_p)  # type: ignore[untyped-decorator]  # ctypes has no types for callbacks
    def destructor(value: int) -> None:
        destroyed.append(value)

    key = ctypes.c_ulong()
    assert shim.forge_darwin_pthread_key_create(ctypes.byref(key), destructor) == 0
    assert key.value >= 512

    def work() -> None:
        assert shim.forge_darwin_pthread_getspecific(key.value) is None
        assert shim.forge_darwin_pthread_setspecific(key.value, 77) == 0
        assert shim.forge_darwin_pthread_getspecific(key.value) == 77

    in_threads(10, work)
    deadline = time.monotonic() + 30
    while len(destroyed) < 10 and time.monotonic() < deadline:
        time.sleep(0.01)  # Python before 3.13 joins a thread before the C library has ended it
    assert destroyed == [77] * 10
    assert shim.forge_darwin_pthread_setspecific(0, 1) == EINVAL
    assert shim.forge_darwin_pthread_key_delete(key) == 0


def test_threads_with_attributes(shim: ctypes.CDLL) -> None:
    attr, size = static(0, 64), ctypes.c_size_t()
    assert shim.forge_darwin_pthread_attr_init(attr) == 0
    assert shim.forge_darwin_pthread_attr_setstacksize(attr, ctypes.c_size_t(1 << 20)) == 0
    assert shim.forge_darwin_pthread_attr_getstacksize(attr, ctypes.byref(size)) == 0
    assert size.value == 1 << 20
    state = ctypes.c_int()
    assert shim.forge_darwin_pthread_attr_getdetachstate(attr, ctypes.byref(state)) == 0
    assert state.value == 1
    assert shim.forge_darwin_pthread_attr_setdetachstate(attr, 7) == EINVAL
    sizes: list[int] = []
    shim.forge_darwin_pthread_get_stacksize_np.restype = ctypes.c_size_t
    shim.forge_darwin_pthread_get_stacksize_np.argtypes = [ctypes.c_ulong]

    @ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)  # type: ignore[untyped-decorator]  # ctypes has no types for callbacks
    def start(argument: int) -> int:
        sizes.append(shim.forge_darwin_pthread_get_stacksize_np(threading.get_ident()))
        return argument + 1

    thread, result = ctypes.c_ulong(), ctypes.c_void_p()
    assert shim.forge_darwin_pthread_create(ctypes.byref(thread), attr, start, ctypes.c_void_p(41)) == 0
    assert shim.forge_darwin_pthread_join(thread, ctypes.byref(result)) == 0
    assert result.value == 42
    assert len(sizes) == 1
    assert abs(sizes[0] - (1 << 20)) <= 1 << 16
    assert guarded(attr, 64)
    assert shim.forge_darwin_pthread_attr_destroy(attr) == 0
    assert shim.forge_darwin_pthread_attr_destroy(attr) == EINVAL


def test_dispatch_semaphores(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_dispatch_semaphore_create.restype = ctypes.c_void_p
    shim.forge_darwin_dispatch_semaphore_create.argtypes = [ctypes.c_ssize_t]
    wait, signal = shim.forge_darwin_dispatch_semaphore_wait, shim.forge_darwin_dispatch_semaphore_signal
    wait.restype = signal.restype = ctypes.c_ssize_t
    wait.argtypes, signal.argtypes = [ctypes.c_void_p, ctypes.c_uint64], [ctypes.c_void_p]
    shim.forge_darwin_dispatch_time.restype = ctypes.c_uint64
    shim.forge_darwin_dispatch_time.argtypes = [ctypes.c_uint64, ctypes.c_int64]
    semaphore = shim.forge_darwin_dispatch_semaphore_create(2)
    assert [wait(semaphore, 0) for _ in range(3)] == [0, 0, 1]
    start = time.monotonic()
    assert wait(semaphore, shim.forge_darwin_dispatch_time(0, 30_000_000)) != 0
    assert 0.029 <= time.monotonic() - start < 5
    woken: list[int] = []
    threads = [threading.Thread(target=lambda: woken.append(wait(semaphore, 2**64 - 1))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        signal(semaphore)
    for thread in threads:
        thread.join(30)
    assert woken == [0] * 20
    assert wait(semaphore, 0) == 1
    assert shim.forge_darwin_dispatch_semaphore_create(-1) is None


def test_dispatch_apply(shim: ctypes.CDLL) -> None:
    queue_of, apply = shim.forge_darwin_dispatch_get_global_queue, shim.forge_darwin_dispatch_apply_f
    queue_of.restype = ctypes.c_void_p
    queue_of.argtypes = [ctypes.c_ssize_t, ctypes.c_size_t]
    work_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)
    apply.argtypes = [ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, work_type]
    queue = queue_of(0, 0)
    assert queue is not None
    assert queue_of(0, 1) is None, "the flags are reserved"
    for function in (shim.forge_darwin_dispatch_retain, shim.forge_darwin_dispatch_release):
        function.argtypes = [ctypes.c_void_p]
        function(queue)
    done: list[tuple[int, int]] = []

    work = work_type(lambda context, iteration: done.append((context, iteration)))
    apply(5, queue, 7, work)
    apply(0, None, None, work)
    assert done == [(7, iteration) for iteration in range(5)]


def test_ulock_wakes_its_waiter(shim: ctypes.CDLL) -> None:
    word = ctypes.c_uint32(1)
    wait = shim["forge_darwin___ulock_wait"]
    wake = shim["forge_darwin___ulock_wake"]
    wait.argtypes = [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32]
    wake.argtypes = [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_uint64]
    assert wait(1, ctypes.addressof(word), 0, 0) == 0  # the value is another: no wait
    done: list[int] = []

    def work() -> None:
        while word.value == 1:
            done.append(wait(1, ctypes.addressof(word), 1, 0))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.02)
    word.value = 2
    wake(0x101, ctypes.addressof(word), 0)
    thread.join(30)
    assert not thread.is_alive()
    assert wait(1, ctypes.addressof(word), 2, 20_000) == -1  # the time is over
