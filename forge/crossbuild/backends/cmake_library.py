"""Builds a native library that has a ``CMakeLists.txt`` of its own."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forge.crossbuild.backends.base import Prepared
from forge.crossbuild.backends.cmake import cmake_variables
from forge.crossbuild.backends.script import PREFIX, Script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.crossbuild.context import Build

_SETTINGS = (
    "-DCMAKE_BUILD_TYPE=Release",
    f"-DCMAKE_INSTALL_PREFIX={PREFIX}",
    "-DCMAKE_INSTALL_LIBDIR=lib",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DBUILD_TESTING=OFF",
    "-DCMAKE_POSITION_INDEPENDENT_CODE=ON",
    # What a module links from an archive is not to be exported from it: another module may have it too.
    "-DCMAKE_POLICY_DEFAULT_CMP0063=NEW",
    "-DCMAKE_C_VISIBILITY_PRESET=hidden",
    "-DCMAKE_CXX_VISIBILITY_PRESET=hidden",
    "-DCMAKE_VISIBILITY_INLINES_HIDDEN=ON",
)


class CMakeLibrary(Script):
    """CMake: configure, build, install; a static library, with the toolchain file that Python packages get too."""

    def prepare(self, build: Build) -> Prepared:
        """The variables of scripts, and those through which CMake finds the toolchain file."""
        return Prepared(env={**super().prepare(build).env, **cmake_variables(build)})

    def commands(self, build: Build, config_settings: Mapping[str, Sequence[str]], out: Path) -> tuple[str, ...]:
        """CMake's three steps, and the recipe's commands."""
        directory = shlex.quote(str(build.work / "cmake-build"))
        # The recipe's come last: of two settings of a variable, the last counts.
        options = shlex.join([*_SETTINGS, *map(build.host.expand, build.recipe.options)])
        return (
            f"cmake -S . -B {directory} {options}",
            f"cmake --build {directory} --parallel $JOBS",
            f"cmake --install {directory}",
            *super().commands(build, config_settings, out),
        )
