"""A recipe promises the extension modules that the same release's wheel for macOS has."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi, Arch, Target
from forge.recipe.evaluate import evaluate
from forge.recipe.store import find_recipes
from forge.wheel.contents import read_wheel

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
STORE = find_recipes()
PLATFORMS = [f"macosx_{version}_0_{arch}" for version in range(11, 16) for arch in ("arm64", "universal2")]
NOT_PUBLISHED = {"ios-multiprocessing"}
"""Recipes of forge's own, which no index has."""


def published_modules(name: str, version: str, directory: Path) -> set[str]:
    """The extension modules of the wheel for macOS on arm64."""
    platforms = [option for platform in (*PLATFORMS, "macosx_10_13_universal2") for option in ("--platform", platform)]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--only-binary=:all:", "--python-version", "3.13", *platforms, "--dest", directory, f"{name}=={version}"],
        check=True,
    )  # fmt: skip
    (wheel,) = directory.glob("*.whl")
    return {extension.module for extension in read_wheel(wheel).extensions}


@pytest.mark.toolchain
@pytest.mark.parametrize("name", [name for name in STORE.names() if name not in NOT_PUBLISHED])
def test_extension_modules_are_those_of_macos(name: str, tmp_path: Path) -> None:
    recipe = evaluate(STORE.load(name), DEVICE, "3.13")
    if recipe.is_native_library:
        pytest.skip("a native library has no modules")
    assert set(recipe.extensions) == published_modules(recipe.name, recipe.version, tmp_path)
