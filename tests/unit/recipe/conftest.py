from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from forge.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SHA = "ab" * 32

GOOD = f"""\
schema: 2
package:
  name: demo
  version: 1.2.3
source:
  sdist: {{sha256: {SHA}}}
build:
  backend: setuptools
"""


class WriteRecipe(Protocol):
    def __call__(self, text: str | bytes, *, name: str = ..., files: Mapping[str, str] | None = ...) -> Path: ...


class LoadRecipe(Protocol):
    def __call__(self, text: str, *, files: Mapping[str, str] | None = ...) -> Recipe: ...


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteRecipe:
    """Writes a recipe below the working directory, so that messages name it by a relative path."""
    monkeypatch.chdir(tmp_path)

    def write_recipe(text: str | bytes, *, name: str = "demo", files: Mapping[str, str] | None = None) -> Path:
        directory = tmp_path / "recipes" / name
        for file, content in (files or {}).items():
            (directory / file).parent.mkdir(parents=True, exist_ok=True)
            (directory / file).write_text(content)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "recipe.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        return directory

    return write_recipe


@pytest.fixture
def load(write: WriteRecipe) -> LoadRecipe:
    """Reads a recipe from its text."""

    def load_recipe(text: str, *, files: Mapping[str, str] | None = None) -> Recipe:
        return read_recipe(write(text, files=files))

    return load_recipe
