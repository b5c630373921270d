"""Recipes for lint: one that is clean, and what tests change in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

import pytest

from forge.lint.run import Report, lint_recipes
from forge.recipe.store import RecipeStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.lint.run import Check

SHA = "2e9ad7dd851bf45fab9f75cbff4cb493fee9979e8d8c7c9c3ee119022518edd6"

CLEAN = f"""\
# yaml-language-server: $schema=../../schemas/recipe.schema.json
schema: 2

package:
  name: demo
  version: 1.2.3

about:
  homepage: https://example.org
  license: MIT
  summary: A demonstration

source:
  sdist:
    sha256: {SHA}

build:
  backend: setuptools

test:
  imports:
    - demo
    - demo._speed
"""

LIBRARY = f"""\
# yaml-language-server: $schema=../../schemas/recipe.schema.json
schema: 2

package:
  name: libdemo
  version: 2.0.1

about:
  homepage: https://example.org
  license: Zlib
  summary: A library

source:
  url:
    - https://example.org/libdemo-${{version}}.tar.gz
  sha256: {SHA}

build:
  backend: script
  script:
    - make install DESTDIR=$DESTDIR

wheel:
  license_files: [LICENSE]
"""

TABLE = "demo._speed  all\n"

LOCK = """\
# The build requirements of this recipe, pinned by 'forge lock'. Do not edit: make it again.
# requires: setuptools
setuptools==80.9.0 \\
    --hash=sha256:062d34222ad13e0cc312a4c02d73f059e86a4acbfbdea8f8f76b28c99f306922
"""


class Lint(Protocol):
    def __call__(
        self, *recipes: str, files: Mapping[str, str | None] | None = ..., names: Sequence[str] = ...,
        further: Sequence[Check] = ...,
    ) -> Report: ...  # fmt: skip


def changed(*changes: tuple[str, str], of: str = CLEAN) -> str:
    """A recipe with parts replaced, each of which is in it once."""
    for old, new in changes:
        assert of.count(old) == 1, old
        of = of.replace(old, new)
    return of


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lint:
    """Writes recipes below the working directory, and looks at them; those of packages have a lock."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "recipe.schema.json").write_text("{}")

    def lint_them(
        *recipes: str, files: Mapping[str, str | None] | None = None, names: Sequence[str] = (),
        further: Sequence[Check] = (),
    ) -> Report:  # fmt: skip
        contents: dict[str, str | None] = {}
        for text in recipes:
            name = re.search(r"(?m)^ +name: (\S+)", text)[1]  # type: ignore[index]
            contents[f"{name}/recipe.yaml"] = text
            if "backend: script" not in text:
                contents[f"{name}/build-requirements.lock"] = LOCK
                if "native: false" not in text:
                    contents[f"{name}/extension-modules.txt"] = TABLE
        for file, content in {**contents, **(files or {})}.items():  # None: there is no such file
            path = tmp_path / "recipes" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_text(content, newline="")
        return lint_recipes(RecipeStore(tmp_path / "recipes"), names, None, further)

    return lint_them


def said(report: Report) -> list[str]:
    """Findings in one line each."""
    return [f"{found.where}: {found.severity} {found.rule.id}: {found.message}" for found in report.findings]
