"""Building through the cache; what builds is a few lines in place of ``build_recipe``."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from forge.audit.rules import rule
from forge.base.errors import BuildError
from forge.crossbuild.context import BuildContext
from forge.crossbuild.recipe_build import BuiltWheel
from forge.plan.builds import build_all, build_one
from forge.plan.cache import entry_directory, find_wheel
from forge.recipe.read import read_recipe
from forge.recipe.store import RecipeStore
from tests.unit.crossbuild.fakes import WHEEL, make_context, write_recipe
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, Recorder

if TYPE_CHECKING:
    from forge.audit.finding import Finding
    from forge.crossbuild.context import Build
    from forge.crossbuild.recipe_build import Verify
    from forge.plan.run import Result
    from forge.recipe.model import EvaluatedRecipe


class Builder:
    """Stands for ``build_recipe``: counts, and makes a file instead of a wheel."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.verified: list[Path] = []
        self.seconds = 0.0
        self.error: BaseException | None = None
        self.warnings: tuple[Finding, ...] = ()

    def __call__(
        self, recipe: EvaluatedRecipe, context: BuildContext, *, key: str, out: Path, verify: Verify, **_: Any
    ) -> BuiltWheel:
        self.keys.append(key)
        log = context.home.logs / "demo.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("the whole log\n")
        wheel = out / f"demo-1.0-cp313-cp313-{recipe.target.platform_tag}.whl"
        wheel.write_bytes(key.encode())
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        build = cast("Build", SimpleNamespace(recipe=recipe, context=context))
        verify(wheel, build, places=(), hint="look")
        return BuiltWheel(wheel, log)

    def verify(self, wheel: Path, recipe: EvaluatedRecipe, python: object, **_: Any) -> tuple[Finding, ...]:
        self.verified.append(wheel)
        return self.warnings


class Forge:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.recipe_directory = write_recipe(root / "recipes")
        self.store = RecipeStore(root / "recipes")
        self.context = make_context(root)
        self.out = root / "dist"

    def build(self, progress: Recorder | None = None) -> Result:
        return build_one(
            read_recipe(self.recipe_directory), DEVICE, self.context, self.store, self.out, progress or Recorder()
        )


@pytest.fixture
def forge(tmp_path: Path) -> Forge:
    return Forge(tmp_path)


def test_built_once_then_taken_from_the_cache(forge: Forge, builder: Builder) -> None:
    progress = Recorder()
    first = forge.build(progress)
    assert (first.built, first.wheel, first.subject) == (True, forge.out / WHEEL, "demo 1.0 arm64-iphoneos")
    assert progress.said[-1] == "demo 1.0 arm64-iphoneos: done"
    content = first.wheel.read_bytes()
    first.wheel.unlink()
    again = forge.build(progress)
    assert (again.built, again.wheel, again.fingerprint) == (False, first.wheel, first.fingerprint)
    assert progress.said[-1] == "demo 1.0 arm64-iphoneos: taken from the cache"
    assert again.wheel.read_bytes() == content
    assert builder.keys == [first.fingerprint]


def test_warnings_are_told_again_for_a_cached_wheel(forge: Forge, builder: Builder) -> None:
    builder.warnings = (rule("large").finding("it is large"),)
    assert forge.build().warnings == builder.warnings
    again = forge.build()
    assert (again.built, again.warnings) == (False, builder.warnings)


def test_the_entry_has_the_whole_log(forge: Forge, builder: Builder) -> None:
    result = forge.build()
    assert (entry_directory(forge.context.home, result.fingerprint) / "build.log").read_text() == "the whole log\n"


def test_a_damaged_entry_is_built_again(forge: Forge, builder: Builder) -> None:
    first = forge.build()
    cached = find_wheel(forge.context.home, first.fingerprint)
    assert cached is not None
    cached.path.write_bytes(b"damaged")
    assert forge.build().built
    assert forge.out.joinpath(WHEEL).read_bytes() == first.fingerprint.encode()


def test_a_changed_source_is_built_again(forge: Forge, builder: Builder) -> None:
    first = forge.build()
    (forge.recipe_directory / "source" / "new.c").touch()
    second = forge.build()
    assert second.built
    assert second.fingerprint != first.fingerprint
    assert second.wheel.read_bytes() == second.fingerprint.encode(), "the output is the new one"


@pytest.mark.parametrize("error", [BuildError("no"), OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_build_leaves_nothing(forge: Forge, builder: Builder, error: BaseException) -> None:
    builder.error = error
    with pytest.raises(type(error)):
        forge.build()
    assert not forge.out.exists()
    assert [path for path in forge.context.home.wheels.rglob("*") if path.is_file()] == []
    builder.error = None
    assert forge.build().built


def test_an_output_that_is_there_is_replaced_in_one_step(forge: Forge, builder: Builder) -> None:
    forge.out.mkdir()
    (forge.out / WHEEL).write_bytes(b"of yesterday")
    with (forge.out / WHEEL).open("rb") as reader:
        result = forge.build()
        assert reader.read() == b"of yesterday", "who reads the old one reads it whole"
    assert result.wheel.read_bytes() == result.fingerprint.encode()
    assert [path.name for path in forge.out.iterdir()] == [WHEEL]


def test_all_of_them_in_order(forge: Forge, builder: Builder) -> None:
    python = forge.context.python
    both = tuple((target.multiarch, "same") for target in (DEVICE, ARM_SIMULATOR))
    context = BuildContext(
        forge.context.home,
        forge.context.toolchain,
        type(python)(python.root, python.version, (DEVICE, ARM_SIMULATOR), both),
        forge.context.build_python,
    )
    recipe = read_recipe(forge.recipe_directory)
    results = build_all([recipe], [ARM_SIMULATOR, DEVICE], context, forge.store, forge.out, Recorder())
    assert [r.subject for r in results] == ["demo 1.0 arm64-iphonesimulator", "demo 1.0 arm64-iphoneos"]
    assert all(r.wheel.is_file() for r in results)
    assert len({r.fingerprint for r in results}) == 2


def test_two_threads_at_once_build_once(forge: Forge, builder: Builder) -> None:
    builder.seconds = 0.2
    results: list[Result] = []
    threads = [threading.Thread(target=lambda: results.append(forge.build())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result.built for result in results) == [False, False, True]
    assert len(builder.keys) == 1


def test_a_variant_is_another_wheel(forge: Forge, builder: Builder) -> None:
    file = forge.recipe_directory / "recipe.yaml"

    def build(*variants: str) -> Result:
        recipe = read_recipe(forge.recipe_directory)
        return build_one(recipe, DEVICE, forge.context, forge.store, forge.out, Recorder(), variants)

    before = build()
    settings = "setuptools\n  env: {WAY: {value: other, when: {variant: other}}}\nvariants: {other: {summary: x}}\n"
    file.write_text(file.read_text().replace("setuptools\n", settings))
    assert not build().built, "what a recipe can be besides is no other wheel"
    other = build("other")
    assert other.built
    assert other.fingerprint != before.fingerprint
    assert not build("other").built


TWO = """
import sys
from pathlib import Path
from forge.plan import run
from tests.unit.plan.test_plan_run import Builder, Forge
root = Path(sys.argv[1])
run.build_recipe = builder = Builder()
run.verify_wheel = builder.verify
builder.seconds = 0.5
forge = object.__new__(Forge)
forge.root, forge.recipe_directory, forge.out = root, root / "recipes" / "demo", root / "dist"
from tests.unit.crossbuild.fakes import make_context
from forge.recipe.store import RecipeStore
forge.context, forge.store = make_context(root), RecipeStore(root / "recipes")
print("ready", flush=True)
sys.stdin.readline()
print(forge.build().built)
"""


def test_two_processes_at_once_build_once(forge: Forge) -> None:
    checkout = str(Path(__file__).parents[3])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TWO, str(forge.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": checkout},
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=20)[0] for process in processes)
    assert said == ["False\n", "True\n"]
    assert (forge.out / WHEEL).is_file()
