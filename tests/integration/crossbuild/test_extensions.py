"""A recipe promises the extension modules and libraries that the same release's published wheel has."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi, Arch, Target
from forge.recipe.evaluate import evaluate
from forge.recipe.store import find_recipes
from forge.wheel.contents import read_wheel
from tests.integration.publications import LINUX_X86_64, MACOS_ARM64, published_wheel

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
STORE = find_recipes()
NOT_PUBLISHED = {"ios-multiprocessing", "psycopg2"}
"""One is forge's own; of the other there are wheels for Windows alone."""
SOURCES = ((MACOS_ARM64, "3.13"), (MACOS_ARM64, "3.12"), (LINUX_X86_64, "3.13"))
"""Which wheels say what a release's modules are, the nearest to iOS first.

Some projects publish none for macOS (rjsmin), and some none for today's Python (editdistance)."""


@pytest.mark.toolchain
@pytest.mark.parametrize("name", [name for name in STORE.names() if name not in NOT_PUBLISHED])
def test_extension_modules_are_those_of_the_published_wheel(name: str, tmp_path: Path) -> None:
    read = STORE.load(name)
    recipe = evaluate(read, DEVICE, "3.13")
    left_out = {row.module for row in read.extension_table if not row.targets and row.comment}
    if recipe.is_native_library:
        pytest.skip("a native library has no modules")
    fetched = (published_wheel(recipe.name, recipe.version, tags, tmp_path, python) for tags, python in SOURCES)
    wheel = next(filter(None, fetched), None)
    assert wheel is not None, f"{recipe.name} {recipe.version} has no wheel with compiled modules"
    there = {extension.module for extension in read_wheel(wheel).extensions}
    libraries = {module for module in there if any(fnmatchcase(module, pattern) for pattern in recipe.libraries)}
    assert set(recipe.extensions) == there - libraries - left_out
    assert all(any(fnmatchcase(module, pattern) for module in there) for pattern in recipe.libraries)
