"""What an app may do with multiprocessing: everything that needs one process."""

import errno
import multiprocessing
import multiprocessing.pool
import threading

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


def test_thread_pools_work():
    with multiprocessing.pool.ThreadPool(2) as pool:
        assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]


def test_a_semaphore_for_others_is_refused():
    with pytest.raises(OSError, match="one process") as caught:
        _multiprocessing.SemLock(0, 0, 1, name="/others-1-x", unlink=True)
    assert caught.value.errno == errno.ENOSYS


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_starting_a_process_says_why_not(method):
    process = multiprocessing.get_context(method).Process(target=print)
    with pytest.raises(OSError, match="iOS apps cannot start processes") as caught:
        process.start()
    assert caught.value.errno == errno.ENOTSUP


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
