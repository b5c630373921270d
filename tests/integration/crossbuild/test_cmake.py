"""A package that scikit-build-core builds with CMake, for all targets, and what CMake is told of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forge.macho.reader import read_macho
from forge.wheel.contents import read_wheel
from tests.integration.crossbuild.own_recipes import forge, write_recipe
from tests.integration.targets import runs_here

if TYPE_CHECKING:
    from pathlib import Path

    from forge.macho.model import MachOSlice

pytestmark = pytest.mark.toolchain

RECIPE = """\
schema: 2
package: {name: forge-cmake-test, version: "1.0"}
about: {license: MIT}
source: {path: source}
build: {backend: scikit-build-core}
test: {imports: [forge_cmake_test], files: [tests/test_told.py]}
"""
TABLE = "forge_cmake_test._told all\nforge_cmake_test._stable all\n"
PYPROJECT = """\
[build-system]
requires = ["scikit-build-core>=0.11", "nanobind"]
build-backend = "scikit_build_core.build"
[project]
name = "forge-cmake-test"
version = "1.0"
[tool.scikit-build]
wheel.packages = ["forge_cmake_test"]
"""
CMAKE = """\
# The policies of the newest CMake, where it may be had: CMP0190 among them.
cmake_minimum_required(VERSION 3.21...4.4)
project(forge_cmake_test LANGUAGES C CXX)
find_package(Python 3.13 REQUIRED COMPONENTS Interpreter Development.Module Development.SABIModule)
# What is on the build machine, but not among the host requirements, is not found.
find_library(CRYPT NAMES crypt)
find_path(CRYPT_H NAMES crypt.h)
# The SDK's are.
find_package(ZLIB REQUIRED)
find_library(SECURITY NAMES Security REQUIRED)
find_program(MAKE NAMES make REQUIRED)
# A build requirement's files for CMake are where scikit-build-core says.
find_package(nanobind CONFIG REQUIRED)
include(CheckCXXSourceCompiles)
check_cxx_source_compiles("#include <atomic>\\nint main() { std::atomic<int> x(1); return x.load(); }" HAS_ATOMIC)
check_cxx_source_compiles("int main() { return no_such_function(); }" HAS_NOTHING)
python_add_library(_told MODULE WITH_SOABI told.c twice.cpp)
string(JOIN " " TOLD "system=${CMAKE_SYSTEM_NAME}" "processor=${CMAKE_SYSTEM_PROCESSOR}" "crypt=${CRYPT}"
  "crypt_h=${CRYPT_H}"
  "atomic=${HAS_ATOMIC}" "nothing=${HAS_NOTHING}" "crossing=${CMAKE_CROSSCOMPILING}")
target_compile_definitions(_told PRIVATE "TOLD=\\"${TOLD}\\"")
python_add_library(_stable MODULE USE_SABI 3.11 WITH_SOABI stable.c)
target_link_libraries(_told PRIVATE ZLIB::ZLIB ${SECURITY})
install(TARGETS _told _stable DESTINATION forge_cmake_test)
"""
TOLD = """\
#include <Python.h>
int twice(int);
static PyObject *told(PyObject *self, PyObject *unused) { return PyUnicode_FromString(TOLD); }
static PyObject *doubled(PyObject *self, PyObject *number) { return PyLong_FromLong(twice(PyLong_AsLong(number))); }
static PyMethodDef methods[] = {
    {"told", told, METH_NOARGS, NULL}, {"doubled", doubled, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_told", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__told(void) { return PyModule_Create(&module); }
"""
STABLE = """\
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_stable", NULL, -1, NULL, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit__stable(void) { return PyModule_Create(&module); }
"""
TWICE = """\
#include <vector>
extern "C" __attribute__((visibility("hidden"))) int twice(int x) { return std::vector<int>(2, x).size() * x; }
"""
TEST = """\
from forge_cmake_test import _stable, _told

def test_told():
    assert _told.doubled(21) == 42
    said = dict(each.split("=", 1) for each in _told.told().split(" "))
    assert said.pop("processor") in ("arm64", "x86_64")
    assert said == {"system": "iOS", "crypt": "CRYPT-NOTFOUND", "crypt_h": "CRYPT_H-NOTFOUND", "atomic": "1",
                    "nothing": "", "crossing": "TRUE"}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels, by target."""
    root = tmp_path_factory.mktemp("cmake")
    files = {
        "recipe.yaml": RECIPE, "extension-modules.txt": TABLE, "source/pyproject.toml": PYPROJECT,
        "source/CMakeLists.txt": CMAKE, "source/told.c": TOLD, "source/stable.c": STABLE, "source/twice.cpp": TWICE,
        "source/forge_cmake_test/__init__.py": "", "tests/test_told.py": TEST,
    }  # fmt: skip
    write_recipe(root, "forge-cmake-test", files)
    forge(root, "lock", "forge-cmake-test")
    forge(root, "build", "forge-cmake-test")
    wheels = {path.name.split("_", 5)[-1].removesuffix(".whl"): path for path in (root / "dist").iterdir()}
    assert len(wheels) == 3
    return wheels


OTHER_RECIPE = """\
schema: 2
package: {name: other-cmake-test, version: "1.0"}
about: {license: MIT}
source: {path: source}
build: {backend: scikit-build-core, requires: [cmake, ninja]}
test: {imports: [other_cmake_test._stable]}
"""
OTHER_PYPROJECT = """\
[build-system]
requires = ["py-build-cmake~=0.5.0"]
build-backend = "py_build_cmake.build"
[project]
name = "other-cmake-test"
version = "1.0"
description = "Built by py-build-cmake"
[tool.py-build-cmake.module]
name = "other_cmake_test"
directory = "."
[tool.py-build-cmake.cmake]
source_path = "."
minimum_version = "3.24"
install_components = ["modules"]
"""
OTHER_CMAKE = """\
cmake_minimum_required(VERSION 3.24)
project(other_cmake_test LANGUAGES C)
find_package(Python3 REQUIRED COMPONENTS Interpreter Development.Module)
Python3_add_library(_stable MODULE WITH_SOABI stable.c)
install(TARGETS _stable LIBRARY DESTINATION other_cmake_test COMPONENT modules)
"""


@runs_here
def test_py_build_cmake(tmp_path: Path) -> None:
    files = {
        "recipe.yaml": OTHER_RECIPE, "extension-modules.txt": "other_cmake_test._stable all\n",
        "source/pyproject.toml": OTHER_PYPROJECT, "source/CMakeLists.txt": OTHER_CMAKE, "source/stable.c": STABLE,
        "source/other_cmake_test/__init__.py": "",
    }  # fmt: skip
    write_recipe(tmp_path, "other-cmake-test", files)
    forge(tmp_path, "lock", "other-cmake-test")
    (trial,) = json.loads(forge(tmp_path, "test", "other-cmake-test", "--json"))["trials"]
    assert trial["good"], trial


def binary(wheel: Path) -> MachOSlice:
    contents = read_wheel(wheel)
    extension = next(each for each in contents.extensions if "_told." in each.member)
    data = next(data for member, data in contents.read_all() if member == extension.member)
    (one,) = read_macho(data).slices
    return one


def test_modules_have_the_suffix_of_the_target(built: dict[str, Path]) -> None:
    for target, wheel in built.items():
        names = {extension.member.rpartition("/")[2] for extension in read_wheel(wheel).extensions}
        abi = target.rpartition("_")[2]
        assert names == {f"_told.cpython-313-{abi}.so", "_stable.abi3.so"}


def test_modules_are_dylibs_that_load_pythons_framework(built: dict[str, Path]) -> None:
    for target, wheel in built.items():
        one = binary(wheel)
        assert one.file_type.macro == "MH_DYLIB", target
        loads = {dylib.name for dylib in one.dylibs}
        framework = "/System/Library/Frameworks/Security.framework/Security"
        assert {"@rpath/Python.framework/Python", "/usr/lib/libz.1.dylib", framework} <= loads
        assert [export.name for export in one.exports] == ["_PyInit__told"]
        assert {i.library for i in one.imports if i.name.startswith("_Py")} == {"@rpath/Python.framework/Python"}


@runs_here
def test_the_module_runs_and_was_told_of_the_target(built: dict[str, Path]) -> None:
    root = next(iter(built.values())).parents[1]
    said = json.loads(forge(root, "test", "forge-cmake-test", "--json"))
    (trial,) = said["trials"]
    assert trial["good"], trial
    assert trial["counts"]["passed"] == 4, "three imports and the test"
