"""A recipe as it counts for one build, value by value, each with the place that it is from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.recipe.evaluate import evaluate
from forge.recipe.model import Backend, Language
from forge.recipe.values import Variables, expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forge.base.target import Target
    from forge.recipe.diagnostics import Location
    from forge.recipe.model import Recipe
    from forge.recipe.values import Value

DEFAULT = "default"
"""What is said to be the origin of a value that the recipe does not have."""


@dataclass(frozen=True)
class Row:
    """One value.

    Args:
        key: Its path, dotted; an item of a list has that of the list.
        value: What it is in this build.
        origin: ``file:line`` of the recipe, or why it is so without the recipe saying it.
        written: As it stands in the recipe, where variables make it another string.
        counts: Whether its condition holds in this build.
    """

    key: str
    value: str
    origin: str
    written: str | None = None
    counts: bool = True


def shown_recipe(recipe: Recipe, target: Target, python: str, variants: tuple[str, ...] = ()) -> tuple[Row, ...]:
    """Every value of a recipe for one build, in the order of the schema.

    Args:
        recipe: The recipe.
        target: What it is built for.
        python: Python's major.minor.
        variants: Those that were chosen.

    Raises:
        InvalidRecipeError: A value is wrong once its variables are expanded.
    """
    evaluated = evaluate(recipe, target, python, variants)
    reader = _Reader(recipe, Variables.of(recipe.name, recipe.version, target, python), evaluated.variants)
    return tuple(reader.rows())


class _Reader:
    """Makes rows of a recipe's parts."""

    def __init__(self, recipe: Recipe, variables: Variables, variants: tuple[str, ...]) -> None:
        self.recipe = recipe
        self.variables = variables
        self.variants = variants

    def rows(self) -> Iterator[Row]:
        recipe = self.recipe
        yield from self.texts(("package",), {"name": recipe.name, "version": recipe.version, "python": recipe.python})
        yield from self.texts(("about",), vars(recipe.about))
        for number, name in enumerate(recipe.maintainers):
            yield self.text(("maintainers", number), name)
        for variant in recipe.variants:
            chosen = "chosen" if variant.name in self.variants else "not chosen"
            yield Row(f"variants.{variant.name}", f"{chosen}: {variant.summary}", _at(variant.where))
        if recipe.state is not None:
            state = {"disabled": recipe.state.reason, "until": recipe.state.until or ""}
            yield from self.texts(("state",), state)
        yield from self.source()
        yield from self.values("source.patches", recipe.patches)
        yield self.text(("build", "backend"), str(recipe.backend))
        for number, language in enumerate(recipe.languages):
            yield self.text(("build", "languages", number), str(language))
        if recipe.backend is Backend.MATURIN and Language.RUST not in recipe.languages:
            yield Row("build.languages", str(Language.RUST), "implied by build.backend")
        yield from self.values("build.requires", recipe.requires)
        for key, values in recipe.config_settings.items():
            yield from self.values(f"build.config_settings.{key}", values)
        for key, value in recipe.env.items():
            yield from self.values(f"build.env.{key}", (value,))
        yield from self.values("build.options", recipe.options)
        yield from self.values("build.script", recipe.script)
        yield from self.values("requirements.host", recipe.host)
        yield from self.values("requirements.run", recipe.run)
        yield self.text(("wheel", "native"), "true" if recipe.native else "false")
        yield from self.values("extension modules", recipe.extensions)
        yield from self.values("wheel.libraries", recipe.libraries)
        yield from self.values("wheel.license_files", recipe.license_files)
        yield from self.values("test.imports", recipe.trial.imports)
        yield from self.values("test.requires", recipe.trial.requires)
        yield from self.values("test.files", recipe.trial.files)
        yield from self.values("test.suite.source", recipe.trial.suite_source)
        yield from self.values("test.suite.requires", recipe.trial.suite_requires)
        yield from self.values("test.suite.directory", recipe.trial.suite_directory)
        yield from self.values("test.suite.args", recipe.trial.suite_args)

    def source(self) -> Iterator[Row]:
        """Whichever of its kinds there is: every string below ``source`` but the patches."""
        names = {
            ("source", "sdist", "sha256"): "sha256", ("source", "sdist", "filename"): "filename",
            ("source", "sha256"): "sha256", ("source", "git", "url"): "url",
            ("source", "git", "revision"): "revision", ("source", "path"): "path",
        }  # fmt: skip
        for path, attribute in names.items():
            if path in self.recipe.places:
                yield self.text(path, str(getattr(self.recipe.source, attribute)))
        for number, url in enumerate(getattr(self.recipe.source, "urls", ())):
            yield self.text(("source", "url", number), url)

    def texts(self, section: tuple[str, ...], found: dict[str, str]) -> Iterator[Row]:
        for key, value in found.items():
            if value:
                yield self.text((*section, key), value)

    def text(self, path: tuple[str | int, ...], value: str) -> Row:
        """A string without a condition."""
        expanded = expand(value, self.variables) if path[0] == "source" else value
        origin = _at(self.recipe.places[path]) if path in self.recipe.places else DEFAULT
        key = ".".join(part for part in path if isinstance(part, str))
        return Row(key, expanded, origin, value if expanded != value else None)

    def values(self, key: str, values: Iterable[Value]) -> Iterator[Row]:
        for value in values:
            expanded = expand(value.text, self.variables)
            counts = value.counts(self.variables, self.variants)
            yield Row(key, expanded, _at(value.where), value.text if expanded != value.text else None, counts)


def _at(where: Location) -> str:
    return f"{where.file}:{where.line}"
