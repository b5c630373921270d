"""``forge publish --built``: what is in the cache of the recipes as they are now, and nothing else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.conftest import no_toolchain
from tests.unit.crossbuild.fakes import PURE, write_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge, Said

__all__ = ["no_toolchain"]

NAME = "demo-1.0-py3-none-any.whl"

pytestmark = pytest.mark.usefixtures("no_toolchain")


@pytest.fixture
def recipe(forge: Forge) -> Forge:
    """A recipe of a package without compiled code, whose wheel is built once for all targets."""
    write_recipe(forge.root / "recipes", text=PURE, files={}, tag="py3-none-any")
    return forge


def test_what_was_built(recipe: Forge, publish: Callable[..., Said]) -> None:
    assert recipe("build", "demo").code == 0
    (built,) = (recipe.root / "dist").iterdir()
    content = built.read_bytes()
    shutil.rmtree(recipe.root / "dist")
    for names in (["demo"], []):
        said = publish("--built", *names, "--to", "site", "--dry-run")
        assert (said.code, said.out) == (0, f"new: {NAME} ({len(content):,} bytes)\n")
    assert publish("--built", "--to", "site").out == f"published: {NAME}\n"
    assert (recipe.root / "site" / "files" / "demo" / NAME).read_bytes() == content
    assert publish("--built", "--to", "site").out == f"there already: {NAME}\n"
    assert not (recipe.root / "dist").exists()


def test_what_was_never_built(recipe: Forge, publish: Callable[..., Said], snapshot: SnapshotAssertion) -> None:
    said = publish("--built", "--to", "site")
    assert (said.code, recipe.plain(said.err).partition("error")[2]) == snapshot
    said = publish("--built", "--to", "site", "--allow", "built")
    assert said.code == 19
    assert "there are no wheels to publish" in said.err


def test_what_is_stale_stays(recipe: Forge, publish: Callable[..., Said]) -> None:
    """The wheel of a recipe that has changed since is in the cache, and is not what the recipe stands for."""
    assert recipe("build", "demo").code == 0
    file = recipe.root / "recipes" / "demo" / "recipe.yaml"
    file.write_text(file.read_text().replace("setuptools\n", "setuptools\n  env: {LEVEL: '2'}\n"))
    said = publish("--built", "demo", "--to", "site")
    assert (said.code, said.out) == (19, "")
    assert "demo 1.0: built: the cache has no wheel of the recipe as it is now" in said.err
    assert not (recipe.root / "site").exists()
    assert recipe("build", "demo").code == 0
    assert publish("--built", "demo", "--to", "site").out == f"published: {NAME}\n"


def test_a_part_of_it(recipe: Forge, publish: Callable[..., Said]) -> None:
    assert recipe("build", "demo").code == 0
    other = recipe.root / "recipes" / "other"
    shutil.copytree(recipe.root / "recipes" / "demo", other)
    (other / "recipe.yaml").write_text(PURE.replace("demo", "other"))
    assert publish("--built", "--to", "site").code == 19
    said = publish("--built", "--to", "site", "--allow", "built")
    assert (said.code, said.out) == (0, f"published: {NAME}\n")
    assert "left out, since it is not built: other 1.0" in said.err


@pytest.mark.parametrize(
    "arguments", [["demo", "--to", "site"], ["--to", "site"], ["wheels", "--python", "3.13", "--to", "site"]]
)
def test_what_makes_no_sense(
    recipe: Forge, publish: Callable[..., Said], arguments: list[str], snapshot: SnapshotAssertion
) -> None:
    said = publish(*arguments)
    assert (said.code, said.err.splitlines()[-1]) == snapshot
