"""A compiler that crashes in a build: its dumps stay with the build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.plan.builds import build_one
from forge.recipe.store import RecipeStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)

RECIPE = """\
schema: 2
package: {name: crash, version: "1.0"}
about: {homepage: https://example.invalid, license: MIT, summary: Asks for what the compiler cannot do}
source: {path: source}
build:
  backend: script
  script:
    - |
      mkdir -p $DESTDIR$PREFIX/lib
      ! $CC -c crash.c -o crash.o
      ls $CLANG_CRASH_DIAGNOSTICS_DIR
      $CC -c sound.c -o sound.o
      $AR cr $DESTDIR$PREFIX/lib/libsound.a sound.o
"""


def test_dumps_are_not_left_in_the_directory_of_temporary_files(
    forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    recipe = tmp_path / "recipes" / "crash"
    (recipe / "source").mkdir(parents=True)
    (recipe / "recipe.yaml").write_text(RECIPE)
    (recipe / "source" / "crash.c").write_text("#pragma clang __debug crash\n")
    (recipe / "source" / "sound.c").write_text("int sound = 1;\n")
    store = RecipeStore(recipe.parent)
    result = build_one(store.load("crash"), DEVICE, forge.context, store, tmp_path / "dist", SilentProgress())
    assert re.search(r"^crash-\w+\.c$", forge.log(result), flags=re.MULTILINE)
    assert list(temporary.iterdir()) == []
