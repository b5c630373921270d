"""``forge changed`` in a repository that has a forge of its own, which plans the merge base. Nothing is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.toolchain.fakes import write_llvm

CHECKOUT = Path(__file__).parents[3]
RECIPES = ("libyaml", "pyyaml", "markupsafe")


class Checkout:
    """A repository like forge's own, with three of its recipes, on a branch of ``main``."""

    def __init__(self, root: Path) -> None:
        self.root = root / "checkout"
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("FORGE_", "GIT_"))}
        self.env |= {"FORGE_HOME": str(root / "home"), "FORGE_LLVM": str(write_llvm(root / "llvm"))}
        ignore = shutil.ignore_patterns("__pycache__", "*.so")
        for name in ("forge", "schemas", *(f"recipes/{recipe}" for recipe in RECIPES)):
            shutil.copytree(CHECKOUT / name, self.root / name, ignore=ignore)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()
        self.git("checkout", "--quiet", "-b", "branch")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", self.root, *identity, *arguments], check=True, env=self.env)

    def commit(self) -> None:
        self.git("add", "forge", "schemas", "recipes")
        self.git("commit", "--quiet", "--message=x")

    def append(self, name: str, text: str) -> None:
        with (self.root / name).open("a") as file:
            file.write(text)

    def changed(self, package: Path | None = None) -> list[str]:
        env = self.env | {"PYTHONPATH": str(package or self.root)}
        command = [sys.executable, "-m", "forge", "changed", "--base", "main", "--abi", "iphoneos"]
        command += ["--recipes", str(self.root / "recipes")]
        done = subprocess.run(command, cwd=self.root.parent, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()[1:]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_room_that_makes_wheels(checkout: Checkout) -> None:
    checkout.append("forge/wheel/pack.py", "\nNEW = 1\n")
    lines = checkout.changed()
    assert lines[0] == "all 3 recipes: forge's own code has changed: forge/wheel"
    assert [line.partition(" ")[0] for line in lines[1:-1]] == ["libyaml", "markupsafe", "pyyaml"]


def test_a_comment(checkout: Checkout) -> None:
    checkout.append("forge/wheel/pack.py", "\n# New\n")
    assert checkout.changed() == ["no wheel of 3 recipes differs"]


def test_a_room_that_makes_none(checkout: Checkout) -> None:
    checkout.append("forge/lint/run.py", "\nNEW = 1\n")
    assert checkout.changed() == ["no wheel of 3 recipes differs"]


def test_the_merge_base_is_planned_by_its_own_forge(checkout: Checkout) -> None:
    """Its recipes are of a format that only it reads."""
    for name in RECIPES:
        file = checkout.root / "recipes" / name / "recipe.yaml"
        file.write_text(file.read_text().replace("backend: ", "builder: "))
    schema = checkout.root / "schemas" / "recipe.schema.json"
    now = schema.read_text()
    then = {file: file.read_text() for file in (checkout.root / "forge" / "recipe").rglob("*.py")}
    for file, text in [(schema, now), *then.items()]:
        file.write_text(text.replace('"backend"', '"builder"'))
    checkout.commit()
    checkout.git("branch", "--force", "main")
    for file, text in [(schema, now), *then.items()]:
        file.write_text(text)
    for name in RECIPES:
        file = checkout.root / "recipes" / name / "recipe.yaml"
        file.write_text(file.read_text().replace("builder: ", "backend: "))
    assert checkout.changed()[0] == "all 3 recipes: forge's own code has changed: forge/recipe"


def test_a_merge_base_whose_forge_cannot_plan(checkout: Checkout) -> None:
    plan = checkout.root / "forge" / "cli" / "plan.py"
    text = plan.read_text()
    plan.write_text("raise ImportError\n")
    checkout.commit()
    checkout.git("branch", "--force", "main")
    plan.write_text(text)
    assert checkout.changed()[0].startswith(
        "all 3 recipes: everything counts as changed: the merge base cannot be planned: its own forge says: "
    )


def test_a_toolchains_data(checkout: Checkout) -> None:
    checkout.append("forge/toolchain/data/sdk.yaml", "\nnew: 1\n")
    assert checkout.changed()[0] == "all 3 recipes: forge's own code has changed: forge/toolchain"
