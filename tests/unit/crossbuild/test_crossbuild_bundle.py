"""Shared libraries of host requirements go into the wheel that loads them, and from there into an app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.crossbuild.bundle import bundle_libraries
from forge.crossbuild.finish import finish_wheel
from forge.macho.reader import read_macho
from forge.wheel.contents import read_wheel
from tests.unit.macho.builder import LOAD, PYTHON, SYSTEM, macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

OMP = "@rpath/libomp.dylib"
TAG = "cp313-cp313-ios_12_0_arm64_iphoneos"


def library(*loads: str, name: str = OMP) -> bytes:
    loaded = ((SYSTEM, LOAD), *((load, LOAD) for load in loads))
    return macho(install_name=name, loads=loaded, imports=(), exports=("_omp_get_max_threads",))


def module(name: str, *loads: str) -> bytes:
    loaded = ((PYTHON, LOAD), (SYSTEM, LOAD), *((load, LOAD) for load in loads))
    return macho(loads=loaded, exports=(f"_PyInit_{name}",))


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    directory = tmp_path / "host" / "lib"
    directory.mkdir(parents=True)
    (directory / "libomp.dylib").write_bytes(library())
    (directory / "libouter.dylib").write_bytes(library("@rpath/libinner.dylib", name="@rpath/libouter.dylib"))
    (directory / "libinner.dylib").write_bytes(library(name="@rpath/libinner.dylib"))
    return directory


def tree(root: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        file = root / "tree" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return root / "tree"


def test_one_copy_for_all_that_load_it(tmp_path: Path, libraries: Path) -> None:
    files = {
        "demo/_a.cpython-313-iphoneos.so": module("_a", OMP),
        "demo/deep/_b.cpython-313-iphoneos.so": module("_b", OMP),
        "demo/_c.cpython-313-iphoneos.so": module("_c"),
    }
    made = tree(tmp_path, files)
    assert bundle_libraries(made, libraries) == ("demo/.dylibs/libomp.dylib",)
    assert (made / "demo/.dylibs/libomp.dylib").read_bytes() == library()


def test_what_a_library_loads_in_turn(tmp_path: Path, libraries: Path) -> None:
    made = tree(tmp_path, {"demo/_a.cpython-313-iphoneos.so": module("_a", "@rpath/libouter.dylib")})
    assert bundle_libraries(made, libraries) == ("demo/.dylibs/libinner.dylib", "demo/.dylibs/libouter.dylib")


def test_a_module_without_a_package(tmp_path: Path, libraries: Path) -> None:
    made = tree(tmp_path, {"_a.cpython-313-iphoneos.so": module("_a", OMP)})
    assert bundle_libraries(made, libraries) == ("_a.dylibs/libomp.dylib",)


def test_what_installers_move_to_site_packages(tmp_path: Path, libraries: Path) -> None:
    root = "demo-1.0.data/platlib"
    files = {
        f"{root}/demo/_a.cpython-313-iphoneos.so": module("_a", OMP),
        f"{root}/_b.cpython-313-iphoneos.so": module("_b", "@rpath/libinner.dylib"),
    }
    assert bundle_libraries(tree(tmp_path, files), libraries) == (
        f"{root}/_b.dylibs/libinner.dylib",
        f"{root}/demo/.dylibs/libomp.dylib",
    )


@pytest.mark.parametrize(
    "load",
    ["@rpath/Python.framework/Python", "/usr/lib/libomp.dylib", "@rpath/libother.dylib", "@rpath/x/libomp.dylib"],
)
def test_what_is_not_meant(load: str, tmp_path: Path, libraries: Path) -> None:
    files = {"demo/_a.so": module("_a", load), "demo/_b.so": b"not a binary", "demo/_c.so": b"\xcf\xfa\xed\xfe"}
    made = tree(tmp_path, files)
    assert bundle_libraries(made, libraries) == ()


def test_a_package_that_brings_its_own(tmp_path: Path, libraries: Path) -> None:
    files = {"demo/_a.cpython-313-iphoneos.so": module("_a", OMP), "demo/lib/libomp.dylib": library()}
    assert bundle_libraries(tree(tmp_path, files), libraries) == ()


def test_no_host_requirements(tmp_path: Path) -> None:
    made = tree(tmp_path, {"demo/_a.cpython-313-iphoneos.so": module("_a", OMP)})
    assert bundle_libraries(made, tmp_path / "host" / "lib") == ()


def test_in_the_finished_wheel_it_is_what_apps_make_a_framework_of(tmp_path: Path, libraries: Path) -> None:
    path = "demo/_a.cpython-313-iphoneos.so"
    wheel = make_wheel(tmp_path, {"demo/__init__.py": b"", path: module("_a", OMP)}, name="demo", tag=TAG)
    done = finish_wheel(wheel, tmp_path / "work", {}, libraries=libraries)
    contents = read_wheel(done.path)
    assert contents.record_problems == ()
    assert sorted(member.path for member in contents.members if member.path.startswith("demo/")) == [
        "demo/__init__.py", path, "demo/_dylibs/libomp.so",
    ]  # fmt: skip
    framework = "@rpath/demo._dylibs.libomp.framework/demo._dylibs.libomp"
    (loader,), (loaded,) = (read_macho(contents.read(name)).slices for name in (path, "demo/_dylibs/libomp.so"))
    assert framework in [dylib.name for dylib in loader.dylibs]
    assert loaded.install_name is not None
    assert loaded.install_name.name == framework
