"""Builds a native library that has a ``meson.build``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forge.crossbuild.backends.base import Prepared
from forge.crossbuild.backends.meson import cross_file
from forge.crossbuild.backends.script import PREFIX, Script
from forge.recipe.model import Language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.crossbuild.context import Build

_SETTINGS = (
    f"--prefix={PREFIX}",
    "--libdir=lib",
    "--buildtype=release",
    "--default-library=static",
    "--wrap-mode=nodownload",
    "-Db_staticpic=true",
    # What a module links from an archive is not to be exported from it: another module may have it too.
    "-Dc_args=-fvisibility=hidden",
    "-Dcpp_args=-fvisibility=hidden -fvisibility-inlines-hidden",
)


class MesonLibrary(Script):
    """Meson: set up, compile, install; a static library, with the cross file that Python packages get too."""

    def prepare(self, build: Build) -> Prepared:
        """The variables of scripts; the cross file is in the work directory."""
        fortran = Language.FORTRAN in build.recipe.languages
        text = cross_file(build.target, build.environment, build.host, fortran=fortran)
        _cross_file(build).write_text(text, encoding="utf-8")
        # Of the compilers in the environment, Meson takes those ending in _FOR_BUILD for the build machine's, and the
        # cross file before the others (mesonbuild.environment).
        return Prepared(env=super().prepare(build).env)

    def commands(self, build: Build, config_settings: Mapping[str, Sequence[str]], out: Path) -> tuple[str, ...]:
        """Meson's three steps, and the recipe's commands."""
        directory = shlex.quote(str(build.work / "meson-build"))
        cross = shlex.quote(f"--cross-file={_cross_file(build)}")
        # The recipe's come last: of two settings of an option, the last counts.
        options = shlex.join([*_SETTINGS, *map(build.host.expand, build.recipe.options)])
        return (
            f"meson setup {directory} {cross} {options}",
            f"meson compile -C {directory} -j $JOBS",
            f"meson install -C {directory} --no-rebuild",
            *super().commands(build, config_settings, out),
        )


def _cross_file(build: Build) -> Path:
    return build.work / "forge-cross.ini"
