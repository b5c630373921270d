"""``docs/suite-results.md``: what became of the packages' own test suites, made of the results beside the recipes.

python -m forge.trial.docs > docs/suite-results.md
"""

from __future__ import annotations

import sys
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from forge.recipe.store import RecipeStore, find_recipes
from forge.trial.suite_results import SuiteResult, read_results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from packaging.utils import NormalizedName

    from forge.recipe.model import Recipe

_HEAD = """\
# The packages' own test suites

<!-- Made by `python -m forge.trial.docs` of the file suite-results.yaml beside each recipe. -->

The same tests, in the same Linux Python, with forge's wheel ([emulation.md](emulation.md) explains what that proves)
and with the Linux wheel of the same release: `forge test NAME --suite --as-host --against-host --record`. With `--all`
in place of names, those are run whose wheels or tests have changed. "As iOS": without `--as-host`, forge's wheel in a
Python that answers as iOS's does.
"""

_ROWS = """
| package | Python | target | pass with the Linux wheel | of these pass with forge's | skipped with forge's | run on |
| --- | --- | --- | --- | --- | --- | --- |
"""


def render(store: RecipeStore) -> str:
    """The page.

    Args:
        store: The recipes.

    Raises:
        RecipeError: A file of results is not valid.
    """
    found = {name: read_results(store.path(name).parent) for name in store.names()}
    every = [(name, one) for name, results in found.items() for one in results]
    rows = [_row(name, one) for name, one in every]
    packages = [_package(recipe) for recipe in store.load_all(store.names()) if recipe.disabled is None]
    return "".join([_HEAD, _count([one for _, one in every]), _ROWS, *rows, *_differences(found), _PACKAGES, *packages])


def _count(results: Sequence[SuiteResult]) -> str:
    nearly = sum(one.passed * 1000 >= one.host_passed * 999 for one in results)
    return f"\n{nearly} of {len(results)} pass at least 99.9 % of what passes with the Linux wheel.\n"


_PACKAGES = """
## All packages

What `forge test NAME` runs, apart from the import of each extension module. Native libraries are tested by the packages
that link them.

| package | back end | tests of the recipe | suite |
| --- | --- | --- | --- |
"""


def _package(recipe: Recipe) -> str:
    tests = ", ".join(f"`{PurePosixPath(file.text).name}`" for file in recipe.trial.files)
    imports = "imports" if recipe.trial.imports else "none"
    cells = (f"{recipe.name} {recipe.version}", str(recipe.backend), tests or imports, _yes(recipe.trial.suite_args))
    return f"| {' | '.join(cells)} |\n"


def _yes(values: Sequence[object]) -> str:
    return "yes" if values else ""


def _row(name: str, one: SuiteResult) -> str:
    of = f"{one.passed:,} ({_percent(one)})" if one.passed < one.host_passed else f"{one.passed:,}"
    python = one.python if one.as_host else f"{one.python}, as iOS"
    cells = (f"{name} {one.version}", python, one.target, f"{one.host_passed:,}", of, str(one.skipped), one.date)
    return f"| {' | '.join(cells)} |\n"


def _percent(one: SuiteResult) -> str:
    """The part that passes of what is not skipped; never 100 % where a test fails."""
    thousandths = one.passed * 100_000 // (one.host_passed - one.skipped or 1)
    return f"{thousandths // 1000}.{thousandths % 1000:03}".rstrip("0").rstrip(".") + " %"


def _differences(found: Mapping[NormalizedName, tuple[SuiteResult, ...]]) -> Iterator[str]:
    """What differs and why, by package; tests of one reason together, on whatever Python."""
    if any(one.differences for results in found.values() for one in results):
        yield "\n## Differences\n"
    for name, results in found.items():
        reasons: dict[str, dict[str, None]] = {}
        for result in results:
            for one in result.differences:
                reasons.setdefault(one.why or "not looked into yet", {})[f"`{one.test}` ({one.here})"] = None
        if reasons:
            yield f"\n**{name}**\n\n"
        for why, tests in reasons.items():
            yield f"- {why.rstrip('.')}: {_few(list(tests))}\n"


_SHOWN = 6


def _few(tests: list[str]) -> str:
    more = f" and {len(tests) - _SHOWN} more" if len(tests) > _SHOWN else ""
    return ", ".join(tests[:_SHOWN]) + more


if __name__ == "__main__":
    sys.stdout.write(render(find_recipes()))
