"""``forge update``: recipes brought to the newest version, or to another one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from rich.console import Console

from forge.authoring.branches import update_on_branches
from forge.authoring.errors import UpdateError
from forge.authoring.newest import Wish, parse_age
from forge.authoring.outcome import Status
from forge.authoring.update import check as check_recipes
from forge.authoring.update import update as update_recipes
from forge.authoring.update_report import render_text, to_json
from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.options import names_or_all, python_option
from forge.ios_python.choose import minor_of
from forge.lint.upstream import Upstream
from forge.plan.in_use import in_use
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.utils import NormalizedName

    from forge.authoring.outcome import Outcome
    from forge.recipe.model import Recipe


class AgeType(click.ParamType[timedelta]):
    """An age on the command line, e.g. ``3d``."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read the text, or say what is wrong with it."""
        if isinstance(value, timedelta):
            return value
        try:
            return parse_age(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.argument("names", nargs=-1, metavar="NAME[==VERSION]...")
@click.option("--all", "every", is_flag=True, help="Every recipe.")
@click.option(
    "--check", "only_check", is_flag=True,
    help="Only say which recipes can be updated, and write nothing; the exit code is 18 if there are any.",
)  # fmt: skip
@click.option(
    "--min-age", type=AgeType(), default="0d", metavar="AGE",
    help="Pass over versions that were uploaded more recently than this, e.g. 3d; the units are m, h, d and w.",
)  # fmt: skip
@click.option("--pre", is_flag=True, help="Take pre-releases as well.")
@click.option(
    "--branch", is_flag=True,
    help="Commit each recipe's update to a branch update/NAME-VERSION from HEAD; files stay as they are.",
)  # fmt: skip
@python_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/update.schema.json).")
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def update(
    names: tuple[str, ...],
    every: bool,
    only_check: bool,
    min_age: timedelta,
    pre: bool,
    branch: bool,
    python_version: str,
    as_json: bool,
    recipes: Path | None,
) -> int:
    """Bring recipes to the newest version of their projects, or to the one that is named.

    Version, hash, extension modules and lock are renewed, patches are tried, and pins of other recipes follow; comments
    and order stay. A recipe whose patches do not apply, or which would not fit the others, is left as it is. The exit
    code is that of the first failure. docs/updating.md says more.
    """
    if only_check and branch:
        raise click.UsageError("Give --check or --branch, not both.")
    wish = Wish(pre=pre, min_age=min_age, now=datetime.now(UTC))
    versions = dict(map(_asked, names))
    wishes: Mapping[NormalizedName, Wish] = defaultdict(
        lambda: wish, {name: replace(wish, version=version) for name, version in versions.items()}
    )
    store = find_recipes(recipes)
    chosen: Sequence[Recipe] = ()
    if not branch or every == bool(names):  # on branches, what HEAD has counts
        chosen = names_or_all(store, tuple(versions), every=every)
    if every and not branch:  # those that are disabled, too: a newer version may be what they wait for
        chosen = store.load_all(store.names())
    minor = minor_of(python_version)
    home = ForgeHome.from_environment()
    with in_use(home), progress_display(Console(stderr=True, highlight=False)) as progress:
        upstream = Upstream(home, progress)
        if only_check:
            outcomes = check_recipes(chosen, wishes, upstream)
        elif branch:
            outcomes = update_on_branches(store.directory.resolve(), tuple(versions), wishes, upstream, minor)
        else:
            outcomes = update_recipes(store, chosen, wishes, upstream, minor)
    click.echo(to_json(outcomes) if as_json else render_text(outcomes, is_quiet=every), nl=False)
    return _exit_code(outcomes)


def _asked(text: str) -> tuple[NormalizedName, Version | None]:
    """The recipe and version that an argument names.

    Raises:
        click.BadParameter: It is neither NAME nor NAME==VERSION.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        requirement = None
    clauses = list(requirement.specifier) if requirement is not None else []
    is_plain = requirement is not None and not (requirement.marker or requirement.url or requirement.extras)
    if requirement is None or not is_plain or len(clauses) > 1 or any(each.operator != "==" for each in clauses):
        raise click.BadParameter(f"{text!r} is neither NAME nor NAME==VERSION", param_hint="NAME[==VERSION]")
    if clauses and clauses[0].version.endswith(".*"):
        raise click.BadParameter(f"{text!r} names no single version", param_hint="NAME[==VERSION]")
    return canonicalize_name(requirement.name), Version(clauses[0].version) if clauses else None


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    failed = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    if failed is not None:
        return failed.exit_code
    return UpdateError.exit_code if any(outcome.status is Status.NEWER for outcome in outcomes) else 0
