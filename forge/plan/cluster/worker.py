"""What a worker does with a job: it builds as any forge does, from its own caches into the shared one.

This runs in the processes of ``dask worker``. Whatever happens is an answer, never an exception: Dask runs again what
was lost with a worker, not what failed.
"""

from __future__ import annotations

import atexit
import contextlib
import tempfile
import threading
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.atomic import storage_error
from forge.base.cpus import cpu_count
from forge.base.errors import BuildError, ForgeError
from forge.base.hashing import fingerprint
from forge.base.jobserver import JobServer
from forge.base.paths import ForgeHome
from forge.base.process import end_all
from forge.crossbuild.compilers import find_compilers
from forge.crossbuild.host_prefix import HostPackage
from forge.ios_python.model import Provider
from forge.plan.cache import find_wheel
from forge.plan.cluster.job import from_data, target_of, unpack_recipe
from forge.plan.executor import ClusterError
from forge.plan.explain import as_json, changed
from forge.plan.fingerprint import build_inputs
from forge.plan.in_use import in_use
from forge.plan.provision import plan_context
from forge.plan.run import build_or_find
from forge.plan.shared.cache import Wanted, shared_cache
from forge.plan.shared.config import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.utils import NormalizedName

    from forge.plan.cluster.job import Host, Job
    from forge.plan.provision import Context
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.model import EvaluatedRecipe

TOPIC = "forge"
"""Under which workers say how far they are: Dask's events, from workers over the scheduler to clients."""

_MOST_LOG = 32 * 1024**2
"""Bytes of a log that come home: the last ones."""

_MOST_CHANGES = 5
_SECONDS = 1.0
"""How often a job sees whether anybody still waits for it."""

_jobs: set[str] = set()
"""The jobs of this process."""
_guard = threading.Lock()


def run_job(data: Mapping[str, Any]) -> dict[str, Any]:
    """Build a wheel: the function that Dask calls on a worker.

    Args:
        data: The job (`forge.plan.cluster.job.to_data`).

    Returns:
        ``worker``, ``built``, ``notes``; and ``failure``, None or ``exit_code``, ``message``, ``hint``, ``tail``,
        ``log`` (bytes or None) and its name.
    """
    at = _Place()
    progress = _Progress(at)
    answer: dict[str, Any] = {"worker": at.name, "built": False, "failure": None}
    try:
        job = from_data(data)
        if isinstance(job, str):
            raise ClusterError(  # noqa: TRY301 - one way out for all failures
                f"the worker {at.name} has another forge: {job}",
                hint="install the same forge on all machines of the cluster, and start the workers again",
            )
        with _until_nobody_waits(at):
            answer["built"] = _run(job, progress, at.threads)
    except ForgeError as error:
        answer["failure"] = _failure(error)
    except Exception as error:  # noqa: BLE001 - a disk that is full, or a bug of forge's own: told at home
        known = storage_error(error) if isinstance(error, OSError) else None
        answer["failure"] = _failure(known or _bug(error))
    return {**answer, "notes": progress.notes}


def _run(job: Job, progress: _Progress, threads: int) -> bool:
    """Whether it was built; if not, it was in a cache."""
    home = ForgeHome.from_environment()
    settings = read_settings("write")
    with (
        in_use(home),
        JobServer(max(1, cpu_count() // threads)) as server,
        tempfile.TemporaryDirectory(prefix="forge-job-") as temporary,
        shared_cache(settings, home, progress) as shared,
    ):
        assert shared is not None  # noqa: S101 - in this mode there is one, or an error
        scratch = Path(temporary)
        recipe = unpack_recipe(job, scratch)
        provider = None if job.provider is None else Provider(job.provider)
        planned = plan_context(home, job.python, tuple(map(target_of, job.targets)), provider)
        context = replace(planned, jobs=server)
        _compare(job, recipe, context)
        host = [_host(each, job, home, shared, scratch) for each in job.hosts]
        with server.slot():
            result, _ = build_or_find(recipe, context, host, progress, job.subject, shared)
    return result.built


def _compare(job: Job, recipe: EvaluatedRecipe, context: Context) -> None:
    """See that what is built here is what is wanted there.

    Raises:
        ClusterError: It is not; says what differs.
    """
    host = {each.name: each.fingerprint for each in job.hosts}
    inputs = build_inputs(recipe, context, host, find_compilers(recipe.languages))
    if fingerprint(inputs) == job.fingerprint:
        return
    found = [f"{each.what}: {each.before or '(nothing)'} -> {each.now or '(nothing)'}"
             for each in changed(job.inputs, as_json(inputs))]  # fmt: skip
    told = "".join(f"\n  {line}" for line in found[:_MOST_CHANGES])
    more = f"\n  and {len(found) - _MOST_CHANGES} more" if len(found) > _MOST_CHANGES else ""
    raise ClusterError(
        f"{job.subject} would be another wheel there, since these inputs differ:{told}{more}",
        hint="give all machines of the cluster the same system, e.g. one container image (docs/cluster.md)",
    )


def _host(host: Host, job: Job, home: ForgeHome, shared: SharedCache, scratch: Path) -> HostPackage:
    """A host requirement: from this worker's cache, from the shared one, or from the job.

    Raises:
        ClusterError: It is nowhere.
    """
    known_as = f"{host.name}-{job.target[0]}" + ("" if host.is_native_library else f"-{job.minor}")
    wanted = Wanted(f"{host.name} {host.version}", known_as, host.fingerprint)
    cached = find_wheel(home, host.fingerprint)
    if cached is None and host.wheel is None:
        cached = shared.take(wanted, lambda _: host.findings())  # checked where the job is from
    if cached is not None:
        wheel = cached.path
    elif host.wheel is not None:
        wheel = scratch / host.fingerprint / host.filename
        wheel.parent.mkdir()
        wheel.write_bytes(host.wheel)
    else:
        raise ClusterError(
            f"the host requirement {host.name} {host.version} is not in the worker's shared cache",
            hint="see that FORGE_CACHE names the same place on all machines of the cluster, then run the command again",
        )
    name: NormalizedName = host.name  # type: ignore[assignment]  # as a job has it
    return HostPackage(name, host.version, wheel, host.fingerprint, host.is_native_library, host.license)


def _failure(error: ForgeError) -> dict[str, Any]:
    log = error.log if isinstance(error, BuildError) else None
    content: bytes | None = None
    if log is not None:
        with contextlib.suppress(OSError), log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _MOST_LOG))
            content = file.read()
    return {
        "exit_code": error.exit_code,
        "message": error.message,
        "hint": error.hint,
        "tail": list(error.tail) if isinstance(error, BuildError) else [],
        "log": content,
        "log_name": "" if log is None else log.name,
    }


def _bug(error: Exception) -> BuildError:
    lines = tuple("".join(traceback.format_exception(error)).splitlines())
    return BuildError(
        f"internal error (a bug in forge): {lines[-1]}", hint="please report it, with these lines", tail=lines[-8:]
    )


class _Place:
    """This worker, as Dask knows it."""

    def __init__(self) -> None:
        from distributed import get_worker  # noqa: PLC0415 - takes a second, and is not there everywhere

        self.worker: Any = get_worker()
        self.name = str(self.worker.name)
        self.threads: int = self.worker.state.nthreads
        self.key = str(self.worker.get_current_task())

    def is_wanted(self) -> bool:
        """Whether somebody waits for the job: the scheduler takes back what every client has given up."""
        task = self.worker.state.tasks.get(self.key)
        return task is not None and task.state != "cancelled"

    def tell(self, phase: str) -> None:
        """Tell clients how far the job is."""
        self.worker.log_event(TOPIC, {"key": self.key, "at": self.name, "phase": phase})


class _Progress:
    """Sends phases home while the job runs, and notes with its answer."""

    def __init__(self, at: _Place) -> None:
        self._at = at
        self.notes: list[str] = []

    def phase(self, subject: str, phase: str) -> None:  # noqa: ARG002 - the client knows what the job builds
        """Send it."""
        self._at.tell(phase)

    def note(self, subject: str, text: str) -> None:
        """Keep it."""
        self.notes.append(f"{subject}: {text}")

    def whole(self, done: int, total: int, seconds: float) -> None:
        """A job is one part."""


@contextlib.contextmanager
def _until_nobody_waits(at: _Place) -> Iterator[None]:
    """While the body runs, look whether its result is still wanted; if not, end its programs.

    Programs are known by the process that started them, so jobs that run beside others in one worker are left to end
    by themselves.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(_SECONDS):
            with _guard:
                if not at.is_wanted() and _jobs == {at.key}:
                    end_all()

    with _guard:
        _jobs.add(at.key)
    atexit.unregister(end_all)
    atexit.register(end_all)  # programs have sessions of their own, and would outlive the worker
    watch = threading.Thread(target=look, name="forge watch", daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()
        with _guard:
            _jobs.discard(at.key)
