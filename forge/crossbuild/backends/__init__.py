"""The back ends of builds. To add one: a module here, a line in `_BACK_ENDS`, its name in `Backend` and the schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.crossbuild.backends.autotools import Autotools
from forge.crossbuild.backends.cmake import ScikitBuildCore
from forge.crossbuild.backends.cmake_library import CMakeLibrary
from forge.crossbuild.backends.meson import MesonPython
from forge.crossbuild.backends.meson_library import MesonLibrary
from forge.crossbuild.backends.pep517 import Pep517
from forge.crossbuild.backends.script import Script
from forge.recipe.model import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.crossbuild.backends.base import BackEnd
    from forge.recipe.model import EvaluatedRecipe

_BACK_ENDS: Mapping[Backend, BackEnd] = {
    Backend.SETUPTOOLS: Pep517(),
    Backend.MATURIN: Pep517(),
    Backend.SCIKIT_BUILD_CORE: ScikitBuildCore(),
    Backend.MESON_PYTHON: MesonPython(),
    Backend.SCRIPT: Script(),
    Backend.CMAKE: CMakeLibrary(),
    Backend.AUTOTOOLS: Autotools(),
    Backend.MESON: MesonLibrary(),
}


def back_end(recipe: EvaluatedRecipe) -> BackEnd:
    """What builds a recipe."""
    return _BACK_ENDS[recipe.backend]
