"""``forge index verify --cache``: is what the index has what was built here?"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.conftest import no_toolchain
from tests.unit.crossbuild.fakes import PURE, write_recipe
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.runner import Forge, Said

__all__ = ["no_toolchain"]

NAME = "demo-1.0-py3-none-any.whl"

pytestmark = pytest.mark.usefixtures("no_toolchain")


@pytest.fixture
def site(forge: Forge) -> Path:
    """An index that has what was built."""
    write_recipe(forge.root / "recipes", text=PURE, files={}, tag="py3-none-any")
    assert forge("build", "demo").code == 0
    assert forge("index", "make", "site", "dist").code == 0
    return forge.root / "site"


def verify(forge: Forge, *options: str) -> Said:
    return forge("index", "verify", "site", "--offline", *options)


def test_the_same(forge: Forge, site: Path) -> None:
    assert site.is_dir()
    assert (verify(forge, "--cache").code, verify(forge, "--cache").out) == (0, "")


def test_built_anew_since(forge: Forge, site: Path) -> None:
    held = (site / "files" / "demo" / NAME).read_bytes()
    make_wheel(forge.root / "recipes" / "demo" / "source", {"demo/__init__.py": b"2"}, name="demo", tag="py3-none-any")
    assert forge("build", "demo").code == 0
    new = sha256((forge.root / "dist" / NAME).read_bytes()).hexdigest()
    said = verify(forge, "--cache")
    assert said.code == 16
    assert said.out == f"built: {NAME}: its sha256 is {sha256(held).hexdigest()}, and it was built anew since: {new}\n"
    assert verify(forge).code == 0


def test_never_built_here(forge: Forge, site: Path) -> None:
    held = sha256((site / "files" / "demo" / NAME).read_bytes()).hexdigest()
    for path in (forge.root / "home" / "wheels").rglob("*.json"):
        path.write_text(path.read_text().replace(held, "ab" * 32))
    said = verify(forge, "--cache")
    assert (said.code, said.out) == (16, f"built: {NAME}: its sha256 is {held}, and the cache has {'ab' * 32}\n")
