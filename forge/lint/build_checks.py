"""Rules on conditions, variants and requirements, as far as they need no network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement

from forge.base.errors import RecipeError
from forge.lint.rules import finding
from forge.recipe.conditions import every_choice, recipe_values
from forge.recipe.diagnostics import InvalidRecipeError, Note
from forge.recipe.evaluate import evaluate
from forge.recipe.lock import normalized_requires, read_lock
from forge.recipe.model import LIBRARY_REQUIRES, LOCK_NAME, Backend
from forge.recipe.values import Variables, any_admits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.lint.model import Finding
    from forge.lint.subject import Neighbours, Subject
    from forge.recipe.model import Recipe

ANY_PYTHON = "3.13"
"""A version that conditions are tried with, beside those that they name."""

_FINDS_BY_ITSELF = re.compile(r"configure|pkg-?config|cmake|meson|HOST_PREFIX|host_prefix", re.IGNORECASE)
"""What finds libraries in the host prefix, or names it, in the commands of a native library's build."""


def conditions(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC005 and REC403: conditions that never hold, variants that change nothing."""
    recipe = subject.recipe
    if recipe is None:
        return
    values = [value for value in recipe_values(recipe) if value.when is not None]
    counted: set[int] = set()
    effective: set[str] = set()
    for target, python, chosen in every_choice(recipe, ANY_PYTHON) if values else ():
        variables = Variables.of(recipe.name, recipe.version, target, python)
        if not all(
            not variant.ios_version or any_admits(variant.ios_version, str(target.ios_version))
            for variant in recipe.variants
            if variant.name in chosen
        ):
            continue
        for number, value in enumerate(values):
            counts = value.counts(variables, chosen)
            if counts:
                counted.add(number)
            if chosen and counts != value.counts(variables, ()):
                effective.update(chosen)
    for number, value in enumerate(values):
        if number not in counted:
            message = f"the condition of {value.text[:60]!r} never holds"
            hint = "see package.python, the variants' ios_version, and that no device is x86_64"
            yield finding("dead-condition", value.where, message, hint)
    for variant in recipe.variants:
        if variant.name not in effective:
            message = f"the variant {variant.name!r} changes nothing"
            hint = f"use it in a condition, 'when: {{variant: {variant.name}}}', or remove it"
            yield finding("idle-variant", variant.where, message, hint)


def build_requirements(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC401 and REC402: whether build requirements are pinned and locked."""
    recipe = subject.recipe
    if recipe is None:
        return
    for value in recipe.requires:
        requirement = requirement_of(value.text)
        if requirement is not None and not requirement.specifier:
            message = f"the build requirement {requirement.name!r} says nothing about its version"
            yield finding("unpinned-requirement", value.where, message, f"write e.g. '{requirement.name}>=…'")
    if recipe.backend.is_for_libraries and not recipe.requires and not LIBRARY_REQUIRES[recipe.backend]:
        return
    where = subject.key("build", "requires") if recipe.requires else subject.key("build", "backend")
    hint = f"run 'forge lock {recipe.normalized_name}' and commit {LOCK_NAME}"
    try:
        lock = read_lock(recipe.lock_file)
    except InvalidRecipeError as error:
        first = error.diagnostics[0]
        notes = (Note(first.where, first.message),)
        yield finding("unlocked-requirement", where, f"{LOCK_NAME} is damaged", hint, notes=notes)
        return
    except RecipeError:
        yield finding("unlocked-requirement", where, f"there is no {LOCK_NAME}", hint)
        return
    missing = _not_locked(recipe, set(lock.requires))
    if missing:
        message = f"{LOCK_NAME} was made without {', '.join(missing)[:100]}"
        yield finding("unlocked-requirement", where, message, hint)
    elif not lock.pins and lock.requires:
        yield finding("unlocked-requirement", where, f"{LOCK_NAME} pins nothing", hint)


def _not_locked(recipe: Recipe, locked: set[str]) -> list[str]:
    """The recipe's build requirements that the lock was not made for."""
    if all(value.when is None and "${" not in value.text for value in recipe.requires):
        return [text for text in normalized_requires(value.text for value in recipe.requires) if text not in locked]
    missing: dict[str, None] = {}
    for target, python, chosen in every_choice(recipe, ANY_PYTHON):
        try:
            wanted = evaluate(recipe, target, python, chosen).requires
        except RecipeError:  # a build for that target says what is wrong, with its place
            continue
        missing.update(dict.fromkeys(text for text in normalized_requires(wanted) if text not in locked))
    return list(missing)


def host_requirements(subject: Subject, neighbours: Neighbours) -> Iterator[Finding]:
    """REC404 and REC405, as far as the recipe tells: what is required for nothing, and what there is not."""
    recipe = subject.recipe
    if recipe is None:
        return
    for value in recipe.host:
        requirement = requirement_of(value.text)
        if requirement is None:
            continue
        other = neighbours.find(requirement.name)
        if other is None:
            message = f"there is no recipe {requirement.name!r}"
            yield finding("unmet-host-requirement", value.where, message, "correct the name, or add the recipe")
        elif not requirement.specifier.contains(other.version, prereleases=True):
            message = f"the recipe of {other.name} builds {other.version}, which {str(requirement)!r} does not admit"
            notes = (Note(other.place("package", "version"), "it is here"),)
            hint = f"admit {other.version}, or change that recipe"
            yield finding("unmet-host-requirement", value.where, message, hint, notes=notes)
        if not recipe.native:
            message = f"nothing uses {requirement.name}: the wheel has no compiled code"
            yield finding("unused-host-requirement", value.where, message, "remove it, or move it to requirements.run")
        elif recipe.backend is Backend.SCRIPT and not _is_mentioned(requirement.name, recipe):
            message = f"no command of the build uses {requirement.name}"
            hint = "remove it, or name $HOST_PREFIX in the command that uses it"
            yield finding("unused-host-requirement", value.where, message, hint)


def lib_name(name: str) -> str:
    """What a library is called in compilers' options: ``yaml`` for ``libyaml``."""
    return name.removeprefix("lib") or name


def _is_mentioned(name: str, recipe: Recipe) -> bool:
    texts = [value.text for value in (*recipe.options, *recipe.script, *recipe.env.values())]
    return any(_FINDS_BY_ITSELF.search(text) or lib_name(name) in text for text in texts)


def requirement_of(text: str) -> Requirement | None:
    """A requirement; None if its variables make it one."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        return None
