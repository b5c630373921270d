"""Builds a recipe that is being written, for one target and Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.authoring.extension_modules import merged, modules_by_target, write_table
from forge.authoring.write import rewrite_recipe
from forge.plan.builds import build_requests
from forge.plan.closure import plan_builds, without_run_requirements
from forge.plan.in_use import in_use
from forge.plan.provision import plan_context
from forge.plan.request import RunOptions, requests_for
from forge.plan.run import subject_of

if TYPE_CHECKING:
    from pathlib import Path

    from forge.authoring.draft import Draft
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.store import RecipeStore


@dataclass(frozen=True)
class _Asked:
    """What of a new recipe decides what its lock pins: build requirements, and variables that back ends read."""

    requires: frozenset[str]
    env: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Bench:
    """Writes and builds one recipe.

    Args:
        name: The package.
        home: The cache.
        store: The recipes, that one among them.
        target: What is built.
        minor: Python's major.minor.
        out: Where the wheel goes.
        progress: Receives progress updates.
        cache: The shared cache, if there is one.
    """

    name: str
    home: ForgeHome
    store: RecipeStore
    target: Target
    minor: str
    out: Path
    progress: Progress
    cache: SharedCache | None = None
    _locks: dict[_Asked, str] = field(default_factory=dict)

    def write(self, draft: Draft) -> None:
        """Write the recipe and its lock anew, in one step; a lock that was made for the same is taken again.

        Raises:
            ForgeError: Its build requirements cannot be locked.
        """
        written = self.store.load(self.name)
        before = _Asked(
            frozenset(value.text for value in written.requires),
            frozenset((name, value.text) for name, value in written.env.items()),
        )
        self._locks[before] = written.lock_file.read_text(encoding="utf-8")
        after = _Asked(
            frozenset(item.text for item in draft.requires),
            frozenset((name, item.text) for name, item in draft.env.items()),
        )
        rewrite_recipe(draft, self.store, self.home, self.minor, self.progress, self._locks.get(after))

    def build(self) -> Path:
        """Build the recipe, and what it links.

        Raises:
            ForgeError: It failed.
        """
        recipe = self.store.load(self.name)
        targets = (self.target,)
        plans = without_run_requirements(plan_builds([recipe], targets, self.minor, self.store), [recipe])
        with in_use(self.home):
            context = plan_context(self.home, self.minor, targets)
            results = build_requests(
                requests_for({self.minor: plans}, targets, {self.minor: context}),
                self.store,
                self.out,
                self.progress,
                RunOptions(follow=False, cache=self.cache),
            )
        return next(each.wheel for each in results if each.subject == subject_of(recipe, self.target))

    def record(self, wheel: Path) -> None:
        """Complete the table of extension modules by what a wheel has.

        Raises:
            ForgeError: The wheel cannot be read, or the table cannot be written.
        """
        recipe = self.store.load(self.name)
        rows = merged(recipe.extension_table, modules_by_target(recipe, [wheel]))
        if rows != recipe.extension_table:
            write_table(recipe, rows)

    def log(self) -> Path | None:
        """The newest log of the recipe's builds for the target, or None."""
        found = self.home.logs.glob(f"{self.name}-*{self.target.multiarch}*.log")
        return max(found, key=lambda path: path.stat().st_mtime, default=None)
