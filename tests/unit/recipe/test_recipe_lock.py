"""The lock of build requirements."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import RecipeError
from forge.recipe import (
    InvalidRecipeError,
    Pin,
    lock_covers,
    make_lock,
    merge_requires,
    normalized_requires,
    parse_lock,
    read_lock,
)
from forge.recipe.lock import merged_lock, unmet

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

A, B = "a" * 64, "b" * 64
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
HASHES = st.sets(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=3)
VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}(rc1|\.dev2|\+local)?", fullmatch=True)
PINS = st.dictionaries(NAMES, st.tuples(VERSIONS, HASHES), max_size=4)


def test_text(snapshot: SnapshotAssertion) -> None:
    lock = make_lock(
        [("Setuptools", "80.9.0", {B, A}), ("meson_python", "0.18.0", [A])],
        ["meson-python >= 0.18", "setuptools"],
    )
    assert lock.text() == snapshot
    assert lock.pins[0] == Pin(lock.pins[0].name, "0.18.0", (A,))


@given(PINS, st.lists(NAMES))
def test_what_is_written_is_read_back(pins: dict[str, tuple[str, set[str]]], requires: list[str]) -> None:
    lock = make_lock([(name, version, hashes) for name, (version, hashes) in pins.items()], requires)
    assert parse_lock(lock.text(), "lock") == lock
    assert lock_covers(lock, reversed(requires))


@given(st.text())
def test_any_text_gives_a_lock_or_a_recipe_error(text: str) -> None:
    with contextlib.suppress(RecipeError):
        parse_lock(text, "lock")


@pytest.mark.parametrize(
    ("requires", "covered"),
    [
        (["Meson_Python>=0.18", "cython<4,>=3"], True),
        (["cython>=3, <4", "meson-python >=0.18", "meson-python>=0.18"], True),
        (["meson-python>=0.18"], True),
        (["meson-python>=0.17", "cython>=3,<4"], False),
        (["meson-python>=0.18", "cython>=3,<4", "ninja"], False),
    ],
)
def test_lock_covers(requires: list[str], covered: bool) -> None:
    lock = make_lock([("cython", "3.1", [A])], ["meson-python>=0.18", "cython>=3,<4"])
    assert lock_covers(lock, requires) is covered


@pytest.mark.parametrize(
    "text",
    [
        "cython\n",
        "cython>=3 --hash=sha256:" + A,
        "cython==3.1\n",
        "cython==x --hash=sha256:" + A,
        f"cython==3.1 --hash=md5:{A}\nninja==1 \\\n  --hash=sha256:abc\n",
        f"cython==3.1 --hash=sha256:{A}\nCython==3.2 --hash=sha256:{A}\n",
        f"-r other.txt\n\n   cython==3.1;python>'3' --hash=sha256:{A}\n",
        f"cython==3.1 ; python_version < '3.14' --hash=sha256:{A}\ncython==3.2 --hash=sha256:{A}\n",
        "# requires: a b\n",
    ],
)
def test_malformed(text: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(InvalidRecipeError) as caught:
        parse_lock(text, "build-requirements.lock")
    assert caught.value.message == snapshot


def test_comments_and_empty_lines_are_no_pins() -> None:
    assert parse_lock("\n# a comment \\\n#another\n\n", "lock").pins == ()


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ([("a", "1", [A]), ("A", "2", [A])], "pinned twice"),
        ([("a", "1", [])], "no hash"),
        ([("a", "1", ["xyz"])], "not a sha256"),
        ([("a", "one", [A])], "not a name and a version"),
        ([("a b", "1", [A])], "not a name and a version"),
    ],
)
def test_cannot_lock(pins: list[tuple[str, str, list[str]]], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        make_lock(pins, [])


def test_cannot_normalize() -> None:
    with pytest.raises(RecipeError, match="'a b' is not a valid requirement"):
        normalized_requires(["a b"])


def test_the_recipes_requirement_replaces_the_declared_one() -> None:
    declared = ["setuptools==60", "Cython>=3", "wheel"]
    assert merge_requires(declared, ["setuptools>=77", "ninja"]) == (
        "cython>=3",
        "ninja",
        "setuptools>=77",
        "wheel",
    )
    assert merge_requires(declared, []) == ("cython>=3", "setuptools==60", "wheel")


def test_read(tmp_path: Path) -> None:
    file = tmp_path / "build-requirements.lock"
    with pytest.raises(RecipeError, match="there is no lock"):
        read_lock(file)
    file.write_bytes(b"\xff")
    with pytest.raises(RecipeError, match="cannot read the lock"):
        read_lock(file)
    lock = make_lock([("a", "1", [A])], ["a"])
    file.write_text(lock.text())
    assert read_lock(file) == lock


MINORS = ("3.13", "3.14", "3.15")


@given(st.dictionaries(st.sampled_from(MINORS), PINS, min_size=1))
def test_a_lock_for_several_pythons_has_for_each_what_its_own_has(
    made: dict[str, dict[str, tuple[str, set[str]]]],
) -> None:
    locks = {
        minor: make_lock([(name, version, hashes) for name, (version, hashes) in made[minor].items()], ())
        for minor in MINORS
        if minor in made
    }
    merged = parse_lock(merged_lock(locks, ["a", "b; python_version < '3.14'"], locks).text(), "lock")
    assert merged == merged_lock(locks, ["a", "b; python_version < '3.14'"], locks)
    for minor, lock in locks.items():
        found = merged.for_python(minor)
        assert {name: (pin.version, pin.hashes) for name, pin in found.items()} == {
            pin.name: (pin.version, pin.hashes) for pin in lock.pins
        }
    if len({lock.pins for lock in locks.values()}) == 1:
        assert not any(pin.marker for pin in merged.pins)


def test_a_python_without_a_lock_has_no_pins() -> None:
    locks = {minor: make_lock([("a", "1", [A])], ()) for minor in MINORS[:2]}
    merged = merged_lock(locks, ["a"], MINORS)
    assert [pin.label for pin in merged.pins] == ['a 1 (python_version < "3.15")']
    assert unmet(merged, ["a"], "3.15") == ("a is required, and not pinned",)


def test_a_lock_for_several_pythons(snapshot: SnapshotAssertion) -> None:
    locks = {
        minor: make_lock([("cffi", cffi, [A]), ("setuptools", "84.2.1", [B])], ())
        for minor, cffi in (("3.13", "1.17.1"), ("3.14", "2.1.1"), ("3.15", "2.1.1"))
    }
    assert merged_lock(locks, ["cffi"], MINORS).text() == snapshot


@pytest.mark.parametrize(
    ("requires", "minor", "expected"),
    [
        (["cffi~=1.17; python_version < '3.14'", "cffi>=2.0.0b; python_version >= '3.14'"], "3.13", ()),
        (["cffi~=1.17; python_version < '3.14'", "cffi>=2.0.0b; python_version >= '3.14'"], "3.14",
         ("cffi>=2.0.0b is required, and 1.17.1 is pinned",)),
        (["cffi", "ninja; sys_platform == 'win32'"], "3.13", ()),
        (["ninja>=1"], "3.13", ("ninja>=1 is required, and not pinned",)),
    ],
)  # fmt: skip
def test_what_a_lock_does_not_meet(requires: list[str], minor: str, expected: tuple[str, ...]) -> None:
    assert unmet(make_lock([("cffi", "1.17.1", [A])], requires), requires, minor) == expected
