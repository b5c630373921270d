"""Which iOS Python counts: what was added, then what was built, then assembled; and that wheels do not depend on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import IOSPythonError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.ios_python import choose as module
from forge.ios_python.built import MANIFEST
from forge.ios_python.choose import choose_python, minor_of
from forge.ios_python.headers import header_archives
from forge.ios_python.model import IOSPython, Provider
from forge.ios_python.official import add_official
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, make_toolchain, patchlevel, write_ios_python

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    """With unpacked headers of 3.13, so that nothing is downloaded."""
    home = ForgeHome(tmp_path / "home")
    archive = header_archives("3.13")[0]
    headers = home.pythons / "headers" / f"3.13-{archive.source.sha256[:16]}"
    headers.mkdir(parents=True)
    (headers / "Python.h").write_text("")
    (headers / "patchlevel.h").write_text(patchlevel(archive.release))
    return home


def choose(home: ForgeHome, version: str = "3.13", *targets: Target, provider: Provider | None = None) -> IOSPython:
    toolchain = make_toolchain(home.root / "toolchain")
    return choose_python(home, version, targets or (DEVICE,), provider, lambda: toolchain, SilentProgress())


def build(home: ForgeHome, version: str = "3.13.5") -> None:
    directory = home.pythons / f"{version}-aa"
    write_ios_python(directory / "Python.xcframework", version=version)
    (directory / MANIFEST).write_text(json.dumps({"targets": {}}))


def add(home: ForgeHome, version: str, tmp_path: Path, targets: tuple[Target, ...] = (DEVICE,)) -> None:
    root = write_ios_python(tmp_path / version / "Python.xcframework", targets, version)
    (root / "Info.plist").write_bytes(b"")
    add_official(home, str(root), None, SilentProgress())


def test_assembled_where_there_is_nothing_else(home: ForgeHome) -> None:
    python = choose(home)
    assert python.provider is Provider.ASSEMBLED
    assert python.product is None
    assert choose(home) == python


def test_added_before_built_before_assembled(home: ForgeHome, tmp_path: Path) -> None:
    build(home)
    assert choose(home).provider is Provider.BUILT
    add(home, "3.13.14", tmp_path)
    assert choose(home).provider is Provider.OFFICIAL
    assert choose(home).version == "3.13.14"
    assert choose(home, "3.13.5").provider is Provider.BUILT
    assert choose(home, provider=Provider.ASSEMBLED).provider is Provider.ASSEMBLED


def test_one_without_the_target_does_not_count(home: ForgeHome, tmp_path: Path) -> None:
    add(home, "3.13.14", tmp_path)
    assert choose(home, "3.13", DEVICE, ARM_SIMULATOR).provider is Provider.ASSEMBLED
    with pytest.raises(IOSPythonError, match=r"no official iOS Python 3\.13 was added for arm64-iphonesimulator"):
        choose(home, "3.13", ARM_SIMULATOR, provider=Provider.OFFICIAL)


def test_wheels_do_not_depend_on_the_provider_or_the_patch_release(home: ForgeHome, tmp_path: Path) -> None:
    """The fingerprint is the same, and so is what a build reads of the patch release."""
    build(home)
    add(home, "3.13.14", tmp_path)
    every = [choose(home, provider=each) for each in (Provider.OFFICIAL, Provider.ASSEMBLED)] + [choose(home, "3.13.5")]
    assert len({python.root for python in every}) == 3
    assert len({python.fingerprint(DEVICE) for python in every}) == 1
    assert len({python.full_version for python in every}) == 1
    for name in ("patchlevel.h", "pyconfig.h"):
        assert len({(python.headers(DEVICE) / name).read_text() for python in every}) == 1
    assert len({python.sysconfigdata(DEVICE).read_text() for python in every}) == 1
    assert len({python.stub(DEVICE).read_text() for python in every}) == 1


def test_built_is_built_if_it_is_asked_for(home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    class AskedError(Exception):
        pass

    def built(_home: object, release: object, targets: list[Target], *_: object) -> None:
        raise AskedError(getattr(release, "version", ""), targets)

    monkeypatch.setattr(module, "ensure_built", built)
    with pytest.raises(AskedError, match=r"3\.13\.15"):
        choose(home, provider=Provider.BUILT)
    with pytest.raises(AskedError, match=r"3\.13\.5"):
        choose(home, "3.13.5", provider=Provider.BUILT)


def test_a_release_that_is_not_there_is_an_error(home: ForgeHome) -> None:
    with pytest.raises(IOSPythonError, match=r"iOS Python 3\.13\.7 was neither added nor built") as error:
        choose(home, "3.13.7")
    assert error.value.hint == "use --python 3.13: wheels do not depend on the patch release"


@pytest.mark.parametrize("version", ["3.12", "4", "", "three", "3.13t"])
def test_a_version_that_forge_does_not_know(version: str) -> None:
    with pytest.raises(IOSPythonError, match=r"cannot build wheels for Python"):
        minor_of(version)
