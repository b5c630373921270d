"""The machine that asks: jobs go to a Dask scheduler, which gives them to workers; answers and logs come back."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

from forge.base.attempts import new_log
from forge.base.errors import (
    BuildError,
    ForgeError,
    Interrupted,
    IOSPythonError,
    NetworkError,
    RecipeError,
    SourceError,
    StorageError,
    ToolchainError,
    WheelError,
)
from forge.plan.cluster.job import FORMAT, make_job, to_data
from forge.plan.cluster.worker import TOPIC, run_job
from forge.plan.executor import ClusterError, Report
from forge.plan.shared.config import VARIABLE
from forge.plan.shared.model import CacheError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.plan.executor import Order
    from forge.plan.shared.cache import SharedCache

_SUBJECT = "cluster"
_SECONDS_TO_CONNECT = 15
_SECONDS_FOR_A_WORKER = 60
_SECONDS_TO_STOP = 3
_SECONDS_BETWEEN = 2.0
_SECONDS_ALONE = 600
"""How long builds wait for a worker while there is none."""
_MOST_JOBS = 64
"""How many threads wait for workers where ``--jobs`` does not say it."""
_KINDS: Mapping[int, type[ForgeError]] = {
    kind.exit_code: kind
    for kind in (
        RecipeError, SourceError, NetworkError, ToolchainError, IOSPythonError, WheelError, StorageError, CacheError,
        ClusterError,
    )
}  # fmt: skip
"""What a job's failure is raised as at home, by exit code; anything else is a `BuildError`, which has a log."""


class DaskExecutor:
    """Builds wheels on the workers of a Dask cluster (`forge.plan.executor.Executor`).

    Args:
        client: The connection to the scheduler (`distributed.Client`, whose functions have no types).
        shared: The shared cache.
        progress: Is told how many workers there are.
        jobs: How many wheels are built at the same time; None for as many as the workers have threads.
    """

    def __init__(self, client: Any, shared: SharedCache, progress: Progress, jobs: int | None = None) -> None:
        self.jobs, self.threads = jobs or _MOST_JOBS, 0
        self._client, self._shared, self._progress, self._fixed = client, shared, progress, jobs
        self._changed = threading.Condition()
        self._taken = 0
        self._workers = 0
        self._given_up: ForgeError | None = None
        self._waiting: dict[str, tuple[str, Progress]] = {}
        """By key, what a job builds and who is told."""
        self._futures: dict[str, tuple[Any, threading.Event]] = {}
        client.subscribe_topic(TOPIC, self._hear)

    @contextlib.contextmanager
    def slot(self) -> Iterator[None]:
        """See `forge.plan.executor.Executor.slot`."""
        with self._changed:
            # Where there is no worker just now, one job waits for the next.
            self._changed.wait_for(
                lambda: self._given_up is not None or self._taken < (self._fixed or max(1, self.threads))
            )
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify()

    def build(self, order: Order, progress: Progress) -> Report:
        """See `forge.plan.executor.Executor.build`."""
        # Two clients that want the same wheel at the same time share one job.
        key = f"forge-{FORMAT}-{order.wanted.fingerprint}"
        data = to_data(make_job(order, self._shared.has))
        progress.phase(order.wanted.subject, "wait for a worker")
        done = threading.Event()
        with self._changed:
            self._check()
            self._waiting[key] = (order.wanted.subject, progress)
            future = self._client.submit(run_job, data, key=key, pure=False)
            self._futures[key] = (future, done)
        try:
            future.add_done_callback(lambda _: done.set())
            done.wait()
            self._check()
            answer = self._answer(order, future)
        finally:
            with self._changed:
                del self._futures[key], self._waiting[key]
            future.release()
        if (failure := answer["failure"]) is not None:
            raise _error(failure, answer["worker"], order.context.home)
        return Report(answer["worker"], answer["built"], tuple(answer["notes"]))

    def stop(self) -> None:
        """See `forge.plan.executor.Executor.stop`; programs that run on workers are ended there."""
        self._give_up(Interrupted("interrupted", hint="run the command again: what was finished is kept"))

    def watch(self, over: threading.Event) -> None:
        """See how many workers there are, until the event is set; after a while without any, give up."""
        alone_since = time.monotonic()
        while not over.wait(_SECONDS_BETWEEN):
            with contextlib.suppress(Exception):  # the connection is lost: so are all jobs, and each of them tells it
                self.tell(self._client.nthreads())
            if self._workers:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > _SECONDS_ALONE:
                minutes = _SECONDS_ALONE // 60
                self._give_up(
                    ClusterError(
                        f"the scheduler has had no workers for {minutes} minutes",
                        hint="start some, then run the command again: what was finished is kept",
                    )
                )

    def tell(self, threads: Mapping[str, int]) -> None:
        """There are workers with so many threads each."""
        with self._changed:
            if len(threads) != self._workers:
                self._progress.note(_SUBJECT, "1 worker" if len(threads) == 1 else f"{len(threads)} workers")
            self._workers, self.threads = len(threads), sum(threads.values())
            self._changed.notify_all()

    def _check(self) -> None:
        if self._given_up is not None:
            raise self._given_up

    def _give_up(self, error: ForgeError) -> None:
        with self._changed:
            self._given_up = error
            under_way = list(self._futures.values())
            self._changed.notify_all()
        # Not waited for: nobody knows whether the scheduler still answers.
        thread = threading.Thread(
            target=self._client.cancel, args=([future for future, _ in under_way],), name="forge cancel", daemon=True
        )
        thread.start()
        thread.join(_SECONDS_TO_STOP)
        for _, done in under_way:
            done.set()

    def _answer(self, order: Order, future: Any) -> dict[str, Any]:
        from distributed import KilledWorker  # noqa: PLC0415 - as below

        subject = order.wanted.subject
        try:
            answer: dict[str, Any] = future.result()
        except KilledWorker as error:
            raise ClusterError(
                f"{subject}: {error.allowed_failures + 1} workers were lost while they built it",
                hint="look into the workers' logs: most often the machine had too little memory",
            ) from None
        except CancelledError as error:
            raise ClusterError(
                f"{subject}: the scheduler was lost, or gave the build up ({getattr(error, 'reason', 'unknown')})",
                hint="see that the scheduler runs, then run the command again: what was finished is kept",
            ) from None
        except Exception as error:
            raise ClusterError(
                f"{subject}: no worker can run forge's jobs: {type(error).__name__}: {error}",
                hint="install forge with the extra 'cluster' in the environment of 'dask worker'",
            ) from error
        return answer

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """A worker tells how far it is."""
        _, said = event
        if told := self._waiting.get(str(said.get("key"))):
            subject, progress = told
            progress.phase(subject, f"{said.get('phase')} on {said.get('at')}")


@contextlib.contextmanager
def cluster(
    address: str | None, shared: SharedCache | None, progress: Progress, jobs: int | None = None
) -> Iterator[DaskExecutor | None]:
    """Workers of a Dask cluster, while the body runs.

    Args:
        address: The scheduler's, e.g. ``tcp://host:8786``; None for no cluster.
        shared: The shared cache of this run.
        progress: Is told how many workers there are.
        jobs: How many wheels are built at the same time; None for as many as the workers have threads.

    Yields:
        What builds wheels there; None without a cluster.

    Raises:
        CacheError: There is no shared cache.
        ClusterError: Dask is not installed, the scheduler does not answer, or it has no workers.
    """
    if address is None:
        yield None
        return
    if shared is None:
        raise CacheError(
            "--scheduler takes a shared cache, which brings wheels from the workers, but none is configured",
            hint=f"set {VARIABLE} to its directory or URL here and on the workers; docs/cluster.md describes it",
        )
    with contextlib.closing(_connect(address)) as client:
        executor = DaskExecutor(client, shared, progress, jobs)
        executor.tell(_threads(client, address))
        over = threading.Event()
        watch = threading.Thread(target=executor.watch, args=(over,), name="forge workers", daemon=True)
        watch.start()
        try:
            yield executor
        finally:
            over.set()
            watch.join(_SECONDS_TO_STOP)


def _connect(address: str) -> Any:
    try:
        import dask  # noqa: PLC0415 - takes a second, and only clusters need it
        import distributed  # noqa: PLC0415
    except ImportError:
        raise ClusterError(
            "--scheduler needs the package 'distributed', which is not installed",
            hint="pip install 'forge-ios[cluster]'",
        ) from None
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in {"distributed", "tornado"}:  # forge tells what goes wrong itself
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # A local source travels with its job, however large it is.
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "100GB"})
    try:
        client: Any = distributed.Client
        return client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False, name="forge")
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"the scheduler {address} does not answer: {str(error) or type(error).__name__}",
            hint="start it with 'dask scheduler', and give the address that it prints, e.g. tcp://192.0.2.1:8786",
        ) from error


def _threads(client: Any, address: str) -> dict[str, int]:
    """How many threads each worker has."""
    try:
        client.wait_for_workers(1, timeout=_SECONDS_FOR_A_WORKER)
        threads: dict[str, int] = client.nthreads()
    except OSError as error:
        raise ClusterError(
            f"the scheduler {address} has no workers",
            hint=f"start some on the machines that are to build: dask worker {address} --nthreads 1",
        ) from error
    return threads


def _error(failure: Mapping[str, Any], worker: str, home: ForgeHome) -> ForgeError:
    """A job's failure as it is raised at home, with its log in this machine's cache."""
    message = f"{failure['message']} (on the worker {worker})"
    hint = None if failure["hint"] is None else f"on {worker}: {failure['hint']}"
    if (kind := _KINDS.get(failure["exit_code"])) is not None:
        return kind(message, hint=hint)
    log = None
    if failure["log"] is not None:
        with contextlib.suppress(OSError):  # what was built matters more than its log
            log = new_log(home.logs, failure["log_name"].rpartition(".")[0].rpartition(".")[0] or "cluster")
            log.write_bytes(failure["log"])
    return BuildError(message, hint=hint, log=log, tail=tuple(failure["tail"]))
