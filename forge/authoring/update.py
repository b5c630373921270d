"""Updating recipes: what there is to update, all of it prepared until it holds together, and only then put in place."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.authoring.errors import UpdateError
from forge.authoring.lookup import Found, look_up
from forge.authoring.outcome import Outcome, Status
from forge.authoring.pins import Following, Move, following
from forge.authoring.prepare import PatchError, Prepared, Workshop
from forge.authoring.swap import swap_in
from forge.base.atomic import storage_error
from forge.base.errors import ForgeError
from forge.base.hashing import tree_sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from forge.authoring.newest import Wish
    from forge.lint.upstream import Upstream
    from forge.recipe.document import Path as DataPath
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore


def check(recipes: Iterable[Recipe], wishes: Mapping[NormalizedName, Wish], upstream: Upstream) -> list[Outcome]:
    """Which recipes have another version than the one that is wanted; nothing is written.

    Args:
        recipes: The recipes.
        wishes: Which versions are taken, by recipe.
        upstream: Asks the indexes.
    """
    outcomes = []
    for recipe in recipes:
        try:
            found = look_up(recipe, wishes[recipe.normalized_name], upstream, source=False)
        except ForgeError as error:
            outcomes.append(_failed(recipe, None, error))
        else:
            outcomes.append(_looked(recipe, found, Status.NEWER))
    return outcomes


def update(
    store: RecipeStore, recipes: Sequence[Recipe], wishes: Mapping[NormalizedName, Wish], upstream: Upstream, minor: str
) -> list[Outcome]:
    """Update recipes, and the requirements of others that name their versions.

    What cannot be updated stays as it is, and so does what would not fit it then; the others are updated.

    Args:
        store: All recipes.
        recipes: Those to update.
        wishes: Which versions are taken, by recipe.
        upstream: Asks the indexes.
        minor: The version of Python that requirements are locked for.

    Returns:
        What became of each of *recipes*, and then of those that follow them.

    Raises:
        RecipeError: Another recipe is wrong.
        StorageError: The recipes cannot be written.
    """
    upstream.home.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="update-", dir=upstream.home.work, ignore_cleanup_errors=True) as scratch:
        run = prepare_all(store, recipes, wishes, Workshop(upstream, minor, Path(scratch)))
        try:
            _put_in_place(store.directory, run.prepared.values())
        except OSError as error:
            raise storage_error(error) or error from error
        return run.outcomes()


@dataclass
class Run:
    """An update of several recipes, under way.

    Args:
        recipes: Those to update.
        others: All other recipes, whose requirements may follow.
        workshop: Where updates are prepared.
        found: What each is updated to.
        errors: What keeps recipes from being updated.
        prepared: What is ready.
        follows: What the requirements of each do.
    """

    recipes: tuple[Recipe, ...]
    others: tuple[Recipe, ...]
    workshop: Workshop
    found: dict[NormalizedName, Found] = field(default_factory=dict)
    errors: dict[NormalizedName, ForgeError] = field(default_factory=dict)
    prepared: dict[NormalizedName, Prepared] = field(default_factory=dict)
    follows: dict[NormalizedName, Following] = field(default_factory=dict)
    _tried: dict[tuple[NormalizedName, str], Prepared | ForgeError] = field(default_factory=dict)

    def look(self, wishes: Mapping[NormalizedName, Wish]) -> None:
        """Find out what each recipe is updated to."""
        for recipe in self.recipes:
            name = recipe.normalized_name
            try:
                self.found[name] = look_up(recipe, wishes[name], self.workshop.upstream)
            except ForgeError as error:
                self.errors[name] = error

    def prepare(self) -> None:
        """Prepare all that can be: what fails takes back what would not fit it, until all fits."""
        while not self._round():
            pass

    def _round(self) -> bool:
        """Prepare everything, given what failed so far; whether nothing else failed."""
        moves = self.moves()
        failed = len(self.errors)
        self.prepared, self.follows = {}, {}
        for recipe in (*self.recipes, *self.others):
            name = recipe.normalized_name
            follows = self.follows[name] = following(recipe, moves)
            for text, other in follows.broken:
                self._fail(other, UpdateError(
                    f"{recipe.name} requires {text!r}, which does not admit {other} {moves[other].after}",
                    hint=f"change the requirement in {recipe.name}'s recipe, then update again",
                ))  # fmt: skip
            values = {**follows.values, **(self.found[name].values if name in moves else {})}
            if not values or follows.broken:
                continue
            made = self._prepared(recipe, values, lock=follows.renews_lock)
            if isinstance(made, Prepared):
                self.prepared[name] = made
            elif name in moves:
                self._fail(name, made)
            else:
                for other in follows.names:
                    self._fail(other, UpdateError(
                        f"{recipe.name}, which names its version, cannot follow: {made.message}", hint=made.hint
                    ))  # fmt: skip
        return len(self.errors) == failed

    def _fail(self, name: NormalizedName, error: ForgeError) -> None:
        self.errors.setdefault(name, error)

    def moves(self) -> dict[NormalizedName, Move]:
        """The recipes that get another version, as far as nothing keeps them from it."""
        return {
            recipe.normalized_name: Move(recipe.version, found.version)
            for recipe in self.recipes
            if (found := self.found.get(recipe.normalized_name)) is not None
            and found.version is not None
            and recipe.normalized_name not in self.errors
        }

    def _prepared(self, recipe: Recipe, values: Mapping[DataPath, str], *, lock: bool) -> Prepared | ForgeError:
        """What comes of preparing a recipe, which is done once for the same values."""
        key = recipe.normalized_name, repr(sorted(values.items(), key=repr))
        if key not in self._tried:
            try:
                self._tried[key] = self.workshop.prepare(recipe, values, lock=lock)
            except ForgeError as error:
                self._tried[key] = error
        return self._tried[key]

    def outcomes(self) -> list[Outcome]:
        """What became of each recipe."""
        return [self._outcome(recipe) for recipe in self.recipes] + list(self._followers())

    def _outcome(self, recipe: Recipe) -> Outcome:
        name = recipe.normalized_name
        found, made = self.found.get(name), self.prepared.get(name)
        error = self.errors.get(name)
        outcome = _failed(recipe, found, error) if error else _looked(recipe, found or Found(), Status.UPDATED)
        if made is None:
            return outcome
        status = Status.FOLLOWS if outcome.status in (Status.CURRENT, Status.UNKNOWN) else outcome.status
        return self._with(replace(outcome, status=status), made)

    def _followers(self) -> Iterator[Outcome]:
        for recipe in self.others:
            if (made := self.prepared.get(recipe.normalized_name)) is not None:
                yield self._with(Outcome(recipe.name, Status.FOLLOWS, recipe.version, recipe.version), made)

    def _with(self, outcome: Outcome, made: Prepared) -> Outcome:
        moves = self.moves()
        names = self.follows[made.recipe.normalized_name].names
        follows = tuple(f"{name} {moves[name].after}" for name in names)
        if outcome.status is Status.FAILED:  # it failed itself, and follows others all the same
            return replace(outcome, follows=follows)
        return replace(outcome, patches=made.patches, modules=made.modules, pins=made.pins, follows=follows)


def prepare_all(
    store: RecipeStore, recipes: Sequence[Recipe], wishes: Mapping[NormalizedName, Wish], workshop: Workshop
) -> Run:
    """Prepare updates of recipes, and of what follows them; nothing is put in place.

    Args:
        store: All recipes.
        recipes: Those to update.
        wishes: Which versions are taken, by recipe.
        workshop: Where they are prepared, for as long as they are needed.

    Raises:
        RecipeError: Another recipe is wrong.
    """
    chosen = {recipe.normalized_name for recipe in recipes}
    others = store.load_all(name for name in store.names() if name not in chosen)
    run = Run(tuple(recipes), others, workshop)
    run.look(wishes)
    run.prepare()
    return run


def _looked(recipe: Recipe, found: Found, status: Status) -> Outcome:
    if found.version is not None:
        notes = (*found.notes, *_of_state(recipe, found.version))
        return Outcome(recipe.name, status, recipe.version, found.version, notes=notes)
    ended = Status.CURRENT if found.is_known else Status.UNKNOWN
    return Outcome(recipe.name, ended, recipe.version, recipe.version, notes=found.notes)


def _of_state(recipe: Recipe, version: str) -> tuple[str, ...]:
    """What a new version means for a recipe that is disabled."""
    if recipe.disabled is None:
        return ()
    if replace(recipe, version=version).disabled is None:
        return ("it was disabled until this version: remove 'state' from the recipe if it builds now",)
    return (f"it stays disabled: {recipe.disabled.reason}",)


def _failed(recipe: Recipe, found: Found | None, error: ForgeError) -> Outcome:
    after = found.version if found is not None and found.version is not None else recipe.version
    patches = error.patches if isinstance(error, PatchError) else ()
    notes = found.notes if found is not None else ()
    return Outcome(recipe.name, Status.FAILED, recipe.version, after, patches, notes=notes, error=error)


def _put_in_place(directory: Path, prepared: Iterable[Prepared]) -> None:
    """Replace the recipes' directories.

    Raises:
        UpdateError: Somebody else changed one meanwhile; nothing was replaced.
        OSError: They cannot be written.
    """
    ready = {made.recipe.directory: made for made in prepared}
    for place, made in ready.items():
        if tree_sha256(place) != made.digest:
            raise UpdateError(
                f"{made.recipe.name}'s recipe was changed while its update was prepared; nothing was written",
                hint="run the command again",
            )
    if ready:
        swap_in(directory, {place: made.directory for place, made in ready.items()})
