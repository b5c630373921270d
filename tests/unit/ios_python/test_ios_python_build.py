"""The cache of iOS Pythons: nothing built twice, nothing half-made left."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import BuildError, IOSPythonError
from forge.base.paths import ForgeHome
from forge.base.target import IOSVersion, Target, select_targets
from forge.ios_python import built as build_module
from forge.ios_python.build_python import BuildPython
from forge.ios_python.built import MANIFEST, built_pythons, ensure_built
from forge.ios_python.cpython import PREFIX
from forge.ios_python.native import BUILDERS, Workshop
from tests.unit.ios_python.fakes import (
    ARM_SIMULATOR,
    DEVICE,
    VERSION,
    X86_SIMULATOR,
    FakeToolchain,
    Recorder,
    make_release,
    make_toolchain,
    write_ios_python,
    write_thin,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.ios_python.product import XCFramework

LIBRARIES = ("libffi", "openssl")


class Forge:
    """What is built, counted; a step can be made to fail."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = ForgeHome(root / "home")
        self.toolchain = make_toolchain(root / "toolchain")
        self.release = make_release(root / "sources", LIBRARIES)
        self.built: list[str] = []
        self.failing: dict[str, BaseException] = {}
        for name in LIBRARIES:
            monkeypatch.setitem(BUILDERS, name, self.library)
        monkeypatch.setattr(build_module, "build_cpython", self.cpython)
        build_python = BuildPython(root / "python3.13", VERSION)
        monkeypatch.setattr(build_module, "ensure_exact_python", lambda *_: build_python)

    def library(self, shop: Workshop) -> None:
        assert (shop.tree / "README").read_text() == shop.tree.name
        (shop.prefix / "lib").mkdir()
        (shop.prefix / "lib" / "lib.a").write_text(str(shop.target))
        self.step(f"{shop.tree.name} {shop.target}")

    def cpython(self, *, target: Target, libraries: dict[str, Path], staging: Path, **_: Any) -> Path:
        for path in libraries.values():
            assert (path / "lib" / "lib.a").read_text() == str(target)
        installed = staging / PREFIX.lstrip("/")
        write_thin(installed, target)
        self.step(f"python {target}")
        return installed

    def step(self, name: str) -> None:
        self.built.append(name)
        if name in self.failing:
            raise self.failing[name]

    def ensure(self, *targets: Target, toolchain: FakeToolchain | None = None) -> XCFramework:
        self.built.clear()
        return ensure_built(self.home, self.release, targets, toolchain or self.toolchain, Recorder())

    def visible(self) -> list[str]:
        """Cache entries: what is not hidden."""
        found = [*self.home.pythons.glob("[!.]*"), *self.home.pythons.glob("*/[!.]*")]
        return sorted(p.name for p in found if p.name not in {"libraries", "thin", "Python.xcframework", MANIFEST})


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    return Forge(tmp_path, monkeypatch)


def steps(*targets: Target) -> list[str]:
    return [f"{what} {target}" for target in targets for what in (*LIBRARIES, "python")]


def test_builds_what_is_asked_for_once(forge: Forge) -> None:
    first = forge.ensure(DEVICE)
    assert forge.built == steps(DEVICE)
    assert first.targets == (DEVICE,)
    assert first.root.name == "Python.xcframework"
    assert first.sysconfigdata(DEVICE).is_file()
    assert forge.ensure(DEVICE) == first
    assert forge.built == []
    assert list(forge.home.work.iterdir()) == []


def test_another_target_builds_only_its_own(forge: Forge) -> None:
    one = forge.ensure(ARM_SIMULATOR)
    both = forge.ensure(X86_SIMULATOR, ARM_SIMULATOR)
    assert forge.built == steps(X86_SIMULATOR)
    assert both.targets == (ARM_SIMULATOR, X86_SIMULATOR)
    assert both.root != one.root
    assert one.root.is_dir(), "wheels may be under way against it"


def test_the_order_of_targets_does_not_matter(forge: Forge) -> None:
    assert forge.ensure(*select_targets()) == forge.ensure(*reversed(select_targets()), DEVICE)
    assert forge.built == []


def test_another_toolchain_or_minimum_is_another_python(forge: Forge) -> None:
    first = forge.ensure(DEVICE)
    other = forge.ensure(DEVICE, toolchain=dataclasses.replace(forge.toolchain, id="toolchain 2"))
    assert forge.built == steps(DEVICE)
    newer = forge.ensure(Target(DEVICE.abi, DEVICE.arch, IOSVersion(13)))
    assert forge.built == steps(DEVICE)
    assert len({p.root for p in (first, other, newer)}) == 3


def test_libraries_outlive_a_python_that_has_to_be_built_again(forge: Forge) -> None:
    forge.ensure(DEVICE)
    shutil.rmtree(forge.home.pythons / "thin")
    forge.ensure(DEVICE)
    assert forge.built == [f"python {DEVICE}"]


@pytest.mark.parametrize("error", [BuildError("no"), OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("step", "kept"), [(f"openssl {DEVICE}", 1), (f"python {DEVICE}", 2)], ids=["library", "python"]
)
def test_a_build_that_ends_early_leaves_nothing_half_made(
    forge: Forge, error: BaseException, step: str, kept: int
) -> None:
    forge.failing[step] = error
    with pytest.raises(type(error)):
        forge.ensure(DEVICE)
    assert len(forge.visible()) == kept, "only whole libraries"
    assert not [path for path in forge.home.pythons.rglob("*") if path.name.startswith(".")]
    forge.failing.clear()
    python = forge.ensure(DEVICE)
    assert forge.built == steps(DEVICE)[kept:]
    assert python.sysconfigdata(DEVICE).is_file()


def test_an_xcframework_is_whole_or_not_there(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(_thin: object, _minor: object, _toolchain: object, destination: Path) -> None:
        destination.mkdir()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(build_module, "assemble_xcframework", half)
        with pytest.raises(KeyboardInterrupt):
            forge.ensure(DEVICE)
    assert built_pythons(forge.home) == ()
    python = forge.ensure(DEVICE)
    assert forge.built == []
    assert [kept.product for kept in built_pythons(forge.home)] == [python]


def put(home: ForgeHome, name: str, version: str, targets: Sequence[Target] = (DEVICE,)) -> Path:
    directory = home.pythons / name
    write_ios_python(directory / "Python.xcframework", targets, version)
    (directory / MANIFEST).write_text(json.dumps({"targets": {t.multiarch: "12.0" for t in targets}}))
    return directory


class TestList:
    def test_nothing(self, tmp_path: Path) -> None:
        assert built_pythons(ForgeHome(tmp_path)) == ()

    def test_newest_version_first(self, tmp_path: Path) -> None:
        home = ForgeHome(tmp_path)
        for version in ("3.9.1", "3.13.5", "3.14.0rc1", "3.14.0", "3.13.10"):
            put(home, f"{version}-aa", version)
        assert [p.version for p in built_pythons(home)] == ["3.14.0", "3.14.0rc1", "3.13.10", "3.13.5", "3.9.1"]

    @pytest.mark.parametrize("manifest", ["", "{", "[]", "3", "{}", '{"targets": 3}', '{"targets": []}'])
    def test_an_entry_that_forge_did_not_write_is_passed_over(self, tmp_path: Path, manifest: str) -> None:
        home = ForgeHome(tmp_path)
        put(home, "3.13.5-aa", VERSION)
        (put(home, "3.13.5-bb", VERSION) / MANIFEST).write_text(manifest)
        assert [p.directory.name for p in built_pythons(home)] == ["3.13.5-aa"]

    def test_a_damaged_one_is_named(self, tmp_path: Path) -> None:
        directory = put(ForgeHome(tmp_path), "3.13.5-aa", VERSION)
        (directory / "Python.xcframework" / "ios-arm64" / "Python.framework" / "Info.plist").unlink()
        put(ForgeHome(tmp_path), "3.14.0-aa", "3.14.0")
        sound, damaged = built_pythons(ForgeHome(tmp_path))
        assert (sound.product.version, damaged.version) == ("3.14.0", "3.13.5")
        with pytest.raises(IOSPythonError, match=r"3\.13\.5-aa"):
            _ = damaged.product
