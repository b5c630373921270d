"""One recipe's update, prepared in a copy of its directory: text, source, patches, extension modules, lock."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forge.authoring.errors import UpdateError
from forge.authoring.extension_modules import write_table
from forge.authoring.modules import ModuleChanges, module_changes, renewed_rows
from forge.authoring.patch_check import Fit, TriedPatch, told, try_patches
from forge.authoring.rewrite import with_values
from forge.base.hashing import tree_sha256
from forge.plan.lock import lock_recipe
from forge.plan.lock_differences import lock_differences
from forge.plan.lock_python import find_lock_python, lock_minor
from forge.recipe.conditions import every_evaluation
from forge.recipe.read import read_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.lint.upstream import Upstream
    from forge.recipe.document import Path as DataPath
    from forge.recipe.model import Recipe


class PatchError(UpdateError):
    """Patches that do not apply.

    Args:
        message: Which ones.
        patches: All that were tried.
    """

    def __init__(self, message: str, patches: tuple[TriedPatch, ...]) -> None:
        taken = all(patch.fit is not Fit.FAILS for patch in patches)
        todo = "take it out of the recipe" if taken else "make it again from the new source (docs/updating.md)"
        super().__init__(message, hint=f"{todo}, then update again")
        self.patches = patches


@dataclass(frozen=True)
class Prepared:
    """An update that is ready to take a recipe's place.

    Args:
        recipe: The recipe as it is.
        directory: The new directory.
        digest: Of the old directory, when it was copied.
        patches: How the patches fit.
        modules: What changes in the table of extension modules.
        pins: What changes in the lock.
    """

    recipe: Recipe
    directory: Path
    digest: str
    patches: tuple[TriedPatch, ...] = ()
    modules: ModuleChanges | None = None
    pins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workshop:
    """Where updates are prepared.

    Args:
        upstream: Asks the network.
        minor: The version of Python that requirements are locked for.
        directory: A temporary directory.
    """

    upstream: Upstream
    minor: str
    directory: Path
    _names: list[str] = field(default_factory=list)

    def prepare(self, recipe: Recipe, values: Mapping[DataPath, str], *, lock: bool) -> Prepared:
        """Prepare a recipe with other values.

        Args:
            recipe: The recipe as it is.
            values: What changes in it, by path.
            lock: Whether to renew the lock though the version stays.

        Raises:
            PatchError: A patch does not apply to the new source.
            ForgeError: The source cannot be had, the lock cannot be made, or the recipe is wrong then.
        """
        upstream = self.upstream
        digest = tree_sha256(recipe.directory)
        place = Path(tempfile.mkdtemp(dir=self.directory)) / recipe.directory.name
        shutil.copytree(recipe.directory, place, symlinks=True)
        file = place / recipe.file.name
        file.write_bytes(with_values(recipe.file.read_bytes(), file, values))
        new = read_recipe(file)
        if new.version == recipe.version and not lock:
            return Prepared(recipe, place, digest)
        patches: tuple[TriedPatch, ...] = ()
        modules = None
        if new.version != recipe.version:
            upstream.progress.phase(recipe.name, "try the patches")
            patches = self._patches(new)
            if recipe.extension_table:
                upstream.progress.phase(recipe.name, "compare the macOS wheels")
                modules = module_changes(recipe, new.version, upstream)
                if modules.new or modules.gone:
                    write_table(new, renewed_rows(recipe, modules))
                    new = read_recipe(file)
        chosen = lock_minor(new, self.minor)
        lock_recipe(upstream.home, new, find_lock_python(upstream.home, chosen, upstream.progress), upstream.progress)
        return Prepared(recipe, place, digest, patches, modules, lock_differences(recipe.lock_file, new.lock_file))

    def _patches(self, recipe: Recipe) -> tuple[TriedPatch, ...]:
        """Every patch of a recipe, tried on its source.

        Raises:
            PatchError: One does not apply.
        """
        found: dict[str, TriedPatch] = {}
        by_patches = {each.patches: each for each in every_evaluation(recipe, lock_minor(recipe, self.minor))}
        for patches, evaluated in by_patches.items():
            if patches:
                with self.upstream.tree(evaluated) as tree:
                    for tried in try_patches(tree, patches):
                        if found.setdefault(tried.name, tried).fit is not Fit.FAILS:
                            found[tried.name] = tried
        unfit = [tried for tried in found.values() if tried.fit in (Fit.FAILS, Fit.INCLUDED)]
        if unfit:
            lines = [line for tried in unfit for line in told(tried)]
            raise PatchError("\n".join(lines), tuple(found.values()))
        return tuple(found.values())
