"""YAML with positions, for any text."""

from __future__ import annotations

import contextlib

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import InvalidRecipeError
from forge.recipe.document import parse_document
from tests.unit.effort import cases

YAMLISH = st.text(st.sampled_from(list("ab1.:-?&*!|>'\"%@`#{}[],<= \n\t~\\\r\x85\u2028é日\0")), max_size=60)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=6), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=cases(100))
@given(YAMLISH | st.text())
@example("%YAML 9" + "9" * 5000 + ".1\n---\na")
@example('"\\U00110000"')
@example("&a a: *a")
@example("!<tag:yaml.org,2002:int> x")
@example("a: 0b_\nb: 0x_")
@example("[" * 5000)
@example("- " * 5000)
@example("a: 1" + "0" * 5000)
@example("=: =")
@example("a: !!int\nb: !!float\nc: !!bool\nd: !!null x\ne: !!timestamp")
@example("\ufeffa: b")
def test_any_text_gives_data_or_a_recipe_error(text: str) -> None:
    with contextlib.suppress(RecipeError):
        document = parse_document(text.encode(errors="surrogatepass"), "x.yaml")
        assert set(document.keys) <= set(document.values)


@settings(max_examples=cases(100))
@given(st.binary(max_size=60))
def test_any_bytes_give_data_or_a_recipe_error(content: bytes) -> None:
    with contextlib.suppress(RecipeError):
        parse_document(content, "x.yaml")


@settings(max_examples=100)
@given(PLAIN)
def test_what_yaml_writes_is_read_back(data: object) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    with contextlib.suppress(InvalidRecipeError):  # an empty document, or a null as key
        document = parse_document(text.encode(), "x.yaml")
        if not document.problems:
            assert document.data == data


@settings(max_examples=100)
@given(st.dictionaries(st.from_regex(r"k[a-z]{1,5}", fullmatch=True), st.integers(0, 9), min_size=1))
def test_keys_and_values_are_where_they_stand(data: dict[str, int]) -> None:
    document = parse_document(yaml.safe_dump(data).encode(), "x.yaml")
    for key, value in data.items():
        at_key, at_value = document.key_at((key,)), document.value_at((key,))
        assert at_key.text[at_key.column - 1 :].startswith(f"{key}: {value}")
        assert at_value.text[at_value.column - 1 :] == str(value)
        assert at_key.width == len(key)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("no", False),
        ("On", True),
        ("3.10", 3.1),
        ("1_000", 1000),
        ("0x10", 16),
        ("~", None),
        ('"3.10"', "3.10"),
        ("!!str 3.10", "3.10"),
        ("=", "="),
    ],
)
def test_yaml_1_1_scalars(text: str, data: object) -> None:
    assert parse_document(f"a: {text}".encode(), "x.yaml").data == {"a": data}


def test_aliases_are_expanded() -> None:
    document = parse_document(b"a: &x {b: c}\nd: *x\n", "x.yaml")
    assert document.data == {"a": {"b": "c"}, "d": {"b": "c"}}
    assert document.value_at(("d", "b")).line == 1
