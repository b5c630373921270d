"""The interface of back ends: what a kind of builds requires, how it is set up, and how it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.crossbuild.context import Build
    from forge.recipe.model import EvaluatedRecipe


@dataclass(frozen=True)
class Prepared:
    """What a back end set up for one build.

    Args:
        config_settings: PEP 517's config settings, the recipe's among them.
        env: Environment variables; a recipe's own and those of every cross build take precedence.
    """

    config_settings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


class BackEnd(Protocol):
    """One kind of builds. It has no state: everything that it knows of a build is in `Build`."""

    def requires(self, recipe: EvaluatedRecipe, tree: Path) -> tuple[str, ...]:
        """The build requirements that the source and the recipe declare (PEP 508); `forge.plan.lock` asks hooks too.

        Args:
            recipe: The recipe, evaluated for a target.
            tree: The patched source.

        Raises:
            BuildError: The source's declaration is not valid.
        """

    def prepare(self, build: Build) -> Prepared:
        """Write what the build reads into its work directory, and say its settings.

        Raises:
            BuildError: The source's declaration is not valid.
        """

    def commands(self, build: Build, config_settings: Mapping[str, Sequence[str]], out: Path) -> tuple[str, ...]:
        """What `run` does, as commands that a person can give in the build's shell, in the source tree.

        Args:
            build: The build.
            config_settings: As `prepare` said.
            out: A directory for the wheel.
        """

    def run(
        self, build: Build, config_settings: Mapping[str, Sequence[str]], env: Mapping[str, str], out: Path
    ) -> Path:
        """Build the wheel, and return it: a file in *out*, not yet repaired.

        Args:
            build: The build.
            config_settings: As `prepare` said.
            env: The complete environment.
            out: An existing directory.

        Raises:
            BuildError: It failed; the log says why.
        """
