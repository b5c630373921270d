"""``forge lock --wheel``: the table of extension modules from wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.authoring.extension_modules import merged
from forge.recipe.extension_table import MULTIARCHES, Row
from forge.recipe.values import When
from tests.unit.crossbuild.fakes import RECIPE, write_recipe
from tests.unit.macho.builder import LOAD, PYTHON, macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

DEVICE, ARM, X86 = MULTIARCHES
TAGS = {
    DEVICE: "cp313-cp313-ios_12_0_arm64_iphoneos",
    ARM: "cp313-cp313-ios_12_0_arm64_iphonesimulator",
    X86: "cp313-cp313-ios_12_0_x86_64_iphonesimulator",
}


def wheel(root: Path, target: str, *modules: str, python: str = "313", name: str = "demo", version: str = "1.0") -> str:
    (root / f"w{python}").mkdir(exist_ok=True)
    files = {f"demo/{module}.cpython-{python}-{target.split('-')[1]}.so": b"" for module in modules}
    tag = TAGS.get(target, target).replace("313", python)
    return str(make_wheel(root / f"w{python}", files, name=name, version=version, tag=tag))


class TestMerged:
    def test_nothing_was_said_before(self) -> None:
        assert merged((), {DEVICE: {"a"}, X86: {"a", "b"}}) == (Row("a"), Row("b", (ARM, X86)))

    def test_targets_without_a_wheel_stay(self) -> None:
        before = (Row("a", (DEVICE, ARM)), Row("b", (X86,), comment="SSE"))
        assert merged(before, {DEVICE: {"b"}}) == (Row("a", (ARM,)), Row("b", (DEVICE, X86), comment="SSE"))

    def test_what_is_gone_goes(self) -> None:
        assert merged((Row("a"), Row("b")), {target: {"a"} for target in MULTIARCHES}) == (Row("a"),)

    def test_what_was_left_out_stays_so_unless_a_wheel_has_it(self) -> None:
        before = (Row("a", (), comment="no processes"), Row("b", ()))
        assert merged(before, {DEVICE: {"b"}}) == (before[0], Row("b", (DEVICE,)))

    def test_lines_with_conditions_are_a_persons(self) -> None:
        before = (Row("a", (DEVICE,), When(python=(">=3.14",))),)
        assert merged(before, {DEVICE: set(), X86: {"a"}}) == before


def test_what_modules_load_is_none(forge: Forge) -> None:
    recipe = write_recipe(forge.root / "recipes")
    library = "@rpath/demo._dylibs.libx.framework/demo._dylibs.libx"
    files = {
        "demo/_x.cpython-313-iphoneos.so": macho(exports=("_PyInit__x",), loads=((PYTHON, LOAD), (library, LOAD))),
        "demo/_dylibs/libx.so": macho(install_name=library),
    }
    made = make_wheel(forge.root, files, name="demo", tag=TAGS[DEVICE])
    assert forge("lock", "demo", f"--wheel={made}").code == 0
    assert (recipe / "extension-modules.txt").read_text().splitlines()[2:] == ["demo._x  all"]


def test_libraries_are_not_modules(forge: Forge) -> None:
    text = RECIPE + "wheel: {libraries: [demo._raw*]}\n"
    recipe = write_recipe(forge.root / "recipes", text=text)
    assert forge("lock", "demo", f"--wheel={wheel(forge.root, DEVICE, '_x', '_raw_aes')}").code == 0
    lines = [line.split() for line in (recipe / "extension-modules.txt").read_text().splitlines()[2:]]
    assert lines == [["demo._x", "all"]]


def test_lock_from_wheels(forge: Forge) -> None:
    recipe = write_recipe(forge.root / "recipes")
    (recipe / "extension-modules.txt").write_text("demo._x all # fast\ndemo._fork none # no processes\n")
    wheels = [
        wheel(forge.root, DEVICE, "_x"),
        wheel(forge.root, X86, "_x", "_sse"),
        wheel(forge.root, DEVICE, "_x", python="314"),
    ]
    said = forge("lock", "demo", *(f"--wheel={each}" for each in wheels))
    assert (said.code, said.out) == (
        0, "recipes/demo/extension-modules.txt: modules by target: arm64-iphoneos 1, x86_64-iphonesimulator 2\n"
    )  # fmt: skip
    lines = [line.split() for line in (recipe / "extension-modules.txt").read_text().splitlines()[2:]]
    assert lines == [
        ["demo._fork", "none", "#", "no", "processes"],
        ["demo._sse", f"{ARM},{X86}"],
        ["demo._x", "all", "#", "fast"],
    ]
    assert forge("lock", "demo", "demo", "--wheel", wheels[0]).code == 0
    assert forge("lock", "demo", "--wheel", *wheels).out == said.out, "as a shell writes dist/*.whl"


def test_wheels_that_do_not_fit(forge: Forge, snapshot: SnapshotAssertion) -> None:
    recipe = write_recipe(forge.root / "recipes")
    before = (recipe / "extension-modules.txt").read_text()
    cases = {
        "another project": [wheel(forge.root, DEVICE, name="other")],
        "another version": [wheel(forge.root, DEVICE, version="2.0")],
        "not for iOS": [wheel(forge.root, "cp313-cp313-macosx_11_0_arm64", "_x")],
        "two that differ": [wheel(forge.root, DEVICE, "_x"), wheel(forge.root, DEVICE, "_x", "_y", python="314")],
        "no wheel": [str(recipe / "recipe.yaml")],
    }
    said = {case: forge("lock", "demo", *(f"--wheel={each}" for each in wheels)) for case, wheels in cases.items()}
    assert {case: (each.code, each.err) for case, each in said.items()} == snapshot
    assert (recipe / "extension-modules.txt").read_text() == before


@pytest.mark.usefixtures("no_toolchain")
def test_the_table_is_checked(forge: Forge) -> None:
    recipe = write_recipe(forge.root / "recipes")
    (recipe / "extension-modules.txt").write_text("demo._x all\ndemo._y arm64-iphoneos\n")
    said = forge("build", "demo", "--abi", "iphoneos")
    assert said.code != 0
    assert "demo._y is missing; the wheel's extensions: demo._x" in said.err
    (recipe / "extension-modules.txt").write_text("demo._x all\ndemo._y x86_64-iphonesimulator\n")
    assert forge("build", "demo", "--abi", "iphoneos").code == 0
