"""The variant ``accelerate``: a stub of Accelerate's BLAS and LAPACK, and numpy linked against it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.audit.promise import Promise, check_promise
from forge.base.errors import BuildError
from forge.base.progress import SilentProgress
from forge.base.severity import Severity
from forge.base.target import Abi, Arch, IOSVersion, Target, select_targets
from forge.macho.model import Binding
from forge.macho.reader import read_macho
from forge.plan.builds import build_one
from forge.recipe import InvalidRecipeError
from forge.recipe.store import find_recipes
from tests.integration.publications import published_wheel
from tests.integration.targets import long

if TYPE_CHECKING:
    from forge.plan.run import Result
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

IOS = IOSVersion(16, 4)
TARGETS = select_targets(ios_version=IOS)
ACCELERATE = "/System/Library/Frameworks/Accelerate.framework/Accelerate"
MACOS_14 = {Arch.ARM64: "macosx_14_0_arm64", Arch.X86_64: "macosx_14_0_x86_64"}
STUB = "opt/Frameworks/Accelerate.framework/Accelerate.tbd"


def build(forge: Forge, name: str, target: Target, *variants: str) -> Result:
    store = find_recipes()
    return build_one(store.load(name), target, forge.context, store, forge.out, SilentProgress(), variants)


def stub_symbols(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(re.findall(r'"(_[^"]*)"', archive.read(STUB).decode()))


def accelerate_imports(wheel: Path, directory: Path) -> dict[str, set[tuple[str, str | None]]]:
    """By extension module: the symbols with Accelerate's suffixes, and the libraries that they are bound to."""
    found: dict[str, set[tuple[str, str | None]]] = {}
    with zipfile.ZipFile(wheel) as archive:
        for file in archive.namelist():
            if not file.endswith(".so"):
                continue
            (piece,) = read_macho(Path(archive.extract(file, directory))).slices
            assert piece.two_level
            imports = {(i.name, i.library) for i in piece.imports if "$NEWLAPACK" in i.name}
            assert all(i.binding is Binding.LIBRARY for i in piece.imports if "$NEWLAPACK" in i.name)
            if imports:
                found[file.partition(".")[0]] = imports
    return found


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_the_stub(target: Target, forge: Forge) -> None:
    wheel = build(forge, "accelerate", target).wheel
    with zipfile.ZipFile(wheel) as archive:
        stub = archive.read(STUB).decode()
        assert "opt/lib/pkgconfig/accelerate-lp64.pc" in archive.namelist()
    name = f"{target.arch}-ios{'-simulator' if target.is_simulator else ''}"
    assert set(re.findall(r"targets: \[ (\S+) \]", stub)) == {name}
    assert f'install-name: "{ACCELERATE}"' in stub
    symbols = stub_symbols(wheel)
    assert len(symbols) == stub.count("$NEWLAPACK")
    assert {"_cblas_dgemm$NEWLAPACK", "_dgemm$NEWLAPACK$ILP64", "_dgesdd$NEWLAPACK"} <= symbols
    with_32 = {symbol.removesuffix("$NEWLAPACK") for symbol in symbols if symbol.endswith("$NEWLAPACK")}
    with_64 = {symbol.removesuffix("$NEWLAPACK$ILP64") for symbol in symbols if symbol.endswith("$ILP64")}
    assert with_32 == with_64


def test_the_stub_has_what_published_wheels_import(forge: Forge, tmp_path: Path) -> None:
    """Of numpy's and scipy's wheels for macOS 14, which has the same interface as iOS 16.4."""
    stub = stub_symbols(build(forge, "accelerate", TARGETS[0]).wheel)
    imported: set[str] = set()
    for name in ("numpy", "scipy"):
        recipe = find_recipes().load(name)
        (tmp_path / name).mkdir()
        wheel = published_wheel(name, recipe.version, (MACOS_14[Arch.ARM64],), tmp_path / name)
        assert wheel is not None
        for symbols in accelerate_imports(wheel, tmp_path).values():
            imported |= {symbol for symbol, _ in symbols}
    assert len(imported) > 1600
    assert imported - stub == set()


def test_no_stub_of_an_ios_that_lacks_the_interface(forge: Forge) -> None:
    with pytest.raises(BuildError):
        build(forge, "accelerate", Target(Abi.IPHONEOS, Arch.ARM64, IOSVersion(16, 3)))
    with pytest.raises(InvalidRecipeError, match="'accelerate' is for iOS"):
        build(forge, "numpy", Target(Abi.IPHONEOS, Arch.ARM64), "accelerate")


@long
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_numpy(target: Target, forge: Forge, tmp_path: Path) -> None:
    """It imports from Accelerate what its own wheel for macOS 14 does, and has no BLAS of its own."""
    recipe = find_recipes().load("numpy")
    wheel = build(forge, "numpy", target, "accelerate").wheel
    assert wheel.name.endswith(f"-{target.platform_tag}.whl")
    promise = Promise(recipe.name, recipe.version, target, forge.context.python.python_tag, native=True)
    assert [f for f in check_promise(wheel, promise) if f.severity is Severity.ERROR] == []
    ours = accelerate_imports(wheel, tmp_path / "ours")
    assert {library for symbols in ours.values() for _, library in symbols} == {ACCELERATE}
    assert ("_dgesdd$NEWLAPACK$ILP64", ACCELERATE) in ours["numpy/linalg/_umath_linalg"]
    (tmp_path / "macos").mkdir()
    published = published_wheel(recipe.name, recipe.version, (MACOS_14[target.arch],), tmp_path / "macos")
    assert published is not None
    theirs = accelerate_imports(published, tmp_path / "theirs")
    assert {m: {name for name, _ in symbols} for m, symbols in ours.items()} == {
        m: {name for name, _ in symbols} for m, symbols in theirs.items()
    }
