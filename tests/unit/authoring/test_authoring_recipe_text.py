"""Whatever a draft holds, its text is a recipe that says that."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from forge.authoring.draft import Draft, DraftTests, Item
from forge.authoring.recipe_text import MARK, recipe_text, scalar
from forge.recipe.document import parse_document
from forge.recipe.model import Backend, Language
from forge.recipe.read import parse_recipe

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=200)
VALUES = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), min_size=1).filter(
    lambda text: "${" not in text and text.strip() == text
)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
DOUBTS = st.one_of(st.just(""), WORDS.map(lambda text: " ".join(text.split())))


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    names = draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
    return Draft(
        name="demo",
        version=draw(st.sampled_from(["1.0", "1.10", "2024.1", "1.0rc1"])),
        sha256="ab" * 32,
        backend=draw(st.sampled_from([Backend.SETUPTOOLS, Backend.MESON_PYTHON])),
        backend_doubt=draw(DOUBTS),
        python=draw(st.sampled_from(["", ">=3.14", "<=3.14"])),
        license=draw(st.sampled_from([Item(""), Item("MIT"), Item("MIT OR Apache-2.0", "which?")])),
        languages=draw(st.sampled_from([(), (Language.RUST,), (Language.FORTRAN, Language.RUST)])),
        requires=tuple(Item(f"{name}>=1", draw(DOUBTS)) for name in draw(st.lists(NAMES, unique=True, max_size=2))),
        config_settings={
            name: tuple(Item(draw(VALUES), draw(DOUBTS)) for _ in range(draw(st.integers(1, 2)))) for name in names
        },
        env={f"X_{name.upper()}": Item(draw(VALUES), draw(DOUBTS)) for name in names},
        host=tuple(Item(name, draw(DOUBTS)) for name in draw(st.lists(NAMES, unique=True, max_size=2))),
        run=tuple(f"{name}!=2; python_version > '3.1'" for name in draw(st.lists(NAMES, unique=True, max_size=2))),
        run_doubt=draw(DOUBTS),
        extensions_doubt=draw(DOUBTS),
        libraries=tuple(f"demo.{name}" for name in draw(st.lists(NAMES, unique=True, max_size=2))),
        tests=DraftTests(
            imports=("demo",), suite_source="tests", suite_requires=tuple(names), doubt=draw(DOUBTS),
            suite_doubt=draw(DOUBTS),
        ),
    )  # fmt: skip


@given(drafts())
def test_it_reads_as_what_was_meant(draft: Draft) -> None:
    text = recipe_text(draft)
    recipe = parse_recipe(text.encode(), Path("/recipes/demo/recipe.yaml"))
    assert (recipe.name, recipe.version, recipe.python) == ("demo", draft.version, draft.python)
    assert (recipe.backend, recipe.languages, recipe.about.license) == (
        draft.backend, draft.languages, draft.license.text
    )  # fmt: skip
    assert [value.text for value in recipe.requires] == [item.text for item in draft.requires]
    assert {name: value.text for name, value in recipe.env.items()} == {n: i.text for n, i in draft.env.items()}
    settings = {name: [value.text for value in values] for name, values in recipe.config_settings.items()}
    assert settings == {n: [i.text for i in items] for n, items in draft.config_settings.items()}
    assert [value.text for value in recipe.host] == [item.text for item in draft.host]
    assert [value.text for value in recipe.run] == list(draft.run)
    assert [value.text for value in recipe.libraries] == list(draft.libraries)
    assert [value.text for value in recipe.trial.suite_requires] == list(draft.tests.suite_requires)
    assert text.count(MARK) >= len(draft.doubts())
    values = [*draft.env.values(), *(item for items in draft.config_settings.values() for item in items)]
    assert max(map(len, text.splitlines())) <= max(120, *(len(each.text) + 20 for each in values))


@given(VALUES)
def test_a_string_stays_one(text: str) -> None:
    data = parse_document(f"x: {scalar(text)}\n".encode(), "x").data
    assert data == {"x": text}
