"""``forge update`` with the package index: recipes set back to another release become what they are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import forge
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from forge.recipe.model import Recipe

pytestmark = pytest.mark.toolchain

RECIPES = Path(__file__).parents[3] / "recipes"


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "forge", "update", *arguments, "--recipes", str(directory)],
        env={**os.environ, "PYTHONPATH": str(Path(forge.__file__).parent.parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def set_back(directory: Path, name: str) -> Recipe:
    """A copy of a recipe with an older version, which no index has the hash of, and the present recipe."""
    present = read_recipe(RECIPES / name)
    shutil.copytree(RECIPES / name, directory / name)
    file = directory / name / "recipe.yaml"
    text = re.sub(rf"(version: ['\"]?){re.escape(present.version)}", r"\g<1>0.0.1", file.read_text(), count=1)
    file.write_text(re.sub(r"sha256: [0-9a-f]{64}", f"sha256: {'ab' * 32}", text))
    return present


@pytest.mark.parametrize("name", ["multidict", "cffi"])
def test_there_and_back(tmp_path: Path, name: str) -> None:
    present = set_back(tmp_path, name)
    said = run(tmp_path, f"{name}=={present.version}")
    assert said.returncode == 0, said.stderr + said.stdout
    for file in ("recipe.yaml", "extension-modules.txt"):
        assert (tmp_path / name / file).read_bytes() == (RECIPES / name / file).read_bytes()
    before = [line for line in present.lock_file.read_text().splitlines() if line.startswith("# requires")]
    now = (tmp_path / name / present.lock_file.name).read_text().splitlines()
    assert [line for line in now if line.startswith("# requires")] == before
    for patch in (RECIPES / name).glob("patches/*"):
        assert f"the patch {patch.name} applies" in said.stdout


def test_a_patch_that_does_not_apply(tmp_path: Path) -> None:
    shutil.copytree(RECIPES / "pycryptodome", tmp_path / "pycryptodome")
    said = run(tmp_path, "pycryptodome==3.20.0")
    assert said.returncode == 18
    assert "hunk 1 of lib/Crypto/Util/_raw_api.py fails, at line " in said.stdout
    assert "def load_pycryptodome_raw_lib(name, cdecl):" in said.stdout
    for file in (RECIPES / "pycryptodome").rglob("*"):
        if file.is_file():
            assert (tmp_path / file.relative_to(RECIPES)).read_bytes() == file.read_bytes()
