"""Conditions and variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.target import Abi, Arch, IOSVersion, Target, select_targets
from forge.recipe.diagnostics import Location
from forge.recipe.values import VARIABLE_NAMES, Variables, When, expand, variable_problems

TARGETS = st.sampled_from(select_targets()) | st.sampled_from(select_targets(ios_version=IOSVersion(15, 4)))
PYTHONS = st.sampled_from(["3.12", "3.13", "3.14", "3.15"])
VARIABLES = st.builds(lambda target, python: Variables.of("demo", "1.2", target, python), TARGETS, PYTHONS)
DEVICE = Variables.of("lru-dict", "1.4.1", Target(Abi.IPHONEOS, Arch.ARM64), "3.13")
HERE = Location("x.yaml", 1)


@pytest.mark.parametrize(
    ("when", "holds"),
    [
        (When(), True),
        (When(abi=("iphoneos",)), True),
        (When(abi=("iphonesimulator",)), False),
        (When(abi=("iphonesimulator", "iphoneos")), True),
        (When(arch=("arm64",), abi=("iphonesimulator",)), False),
        (When(python=(">=3.13",)), True),
        (When(python=(">=3.9,<3.13",)), False),
        (When(python=("<3.10", "==3.13")), True),
        (When(ios_version=("<13",)), True),
        (When(ios_version=(">=12.1",)), False),
    ],
)
def test_condition(when: When, holds: bool) -> None:
    assert when.holds(DEVICE) is holds


@pytest.mark.parametrize(
    ("variant", "chosen", "holds"),
    [
        ((), (), True),
        ((), ("fast",), True),
        (("fast",), (), False),
        (("fast",), ("fast",), True),
        (("fast",), ("slow", "fast"), True),
        (("fast", "slow"), ("slow",), True),
        (("default",), (), True),
        (("default",), ("fast",), False),
        (("default", "fast"), ("fast",), True),
        (("default", "fast"), ("slow",), False),
    ],
)
def test_variant(variant: tuple[str, ...], chosen: tuple[str, ...], holds: bool) -> None:
    assert When(variant=variant).holds(DEVICE, chosen) is holds


@given(st.lists(st.sampled_from(["fast", "slow", "small"]), unique=True))
def test_default_is_none_of_them(chosen: list[str]) -> None:
    any_of_them = When(variant=("fast", "slow", "small"))
    assert When(variant=("default",)).holds(DEVICE, chosen) is not any_of_them.holds(DEVICE, chosen)


@given(VARIABLES, PYTHONS, st.sampled_from(list(Abi)), st.sampled_from(list(Arch)))
def test_every_key_must_hold(variables: Variables, python: str, abi: Abi, arch: Arch) -> None:
    parts = [When(abi=(abi,)), When(arch=(arch,)), When(python=(f"=={python}",))]
    whole = When(abi=(abi,), arch=(arch,), python=(f"=={python}",))
    assert whole.holds(variables) is all(part.holds(variables) for part in parts)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${name}-${version}", "lru-dict-1.4.1"),
        ("${abi} ${arch} ${multiarch}", "iphoneos arm64 arm64-iphoneos"),
        ("${platform_tag}", "ios_12_0_arm64_iphoneos"),
        ("${ios_version} ${python_version}", "12.0 3.13"),
        ("$${name}", "${name}"),
        ("$$${name}", "$${name}"),
        ("$name $ {name} $(name) $$", "$name $ {name} $(name) $$"),
    ],
)
def test_expansion(text: str, expanded: str) -> None:
    assert not variable_problems(text, HERE)
    assert expand(text, DEVICE) == expanded


@given(st.text(), VARIABLES)
def test_text_expands_exactly_if_nothing_is_wrong_with_it(text: str, variables: Variables) -> None:
    if variable_problems(text, HERE):
        with pytest.raises(KeyError):
            expand(text, variables)
    else:
        expand(text, variables)


@given(st.text(), VARIABLES)
def test_escaped_text_expands_to_itself(text: str, variables: Variables) -> None:
    assert expand(text.replace("${", "$${"), variables) == text


@given(st.lists(st.sampled_from(VARIABLE_NAMES) | st.text(st.characters(exclude_characters="${}"))), VARIABLES)
def test_known_variables_expand_to_their_values(parts: list[str], variables: Variables) -> None:
    text = "".join(f"${{{part}}}" if part in VARIABLE_NAMES else part for part in parts)
    wanted = "".join(str(getattr(variables, part)) if part in VARIABLE_NAMES else part for part in parts)
    assert expand(text, variables) == wanted


def test_the_caret_is_under_each_variable() -> None:
    line = 'FLAGS: "-a ${aa} ${bb"'
    problems = variable_problems("-a ${aa} ${bb", Location("x", 1, 8, 15, line))
    assert [line[p.where.column - 1 :][: p.where.width] for p in problems] == ["${aa}", "${"]
