"""A recipe for one target, Python and choice of variants: conditions decided, variables expanded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import RecipeError
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError
from forge.recipe.model import EvaluatedRecipe, GitPin, PathPin, SdistPin, SourcePin, Trial, UrlPin
from forge.recipe.rules import Role, value_problems
from forge.recipe.values import Variables, expand, expand_all

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from forge.base.target import Target
    from forge.recipe.diagnostics import Location
    from forge.recipe.model import Recipe
    from forge.recipe.values import Value


def evaluate(recipe: Recipe, target: Target, python: str, variants: Collection[str] = ()) -> EvaluatedRecipe:
    """What a recipe says for one build.

    Args:
        recipe: The recipe.
        target: What to build for.
        python: Python's major.minor, e.g. ``3.13``.
        variants: Those that were chosen for the whole build. The recipe takes the ones that it declares; whether the
            target admits them is `forge.recipe.variants.check_variants`'s to say.

    Raises:
        RecipeError: *python* is not a major.minor.
        InvalidRecipeError: A value is wrong once its variables are expanded.
    """
    if re.fullmatch(r"\d{1,3}\.\d{1,3}", python, flags=re.ASCII) is None:
        raise RecipeError(f"{python!r} is not a Python version", hint="expected major.minor, e.g. 3.13")
    variables = Variables.of(recipe.name, recipe.version, target, python)
    chosen_variants = tuple(variant.name for variant in recipe.variants if variant.name in variants)
    problems: list[Diagnostic] = []

    def strings(role: Role, values: Iterable[Value]) -> tuple[str, ...]:
        chosen = [value for value in values if value.counts(variables, chosen_variants)]
        for value in chosen:
            text = expand(value.text, variables)
            problems.extend(value_problems(role, text, value.where, recipe.directory))
        return expand_all(chosen, variables, chosen_variants)

    def places(values: Iterable[Value]) -> tuple[Location, ...]:
        return tuple(value.where for value in values if value.counts(variables, chosen_variants))

    settings = {key: expand_all(values, variables, chosen_variants) for key, values in recipe.config_settings.items()}
    evaluated = EvaluatedRecipe(
        recipe=recipe,
        target=target,
        python=python,
        source=_source(recipe, variables),
        patches=tuple(recipe.directory / text for text in strings(Role.PATCH, recipe.patches)),
        requires=strings(Role.REQUIREMENT, recipe.requires),
        config_settings={key: values for key, values in settings.items() if values},
        env={
            key: expand(value.text, variables)
            for key, value in recipe.env.items()
            if value.counts(variables, chosen_variants)
        },
        options=strings(Role.TEXT, recipe.options),
        script=strings(Role.TEXT, recipe.script),
        host=strings(Role.HOST_REQUIREMENT, recipe.host),
        run=strings(Role.REQUIREMENT, recipe.run),
        license_files=strings(Role.SOURCE_PATH, recipe.license_files),
        extensions=strings(Role.MODULE, recipe.extensions),
        libraries=strings(Role.LIBRARY, recipe.libraries),
        trial=Trial(
            imports=strings(Role.MODULE, recipe.trial.imports),
            requires=strings(Role.REQUIREMENT, recipe.trial.requires),
            files=tuple(str(recipe.directory / text) for text in strings(Role.TEST_FILE, recipe.trial.files)),
            suite_requires=strings(Role.REQUIREMENT, recipe.trial.suite_requires),
            suite_source=strings(Role.SOURCE_PATH, recipe.trial.suite_source),
            suite_directory=strings(Role.SOURCE_PATH, recipe.trial.suite_directory),
            suite_args=expand_all(recipe.trial.suite_args, variables, chosen_variants),
        ),
        variants=chosen_variants,
        host_places=places(recipe.host),
        run_places=places(recipe.run),
    )
    if problems:
        raise InvalidRecipeError(problems)
    return evaluated


def _source(recipe: Recipe, variables: Variables) -> SourcePin:
    match recipe.source:
        case SdistPin(sha256, filename):
            return SdistPin(sha256, filename and expand(filename, variables))
        case UrlPin(urls, sha256):
            return UrlPin(tuple(expand(url, variables) for url in urls), sha256)
        case GitPin(url, revision):
            return GitPin(expand(url, variables), revision)
        case PathPin(path):
            return PathPin(str((recipe.directory / Path(expand(path, variables)).expanduser()).resolve()))
