"""numpy, scipy and scikit-learn: the modules of the macOS wheels, and no BLAS name among their exports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.macho.reader import read_macho
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from forge.base.target import Target
    from tests.integration.build.conftest import Forge

pytestmark = [
    pytest.mark.toolchain,
    pytest.mark.skipif(
        "FORGE_LONG_TESTS" not in os.environ,
        reason="takes an hour: set FORGE_LONG_TESTS to build scipy and scikit-learn",
    ),
]

NAMES = ("numpy", "scipy", "scikit-learn")

BLAS = re.compile(r"_(?:cblas_)?[sdczi][a-z0-9]{2,7}_|_xerbla_|_cblas_.*")
"""Names of BLAS and LAPACK routines, as Fortran and C know them."""


def modules(wheel: Path) -> set[str]:
    """The dotted names of a wheel's extension modules."""
    with zipfile.ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if name.endswith(".so")]
    return {file.partition(".")[0].replace("/", ".") for file in files}


def published(name: str, version: str, out: Path) -> Path:
    """The macOS wheel of a release."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", "3.13",
        "--platform", "macosx_11_0_arm64", "--platform", "macosx_12_0_arm64", "--dest", str(out), f"{name}=={version}",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.mark.parametrize("name", NAMES)
def test_the_modules_are_those_of_the_macos_wheel(name: str, target: Target, forge: Forge, tmp_path: Path) -> None:
    recipe = find_recipes().load(name)
    assert modules(forge.build(name, target).wheel) == modules(published(name, recipe.version, tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_no_blas_name_is_exported(name: str, target: Target, forge: Forge, tmp_path: Path) -> None:
    """The App Store takes such an export for Apple's own (ITMS-90338)."""
    exported: dict[str, list[str]] = {}
    with zipfile.ZipFile(forge.build(name, target).wheel) as archive:
        for file in archive.namelist():
            if not file.endswith(".so"):
                continue
            (piece,) = read_macho(Path(archive.extract(file, tmp_path))).slices
            if found := [export.name for export in piece.exports if BLAS.fullmatch(export.name)]:
                exported[file] = found
    assert exported == {}
