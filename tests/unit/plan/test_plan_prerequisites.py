"""What builds need besides wheels: which nodes there are, and that each is made once, before and beside builds."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from forge.base.errors import NetworkError, SourceError
from forge.base.paths import ForgeHome
from forge.crossbuild.compilers import Compilers
from forge.plan import build_graph, prerequisites, provision
from forge.plan.builds import build_requests, plan_requests
from forge.plan.explain import Doing, explain_plan
from forge.plan.graph import Node
from forge.plan.plan_report import render_text, to_json
from forge.plan.prerequisites import Prerequisite
from forge.plan.provision import PlannedContext
from forge.toolchain.fortran import Flang
from forge.toolchain.llvm import LLVM, LLVMToolchain
from tests.unit.ios_python.fakes import DEVICE, Recorder
from tests.unit.plan.test_plan_builds import Yard
from tests.unit.plan.test_plan_explain import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.base.errors import ForgeError
    from forge.plan.request import Request
    from forge.plan.run import Failure
    from forge.recipe.model import EvaluatedRecipe


class Ground:
    """Prerequisites that a test says: an SDK for all builds, a source for each recipe."""

    def __init__(self, yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
        self.yard = yard
        self.there: set[str] = set()
        self.made: list[str] = []
        self.failing: dict[str, ForgeError] = {}
        self.while_downloading: Callable[[], object] = lambda: None
        monkeypatch.setattr(build_graph, "prerequisites", self.prerequisites)
        monkeypatch.setattr(
            provision, "ensure_context", lambda *_: yard.request("3.13", DEVICE).context.ready(Recorder())
        )

    def request(self, *names: str) -> Request:
        request = self.yard.request("3.13", DEVICE, *names)
        ready = request.context
        context = PlannedContext(ready.home, ready.toolchain, ready.python, "3.13", (DEVICE,))
        return replace(request, context=context)

    def prerequisites(self, recipe: EvaluatedRecipe, context: PlannedContext) -> Iterator[Node[Prerequisite]]:
        yield self.node("SDK")
        yield self.node("iOS Python", "SDK")
        yield self.node(f"source of {recipe.name}", download=True)

    def node(self, name: str, *needs: str, download: bool = False) -> Node[Prerequisite]:
        def make(_progress: object) -> None:
            if download:
                self.while_downloading()
            if name in self.failing:
                raise self.failing[name]
            self.made.append(name)
            self.yard.built.append((name, "", ""))

        home = ForgeHome(self.yard.root / "home")
        return Node(name, Prerequisite(home, lambda: name in self.there, make, 5, is_download=download), needs)

    def build(self, *names: str, failures: list[Failure] | None = None, jobs: int = 2) -> list[str]:
        return self.yard.build(self.request(*names), failures=failures, jobs=jobs)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    yard = Yard(tmp_path, monkeypatch)
    yard.add("blas", library=True)
    yard.add("num", "blas")
    yard.add("other")
    return Ground(yard, monkeypatch)


def test_each_is_made_once_before_what_needs_it(ground: Ground) -> None:
    ground.build("num", "other")
    assert sorted(ground.made) == ["SDK", "iOS Python", "source of blas", "source of num", "source of other"]
    order = [name for name, _, _ in ground.yard.built]
    assert order.index("SDK") < order.index("iOS Python") < order.index("blas") < order.index("num")
    assert order.index("source of blas") < order.index("blas")


def test_what_is_there_is_not_in_the_graph(ground: Ground) -> None:
    ground.there = {"SDK", "source of num"}
    ground.build("num")
    assert sorted(ground.made) == ["iOS Python", "source of blas"]


def test_what_is_in_the_cache_needs_nothing(ground: Ground) -> None:
    ground.build("num")
    ground.made.clear()
    ground.build("num")
    assert ground.made == []
    ground.build("num", "other")
    assert sorted(ground.made) == ["SDK", "iOS Python", "source of other"]


def test_a_failure_skips_what_needs_it_and_nothing_else(ground: Ground) -> None:
    ground.failing = {"source of num": SourceError("its sha256 is another")}
    failures: list[Failure] = []
    assert [name.partition("-")[0] for name in ground.build("num", "other", failures=failures)] == ["other"]
    assert [(failure.subject.split()[0], failure.because) for failure in failures] == [
        ("source", ""), ("num", "source of num failed"),
    ]  # fmt: skip
    with pytest.raises(SourceError, match="its sha256 is another"):
        ground.build("num")


def test_downloads_do_not_wait_for_a_cpu(ground: Ground) -> None:
    """The only slot is a build's for as long as the download lasts."""
    building, downloaded = threading.Event(), threading.Event()
    ground.there = {"SDK", "iOS Python", "source of other"}
    original = ground.yard.build_recipe

    def build(recipe: EvaluatedRecipe, *rest: object, **named: object) -> object:
        if recipe.name == "other":
            building.set()
            assert downloaded.wait(20)
        return original(recipe, *rest, **named)  # type: ignore[arg-type]  # passed on as they are

    def download() -> None:
        assert building.wait(20)
        downloaded.set()

    ground.while_downloading = download
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forge.plan.run.build_recipe", build)
        ground.build("other", "num", jobs=1)
    assert sorted(ground.made) == ["source of blas", "source of num"]


def test_the_plan_says_so(ground: Ground, snapshot: SnapshotAssertion) -> None:
    plan = explain_plan(plan_requests([ground.request("num")], ground.yard.store))
    assert ground.made == []
    assert [build.doing for build in plan.builds if build.name.startswith("source")] == [Doing.FETCH, Doing.FETCH]
    assert render_text(plan, jobs=2) == snapshot
    Draft202012Validator(SCHEMA).validate(json.loads(to_json(plan)))
    ground.build("num")
    plan = explain_plan(plan_requests([ground.request("num")], ground.yard.store))
    assert {build.doing for build in plan.builds} == {Doing.CACHED}


class TestReal:
    """The nodes of a real build, on a machine that has nothing yet."""

    @pytest.fixture
    def context(self, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedContext:
        llvm = LLVM(tmp_path, "LLVM", 19, tmp_path, tmp_path)
        monkeypatch.setattr(prerequisites, "find_build_python", lambda *_: None)
        context = ground.request().context
        assert isinstance(context, PlannedContext)
        return replace(context, toolchain=LLVMToolchain(tmp_path / "sdk", "sdk 1", llvm))

    def needs(self, ground: Ground, context: PlannedContext, name: str) -> dict[str, tuple[str, ...]]:
        recipe = next(step.recipe for step in ground.request(name).steps if step.recipe.name == name)
        nodes = list(prerequisites.prerequisites(recipe, context))
        assert not any(node.work.is_there() for node in nodes)
        return {node.name: node.needs for node in nodes}

    def test_of_an_extension_module(self, ground: Ground, context: PlannedContext) -> None:
        everything = ("source of the SDK's headers", "SDK", "build Python 3.13", "iOS Python 3.13")
        assert self.needs(ground, context, "other") == {
            "source of the SDK's headers": (),
            "SDK": ("source of the SDK's headers",),
            "build Python 3.13": (),
            "iOS Python 3.13": (),
            f"environment of other 1.0 {DEVICE} Python 3.13": everything,
        }

    def test_of_fortran(self, ground: Ground, context: PlannedContext, monkeypatch: pytest.MonkeyPatch) -> None:
        flang = Flang(context.home.root / "flang", "19.1.7", "flang version 19.1.7")
        monkeypatch.setattr(prerequisites, "find_compilers", lambda _: Compilers(fortran=flang))
        needs = self.needs(ground, context, "blas")
        assert needs["source of Fortran's runtime 19.1.7"] == ()
        assert needs[f"Fortran's runtime for {DEVICE}"][-1] == "source of Fortran's runtime 19.1.7"

    def test_a_source_that_cannot_be_had(
        self, ground: Ground, context: PlannedContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fetch(*_: object) -> None:
            raise NetworkError("no answer")

        monkeypatch.setattr(prerequisites, "fetch", fetch)
        recipe = ground.request("other").steps[0].recipe
        node = next(iter(prerequisites.prerequisites(recipe, context)))
        with pytest.raises(NetworkError, match="no answer"):
            node.work.make(Recorder())


def test_keep_going_tells_the_first_error(ground: Ground) -> None:
    ground.failing = {"SDK": NetworkError("no answer")}
    failures: list[Failure] = []
    assert build_requests(
        [ground.request("num", "other")], ground.yard.store, ground.yard.root / "dist", Recorder(), failures=failures
    ) == []  # fmt: skip
    assert [type(failure.error) for failure in failures[:1]] == [NetworkError]
    assert {failure.because for failure in failures[1:]} == {"SDK failed"}
