"""Official Pythons: recognised by what is in them, added whole or not at all, refused with a reason."""

from __future__ import annotations

import hashlib
import json
import plistlib
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ForgeError, IOSPythonError, SourceError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.ios_python.describe import describe, find_described
from forge.ios_python.model import Provider
from forge.ios_python.official import add_official, official_pythons, pinned_archives, read_layout, remove_official
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, write_ios_python

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

VERSIONS = """Python version: 3.13.14
Build: b16
Min iOS version: 13.0
---------------------
BZip2: 1.0.8-2
OpenSSL: 3.0.18-1
"""


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    return ForgeHome(tmp_path / "home")


def xcframework(root: Path, version: str = "3.13.14") -> Path:
    root = write_ios_python(root / "Python.xcframework", version=version)
    libraries = [{"SupportedPlatform": "ios", "LibraryIdentifier": "ios-arm64"}]
    (root / "Info.plist").write_bytes(plistlib.dumps({"AvailableLibraries": libraries}))
    return root


def beeware(root: Path) -> Path:
    python = xcframework(root)
    (root / "VERSIONS").write_text(VERSIONS)
    (python / DEVICE.slice_name / "platform-config" / "arm64-iphoneos").mkdir(parents=True)
    (root / "testbed").mkdir()
    return root


def python_org(root: Path) -> Path:
    python = xcframework(root)
    library = python / DEVICE.slice_name / "lib-arm64" / "python3.13"
    (library / "build-details.json").write_text("{}")
    return root


def packed(tree: Path, archive: Path) -> Path:
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(tree.iterdir()):
            tar.add(path, path.name)
    return archive


def add(home: ForgeHome, what: object, sha256: str | None = None) -> tuple[str, str, tuple[str, ...]]:
    product, layout, lacking = add_official(home, str(what), sha256, SilentProgress())
    return product.version, layout.publisher, lacking


@pytest.mark.parametrize(("shape", "publisher"), [(beeware, "BeeWare"), (python_org, "python.org")])
@pytest.mark.parametrize("as_archive", [True, False])
def test_is_recognised_and_added(
    home: ForgeHome, tmp_path: Path, shape: Callable[[Path], Path], publisher: str, as_archive: bool
) -> None:
    tree = shape(tmp_path / "a place" / "support")
    version, said, lacking = add(home, packed(tree, tmp_path / "a place" / "iOS.tar.gz") if as_archive else tree)
    assert (version, said) == ("3.13.14", publisher)
    assert all("extension modules" in each or "standard library" in each for each in lacking)
    (kept,) = official_pythons(home)
    product = kept.product
    assert product.root.is_relative_to(home.pythons)
    assert read_layout(product).publisher == publisher
    shutil.rmtree(tree)
    assert product.headers(DEVICE).is_dir()


def test_the_xcframework_itself_will_do(home: ForgeHome, tmp_path: Path) -> None:
    assert add(home, xcframework(tmp_path))[:2] == ("3.13.14", "CPython's layout")


def test_is_shown_with_what_it_says_of_itself(home: ForgeHome, tmp_path: Path) -> None:
    add(home, beeware(tmp_path / "x"))
    shown = find_described(home, "3.13", None)
    assert shown.provider is Provider.OFFICIAL
    assert shown.libraries == (("BZip2", "1.0.8-2"), ("OpenSSL", "3.0.18-1"))
    assert "_multiprocessing" in shown.modules[0][2]
    assert "zlib" in shown.modules[0][1]
    assert [each.provider for each in describe(home)][:2] == [Provider.OFFICIAL, Provider.ASSEMBLED]
    json.dumps(shown.as_data())


def test_added_twice_is_there_once_and_can_be_removed(home: ForgeHome, tmp_path: Path) -> None:
    tree = beeware(tmp_path / "x")
    add(home, tree)
    add(home, tree)
    assert len(official_pythons(home)) == 1
    remove_official(home, "3.13")
    assert official_pythons(home) == ()
    with pytest.raises(IOSPythonError, match="was added"):
        remove_official(home, "3.13")


def test_a_damaged_one_can_be_removed_too(home: ForgeHome, tmp_path: Path) -> None:
    add(home, beeware(tmp_path / "x"))
    (kept,) = official_pythons(home)
    (kept.product.slice(DEVICE) / "Python.framework" / "Info.plist").write_bytes(b"")
    with pytest.raises(IOSPythonError, match="not a valid property list"):
        find_described(home, "3.13", None)
    assert remove_official(home, "3.13") == (kept.directory,)
    assert find_described(home, "3.13", None).provider is Provider.ASSEMBLED


def test_a_missing_slice_is_listed(home: ForgeHome, tmp_path: Path) -> None:
    tree = beeware(tmp_path / "x")
    shutil.rmtree(tree / "Python.xcframework" / ARM_SIMULATOR.slice_name)
    lacking = add(home, tree)[2]
    assert lacking[:2] == ("the slice for arm64-iphonesimulator", "the slice for x86_64-iphonesimulator")
    assert official_pythons(home)[0].product.targets == (DEVICE,)


def tvos(tree: Path) -> None:
    python = tree / "Python.xcframework"
    for path in list(python.glob("ios-*")):
        path.rename(path.with_name(path.name.replace("ios", "tvos")))
    libraries = [{"SupportedPlatform": "tvos", "LibraryIdentifier": "tvos-arm64"}]
    (python / "Info.plist").write_bytes(plistlib.dumps({"AvailableLibraries": libraries}))


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        for path in tree.rglob("*"):
            if path.name.startswith("_sysconfigdata") or path.name == "patchlevel.h":
                path.write_text(path.read_text().replace(old, new))

    return change


def emptied(pattern: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        for path in list(tree.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


@pytest.mark.parametrize(
    "damage",
    [
        tvos,
        replaced("3.13", "3.12"),
        replaced("'prefix'", "'Py_GIL_DISABLED': 1, 'prefix'"),
        replaced("'prefix'", "'Py_DEBUG': 1, 'prefix'"),
        replaced("cpython-313-iphoneos", "cpython-313t-iphoneos"),
        emptied("Python.xcframework"),
        emptied("Python.xcframework/*/lib-*/*/_sysconfigdata*"),
        emptied("Python.xcframework/*/Python.framework/Info.plist"),
    ],
    ids=["tvOS", "another version", "free-threaded", "debug", "suffix", "nothing", "no sysconfig data", "no plist"],
)
def test_what_will_not_do_is_refused(
    home: ForgeHome, tmp_path: Path, damage: Callable[[Path], None], snapshot: SnapshotAssertion
) -> None:
    tree = beeware(tmp_path / "x")
    damage(tree)
    with pytest.raises(ForgeError) as error:
        add(home, packed(tree, tmp_path / "iOS.tar.gz"))
    text = f"{error.value.message}\nhint: {error.value.hint}"
    assert "Traceback" not in text
    assert text.replace(str(tmp_path), "TMP").split("/tree")[-1] == snapshot
    assert official_pythons(home) == ()
    assert not (home.pythons / "official").exists() or not list((home.pythons / "official").iterdir())


def test_a_damaged_archive_and_a_wrong_sha256(home: ForgeHome, tmp_path: Path) -> None:
    archive = packed(beeware(tmp_path / "x"), tmp_path / "iOS.tar.gz")
    good = hashlib.sha256(archive.read_bytes()).hexdigest()
    with pytest.raises(IOSPythonError, match=rf"wrong sha256\n  expected {'0' * 64}\n  got      {good}"):
        add(home, archive, "0" * 64)
    assert add(home, archive, good.upper())[0] == "3.13.14"
    archive.write_bytes(archive.read_bytes()[:2000])
    remove_official(home, "3.13")
    with pytest.raises(SourceError):
        add(home, archive)
    assert official_pythons(home) == ()


@pytest.mark.parametrize("what", ["https://host.invalid/x.tar.gz", "3.9", "nonsense!", "/nowhere/at all.tar.gz"])
def test_what_cannot_be_found(home: ForgeHome, what: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(IOSPythonError) as error:
        add(home, what)
    assert f"{error.value.message}\nhint: {error.value.hint}" == snapshot


def test_pins_are_of_versions_that_forge_knows() -> None:
    assert set(pinned_archives()) == {"3.13", "3.14", "3.15"}
    for archives in pinned_archives().values():
        assert all(len(source.sha256) == 64 for _, source in archives)
