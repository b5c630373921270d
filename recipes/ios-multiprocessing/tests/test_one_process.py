"""What an app may do with multiprocessing: everything that needs one process."""

import errno
import multiprocessing
import multiprocessing.connection
import multiprocessing.pool
import multiprocessing.shared_memory
import threading
from concurrent.futures import ProcessPoolExecutor

import pytest

_multiprocessing = pytest.importorskip("_multiprocessing")
if not hasattr(_multiprocessing, "_native"):
    pytest.skip("this Python has its own _multiprocessing, which comes first", allow_module_level=True)


def test_locks_work_between_threads():
    lock = multiprocessing.Lock()
    counted = 0

    def count():
        nonlocal counted
        for _ in range(100):
            with lock:
                counted += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == 400


def test_a_semaphore_counts():
    semaphore = multiprocessing.BoundedSemaphore(2)
    assert semaphore.acquire()
    assert semaphore.acquire(block=False)
    assert not semaphore.acquire(block=False)
    assert not semaphore.acquire(timeout=0.05)
    assert not semaphore.acquire(timeout=-1)
    assert semaphore.get_value() == 0
    semaphore.release()
    semaphore.release()
    with pytest.raises(ValueError, match="too many times"):
        semaphore.release()


def test_a_recursive_lock_belongs_to_a_thread():
    lock = multiprocessing.RLock()
    got = []
    with lock, lock:
        thread = threading.Thread(target=lambda: got.append(lock.acquire(block=False)))
        thread.start()
        thread.join()
    assert got == [False]
    with pytest.raises(AssertionError, match="not owned"):
        lock.release()


def test_every_waiting_thread_gets_its_turn():
    semaphore, done = multiprocessing.Semaphore(0), multiprocessing.Semaphore(0)

    def wait():
        assert semaphore.acquire(timeout=30)
        done.release()

    threads = [threading.Thread(target=wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for _ in threads:
        semaphore.release()
    for _ in threads:
        assert done.acquire(timeout=30)
    assert not done.acquire(block=False)
    for thread in threads:
        thread.join()


def test_a_thread_that_gives_up_takes_nothing():
    semaphore = multiprocessing.Semaphore(0)
    results = []
    threads = [threading.Thread(target=lambda: results.append(semaphore.acquire(timeout=0.05))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [False] * 5
    semaphore.release()
    assert semaphore.acquire(block=False)


@pytest.mark.parametrize("arguments", [(2, 0, 1), (0, -1, 1), (1, 1 << 20, 1)])
def test_a_semaphore_that_cannot_be(arguments):
    with pytest.raises((ValueError, OSError)):
        _multiprocessing.SemLock(*arguments, name="/mp-x", unlink=True)


def test_conditions_events_and_barriers_work():
    condition, event, barrier = multiprocessing.Condition(), multiprocessing.Event(), multiprocessing.Barrier(2)
    order = []

    def other():
        with condition:
            order.append("waits")
            condition.notify()
            assert condition.wait(timeout=30)
            order.append("notified")
        assert event.wait(timeout=30)
        barrier.wait(timeout=30)

    thread = threading.Thread(target=other)
    with condition:
        thread.start()
        assert condition.wait_for(lambda: order == ["waits"], timeout=30)
        condition.notify()
    event.set()
    barrier.wait(timeout=30)
    thread.join()
    assert order == ["waits", "notified"]


def test_queues_work_between_threads():
    queue, simple = multiprocessing.Queue(), multiprocessing.SimpleQueue()
    joinable = multiprocessing.JoinableQueue()
    queue.put({"a": 1})
    assert queue.get(timeout=30) == {"a": 1}
    simple.put(2)
    assert simple.get() == 2
    joinable.put(3)
    assert joinable.get(timeout=30) == 3
    joinable.task_done()
    joinable.join()
    for each in (queue, joinable):
        each.close()
        each.join_thread()


def test_connections_work_over_sockets():
    with multiprocessing.connection.Listener(("localhost", 0), authkey=b"x") as listener:
        received = []

        def accept():
            with listener.accept() as connection:
                received.append(connection.recv())
                connection.send("answer")

        thread = threading.Thread(target=accept)
        thread.start()
        with multiprocessing.connection.Client(listener.address, authkey=b"x") as client:
            client.send(["question"])
            assert client.recv() == "answer"
        thread.join()
    assert received == [["question"]]


def test_values_and_arrays_work():
    value, array = multiprocessing.Value("i", 3), multiprocessing.Array("d", [1.0, 2.0])
    with value.get_lock():
        value.value += 1
    assert value.value == 4
    assert array[:] == [1.0, 2.0]


def test_shared_memory_works_and_starts_no_process():
    memory = multiprocessing.shared_memory.SharedMemory(create=True, size=16)
    other = multiprocessing.shared_memory.SharedMemory(memory.name)
    memory.buf[0] = 42
    assert other.buf[0] == 42
    other.close()
    memory.close()
    memory.unlink()
    with pytest.raises(FileNotFoundError):
        multiprocessing.shared_memory.SharedMemory(memory.name)


def test_thread_pools_work():
    with multiprocessing.pool.ThreadPool(2) as pool:
        assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]


def test_a_semaphore_for_others_is_refused():
    with pytest.raises(OSError, match="one process") as caught:
        _multiprocessing.SemLock(0, 0, 1, name="/others-1-x", unlink=True)
    assert caught.value.errno == errno.ENOSYS


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_start_methods_can_be_set(method):
    multiprocessing.set_start_method(method, force=True)
    try:
        assert multiprocessing.get_start_method() == method
        assert multiprocessing.Lock().acquire(block=False)
    finally:
        multiprocessing.set_start_method(None, force=True)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_starting_a_process_says_why_not(method):
    process = multiprocessing.get_context(method).Process(target=print)
    with pytest.raises(OSError, match="iOS apps cannot start processes") as caught:
        process.start()
    assert caught.value.errno == errno.ENOTSUP


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pools_of_processes_say_why_not(method):
    context = multiprocessing.get_context(method)
    with pytest.raises(OSError, match="iOS apps cannot start processes"):
        context.Pool(2)
    executor = ProcessPoolExecutor(2, mp_context=context)
    with pytest.raises(OSError, match="iOS apps cannot start processes"):
        executor.submit(print)
    with pytest.raises(OSError, match="iOS apps cannot start processes"):
        context.Manager()


@pytest.mark.parametrize("wanted", [{}, {"backend": "loky"}, {"backend": "multiprocessing"}, {"prefer": "processes"}])
def test_joblib_takes_threads(wanted):
    import joblib

    meet = threading.Barrier(2, timeout=30)

    def both(number):
        meet.wait()  # alone, none gets past this
        return number, multiprocessing.current_process().name, threading.get_ident()

    done = joblib.Parallel(n_jobs=2, **wanted)(joblib.delayed(both)(number) for number in (1, 2))
    assert [number for number, _, _ in done] == [1, 2]
    assert {process for _, process, _ in done} == {"MainProcess"}
    assert len({thread for _, _, thread in done}) == 2
