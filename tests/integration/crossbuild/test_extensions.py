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
OWN = {"ios-multiprocessing"}
"""Recipes of forge's own sources: no project publishes their wheels."""
LIBRARIES_ALONE = {"llama-cpp-python", "pysodium", "python-magic", "pyzbar", "soundfile"}
"""Packages whose own wheels have no modules: they open a library that they bring, or that the user installs."""
PUBLISHED_AS = {
    "psycopg2": ("psycopg2-binary", {}),
    "psycopg-c": ("psycopg-binary", {"psycopg_binary": "psycopg_c"}),
}
"""Projects that publish compiled wheels under another name: that name, and what its packages are called here."""
SOURCES = ((MACOS_ARM64, "3.13"), (MACOS_ARM64, "3.12"), (LINUX_X86_64, "3.13"))
"""Which wheels say what a release's modules are, the nearest to iOS first.

Some projects publish none for macOS (rjsmin), and some none for today's Python (editdistance)."""


def in_source(module: str, renamed: dict[str, str]) -> str:
    """What a published wheel's module is called in the source that it was made from."""
    package, dot, rest = module.partition(".")
    return renamed.get(package, package) + dot + rest


@pytest.mark.toolchain
@pytest.mark.parametrize("name", [name for name in STORE.names() if name not in OWN])
def test_extension_modules_are_those_of_the_published_wheel(name: str, tmp_path: Path) -> None:
    read = STORE.load(name)
    recipe = evaluate(read, DEVICE, "3.13")
    left_out = {row.module for row in read.extension_table if not row.targets and row.comment}
    if recipe.is_native_library:
        pytest.skip("a native library has no modules")
    project, renamed = PUBLISHED_AS.get(recipe.name, (recipe.name, {}))
    fetched = (published_wheel(project, recipe.version, tags, tmp_path, python) for tags, python in SOURCES)
    wheel = next(filter(None, fetched), None)
    if name in LIBRARIES_ALONE:
        assert wheel is None or not read_wheel(wheel).extensions
        assert recipe.libraries
        assert not recipe.extensions
        return
    assert wheel is not None, f"{project} {recipe.version} has no wheel with compiled modules"
    there = {in_source(extension.module, renamed) for extension in read_wheel(wheel).extensions}
    libraries = {module for module in there if any(fnmatchcase(module, pattern) for pattern in recipe.libraries)}
    assert set(recipe.extensions) == there - libraries - left_out
    assert all(any(fnmatchcase(module, pattern) for module in there) for pattern in recipe.libraries)
