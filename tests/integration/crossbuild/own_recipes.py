"""Recipes of tests, and forge's commands on them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORGE = Path(sys.executable).parent / "forge"


def write_recipe(directory: Path, name: str, files: Mapping[str, str]) -> None:
    """Write the files of a recipe, by their paths in it, below ``recipes`` in a directory."""
    for path, text in files.items():
        file = directory / "recipes" / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def forge(directory: Path, *arguments: str, timeout: float = 1200) -> str:
    """Run a command with the recipes of a directory; what it prints. It has to succeed, within *timeout* seconds."""
    done = subprocess.run(
        [str(FORGE), *arguments, "--recipes", "recipes"], check=False, capture_output=True, text=True, cwd=directory,
        timeout=timeout,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
