"""Every command of docs/contributing-a-package.md, in order, in a checkout that has none of its recipe."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import forge

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.toolchain

ROOT = Path(forge.__file__).parents[1]
PAGE = ROOT / "docs" / "contributing-a-package.md"


def commands() -> Iterator[str]:
    """The lines of the page's shell examples."""
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE):
        yield from block.splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with the recipes there are, but for the example's."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes", ignore=shutil.ignore_patterns("murmurhash"))
    (tmp_path / ".gitignore").write_text("dist/\n")
    for line in ("git init --quiet", "git add .", "git commit --quiet -m start"):
        run(line, tmp_path)
    return tmp_path


def run(line: str, where: Path) -> str:
    named = {"NAME": "A", "EMAIL": "a@example.org"}
    git = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in named.items()}
    program = f"{shlex.quote(sys.executable)} -m forge"
    env = {**os.environ, **git, "PYTHONPATH": str(ROOT)}
    env.pop("FORGE_RECIPES", None)
    command = ["/bin/sh", "-c", re.sub(r"^forge\b", program, line)]
    said = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 0, f"{line}\n{said.stdout}\n{said.stderr}"
    return said.stdout


def test_the_page(checkout: Path) -> None:
    lines = list(commands())
    assert [line.split()[1] for line in lines if line.startswith("forge ")] == [
        "new", "build", "lock", "test", "lint", "lint",
    ]  # fmt: skip
    said = {line: run(line, checkout) for line in lines}
    wheels = sorted(path.name for path in (checkout / "dist").glob("murmurhash-*.whl"))
    assert len(wheels) == 3
    assert "passed" in said["forge test murmurhash"]
    for line in ("forge lint murmurhash", "forge lint murmurhash --network"):
        assert said[line] == "1 recipe checked, 0 errors, 0 warnings\n"
    listed = run("git show --stat --format= --name-only", checkout).split()
    assert listed == [f"recipes/murmurhash/{name}" for name in (
        "build-requirements.lock", "extension-modules.txt", "recipe.yaml"
    )]  # fmt: skip
