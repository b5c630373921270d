"""Variants: chosen for a whole build, taken by the recipes that declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.base.errors import RecipeError
from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.recipe import InvalidRecipeError, Variant, check_variants, digest_input, evaluate, parse_recipe

from .conftest import GOOD

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from .conftest import LoadRecipe

OLD = Target(Abi.IPHONEOS, Arch.ARM64)
NEW = Target(Abi.IPHONEOS, Arch.ARM64, IOSVersion(16, 4))

LINES = """\
  requires: [cython, {value: ninja, when: {variant: fast}}]
  config_settings:
    blas:
      - {value: own, when: {variant: default}}
      - {value: system, when: {variant: fast}}
      - {value: none, when: {variant: small}}
    tiny: {value: "1", when: {variant: [fast, small], arch: arm64}}
  env: {FAST: {value: "1", when: {variant: fast}}, PLAIN: {value: "1", when: {variant: default}}}
requirements:
  host: [{value: openblas, when: {variant: default}}, {value: accelerate, when: {variant: fast}}]
test:
  suite: {args: [tests, {value: --fast, when: {variant: fast}}]}
variants:
  fast: {summary: With the system's BLAS, ios_version: ">=16.4"}
  small:
    summary: Without a BLAS
    ios_version: ["==12.0", ">=14"]
  same: {summary: Nothing else}
"""
TEXT = GOOD + LINES
WITHOUT = (
    GOOD
    + """\
  requires: [cython]
  config_settings: {blas: own}
  env: {PLAIN: "1"}
requirements: {host: [openblas]}
test: {suite: {args: [tests]}}
"""
)


def test_what_a_recipe_declares(load: LoadRecipe) -> None:
    assert load(TEXT).variants == (
        Variant("fast", "With the system's BLAS", (">=16.4",)),
        Variant("small", "Without a BLAS", ("==12.0", ">=14")),
        Variant("same", "Nothing else"),
    )
    assert load(GOOD).variants == ()


def test_without_one_a_recipe_is_as_though_it_declared_none(load: LoadRecipe) -> None:
    with_variants, without = evaluate(load(TEXT), NEW, "3.13"), evaluate(load(WITHOUT), NEW, "3.13")
    assert with_variants.variants == ()
    assert digest_input(with_variants) == digest_input(without)
    assert with_variants.trial == without.trial


def test_a_variant(load: LoadRecipe) -> None:
    evaluated = evaluate(load(TEXT), NEW, "3.13", ["fast"])
    assert evaluated.variants == ("fast",)
    assert evaluated.requires == ("cython", "ninja")
    assert evaluated.config_settings == {"blas": ("system",), "tiny": ("1",)}
    assert evaluated.env == {"FAST": "1"}
    assert evaluated.host == ("accelerate",)
    assert evaluated.trial.suite_args == ("tests", "--fast")


def test_several(load: LoadRecipe) -> None:
    evaluated = evaluate(load(TEXT), NEW, "3.13", ["small", "fast", "of another recipe"])
    assert evaluated.variants == ("fast", "small"), "in the recipe's order"
    assert evaluated.config_settings["blas"] == ("system", "none")


def test_the_digest_differs_where_the_build_does(load: LoadRecipe) -> None:
    recipe = load(TEXT)
    digests = [digest_input(evaluate(recipe, NEW, "3.13", chosen)) for chosen in ((), ("fast",), ("small",))]
    assert all(one != other for number, one in enumerate(digests) for other in digests[:number])
    other = digest_input(evaluate(recipe, NEW, "3.13", ("of another recipe",)))
    assert other == digests[0]


@pytest.mark.parametrize("chosen", [(), ("fast",), ("fast", "small", "same"), ("same",)])
def test_variants_that_can_be_had(load: LoadRecipe, chosen: tuple[str, ...]) -> None:
    check_variants(chosen, [load(GOOD), load(TEXT)], NEW)


@pytest.mark.parametrize("name", ["fats", "zzzzzz", "default"])
def test_a_variant_that_nobody_declares(load: LoadRecipe, name: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(RecipeError) as caught:
        check_variants(["fast", name], [load(TEXT), load(GOOD)], NEW)
    assert (caught.value.message, caught.value.hint) == snapshot


def test_a_variant_where_there_are_none(load: LoadRecipe, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(RecipeError) as caught:
        check_variants(["fast"], [load(GOOD)], NEW)
    assert (caught.value.message, caught.value.hint) == snapshot


def test_a_variant_that_the_target_does_not_admit(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    recipe = parse_recipe(TEXT.encode(), tmp_path / "demo" / "recipe.yaml")
    middle = Target(Abi.IPHONEOS, Arch.ARM64, IOSVersion(13))
    with pytest.raises(InvalidRecipeError) as caught:
        check_variants(["small", "same", "fast"], [recipe], middle)
    assert caught.value.message.replace(str(tmp_path), "TMP") == snapshot


def test_a_specifier_admits_what_it_says(load: LoadRecipe) -> None:
    check_variants(["small"], [load(TEXT)], OLD)
    with pytest.raises(InvalidRecipeError, match=r"'fast' is for iOS >=16\.4, not 12\.0"):
        check_variants(["fast"], [load(TEXT)], OLD)
