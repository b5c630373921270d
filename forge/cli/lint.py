"""``forge lint``: what is wrong with recipes, and what could be better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from forge.base.errors import RecipeError
from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.base.severity import Severity
from forge.cli.display import progress_display
from forge.cli.rule_options import rule_ids, rule_words
from forge.lint.fix import fix_recipes
from forge.lint.report import explain, render_text, to_json
from forge.lint.rules import BOOK, all_rules
from forge.lint.run import lint_recipes
from forge.recipe.store import find_recipes

if TYPE_CHECKING:
    from forge.lint.run import Report
    from forge.recipe.store import RecipeStore

_FORMATS = ("text", "json", "sarif", "github")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--fix", is_flag=True, help="Fix what can be fixed without you.")
@click.option("--network", is_flag=True, help="Also run the rules that need the network: index, macOS wheel, source.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/lint.schema.json).")
@click.option(
    "--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True,
    help="How findings are printed; github: annotations of a workflow's log.",
)  # fmt: skip
@click.option("--explain", "explained", metavar="ID", help="Print all about one rule ('all': every rule).")
@click.option("--select", multiple=True, metavar="IDS", help="Only these rules: ids, starts of ids (REC2), names.")
@click.option("--ignore", multiple=True, metavar="IDS", help="All but these rules.")
@click.option(
    "--fail-on", type=click.Choice([severity.value for severity in Severity]), default=Severity.WARNING.value,
    show_default=True, help="From which severity on the exit code is not 0.",
)  # fmt: skip
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def lint(
    names: tuple[str, ...],
    fix: bool,
    network: bool,
    as_json: bool,
    form: str,
    explained: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    recipes: Path | None,
) -> int:
    """Say what is wrong with recipes, and what could be better.

    Without a name all recipes are looked at. Nothing is built, and without --network nothing is downloaded. The exit
    code is 3 if there are errors or warnings. docs/lint.md lists the rules, and says how a recipe ignores one.
    """
    if explained is not None:
        found = rule_ids(BOOK, "docs/lint.md", "--explain", () if explained == "all" else (explained,), ())
        click.echo("\n".join(explain(rule) for rule in all_rules() if rule.id in found), nl=False)
        return 0
    rules = rule_ids(BOOK, "docs/lint.md", "--select or --ignore", rule_words(select), rule_words(ignore))
    store = find_recipes(recipes)
    if fix:
        for each in fix_recipes(store, names, rules):
            click.echo(
                printable(f"fixed: {each.where.file}: {each.rule.id} {each.rule.name}: {each.message}"), err=True
            )
    report = _networked(store, names, rules) if network else lint_recipes(store, names, rules)
    click.echo(_rendered(report, "json" if as_json else form), nl=False)
    return RecipeError.exit_code if report.fails(Severity(fail_on)) else 0


def _networked(store: RecipeStore, names: tuple[str, ...], rules: frozenset[str]) -> Report:
    from forge.lint.network_checks import network_checks  # noqa: PLC0415 - imports the HTTP client
    from forge.lint.upstream import Upstream  # noqa: PLC0415 - as above

    with progress_display(Console(stderr=True, highlight=False)) as progress:
        upstream = Upstream(ForgeHome.from_environment(), progress)
        return lint_recipes(store, names, rules, network_checks(upstream))


def _rendered(report: Report, form: str) -> str:
    from forge.lint.annotations import to_github, to_sarif  # noqa: PLC0415 - only for CI

    renderers = {"text": render_text, "json": to_json, "sarif": to_sarif, "github": to_github}
    return renderers[form](report)
