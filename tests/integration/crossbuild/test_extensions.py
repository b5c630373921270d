"""A recipe promises the extension modules and libraries that the same release's wheel for macOS has."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi, Arch, Target
from forge.recipe.evaluate import evaluate
from forge.recipe.store import find_recipes
from forge.wheel.contents import read_wheel
from tests.integration.publications import MACOS_ARM64, published_wheel

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
STORE = find_recipes()
NOT_PUBLISHED = {"ios-multiprocessing"}
"""Recipes of forge's own, which no index has."""


@pytest.mark.toolchain
@pytest.mark.parametrize("name", [name for name in STORE.names() if name not in NOT_PUBLISHED])
def test_extension_modules_are_those_of_macos(name: str, tmp_path: Path) -> None:
    read = STORE.load(name)
    recipe = evaluate(read, DEVICE, "3.13")
    left_out = {row.module for row in read.extension_table if not row.targets and row.comment}
    if recipe.is_native_library:
        pytest.skip("a native library has no modules")
    wheel = published_wheel(recipe.name, recipe.version, MACOS_ARM64, tmp_path)
    assert wheel is not None
    there = {extension.module for extension in read_wheel(wheel).extensions}
    libraries = {module for module in there if any(fnmatchcase(module, pattern) for pattern in recipe.libraries)}
    assert set(recipe.extensions) == there - libraries - left_out
    assert all(any(fnmatchcase(module, pattern) for module in there) for pattern in recipe.libraries)
