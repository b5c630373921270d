"""Run by test_multiprocessing.py in an app without ios-multiprocessing, on a Python that lacks `_multiprocessing`.

Each line of docs/multiprocessing.md's column "without" is here.
"""

import concurrent.futures
import importlib
import multiprocessing
import multiprocessing.pool
import sys
import threading

import pytest

METHODS = ["fork", "forkserver"] if sys.version_info >= (3, 14) else ["fork"]


@pytest.mark.parametrize(
    "name",
    [
        "concurrent.futures.process", "multiprocessing.connection", "multiprocessing.managers", "multiprocessing.pool",
        "multiprocessing.queues", "multiprocessing.sharedctypes",
    ],
)  # fmt: skip
def test_what_imports(name: str) -> None:
    importlib.import_module(name)


@pytest.mark.parametrize("name", ["synchronize", "resource_tracker", "shared_memory"])
def test_what_does_not_import(name: str) -> None:
    with pytest.raises(ImportError, match=r"_multiprocessing|_posixshmem"):
        importlib.import_module(f"multiprocessing.{name}")


def test_start_methods() -> None:
    assert set(multiprocessing.get_all_start_methods()) == {"fork", "spawn", "forkserver"}
    assert multiprocessing.get_context().get_start_method() == ("forkserver" if sys.version_info >= (3, 14) else "fork")


@pytest.mark.parametrize("name", ["Lock", "RLock", "Semaphore", "Condition", "Event", "Queue", "SimpleQueue"])
def test_locks_and_queues(name: str) -> None:
    with pytest.raises(ImportError):
        getattr(multiprocessing, name)()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_starting_a_process(method: str) -> None:
    # What 'fork' does is the device's to say: the emulation is a Linux process, which may.
    process = multiprocessing.get_context(method).Process(target=print)  # type: ignore[attr-defined]  # the stubs know no Process of a base context
    with pytest.raises(ImportError):
        process.start()


def test_pools() -> None:
    with pytest.raises(ImportError):
        multiprocessing.pool.ThreadPool(2)
    with pytest.raises(ImportError):
        multiprocessing.Pool(2)
    with pytest.raises(NotImplementedError, match=r"lacks multiprocessing\.synchronize"):
        concurrent.futures.ProcessPoolExecutor(2)
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        assert list(executor.map(abs, [-1, -2])) == [1, 2]


def test_connections() -> None:
    one, other = multiprocessing.Pipe()
    one.send("x")
    assert other.recv() == "x"


def test_joblib_runs_serially() -> None:
    joblib = importlib.import_module("joblib")
    for wanted in ({}, {"backend": "loky"}, {"backend": "threading"}):
        done = joblib.Parallel(n_jobs=2, **wanted)(joblib.delayed(threading.get_ident)() for _ in range(4))
        assert set(done) == {threading.get_ident()}, wanted


def test_ctypes_util() -> None:
    """From 3.14 on it asks dyld for the images when it is imported, as threadpoolctl does."""
    util, module = map(importlib.import_module, ("ctypes.util", "markupsafe._speedups"))
    assert module.__name__ == "markupsafe._speedups"
    assert util.find_library("no-such-library") is None
    if sys.version_info >= (3, 14):
        assert len(util.dllist()) > 0
