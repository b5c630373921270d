"""Two modules that share OpenMP's runtime: one copy of it is in the wheel, and in an app it is a framework."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from forge.audit.check import check_wheel
from forge.base.severity import Severity
from forge.macho.reader import read_macho
from forge.recipe.store import find_recipes
from forge.wheel.contents import read_wheel
from tests.integration.budget import BUILDS, need_minutes
from tests.integration.crossbuild.own_recipes import forge, write_recipe
from tests.integration.targets import runs_here

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

MODULE = """\
#include <Python.h>
#include <omp.h>

static PyObject *team(PyObject *self, PyObject *wanted) {
    int threads = (int)PyLong_AsLong(wanted), seen = 0;
    double sum = 0;
    #pragma omp parallel num_threads(threads) reduction(+ : sum)
    {
        #pragma omp single
        seen = omp_get_num_threads();
        #pragma omp for
        for (int i = 1; i <= 100000; i++) sum += i;
    }
    return Py_BuildValue("(id)", seen, sum);
}

static PyObject *set_threads(PyObject *self, PyObject *number) {
    omp_set_num_threads((int)PyLong_AsLong(number));
    Py_RETURN_NONE;
}

static PyObject *max_threads(PyObject *self, PyObject *unused) { return PyLong_FromLong(omp_get_max_threads()); }

static PyMethodDef methods[] = {
    {"team", team, METH_O, NULL}, {"set_threads", set_threads, METH_O, NULL},
    {"max_threads", max_threads, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "NAME", NULL, -1, methods, NULL, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_NAME(void) { return PyModule_Create(&module); }
"""

FILES = {
    "recipe.yaml": """\
schema: 2
package: {name: forge-openmp-test, version: "1.0"}
about: {license: MIT}
source: {path: source}
build:
  backend: setuptools
  env:
    CFLAGS: -fopenmp -I${host_prefix}/opt/include
    LDFLAGS: -L${host_prefix}/opt/lib -lomp
requirements: {host: [llvm-openmp]}
test: {imports: [forge_openmp_test._one, forge_openmp_test._two], files: [tests/test_team.py]}
""",
    "extension-modules.txt": "forge_openmp_test._one all\nforge_openmp_test._two all\n",
    "source/pyproject.toml": """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "forge-openmp-test"
version = "1.0"
[tool.setuptools]
packages = ["forge_openmp_test"]
""",
    "source/setup.py": """\
from setuptools import Extension, setup
setup(ext_modules=[Extension(f"forge_openmp_test.{n}", [f"forge_openmp_test/{n}.c"]) for n in ("_one", "_two")])
""",
    "source/forge_openmp_test/__init__.py": "",
    "source/forge_openmp_test/_one.c": MODULE.replace("NAME", "_one"),
    "source/forge_openmp_test/_two.c": MODULE.replace("NAME", "_two"),
    "tests/test_team.py": """\
import pytest
from forge_openmp_test import _one, _two

@pytest.mark.parametrize("module", [_one, _two])
def test_a_team_of_threads_shares_the_work(module):
    assert module.team(4) == (4, 5000050000.0)

def test_there_is_one_runtime():
    \"\"\"What one module sets the other finds: two runtimes would have a setting each.\"\"\"
    _one.set_threads(3)
    assert _two.max_threads() == 3
    _two.set_threads(5)
    assert _one.max_threads() == 5
""",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of recipes: that of OpenMP's runtime, and the test's."""
    root = tmp_path_factory.mktemp("openmp")
    shutil.copytree(find_recipes().load("llvm-openmp").directory, root / "recipes" / "llvm-openmp")
    write_recipe(root, "forge-openmp-test", FILES)
    forge(root, "lock", "forge-openmp-test")
    return root


@pytest.fixture(scope="module")
def wheel(root: Path) -> Path:
    need_minutes(BUILDS["llvm-openmp"], "OpenMP's runtime")
    forge(root, "build", "forge-openmp-test", "--abi", "iphonesimulator", "--arch", "x86_64")
    (wheel,) = (root / "dist").glob("forge_openmp_test-*.whl")
    return wheel


def test_one_copy_is_in_the_wheel(wheel: Path) -> None:
    contents = read_wheel(wheel)
    binaries = {member.path: contents.read(member.path) for member in contents.members if member.path.endswith(".so")}
    assert {path.rpartition("/")[2].partition(".")[0] for path in binaries} == {"_one", "_two", "libomp"}
    library = "@rpath/forge_openmp_test._dylibs.libomp.framework/forge_openmp_test._dylibs.libomp"
    for path, data in binaries.items():
        (one,) = read_macho(data).slices
        if "libomp" in path:
            assert one.install_name is not None
            assert one.install_name.name == library
            assert one.exports_symbol("___kmpc_fork_call")
        else:
            assert library in [dylib.name for dylib in one.dylibs]
    findings = check_wheel(wheel).findings
    assert [finding for finding in findings if finding.severity is not Severity.INFO] == []
    assert any("llvm-openmp" in member.path for member in contents.members), "with its licence"


@runs_here
def test_its_modules_share_it(root: Path, wheel: Path) -> None:
    assert wheel.exists()
    forge(root, "test", "forge-openmp-test")
    forge(root, "test", str(wheel))
