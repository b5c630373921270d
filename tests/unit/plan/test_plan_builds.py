"""One graph of wheels for all targets and Pythons, and what they require; a few lines stand for a build."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import BuildError, WheelError
from forge.crossbuild.recipe_build import BuiltWheel
from forge.ios_python.build_python import BuildPython
from forge.plan import run as run_module
from forge.plan.builds import build_requests
from forge.plan.cache import LatestBuild, write_latest
from forge.plan.closure import closure
from forge.plan.request import Request, RunOptions
from forge.recipe.store import RecipeStore
from tests.unit.crossbuild.fakes import RECIPE, make_context
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, Recorder
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.plan.run import Failure, Result
    from forge.recipe.model import EvaluatedRecipe

REQUIRES = {
    "demo": [
        "helper>=1; sys_platform == 'ios'", "never; sys_platform == 'linux'", "pure", "optional; extra == 'more'",
    ],
    "helper": ["demo", "deep<2; python_version >= '3.13'"],
    "deep": [],
    "never": [],
    "optional": [],
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipeStore:
    for name in REQUIRES:
        directory = tmp_path / "recipes" / name
        (directory / "source").mkdir(parents=True)
        (directory / "recipe.yaml").write_text(RECIPE.replace("demo", name))
        (directory / "build-requirements.lock").write_text("")

    def build(recipe: EvaluatedRecipe, context: BuildContext, *, out: Path, **_: Any) -> BuiltWheel:
        log = tmp_path / "log"
        log.touch()
        lines = [f"Requires-Dist: {text}\n" for text in REQUIRES[recipe.name]]
        metadata = f"Metadata-Version: 2.4\nName: {recipe.name}\nVersion: 1.0\n{''.join(lines)}"
        tag = f"cp313-cp313-{recipe.target.platform_tag}" if recipe.native else "py3-none-any"
        filename = f"{recipe.name}-1.0-{tag}.whl"
        return BuiltWheel(make_wheel(out, name=recipe.name, metadata=metadata, filename=filename), log)

    monkeypatch.setattr(run_module, "build_recipe", build)
    return RecipeStore(tmp_path / "recipes")


def build(
    store: RecipeStore, tmp_path: Path, results: list[Result] | None = None, target: Target = DEVICE
) -> list[Result]:
    context = make_context(tmp_path, target)
    steps = closure([store.load("demo")], target, "3.13", store)
    return build_requests([Request(steps, target, context)], store, tmp_path / "dist", Recorder(), results=results)


def test_requirements_that_have_recipes_are_built_along(store: RecipeStore, tmp_path: Path) -> None:
    """Those of the target, not of this machine; those of what is built along too; none of an extra's."""
    assert [result.subject.split()[0] for result in build(store, tmp_path)] == ["demo", "helper", "deep"]
    assert sorted(path.name.partition("-")[0] for path in (tmp_path / "dist").iterdir()) == ["deep", "demo", "helper"]


def test_what_a_pure_wheel_requires_is_built_for_each_target(store: RecipeStore, tmp_path: Path) -> None:
    file = tmp_path / "recipes" / "demo" / "recipe.yaml"
    file.write_text(file.read_text() + "wheel: {native: false}\n")
    done = build(store, tmp_path)
    first = len(done)
    build(store, tmp_path, done, ARM_SIMULATOR)
    assert [result.subject for result in done[:first]] == ["demo 1.0", f"helper 1.0 {DEVICE}", f"deep 1.0 {DEVICE}"]
    assert [result.subject for result in done[first:]] == [f"helper 1.0 {ARM_SIMULATOR}", f"deep 1.0 {ARM_SIMULATOR}"]


def test_what_tests_require_is_built_along(store: RecipeStore, tmp_path: Path) -> None:
    steps = closure([store.load("deep")], DEVICE, "3.13", store)
    request = Request(steps, DEVICE, make_context(tmp_path), ["optional", "pytest"])
    results = build_requests([request], store, tmp_path / "dist", Recorder())
    assert [result.subject.split()[0] for result in results] == ["deep", "optional"]


def test_another_version_than_the_recipes(store: RecipeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REQUIRES, "demo", ["helper>=2"])
    done: list[Result] = []
    with pytest.raises(WheelError, match=r"requires helper>=2, but the recipe builds helper 1\.0"):
        build(store, tmp_path, done)
    assert [result.subject.split()[0] for result in done] == ["demo"], "what was built is told"
    failures: list[Failure] = []
    steps = closure([store.load("demo"), store.load("deep")], DEVICE, "3.13", store)
    context = make_context(tmp_path)
    request = Request(steps, DEVICE, context)
    more = build_requests([request], store, tmp_path / "dist", Recorder(), failures=failures)
    assert sorted(result.subject.split()[0] for result in more) == ["deep", "demo"]
    assert [type(failure.error) for failure in failures] == [WheelError]


class Yard:
    """Recipes with host requirements, and a builder that keeps a record; for several targets and Pythons."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.store = RecipeStore(root / "recipes")
        self.built: list[tuple[str, str, str]] = []
        self.stable: set[str] = set()
        self.requires: dict[str, list[str]] = {}
        self.failing: set[tuple[str, str]] = set()
        self.meet: threading.Barrier | None = None
        self.progress = Recorder()
        monkeypatch.setattr(run_module, "build_recipe", self.build_recipe)

    def add(self, name: str, *host: str, library: bool = False) -> None:
        directory = self.root / "recipes" / name
        (directory / "source").mkdir(parents=True)
        text = RECIPE.replace("demo", name)
        if library:
            text = text.replace("backend: setuptools", "backend: script\n  script: ['true']").partition("wheel:")[0]
        requirements = f"requirements: {{host: [{', '.join(host)}]}}\n" if host else ""
        (directory / "recipe.yaml").write_text(text + requirements)
        (directory / "build-requirements.lock").write_text("")

    def build_recipe(self, recipe: EvaluatedRecipe, context: BuildContext, *, out: Path, **_: Any) -> BuiltWheel:
        if self.meet is not None:
            self.meet.wait()
        minor = context.python.minor
        self.built.append((recipe.name, recipe.target.multiarch, minor))
        if (recipe.name, minor) in self.failing:
            raise BuildError(f"{recipe.name} does not compile for {minor}")
        log = self.root / "log"
        log.touch()
        python = context.python.python_tag
        abi = "abi3" if recipe.name in self.stable else python
        tag = f"{python}-{abi}" if not recipe.is_native_library else "py3-none"
        lines = "".join(f"Requires-Dist: {text}\n" for text in self.requires.get(recipe.name, ()))
        metadata = f"Metadata-Version: 2.4\nName: {recipe.name}\nVersion: 1.0\n{lines}"
        wheel = make_wheel(out, name=recipe.name, tag=f"{tag}-{recipe.target.platform_tag}", metadata=metadata)
        return BuiltWheel(wheel, log)

    def request(self, minor: str, target: Target, *names: str) -> Request:
        context = make_context(self.root, target)
        python = replace(context.python, version=f"{minor}.0", fingerprints=((target.multiarch, f"iOS {minor}"),))
        context = replace(context, python=python, build_python=BuildPython(Path(sys.executable), f"{minor}.1"))
        return Request(closure([self.store.load(name) for name in names], target, minor, self.store), target, context)

    def build(self, *requests: Request, failures: list[Failure] | None = None, jobs: int = 2) -> list[str]:
        options = RunOptions(jobs=jobs)
        results = build_requests(requests, self.store, self.root / "dist", self.progress, options, failures=failures)
        assert all(result.wheel.is_file() for result in results)
        return [result.wheel.name.removesuffix(".whl") for result in results]

    def versions(self, name: str) -> list[str]:
        return [minor for built, _, minor in self.built if built == name]


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    return Yard(tmp_path, monkeypatch)


def test_all_targets_and_pythons_in_one_graph(yard: Yard) -> None:
    yard.add("blas", library=True)
    yard.add("num", "blas")
    wheels = yard.build(
        *(yard.request(minor, target, "num") for minor in ("3.13", "3.14") for target in (DEVICE, ARM_SIMULATOR))
    )
    assert wheels == [
        f"num-1.0-{tag}-{tag}-{target.platform_tag}" for tag in ("cp313", "cp314") for target in (DEVICE, ARM_SIMULATOR)
    ]
    assert sorted(yard.versions("blas")) == ["3.13", "3.13"], "once for each target, whatever the Python"
    assert sorted(yard.versions("num")) == ["3.13", "3.13", "3.14", "3.14"]


def test_builds_run_at_the_same_time(yard: Yard) -> None:
    yard.add("one")
    yard.add("two")
    yard.meet = threading.Barrier(2, timeout=20)
    yard.build(yard.request("3.13", DEVICE, "one", "two"))
    assert sorted(name for name, _, _ in yard.built) == ["one", "two"]


def test_a_wheel_for_the_stable_abi_is_built_once(yard: Yard) -> None:
    yard.add("crypto")
    yard.stable.add("crypto")
    wheels = yard.build(*(yard.request(minor, DEVICE, "crypto") for minor in ("3.13", "3.14", "3.15")))
    assert wheels == [f"crypto-1.0-cp313-abi3-{DEVICE.platform_tag}"]
    assert yard.versions("crypto") == ["3.13"]


def test_but_one_that_is_linked_is_built_for_each(yard: Yard) -> None:
    yard.add("headers")
    yard.add("user", "headers")
    yard.stable.add("headers")
    yard.build(*(yard.request(minor, DEVICE, "user", "headers") for minor in ("3.13", "3.14")))
    assert sorted(yard.versions("headers")) == sorted(yard.versions("user")) == ["3.13", "3.14"]


def test_a_failure_for_one_python_leaves_the_others(yard: Yard) -> None:
    yard.add("fragile")
    yard.add("blas", library=True)
    yard.add("num", "blas")
    yard.failing = {("fragile", "3.13")}
    failures: list[Failure] = []
    requests = [yard.request(minor, DEVICE, "fragile", "num") for minor in ("3.13", "3.14")]
    wheels = yard.build(*requests, failures=failures)
    platform = DEVICE.platform_tag
    assert sorted(wheels) == [
        f"fragile-1.0-cp314-cp314-{platform}", f"num-1.0-cp313-cp313-{platform}", f"num-1.0-cp314-cp314-{platform}",
    ]  # fmt: skip
    assert [(failure.subject, failure.because) for failure in failures] == [(f"fragile 1.0 {DEVICE} Python 3.13", "")]


def test_a_failure_is_told_when_it_happens(yard: Yard) -> None:
    """Not at the end of a run that goes on for hours."""
    yard.add("fragile")
    yard.add("num")
    yard.failing = {("fragile", "3.13")}
    request = yard.request("3.13", DEVICE, "fragile", "num")
    write_latest(request.context.home, f"fragile-{DEVICE.multiarch}-3.13", LatestBuild("ab" * 32, 1000.0))  # first
    yard.build(request, failures=[], jobs=1)
    told = [line.partition(" ")[0] if "failed" not in line else line for line in yard.progress.said]
    assert told.index(f"fragile 1.0 {DEVICE}: failed") < told.index("num")


def test_a_requirement_that_failed_for_one_python_is_built_for_the_next(yard: Yard) -> None:
    """It joins the graph when what requires it is there: for the newer Python after it has failed for the older."""
    yard.add("app")
    yard.add("needed")
    yard.requires = {"app": ["needed"]}
    yard.failing = {("needed", "3.13")}
    requests = [yard.request(minor, DEVICE, "app") for minor in ("3.13", "3.14")]
    # It takes long, so that it comes before the other Python's app.
    write_latest(requests[0].context.home, f"needed-{DEVICE.multiarch}-3.13", LatestBuild("ab" * 32, 1000.0))
    failures: list[Failure] = []
    wheels = yard.build(*requests, failures=failures, jobs=1)
    platform = DEVICE.platform_tag
    assert sorted(wheels) == [
        f"app-1.0-cp313-cp313-{platform}", f"app-1.0-cp314-cp314-{platform}", f"needed-1.0-cp314-cp314-{platform}",
    ]  # fmt: skip
    assert [failure.subject for failure in failures] == [f"needed 1.0 {DEVICE} Python 3.13"]


def test_what_links_what_failed_is_skipped_for_every_python(yard: Yard) -> None:
    yard.add("blas", library=True)
    yard.add("num", "blas")
    yard.failing = {("blas", "3.13")}
    failures: list[Failure] = []
    assert yard.build(*(yard.request(m, DEVICE, "num") for m in ("3.13", "3.14")), failures=failures) == []
    assert {failure.subject: failure.because for failure in failures} == {
        f"blas 1.0 {DEVICE}": "",
        f"num 1.0 {DEVICE} Python 3.13": f"blas 1.0 {DEVICE} failed",
        f"num 1.0 {DEVICE} Python 3.14": f"num 1.0 {DEVICE} Python 3.13 was not built",
    }


def test_without_keep_going_the_first_failure_is_raised(yard: Yard) -> None:
    yard.add("good")
    yard.add("bad", "good")
    yard.failing = {("bad", "3.13")}
    results: list[Result] = []
    request = yard.request("3.13", DEVICE, "bad", "good")
    with pytest.raises(BuildError, match="bad does not compile"):
        build_requests([request], yard.store, yard.root / "dist", Recorder(), RunOptions(jobs=1), results=results)
    assert [result.subject for result in results] == [f"good 1.0 {DEVICE}"]


def test_the_second_time_nothing_is_built(yard: Yard) -> None:
    yard.add("blas", library=True)
    yard.add("num", "blas")
    first = yard.build(yard.request("3.13", DEVICE, "num"))
    built = list(yard.built)
    assert yard.build(yard.request("3.13", DEVICE, "num")) == first
    assert yard.built == built
    assert (yard.root / "home" / "latest" / "num-arm64-iphoneos-3.13.json").is_file()
