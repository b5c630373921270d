"""Builds on a Dask cluster whose workers are threads of this process; a few lines stand for a build."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import BuildError, Interrupted, NetworkError, WheelError
from forge.base.paths import ForgeHome
from forge.base.process import run
from forge.plan import run as run_module
from forge.plan.builds import build_requests
from forge.plan.cluster import client as client_module
from forge.plan.cluster import worker as worker_module
from forge.plan.cluster.client import DaskExecutor, cluster
from forge.plan.cluster.job import to_data
from forge.plan.executor import ClusterError
from forge.plan.request import RunOptions
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.shared.keys import make_key
from forge.plan.shared.model import CacheError
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, Recorder
from tests.unit.plan.test_plan_builds import Yard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.crossbuild.recipe_build import BuiltWheel
    from forge.plan.request import Request
    from forge.plan.run import Failure, Result
    from forge.recipe.model import EvaluatedRecipe

distributed: Any = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two workers."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, silence_logs=50,
        dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
    ) as made:  # fmt: skip
        yield made.scheduler_address


class Site(Yard):
    """A machine that asks, and workers, which have one cache of their own; all share a third."""

    def __init__(self, root: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(root, monkeypatch)
        self.address = address
        self.progress = Recorder()
        self.worker_home = ForgeHome(root / "worker")
        self.differs = ""
        make_key("ci-1", root / "ci.pem")
        for name, value in {
            "FORGE_CACHE": root / "shared", "FORGE_CACHE_SIGNING_KEY": root / "ci.pem", "FORGE_CONFIG": "/dev/null",
            "FORGE_HOME": self.worker_home.root,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, str(value))
        for name in ("FORGE_CACHE_MODE", "FORGE_CACHE_TRUSTED_KEYS"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(worker_module, "plan_context", self.worker_context)
        monkeypatch.setattr(run_module, "verify_wheel", lambda *_, **__: ())  # these wheels have nothing in them

    def worker_context(self, home: ForgeHome, version: str, targets: tuple[Target, ...], _: object) -> BuildContext:
        minor = ".".join(version.split(".")[:2])
        context = super().request(minor, targets[0]).context
        fingerprints = ((targets[0].multiarch, f"iOS {minor}{self.differs}"),)
        return replace(context, home=home, python=replace(context.python, fingerprints=fingerprints))  # type: ignore[return-value]

    def run(self, *requests: Request, failures: list[Failure] | None = None, mode: str = "read") -> list[Result]:
        home = requests[0].context.home
        with (
            shared_cache(read_settings(mode), home, self.progress) as cache,
            cluster(self.address, cache, self.progress) as executor,
        ):
            options = RunOptions(cache=cache, executor=executor)
            return build_requests(requests, self.store, self.root / "dist", self.progress, options, failures=failures)


@pytest.fixture
def site(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path, address, monkeypatch)


def test_wheels_are_built_there_and_come_home(site: Site) -> None:
    site.add("blas", library=True)
    site.add("num", "blas")
    site.add("app")
    site.requires = {"app": ["num"]}
    results = site.run(*(site.request("3.13", target, "app") for target in (DEVICE, ARM_SIMULATOR)))
    assert sorted(result.subject.split()[0] for result in results) == ["app", "app", "num", "num"]
    assert all(result.built and result.wheel.is_file() for result in results)
    assert sorted(name for name, _, _ in site.built) == ["app", "app", "blas", "blas", "num", "num"], "each once"
    home = ForgeHome(site.root / "home")
    assert len(list(home.wheels.glob("*/*/build.log"))) == 6
    assert list(home.wheels.glob("*/*/taken.json"))
    assert "cluster: 2 workers" in site.progress.said
    assert any(" on " in said and said.startswith(f"app 1.0 {DEVICE}: ") for said in site.progress.said)
    again = site.run(site.request("3.13", DEVICE, "app"))
    assert [result.built for result in again] == [False, False]
    assert len(site.built) == 6


def test_what_another_machine_built_is_not_built_again(site: Site) -> None:
    site.add("blas", library=True)
    site.run(site.request("3.13", DEVICE, "blas"))
    request = site.request("3.13", DEVICE, "blas")
    elsewhere = replace(request, context=replace(request.context, home=ForgeHome(site.root / "third")))
    (result,) = site.run(elsewhere)
    assert (result.built, len(site.built)) == (False, 1)


def test_a_host_requirement_that_is_in_no_shared_cache_travels(site: Site) -> None:
    site.add("blas", library=True)
    site.add("num", "blas")
    site.build(site.request("3.13", DEVICE, "blas"))
    site.run(site.request("3.13", DEVICE, "num"))
    assert [name for name, _, _ in site.built] == ["blas", "num"]


def test_builds_run_at_the_same_time(site: Site) -> None:
    site.add("one")
    site.add("two")
    site.meet = threading.Barrier(2, timeout=20)
    assert len(site.run(site.request("3.13", DEVICE, "one", "two"))) == 2


def test_two_runs_that_want_the_same_wheel_share_a_job(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("one")
    go_on, jobs, run_there = threading.Event(), [], worker_module._run

    def counted(*arguments: Any) -> bool:
        jobs.append(arguments)
        assert go_on.wait(20)
        return run_there(*arguments)

    monkeypatch.setattr(worker_module, "_run", counted)
    request = site.request("3.13", DEVICE, "one")
    other = replace(request, context=replace(request.context, home=ForgeHome(site.root / "other")))
    results: list[Result] = []
    threads = [threading.Thread(target=lambda each=each: results.extend(site.run(each))) for each in (request, other)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while sum("wait for a worker" in said for said in site.progress.said) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)  # the second is with the scheduler
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert (len(results), len(jobs)) == (2, 1)


def test_a_failure_is_told_with_its_log_and_not_tried_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("good")
    site.add("bad", "good")
    log = site.root / "bad-1.0-arm64-iphoneos-0123.7.log"
    log.write_text("first\nlast\n")

    def build_recipe(recipe: EvaluatedRecipe, *arguments: Any, **named: Any) -> BuiltWheel:
        built = site.build_recipe(recipe, *arguments, **named)
        if recipe.name == "bad":
            raise BuildError("bad does not compile", hint="mend it", log=log, tail=("last",))
        return built

    monkeypatch.setattr(run_module, "build_recipe", build_recipe)
    failures: list[Failure] = []
    results = site.run(site.request("3.13", DEVICE, "good", "bad"), failures=failures)
    assert [result.subject.split()[0] for result in results] == ["good"]
    ((error),) = [failure.error for failure in failures]
    assert isinstance(error, BuildError)
    assert error.message.startswith("bad does not compile (on the worker ")
    assert (error.hint or "").endswith(": mend it")
    assert error.tail == ("last",)
    assert error.log == site.root / "home" / "logs" / "bad-1.0-arm64-iphoneos-0123.1.log"
    assert error.log.read_text() == "first\nlast\n"
    assert [name for name, _, _ in site.built] == ["good", "bad"]


@pytest.mark.parametrize(
    ("raised", "told"),
    [(NetworkError("no answer"), NetworkError), (WheelError("bad tag"), WheelError), (ValueError("x"), BuildError)],
)
def test_errors_keep_their_kind(
    site: Site, monkeypatch: pytest.MonkeyPatch, raised: Exception, told: type[Exception]
) -> None:
    def build_recipe(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(run_module, "build_recipe", build_recipe)
    site.add("bad")
    with pytest.raises(told, match=str(raised)):
        site.run(site.request("3.13", DEVICE, "bad"))


def test_a_worker_on_other_ground(site: Site) -> None:
    site.add("one")
    site.differs = " of another publisher"
    with pytest.raises(ClusterError, match=r"inputs differ:\n  ios python: \"iOS 3\.13\" -> \"iOS 3\.13 of another"):
        site.run(site.request("3.13", DEVICE, "one"))
    assert site.built == []


@pytest.mark.parametrize(("change", "told"), [({"code": "x"}, "both are forge"), ({"forge": "0.0"}, "forge 0.0 asks")])
def test_a_worker_with_another_forge(
    site: Site, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], told: str
) -> None:
    site.add("one")
    monkeypatch.setattr(client_module, "to_data", lambda job: {**to_data(job), **change})
    with pytest.raises(ClusterError, match=f"has another forge: {told}"):
        site.run(site.request("3.13", DEVICE, "one"))
    assert site.built == []


def test_a_worker_without_a_key(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("one")

    def no_key(mode: str) -> None:
        raise CacheError("there is no key", hint="make one")

    monkeypatch.setattr(worker_module, "read_settings", no_key)
    with pytest.raises(CacheError, match=r"there is no key \(on the worker "):
        site.run(site.request("3.13", DEVICE, "one"))


def test_a_worker_with_another_shared_cache(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("one")
    settings = replace(read_settings("write"), places=(str(site.root / "elsewhere"),))
    monkeypatch.setattr(worker_module, "read_settings", lambda _: settings)
    with pytest.raises(ClusterError, match="but cannot be taken from the shared cache") as told:
        site.run(site.request("3.13", DEVICE, "one"))
    assert "FORGE_CACHE names the same place" in (told.value.hint or "")


def test_no_shared_cache(site: Site) -> None:
    with pytest.raises(CacheError, match="takes a shared cache"), cluster(site.address, None, Recorder()):
        pass


def test_without_a_scheduler_nothing_is_needed() -> None:
    with cluster(None, None, Recorder()) as executor:
        assert executor is None


@pytest.mark.parametrize("where", ["tcp://127.0.0.1:1", "nowhere://x"])
def test_no_scheduler(site: Site, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setattr(client_module, "_SECONDS_TO_CONNECT", 0.2)
    site.address = where
    site.add("one")
    with pytest.raises(ClusterError, match="does not answer") as told:
        site.run(site.request("3.13", DEVICE, "one"))
    assert "dask scheduler" in (told.value.hint or "")


def test_no_workers(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_SECONDS_FOR_A_WORKER", 0.2)
    site.add("one")
    with distributed.LocalCluster(
        n_workers=0, processes=False, dashboard_address="127.0.0.1:0", silence_logs=50
    ) as empty:
        site.address = empty.scheduler_address
        with pytest.raises(ClusterError, match="has no workers"):
            site.run(site.request("3.13", DEVICE, "one"))


def test_dask_is_not_installed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    site.add("one")
    with pytest.raises(ClusterError, match="is not installed") as told:
        site.run(site.request("3.13", DEVICE, "one"))
    assert told.value.hint == "pip install 'forge-ios[cluster]'"


def test_stopping_ends_what_runs_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.add("long")
    ended = threading.Event()

    def build_recipe(*_: object, **__: object) -> None:
        try:
            run(["sleep", "60"], log=site.root / "log", env={"PATH": "/usr/bin:/bin"}, cwd=site.root, what="sleep")
        finally:
            ended.set()

    monkeypatch.setattr(run_module, "build_recipe", build_recipe)
    monkeypatch.setattr(worker_module, "_SECONDS", 0.05)
    request = site.request("3.13", DEVICE, "long")
    raised: list[BaseException] = []
    with (
        shared_cache(read_settings("read"), request.context.home, site.progress) as cache,
        cluster(site.address, cache, site.progress) as executor,
    ):
        assert executor is not None
        options = RunOptions(cache=cache, executor=executor)

        def work() -> None:
            try:
                build_requests([request], site.store, site.root / "dist", site.progress, options)
            except BaseException as error:  # noqa: BLE001 - looked at below
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        deadline = time.monotonic() + 20
        while not (site.root / "log").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        executor.stop()
        thread.join(20)
        assert ended.wait(20), "the program was ended"
    assert [type(error) for error in raised] == [Interrupted]


class LostFuture:
    """What a client gives for a job that does not come back."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def add_done_callback(self, function: Callable[[object], object]) -> None:
        function(self)

    def result(self) -> None:
        raise self.error

    def release(self) -> None:
        pass


class LostClient:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def subscribe_topic(self, *_: object) -> None:
        pass

    def submit(self, *_: object, **__: object) -> LostFuture:
        return LostFuture(self.error)

    def nthreads(self) -> dict[str, int]:
        return {}

    def cancel(self, futures: list[LostFuture]) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (distributed.scheduler.KilledWorker("forge-1", None, 3), "4 workers were lost while they built it"),
        (
            distributed.client.FutureCancelledError("forge-1", "lost"),
            r"the scheduler was lost, or gave the build up \(lost\)",
        ),
        (ModuleNotFoundError("No module named 'forge'"), "no worker can run forge's jobs: ModuleNotFoundError"),
    ],
)
def test_what_is_lost_is_told(site: Site, error: Exception, told: str) -> None:
    site.add("one")
    request = site.request("3.13", DEVICE, "one")
    with shared_cache(read_settings("read"), request.context.home, site.progress) as cache:
        assert cache is not None
        options = RunOptions(cache=cache, executor=DaskExecutor(LostClient(error), cache, site.progress, 2))
        with pytest.raises(ClusterError, match=told) as raised:
            build_requests([request], site.store, site.root / "dist", site.progress, options)
    assert raised.value.hint


class PatientFuture(LostFuture):
    """One that nobody works at."""

    def add_done_callback(self, function: Callable[[object], object]) -> None:
        pass


def test_workers_that_never_come_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_SECONDS_BETWEEN", 0.01)
    monkeypatch.setattr(client_module, "_SECONDS_ALONE", 0.1)
    monkeypatch.setattr(LostClient, "submit", lambda *_, **__: PatientFuture(ValueError()))
    site.add("one")
    request = site.request("3.13", DEVICE, "one")
    over = threading.Event()
    with shared_cache(read_settings("read"), request.context.home, site.progress) as cache:
        assert cache is not None
        executor = DaskExecutor(LostClient(ValueError()), cache, site.progress)
        executor.tell({"w1": 1})
        threading.Thread(target=executor.watch, args=(over,), daemon=True).start()
        options = RunOptions(cache=cache, executor=executor)
        with pytest.raises(ClusterError, match="has had no workers"):
            build_requests([request], site.store, site.root / "dist", site.progress, options)
    over.set()
    assert [said for said in site.progress.said if said.startswith("cluster")] == [
        "cluster: 1 worker", "cluster: 0 workers",
    ]  # fmt: skip


def test_as_many_builds_as_the_workers_have_threads(site: Site) -> None:
    shared: Any = None
    executor = DaskExecutor(LostClient(ValueError()), shared, site.progress)
    executor.tell({"w1": 1, "w2": 1})
    entered = threading.Event()

    def third() -> None:
        with executor.slot():
            entered.set()

    thread = threading.Thread(target=third)
    with executor.slot(), executor.slot():
        thread.start()
        assert not entered.wait(0.1)
        executor.tell({"w1": 1, "w2": 1, "w3": 2})
        assert entered.wait(20)
    thread.join()
    assert (executor.threads, executor.jobs > 3) == (4, True)
    assert DaskExecutor(LostClient(ValueError()), shared, site.progress, 2).jobs == 2
