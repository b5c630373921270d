"""Built wheels against their recipes, and those in the cache against checks that came later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import WheelError
from forge.base.hashing import fingerprint
from forge.crossbuild import recipe_build
from forge.plan import run as run_module
from forge.plan.builds import build_one
from forge.plan.fingerprint import build_inputs
from forge.plan.verify import verify_wheel
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from forge.recipe.store import RecipeStore
from tests.unit.crossbuild.fakes import MODULE, make_context, no_cross_environment, write_recipe
from tests.unit.ios_python.fakes import DEVICE, Recorder
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.crossbuild.context import BuildContext


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildContext:
    monkeypatch.setattr(recipe_build, "ensure_cross_environment", no_cross_environment)
    return make_context(tmp_path)


@pytest.mark.parametrize(
    "wheel",
    [
        {"files": {}, "tag": "py3-none-any"},
        {"files": {MODULE: macho(exports=("_PyInit__x",))}, "tag": "cp313-cp313-ios_13_0_arm64_iphoneos"},
        {"files": {"demo/_y.cpython-313-iphoneos.so": macho(exports=("_PyInit__y",))}},
    ],
    ids=["pure", "another minimum", "an extension missing"],
)
def test_a_wheel_that_is_not_as_promised(
    tmp_path: Path, context: BuildContext, wheel: dict[str, object], snapshot: SnapshotAssertion
) -> None:
    directory = write_recipe(tmp_path / "recipes", **wheel)  # type: ignore[arg-type]  # its own fields
    store = RecipeStore(tmp_path / "recipes")
    with pytest.raises(WheelError) as error:
        build_one(read_recipe(directory), DEVICE, context, store, tmp_path / "out", Recorder())
    key = fingerprint(build_inputs(evaluate(read_recipe(directory), DEVICE, "3.13"), context))
    text = f"{error.value}\nhint: {error.value.hint}".replace(str(tmp_path), "TMP").replace(key[:12], "0123456789ab")
    assert text == snapshot
    assert not (tmp_path / "out").exists()
    (work,) = context.home.work.iterdir()
    assert (work / "enter").is_file(), "kept, to look at"


LIBRARY = """\
schema: 2
package: {name: libdemo, version: "1.2"}
source: {path: .}
build: {backend: script, script: ["true"]}
"""


@pytest.mark.parametrize(
    ("promised", "files", "tag", "message"),
    [
        ("", {"opt/include/demo.h": b"#define DEMO 1\n"}, f"py3-none-{DEVICE.platform_tag}", "nothing compiled"),
        ("wheel: {native: false}\n", {"opt/lib/libdemo.a": b"!<arch>\n"}, "py3-none-any", "promises a pure wheel"),
    ],
)
def test_libraries_that_are_not_as_promised(
    promised: str, files: dict[str, bytes], tag: str, message: str, tmp_path: Path, context: BuildContext
) -> None:
    directory = tmp_path / "recipes" / "libdemo"
    directory.mkdir(parents=True)
    (directory / "recipe.yaml").write_text(LIBRARY + promised)
    recipe = evaluate(read_recipe(directory), DEVICE, "3.13")
    wheel = make_wheel(tmp_path, files, name="libdemo", version="1.2", tag=tag)
    with pytest.raises(WheelError, match=message) as error:
        verify_wheel(wheel, recipe, context.python, hint="see the build log")
    of_headers = "if the library has headers only, set 'native: false' under 'wheel'; "
    assert error.value.hint == ("" if promised else of_headers) + "see the build log"


def test_a_wheel_that_newer_checks_find_fault_with_is_not_shipped(
    tmp_path: Path, context: BuildContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = write_recipe(tmp_path / "recipes")
    store, progress = RecipeStore(tmp_path / "recipes"), Recorder()

    def build(out: str) -> bool:
        return build_one(read_recipe(directory), DEVICE, context, store, tmp_path / out, progress).built

    assert build("first")
    assert not build("second")
    assert "demo 1.0 arm64-iphoneos: check again" not in progress.said

    monkeypatch.setattr(run_module, "checks_digest", lambda: "newer")
    assert not build("third")
    assert progress.said.count("demo 1.0 arm64-iphoneos: check again") == 1
    assert not build("fourth")
    assert progress.said.count("demo 1.0 arm64-iphoneos: check again") == 1, "what was checked is checked no more"

    def refuse(*_: object, hint: str, **__: object) -> None:
        raise WheelError("it has a fault that nobody knew of", hint=hint)

    monkeypatch.setattr(run_module, "checks_digest", lambda: "newest")
    monkeypatch.setattr(run_module, "verify_wheel", refuse)
    with pytest.raises(WheelError, match="nobody knew of") as caught:
        build("fifth")
    assert "build.log" in (caught.value.hint or "")
    assert not (tmp_path / "fifth").exists()
