"""What has to be built for what was asked for: recipes and what they require, each after what it needs.

A recipe's host requirements are recipes; so are those of its run requirements that forge has a recipe for, since a
wheel is of no use on iOS without the compiled wheels that it imports. Only host requirements order builds: what a wheel
needs to run may need that wheel in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from forge.base.errors import RecipeError
from forge.base.markers import target_environment
from forge.plan.preflight import preflight_problems
from forge.recipe.diagnostics import Diagnostic, InvalidRecipeError, Note, did_you_mean, together
from forge.recipe.evaluate import evaluate
from forge.recipe.variants import check_variants

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from forge.base.target import Target
    from forge.recipe.diagnostics import Location
    from forge.recipe.model import EvaluatedRecipe, Recipe
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class Step:
    """One build of a closure.

    Args:
        recipe: Evaluated for the target.
        host: The host requirements' names and those that they need in turn; all are steps before this one.
        wanted: Whether it was asked for, or is needed to run what was.
    """

    recipe: EvaluatedRecipe
    host: tuple[NormalizedName, ...]
    wanted: bool


def plan_builds(
    recipes: Sequence[Recipe],
    targets: Sequence[Target],
    python: str,
    store: RecipeStore,
    variants: Collection[str] = (),
) -> tuple[tuple[Step, ...], ...]:
    """The closure of each target, with every error of any of them, before anything is downloaded or made.

    Beyond `closure`, local sources and locks are looked at (`forge.plan.preflight`).

    Args:
        recipes: What was asked for.
        targets: For what.
        python: Python's major.minor, e.g. ``3.13``.
        store: Where requirements are found.
        variants: Variants to build, each in every recipe that declares it.

    Raises:
        RecipeError: As `closure` does; or a local source or a lock is missing, or a lock is malformed or out of date.
    """
    plans: list[tuple[Step, ...]] = []
    errors: list[RecipeError] = []
    known: dict[NormalizedName, Recipe] = {}
    for target in targets:
        try:
            plans.append(closure(recipes, target, python, store, variants, known=known))
        except RecipeError as error:
            errors.append(error)
    problems = dict.fromkeys(p for steps in plans for step in steps for p in preflight_problems(step.recipe))
    if problems:
        errors.append(InvalidRecipeError(problems))
    if errors:
        raise together(errors)
    return tuple(plans)


def closure(
    recipes: Sequence[Recipe], target: Target, python: str, store: RecipeStore, variants: Collection[str] = (),
    *, checked: bool = False, known: dict[NormalizedName, Recipe] | None = None,
) -> tuple[Step, ...]:  # fmt: skip
    """The builds that recipes take for a target, in an order in which each comes after what it needs.

    Args:
        recipes: What was asked for.
        target: For what.
        python: Python's major.minor, e.g. ``3.13``.
        store: Where requirements are found.
        variants: Variants to build, each in every recipe that declares it.
        checked: Skip the check that every variant is declared; the caller has done it.
        known: Recipes that were read already, for another target; those that are read now are added.

    Raises:
        RecipeError: No recipe declares a variant.
        InvalidRecipeError: A recipe is wrong or not for this version of Python; a host requirement has no recipe or one
            of another version, needs itself, or is compiled though the wheel that requires it is pure; the target does
            not admit a variant. Every error is reported at once.
    """
    known = {} if known is None else known
    known.update({recipe.normalized_name: recipe for recipe in recipes})
    search = _Search(target, python, store, variants, known)
    search.run(recipe.normalized_name for recipe in recipes)
    errors = list(search.errors)
    if not checked:
        try:
            check_variants(variants, [found.recipe for found in search.found.values()], target)
        except InvalidRecipeError as error:
            errors.append(error)
        except RecipeError as error:
            if not errors:  # a recipe that could not be read might have declared it
                errors.append(error)
    order: tuple[NormalizedName, ...] = ()
    try:
        order = _in_order(search)
    except InvalidRecipeError as error:
        errors.append(error)
    if errors:
        raise together(errors)
    found = search.found
    host = {name: tuple(search.edges[name]) for name in found}
    run = {name: tuple(search.run_edges[name]) for name in found}
    wanted = _reached([recipe.normalized_name for recipe in recipes], run)
    # What a wheel links or reads it usually imports too: all of a wanted one's packages go along.
    wanted |= {other for name in wanted for other in _reached(host[name], host) if not found[other].is_native_library}
    return tuple(Step(found[name], _host_order(_reached(host[name], host), host), name in wanted) for name in order)


def disabled_hint(recipe: Recipe) -> str:
    """What to do about a recipe that is disabled."""
    if recipe.state is not None and recipe.state.until is not None:
        return f"update the recipe to {recipe.state.until} or later, or remove 'state' to try"
    return "remove 'state' to try"


def without_run_requirements(
    plans: Sequence[Sequence[Step]], recipes: Iterable[Recipe]
) -> tuple[tuple[Step, ...], ...]:
    """What of closures is needed to build some recipes, but not what is needed only to run them.

    Args:
        plans: The closures.
        recipes: What was asked for.
    """
    asked = {recipe.normalized_name for recipe in recipes}
    kept = []
    for steps in plans:
        names = asked.union(*(step.host for step in steps if step.recipe.normalized_name in asked))
        kept.append(
            tuple(
                replace(step, wanted=step.recipe.normalized_name in asked)
                for step in steps
                if step.recipe.normalized_name in names
            )
        )
    return tuple(kept)


@dataclass
class _Search:
    """The recipes that are reached from some, with what is wrong on the way.

    Args:
        target: What is built for.
        python: Python's major.minor.
        store: Where requirements are found.
        variants: Those that were chosen.
        known: The recipes that were read.
        found: Those that were evaluated.
        edges: The host requirements of each, and where each stands.
        run_edges: Its run requirements that are recipes, likewise.
        errors: What is wrong.
    """

    target: Target
    python: str
    store: RecipeStore
    variants: Collection[str]
    known: dict[NormalizedName, Recipe]
    found: dict[NormalizedName, EvaluatedRecipe] = field(default_factory=dict)
    edges: dict[NormalizedName, dict[NormalizedName, Location]] = field(default_factory=dict)
    run_edges: dict[NormalizedName, dict[NormalizedName, Location]] = field(default_factory=dict)
    errors: list[RecipeError] = field(default_factory=list)

    def run(self, names: Iterable[NormalizedName]) -> None:
        available = frozenset(self.store.names())
        waiting, seen = list(names), set[NormalizedName]()
        while waiting:
            name = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            if not (recipe := self.known[name]).supports(self.python):
                message = f"{recipe.name} {recipe.version} cannot be built for Python {self.python}"
                hint = f"the recipe supports {recipe.python}: name such a version with --python"
                self.errors.append(InvalidRecipeError([Diagnostic(recipe.place("package", "python"), message, hint)]))
                continue
            if (disabled := recipe.disabled) is not None:
                message = f"{recipe.name} {recipe.version} is disabled: {disabled.reason}"
                self.errors.append(InvalidRecipeError([Diagnostic(disabled.where, message, disabled_hint(recipe))]))
                continue
            try:
                evaluated = evaluate(self.known[name], self.target, self.python, self.variants)
            except RecipeError as error:
                self.errors.append(error)
                continue
            self.found[name] = evaluated
            host = zip(evaluated.host, evaluated.host_places, strict=True)
            run = zip(evaluated.run, evaluated.run_places, strict=True)
            self.edges[name] = self._recipes_of(host, evaluated, available, is_host=True)
            self.run_edges[name] = self._recipes_of(run, evaluated, available, is_host=False)
            waiting += [*self.edges[name], *self.run_edges[name]]

    def _recipes_of(
        self,
        requirements: Iterable[tuple[str, Location]],
        dependent: EvaluatedRecipe,
        available: Collection[NormalizedName],
        *,
        is_host: bool,
    ) -> dict[NormalizedName, Location]:
        """The recipes that requirements name, and where; they are read if they were not yet."""
        environment = target_environment(self.target, self.python)
        named: dict[NormalizedName, Location] = {}
        for text, where in requirements:
            requirement = Requirement(text)
            name = canonicalize_name(requirement.name)
            if requirement.marker is not None and not requirement.marker.evaluate(environment):
                continue
            if name not in self.known and name not in available:
                if is_host:
                    message = f"{dependent.name} requires {requirement.name!r}, but there is no such recipe"
                    hint = did_you_mean(name, available, "recipes")
                    self.errors.append(InvalidRecipeError([Diagnostic(where, message, hint)]))
                continue  # a run requirement without a recipe is a pure package of the index
            if (recipe := self._load(name)) is None:
                continue
            if (disabled := recipe.disabled) is not None:
                message = f"{dependent.name} requires {recipe.name}, which is disabled: {disabled.reason}"
                note = Note(disabled.where, "the reason")
                self.errors.append(InvalidRecipeError([Diagnostic(where, message, disabled_hint(recipe), (note,))]))
                continue
            if is_host and recipe.native and not dependent.native:
                message = f"{dependent.name} is built once for all targets, but {recipe.name} is built for each"
                hint = f"list {recipe.name} under requirements.run, or remove 'native: false'"
                self.errors.append(InvalidRecipeError([Diagnostic(where, message, hint)]))
                continue
            if not requirement.specifier.contains(recipe.version, prereleases=True):
                message = (
                    f"{dependent.name} {dependent.version} requires {requirement.name}{requirement.specifier}, "
                    f"but the recipe builds {recipe.name} {recipe.version}"
                )
                hint = f"change the version of {recipe.name} or the requirement of {dependent.name}"
                note = Note(recipe.place("package", "version"), "the version that the recipe builds")
                self.errors.append(InvalidRecipeError([Diagnostic(where, message, hint, (note,))]))
                continue
            named.setdefault(name, where)
        return named

    def _load(self, name: NormalizedName) -> Recipe | None:
        if name not in self.known:
            try:
                self.known[name] = self.store.load(name)
            except RecipeError as error:
                self.errors.append(error)
                return None
        return self.known[name]


def _in_order(search: _Search) -> tuple[NormalizedName, ...]:
    """The builds in order.

    Raises:
        InvalidRecipeError: The host requirements are circular.
    """
    try:
        return tuple(TopologicalSorter({name: tuple(search.edges[name]) for name in search.found}).static_order())
    except CycleError as error:
        circle: list[NormalizedName] = list(reversed(error.args[1]))
        steps = [(name, needed, search.edges[name][needed]) for name, needed in pairwise(circle)]
        message = f"circular host requirements: {' -> '.join(circle)}"
        notes = tuple(Note(where, f"{name} requires {needed}") for name, needed, where in steps[1:])
        several = "remove one of these requirements"
        hint = several if notes else "remove it: a recipe cannot require itself"
        raise InvalidRecipeError([Diagnostic(steps[0][2], message, hint, notes)]) from None


def _reached(
    names: Iterable[NormalizedName], edges: Mapping[NormalizedName, Sequence[NormalizedName]]
) -> set[NormalizedName]:
    """Names, and what is reached from them over edges."""
    seen: set[NormalizedName] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += edges[name]
    return seen


def _host_order(
    names: set[NormalizedName], edges: Mapping[NormalizedName, Sequence[NormalizedName]]
) -> tuple[NormalizedName, ...]:
    """A build's host requirements, each after what it needs: the same whatever else is built along.

    The bill of materials lists them so, and with another order it would be another wheel.
    """
    return tuple(TopologicalSorter({name: sorted(edges[name]) for name in sorted(names)}).static_order())
