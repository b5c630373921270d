"""Which version of those that an index offers a recipe is updated to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from packaging.version import Version

from forge.authoring.errors import UpdateError
from forge.authoring.newest import Choice, Wish, choose, parse_age
from forge.base.errors import SourceError
from forge.source.index import IndexFile

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def sdist(version: str, *, days: float | None = 100, python: str = "", yanked: bool = False) -> IndexFile:
    uploaded = None if days is None else NOW - timedelta(days=days)
    name = f"demo-{version}.tar.gz"
    return IndexFile(
        name, version, True, f"https://example.org/{name}", "ab" * 32, "the index", python, yanked, uploaded
    )


def wheel(version: str) -> IndexFile:
    return IndexFile(f"demo-{version}-py3-none-any.whl", version, False, "https://example.org/x", None)


def chosen(
    *files: IndexFile, current: str = "1.0", minors: tuple[str, ...] = ("3.13", "3.14"), **wish: object
) -> Choice:
    wanted = Wish(now=NOW, **wish)  # type: ignore[arg-type]  # Wish's own fields
    return choose("demo", Version(current), files, wanted, minors, lambda file: file.is_sdist)


def taken(choice: Choice) -> str | None:
    return None if choice.file is None else choice.file.version


def test_the_newest() -> None:
    assert taken(chosen(sdist("1.0"), sdist("1.9"), sdist("1.10"), sdist("odd version"))) == "1.10"
    assert chosen(sdist("1.0"), sdist("0.9")) == Choice(None)


def test_pre_releases() -> None:
    files = (sdist("1.0"), sdist("2.0rc1"), sdist("2.0.dev1"))
    assert taken(chosen(*files)) is None
    assert taken(chosen(*files, pre=True)) == "2.0rc1"


def test_what_is_passed_over_is_told() -> None:
    files = (
        sdist("1.0", python=">=3.9"), sdist("1.1"), wheel("1.5"), sdist("1.4", yanked=True),
        sdist("1.3", python=">=3.14"), sdist("1.2", days=2.5),
    )  # fmt: skip
    choice = chosen(*files, min_age=timedelta(days=3))
    assert taken(choice) == "1.1"
    assert choice.passed_over == (
        "1.5 is not taken: it has no sdist",
        "1.4 is not taken: it was yanked",
        "1.3 is not taken: it is for Python >=3.14, but the recipe is for 3.13 as well",
        "1.2 is not taken: it was uploaded 2 days ago",
    )
    assert taken(chosen(*files)) == "1.2"


def test_no_newer_release_has_to_be_for_more_pythons_than_the_present_one() -> None:
    files = (sdist("1.0", python="<3.14"), sdist("1.1", python="<3.14"))
    assert taken(chosen(*files)) == "1.1"
    assert taken(chosen(sdist("1.0"), sdist("1.1", python="<3.14"))) is None
    assert taken(chosen(sdist("1.0"), sdist("1.1", python=">=3.13.2"))) == "1.1", "some release of 3.13"
    assert taken(chosen(sdist("1.0"), sdist("1.1", python="nonsense"))) == "1.1"


def test_a_version_that_is_named() -> None:
    files = (sdist("1.0"), sdist("1.1", yanked=True, days=0), sdist("1.2"))
    assert taken(chosen(*files, version=Version("1.1"), min_age=timedelta(days=3))) == "1.1"
    assert taken(chosen(*files, version=Version("1.1"), current="1.2")) == "1.1"
    assert taken(chosen(*files, version=Version("1.0"))) is None
    with pytest.raises(SourceError, match=r"demo has no sdist of version 1\.5") as caught:
        chosen(*files, version=Version("1.5"))
    assert caught.value.hint == "the index has 1.2, 1.1, 1.0"


def test_no_project() -> None:
    with pytest.raises(SourceError, match="no package index has the project 'demo'"):
        chosen()


def test_an_index_that_tells_no_times() -> None:
    files = (sdist("1.0"), sdist("1.1", days=None))
    assert taken(chosen(*files)) == "1.1"
    with pytest.raises(UpdateError, match=r"the index does not say when demo-1\.1\.tar\.gz was uploaded"):
        chosen(*files, min_age=timedelta(days=3))


def test_one_of_two_files_is_yanked() -> None:
    assert taken(chosen(sdist("1.0"), sdist("1.1", yanked=True), sdist("1.1"))) == "1.1"


@pytest.mark.parametrize(("text", "age"), [
    ("3d", timedelta(days=3)), ("12h", timedelta(hours=12)), (" 2w ", timedelta(weeks=2)), ("0m", timedelta()),
])  # fmt: skip
def test_ages(text: str, age: timedelta) -> None:
    assert parse_age(text) == age


@pytest.mark.parametrize("text", ["", "3", "d", "-3d", "3 d", "3y", "1.5d", "999999d"])
def test_no_ages(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an age: write e\.g\. 3d"):
        parse_age(text)
