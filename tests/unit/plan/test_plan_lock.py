"""Making locks: every build that a recipe's conditions tell apart, and what back ends ask for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, SourceError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.crossbuild.resolve import HookError
from forge.ios_python.build_python import BuildPython
from forge.plan import lock as lock_module
from forge.plan.lock import lock_recipe
from forge.recipe.conditions import every_evaluation
from forge.recipe.diagnostics import InvalidRecipeError
from forge.recipe.lock import make_lock, read_lock
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge.recipe.lock import BuildLock
    from forge.recipe.model import Recipe

PYTHON = BuildPython(Path(sys.executable), "3.13.5")


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No pip and no hook: what would be resolved, each time."""
    seen: list[list[str]] = []

    def resolve(_home: ForgeHome, requires: Sequence[str], *_: object, **__: object) -> BuildLock:
        seen.append(list(requires))
        return make_lock([(text.split(">")[0].split("=")[0], "1", ["ab" * 32]) for text in requires], requires)

    monkeypatch.setattr(lock_module, "resolve_lock", resolve)
    monkeypatch.setattr(lock_module, "hook_requires", lambda *_, **__: ())
    return seen


def write(tmp_path: Path, build: str, *, backend: str = "setuptools", files: tuple[str, ...] = ("setup.py",)) -> Recipe:
    source = tmp_path / "recipes" / "demo" / "src"
    source.mkdir(parents=True)
    for file in (*files, "README"):
        (source / file).write_text("x")
    script = "  script: ['true']\n" if backend == "script" else ""
    (source.parent / "recipe.yaml").write_text(
        "schema: 2\npackage: {name: demo, version: '1.0'}\nsource: {path: src}\n"
        f"build:\n  backend: {backend}\n{script}{build}"
    )
    return read_recipe(source.parent)


def lock(tmp_path: Path, recipe: Recipe) -> BuildLock:
    return lock_recipe(ForgeHome(tmp_path / "home"), recipe, PYTHON, SilentProgress())


CONDITIONS = """\
  requires:
    - {value: old, when: {ios_version: "<13.0"}}
    - {value: mid, when: {ios_version: "==14.5"}}
    - {value: new, when: {ios_version: ">=16.4"}}
    - {value: later, when: {ios_version: ">17.0"}}
    - {value: device, when: {abi: iphoneos}}
    - {value: intel, when: {arch: x86_64}}
    - {value: py313, when: {python: "<3.14"}}
    - {value: py315, when: {python: ">3.14"}}
    - {value: quick, when: {variant: fast}}
variants: {fast: {summary: x, ios_version: ">=18.2"}}
"""


def test_every_condition_is_met_once(tmp_path: Path, resolved: list[list[str]]) -> None:
    recipe = write(tmp_path, CONDITIONS)
    names = {"old", "mid", "new", "later", "device", "intel", "py313", "py315", "quick"}
    assert {text for each in every_evaluation(recipe, "3.13") for text in each.requires} == names
    made = lock(tmp_path, recipe)
    assert names < set(made.requires)
    assert read_lock(recipe.lock_file) == made
    assert len(resolved) == 1


def test_what_the_back_end_asks_for_is_locked(
    tmp_path: Path, resolved: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def hook(*arguments: object, **_: object) -> tuple[str, ...]:
        seen.append(arguments[4])
        return ("cython>=3", "ninja")

    monkeypatch.setattr(lock_module, "hook_requires", hook)
    recipe = write(tmp_path, "  requires: ['ninja==1.11']\n  config_settings: {a: {value: b, when: {arch: x86_64}}}\n")
    made = lock(tmp_path, recipe)
    # The recipe's own requirement takes the place of the hook's.
    assert made.requires == ("cython>=3", "ninja==1.11", "setuptools>=40.8.0")
    assert seen == [[({}, {}), ({"a": ("b",)}, {})]]
    assert len(resolved) == 2


class Notes(SilentProgress):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, subject: str, text: str) -> None:
        self.texts.append(f"{subject}: {text}")


def failing_hook(error: type[BuildError], message: str) -> Callable[..., tuple[str, ...]]:
    def hook(*_: object, **__: object) -> tuple[str, ...]:
        raise error(
            message, tail=("running egg_info", "Error: pg_config executable not found.", "", "See install.rst.")
        )

    return hook


def test_a_back_end_that_stops_where_a_library_is_missing(
    tmp_path: Path, resolved: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As psycopg2's and pyproj's setup.py do: the lock is made of what is known, and that is said."""
    message = "demo: the back end's hook get_requires_for_build_wheel exited with code 1"
    monkeypatch.setattr(lock_module, "hook_requires", failing_hook(HookError, message))
    recipe, notes = write(tmp_path, "  requires: [cython]\n"), Notes()
    made = lock_recipe(ForgeHome(tmp_path / "home"), recipe, PYTHON, notes)
    assert made.requires == ("cython", "setuptools>=40.8.0")
    assert read_lock(recipe.lock_file) == made
    (note,) = notes.texts
    assert note.startswith(
        "demo: the back end could not be asked for further requirements: Error: pg_config executable"
    )
    assert "build.requires" in note


def test_what_the_hook_needs_cannot_be_installed(
    tmp_path: Path, resolved: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "hook_requires", failing_hook(BuildError, "installing build requirements failed"))
    recipe = write(tmp_path, "")
    with pytest.raises(BuildError, match="installing build requirements"):
        lock(tmp_path, recipe)
    assert not recipe.lock_file.exists()


def test_a_package_that_cmake_builds(tmp_path: Path, resolved: list[list[str]]) -> None:
    recipe = write(tmp_path, "  requires: [scikit-build-core]\n")
    with pytest.raises(InvalidRecipeError, match="demo is built with CMake") as caught:
        lock(tmp_path, recipe)
    assert caught.value.diagnostics[0].where.line == 5
    assert not recipe.lock_file.exists()
    assert not resolved


def test_a_source_that_is_no_python_project(tmp_path: Path, resolved: list[list[str]]) -> None:
    with pytest.raises(SourceError, match=r"neither pyproject\.toml nor setup\.py"):
        lock(tmp_path, write(tmp_path, "", files=("Makefile",)))


def test_a_native_library_that_requires_nothing_gets_no_lock(tmp_path: Path, resolved: list[list[str]]) -> None:
    recipe = write(tmp_path, "", backend="script", files=("Makefile",))
    assert lock(tmp_path, recipe).pins == ()
    assert not recipe.lock_file.exists()


def test_requirements_that_differ_by_python_are_resolved_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of zstandard do: cffi 1 up to Python 3.13, cffi 2 from 3.14 on."""
    asked: list[str] = []

    def resolve(_home: ForgeHome, requires: Sequence[str], *_: object, minor: str = "", **__: object) -> BuildLock:
        asked.append(minor)
        versions = {"cffi": "2.1.1" if minor else "1.17.1", "setuptools": "84"}
        return make_lock([(name, version, ["ab" * 32]) for name, version in versions.items()], requires)

    monkeypatch.setattr(lock_module, "resolve_lock", resolve)
    monkeypatch.setattr(lock_module, "hook_requires", lambda *_, **__: ())
    monkeypatch.setattr(lock_module, "find_build_python", lambda *_: None)
    requires = "[\"cffi~=1.17; python_version < '3.14'\", \"cffi>=2; python_version >= '3.14'\", setuptools]"
    made = lock(tmp_path, write(tmp_path, f"  requires: {requires}\n"))
    assert asked == ["", "3.14"], "3.15 wants the same as 3.14"
    assert [pin.label for pin in made.pins] == [
        'cffi 1.17.1 (python_version < "3.14")', 'cffi 2.1.1 (python_version >= "3.14")', "setuptools 84",
    ]  # fmt: skip


def test_a_python_for_which_nothing_resolves_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pyarrow's libcst, of which something it requires has no wheel for the newest Python."""

    def resolve(_home: ForgeHome, requires: Sequence[str], *_: object, minor: str = "", **__: object) -> BuildLock:
        if minor == "3.15":
            raise BuildError("pip failed", tail=("ERROR: No matching distribution found for pyyaml-ft>=8.0.0",))
        return make_lock([("libcst", "1.9", ["ab" * 32]), ("setuptools", "84", ["ab" * 32])], requires)

    monkeypatch.setattr(lock_module, "resolve_lock", resolve)
    monkeypatch.setattr(lock_module, "hook_requires", lambda *_, **__: ())
    monkeypatch.setattr(lock_module, "find_build_python", lambda *_: None)
    recipe, notes = write(tmp_path, "  requires: [libcst, \"extra; python_version >= '3.15'\"]\n"), Notes()
    made = lock_recipe(ForgeHome(tmp_path / "home"), recipe, PYTHON, notes)
    assert {pin.marker for pin in made.pins} == {'python_version < "3.15"'}
    (note,) = notes.texts
    assert note == (
        "demo: nothing is locked for Python 3.15: its build requirements do not resolve: "
        "ERROR: No matching distribution found for pyyaml-ft>=8.0.0"
    )
