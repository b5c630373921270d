"""CPython's own AppleFrameworkLoader finds every module of a tree by name, and its binary in the framework."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi
from forge.frameworks.verify import verify_frameworks
from forge.macho.reader import read_macho
from tests.integration.targets import LONG

if TYPE_CHECKING:
    from forge.frameworks.make import Made

pytestmark = pytest.mark.toolchain

LOADER = Path(__file__).parent / "loader.py"


def find_modules(python: Path, tree: Path, names: list[str], abi: str) -> dict[str, list[str] | None]:
    """What a Python finds in a tree under the names of modules, looking for an ABI's suffixes."""
    suffixes = f".cpython-313-{abi}.so,.abi3.so,.so"
    command = [str(python), "-I", str(LOADER), str(tree), suffixes, *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str] | None] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("package", ["pillow", *(["numpy"] if LONG else [])])
def test_modules_are_found_by_name(package: str, build_python: Path, request: pytest.FixtureRequest) -> None:
    made: Made = request.getfixturevalue(package)
    assert made.directory is not None, made.findings
    assert verify_frameworks(made.directory) == ()
    assert {tree.plan.abi for tree in made.trees} == set(Abi)
    for tree in made.trees:
        root = made.directory / tree.plan.abi
        names = list(tree.frameworks)
        assert len(names) > 5
        found = find_modules(build_python, root, [*names, "PIL.nothing", "numpy.nothing"], tree.plan.abi)
        assert found.pop("PIL.nothing") is found.pop("numpy.nothing") is None
        for name in names:
            fwork = str(root / "app_packages" / f"{name.replace('.', '/')}.cpython-313-{root.name}.fwork")
            binary = str(root / "Frameworks" / f"{name}.framework" / name)
            assert found[name] == ["AppleFrameworkLoader", fwork, binary, fwork, fwork, binary]
            assert len(read_macho(Path(binary)).slices) == len(tree.plan.arches)


def test_each_abi_has_its_own_suffix(build_python: Path, pillow: Made) -> None:
    """A Python for the simulator does not find what is for devices."""
    assert pillow.directory is not None
    device = pillow.directory / "iphoneos"
    found = find_modules(build_python, device, ["PIL._imaging"], Abi.IPHONESIMULATOR)
    assert found == {"PIL._imaging": None}
