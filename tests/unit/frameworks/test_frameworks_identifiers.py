from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from forge.frameworks.identifiers import (
    bundle_identifier,
    bundle_version,
    is_bundle_version,
)
from forge.wheel.app_rules import is_bundle_identifier, name_problem
from forge.wheel.framework_name import framework_name

PART = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12
).filter(lambda part: part not in (".", ".."))
PATHS = st.lists(PART, min_size=1, max_size=4).map(lambda parts: "/".join(parts) + ".so")
NAMES = st.from_regex(r"[A-Za-z0-9_]{1,8}(\.[A-Za-z0-9_]{1,8}){0,2}", fullmatch=True)


def framework(path: str) -> str | None:
    return None if name_problem(path) is not None else framework_name(path)


@given(PATHS)
def test_every_name_that_is_taken_gives_an_identifier(path: str) -> None:
    name = framework(path)
    if name is not None:
        assert is_bundle_identifier(bundle_identifier("com.example.app", name))
        assert not name.endswith(".")
        assert len(f"{name}.framework".encode()) <= 255


@given(st.lists(NAMES | PATHS.map(lambda path: framework(path) or "x"), min_size=2, unique_by=str.casefold))
def test_identifiers_are_as_unique_as_names(names: list[str]) -> None:
    assert len({bundle_identifier("a.b", name).casefold() for name in names}) == len(names)


@given(st.text())
def test_what_is_an_identifier(text: str) -> None:
    if is_bundle_identifier(text):
        assert text.isascii()
        assert all(c.isalnum() or c in ".-" for c in text)
        assert not text.startswith(".")
        assert not text.endswith(".")
        assert ".." not in text


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("PIL._imaging", "app.PIL.-imaging"),
        ("numpy._core._multiarray_umath", "app.numpy.-core.-multiarray-umath"),
        ("pkg.é", "app.pkg.--0eef8e49"),
        ("a-b", "app.a-b-d44362d6"),
    ],
)
def test_identifiers(name: str, identifier: str) -> None:
    made = bundle_identifier("app", name)
    assert made == identifier


@given(
    st.from_regex(r"([0-9]{1,2}!)?[0-9]{1,8}(\.[0-9]{1,8}){0,5}((a|rc)[0-9])?(\.post[0-9])?(\+local)?", fullmatch=True)
)
def test_versions(text: str) -> None:
    made = bundle_version(Version(text))
    assert is_bundle_version(made)
    assert made.count(".") <= 2


@pytest.mark.parametrize("text", ["", "1.", ".1", "1.2.3.4", "1a", "1" * 30])
def test_no_versions(text: str) -> None:
    assert not is_bundle_version(text)
