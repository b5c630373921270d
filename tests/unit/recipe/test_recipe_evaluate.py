"""A recipe for one target and Python, and its digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import RecipeError
from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.recipe import (
    Backend,
    EvaluatedRecipe,
    GitPin,
    InvalidRecipeError,
    PathPin,
    SdistPin,
    Trial,
    UrlPin,
    digest_input,
    evaluate,
)

from .conftest import GOOD, SHA

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import LoadRecipe

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.X86_64, IOSVersion(13))

WHOLE = f"""\
schema: 2
package: {{name: Demo, version: "1.0"}}
about: {{homepage: "https://example.org", license: MIT, summary: A demonstration}}
source:
  url: ["https://example.org/${{name}}-${{version}}.zip", "debian:pool/main/d/demo_${{version}}.orig.tar.xz"]
  sha256: {SHA}
  patches:
    - patches/0001.patch
    - {{value: "patches/${{abi}}.patch", when: {{abi: iphonesimulator}}}}
build:
  backend: meson-python
  requires: ["cython>=3", {{value: "ninja", when: {{python: ">=3.14"}}}}]
  config_settings:
    setup-args: [-Da=1, {{value: "-Darch=${{arch}}", when: {{arch: [x86_64]}}}}]
    one: text
    none: {{value: x, when: {{ios_version: ">=20"}}}}
  env:
    TAG: ${{platform_tag}}
    LITERAL: $${{HOME}}
    SIM: {{value: "1", when: {{abi: [iphonesimulator]}}}}
requirements: {{host: [numpy]}}
test:
  imports: [demo]
  requires: [hypothesis]
  files: [tests/test_demo.py]
  suite: {{args: [--pyargs, "${{name}}"], requires: ["demo-data==${{version}}"], source: [tests], directory: tests}}
"""
PATCHES = {
    "patches/0001.patch": "1",
    "patches/iphonesimulator.patch": "2",
    "tests/test_demo.py": "",
    "extension-modules.txt": "demo._a all\ndemo._b x86_64-iphonesimulator # SSE\n",
}


def test_device(load: LoadRecipe) -> None:
    recipe = load(WHOLE, files=PATCHES)
    evaluated = evaluate(recipe, DEVICE, "3.13")
    assert evaluated == EvaluatedRecipe(
        recipe=recipe,
        target=DEVICE,
        python="3.13",
        source=UrlPin(("https://example.org/Demo-1.0.zip", "debian:pool/main/d/demo_1.0.orig.tar.xz"), SHA),
        patches=(recipe.directory / "patches/0001.patch",),
        requires=("cython>=3",),
        config_settings={"setup-args": ("-Da=1",), "one": ("text",)},
        env={"TAG": "ios_12_0_arm64_iphoneos", "LITERAL": "${HOME}"},
        host=("numpy",),
        extensions=("demo._a",),
        trial=Trial(
            imports=("demo",),
            requires=("hypothesis",),
            files=(str(recipe.directory / "tests/test_demo.py"),),
            suite_requires=("demo-data==1.0",),
            suite_source=("tests",),
            suite_directory=("tests",),
            suite_args=("--pyargs", "Demo"),
        ),
    )
    assert (evaluated.name, evaluated.normalized_name, evaluated.version) == ("Demo", "demo", "1.0")
    assert (evaluated.backend, evaluated.native) == (Backend.MESON_PYTHON, True)
    assert evaluated.about.summary == "A demonstration"


def test_libraries_are_patterns_of_dotted_names(load: LoadRecipe) -> None:
    recipe = load(GOOD + "wheel: {libraries: ['Crypto.*._raw_*', {value: 'a.[bc]?', when: {abi: iphonesimulator}}]}\n")
    device, simulator = (evaluate(recipe, target, "3.13") for target in (DEVICE, SIMULATOR))
    assert device.libraries == ("Crypto.*._raw_*",)
    assert simulator.libraries == ("Crypto.*._raw_*", "a.[bc]?")
    assert digest_input(device)["libraries"] == ["Crypto.*._raw_*"]
    assert "libraries" not in digest_input(evaluate(load(GOOD), DEVICE, "3.13"))


def test_simulator(load: LoadRecipe) -> None:
    evaluated = evaluate(load(WHOLE, files=PATCHES), SIMULATOR, "3.14")
    assert [patch.name for patch in evaluated.patches] == ["0001.patch", "iphonesimulator.patch"]
    assert evaluated.requires == ("cython>=3", "ninja")
    assert evaluated.config_settings["setup-args"] == ("-Da=1", "-Darch=x86_64")
    assert evaluated.env["TAG"] == "ios_13_0_x86_64_iphonesimulator"
    assert evaluated.env["SIM"] == "1"
    assert evaluated.extensions == ("demo._a", "demo._b")


def test_a_patch_named_by_a_variable_must_exist_when_it_counts(load: LoadRecipe) -> None:
    recipe = load(
        WHOLE,
        files={
            "patches/0001.patch": "1",
            "tests/test_demo.py": "",
            "extension-modules.txt": "demo._a all\ndemo._b x86_64-iphonesimulator # SSE\n",
        },
    )
    evaluate(recipe, DEVICE, "3.13")
    with pytest.raises(InvalidRecipeError, match=r"yaml:9:15: there is no patch 'patches/iphonesimulator.patch'"):
        evaluate(recipe, SIMULATOR, "3.13")


@pytest.mark.parametrize("python", ["3", "3.13.1", "cp313", "", "3.x"])
def test_python_must_be_major_and_minor(load: LoadRecipe, python: str) -> None:
    with pytest.raises(RecipeError, match="not a Python version"):
        evaluate(load(GOOD), DEVICE, python)


@pytest.mark.parametrize(
    ("source", "pin"),
    [
        (f"sdist: {{sha256: {SHA}, filename: '${{name}}.zip'}}", SdistPin(SHA, "demo.zip")),
        (
            f"git: {{url: 'https://example.org/${{name}}', revision: {'1a' * 20}}}",
            GitPin("https://example.org/demo", "1a" * 20),
        ),
    ],
)
def test_sources(load: LoadRecipe, source: str, pin: object) -> None:
    recipe = load(GOOD.replace(f"sdist: {{sha256: {SHA}}}", source))
    assert evaluate(recipe, DEVICE, "3.13").source == pin


def test_a_path_is_relative_to_the_recipe(load: LoadRecipe, tmp_path: Path) -> None:
    recipe = load(GOOD.replace(f"sdist: {{sha256: {SHA}}}", "path: ../../${name}"))
    assert evaluate(recipe, DEVICE, "3.13").source == PathPin(str(tmp_path / "demo"))


def test_digest_is_json(load: LoadRecipe) -> None:
    evaluated = evaluate(load(WHOLE, files=PATCHES), SIMULATOR, "3.14")
    assert json.loads(json.dumps(digest_input(evaluated))) == digest_input(evaluated)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A demonstration", "Another"),
        ("imports: [demo]", "imports: [demo.x]"),
        ("https://example.org/$", "https://example.net/$"),
        ("when: {python: '>=3.14'}", "when: {python: '>=3.15'}"),
        ("test:", "# a comment\ntest:"),
    ],
)
def test_what_cannot_change_the_wheel_does_not_change_the_digest(load: LoadRecipe, old: str, new: str) -> None:
    before = digest_input(evaluate(load(WHOLE, files=PATCHES), DEVICE, "3.13"))
    assert digest_input(evaluate(load(WHOLE.replace(old, new)), DEVICE, "3.13")) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.0", "1.1"),
        (SHA, "cd" * 32),
        ("-Da=1", "-Da=2"),
        ("cython>=3", "cython>=3.1"),
        ("[numpy]", "[]"),
        ("TAG:", "LABEL:"),
        ("    - patches/0001.patch\n", ""),
    ],
)
def test_what_can_change_the_wheel_changes_the_digest(load: LoadRecipe, old: str, new: str) -> None:
    before = digest_input(evaluate(load(WHOLE, files=PATCHES), DEVICE, "3.13"))
    assert digest_input(evaluate(load(WHOLE.replace(old, new)), DEVICE, "3.13")) != before


def test_the_table_counts_as_it_is_for_the_target(load: LoadRecipe) -> None:
    before = digest_input(evaluate(load(WHOLE, files=PATCHES), DEVICE, "3.13"))
    for table, same in (
        ("# A comment\ndemo._a all", True),
        ("demo._a arm64-iphoneos\ndemo._c none", True),
        ("", False),
    ):
        changed = load(WHOLE, files={**PATCHES, "extension-modules.txt": table})
        assert (digest_input(evaluate(changed, DEVICE, "3.13")) == before) is same, table


def test_the_target_does_not_change_the_digest_of_a_pure_wheel(load: LoadRecipe) -> None:
    native, pure = load(GOOD), load(GOOD + "wheel: {native: false}\n")
    assert digest_input(evaluate(native, DEVICE, "3.13")) != digest_input(evaluate(native, SIMULATOR, "3.13"))
    assert digest_input(evaluate(pure, DEVICE, "3.13")) == digest_input(evaluate(pure, SIMULATOR, "3.13"))
    assert digest_input(evaluate(pure, DEVICE, "3.13")) != digest_input(evaluate(native, DEVICE, "3.13"))


def test_patches_and_lock_count_by_content(load: LoadRecipe) -> None:
    evaluated = evaluate(load(WHOLE, files=PATCHES), DEVICE, "3.13")
    before = digest_input(evaluated)
    evaluated.patches[0].write_text("other")
    after = digest_input(evaluated)
    assert after != before
    evaluated.lock_file.write_text("x")
    assert digest_input(evaluated) != after
    evaluated.patches[0].unlink()
    with pytest.raises(RecipeError, match=r"cannot read recipes/demo/patches/0001\.patch"):
        digest_input(evaluated)


def test_a_local_source_counts_by_content(load: LoadRecipe, tmp_path: Path) -> None:
    recipe = load(GOOD.replace(f"sdist: {{sha256: {SHA}}}", "path: ../../src"))
    evaluated = evaluate(recipe, DEVICE, "3.13")
    with pytest.raises(RecipeError, match="cannot read src"):
        digest_input(evaluated)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").write_text("1")
    before = digest_input(evaluated)
    (tmp_path / "src" / "a").write_text("2")
    assert digest_input(evaluated) != before


def test_a_module_named_py(load: LoadRecipe) -> None:
    """As blis has one: it is no file's name that somebody wrote for a module's."""
    recipe = load(GOOD + "test: {imports: [demo.py]}\n")
    assert evaluate(recipe, DEVICE, "3.13").trial.imports == ("demo.py",)
