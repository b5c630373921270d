"""Builds a native library that has a ``configure`` script."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forge.crossbuild.backends.base import Prepared
from forge.crossbuild.backends.script import PREFIX, Script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.crossbuild.context import Build

# What a module links from an archive is not to be exported from it: another module may have it too.
_FLAGS = "-O2 -fPIC -fvisibility=hidden"


class Autotools(Script):
    """``configure``, ``make`` and ``make install``, in the source tree; a static library."""

    def prepare(self, build: Build) -> Prepared:
        """The variables of scripts, with flags for static libraries that go into modules."""
        flags = {"CFLAGS": _FLAGS, "CXXFLAGS": f"{_FLAGS} -fvisibility-inlines-hidden"}
        if build.recipe.host:
            flags |= {"CPPFLAGS": f"-I{build.host.opt}/include", "LDFLAGS": f"-L{build.host.opt}/lib"}
        return Prepared(env={**super().prepare(build).env, **flags})

    def commands(self, build: Build, config_settings: Mapping[str, Sequence[str]], out: Path) -> tuple[str, ...]:
        """The three steps, and the recipe's commands."""
        options = shlex.join(map(build.host.expand, build.recipe.options))
        return (
            f"./configure --host=$HOST --prefix={PREFIX} --disable-shared --enable-static {options}".rstrip(),
            "make -j$JOBS",
            "make install DESTDIR=$DESTDIR",
            *super().commands(build, config_settings, out),
        )
