"""A package that meson-python builds of Cython, with build Pythons of several kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.wheel.contents import read_wheel
from tests.integration.crossbuild.own_recipes import forge, write_recipe
from tests.integration.pythons import linux_python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

FILES = {
    "recipe.yaml": """\
schema: 2
package: {name: forge-meson-test, version: "1.0"}
about: {license: MIT}
source: {path: source}
build: {backend: meson-python}
""",
    "extension-modules.txt": "forge_meson_test all\n",
    "source/pyproject.toml": """\
[build-system]
requires = ["meson-python>=0.17", "Cython>=3.1"]
build-backend = "mesonpy"
[project]
name = "forge-meson-test"
version = "1.0"
""",
    "source/meson.build": """\
project('forge-meson-test', 'c', 'cython', version: '1.0', meson_version: '>=1.5')
python = import('python').find_installation(pure: false)
# The iOS Python's, whichever way it is asked for: as a dependency, or as pybind11-config asks.
headers = dependency('python3')
code = 'import sysconfig; print(sysconfig.get_path("include"), sysconfig.get_config_var("INCLUDEPY"))'
told = run_command(find_program('python3', native: true), '-c', code, check: true).stdout().strip().split()
python.extension_module('forge_meson_test', 'forge_meson_test.pyx', dependencies: headers, install: true,
  c_args: ['-I' + told[0], '-I' + told[1]])
""",
    "source/forge_meson_test.pyx": """\
cdef extern from *:
    \"\"\"
    #include <Python.h>
    #ifndef __APPLE__
    #error "this is not for iOS"
    #endif
    #if SIZEOF_LONG != 8 || defined(__linux__)
    #error "these are not the headers of the iOS Python"
    #endif
    \"\"\"
def twice(int number):
    return 2 * number
""",
}


@pytest.mark.parametrize("minor", ["3.13", "3.15"])
def test_with_any_build_python(minor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meson tries Cython's compiler with headers of its own choice, which may be the build machine's.

    The Python 3.15 that tests run is Debian's, whose headers refuse other systems.
    """
    monkeypatch.setenv("FORGE_BUILD_PYTHON", str(linux_python(minor).executable))
    write_recipe(tmp_path, "forge-meson-test", FILES)
    forge(tmp_path, "lock", "forge-meson-test", "--python", minor)
    forge(tmp_path, "build", "forge-meson-test", "--python", minor, "--abi", "iphoneos")
    (wheel,) = (tmp_path / "dist").iterdir()
    assert [extension.module for extension in read_wheel(wheel).extensions] == ["forge_meson_test"]
