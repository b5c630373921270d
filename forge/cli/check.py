"""``forge check``: what is wrong with wheels for iOS, however they were built."""

from __future__ import annotations

from pathlib import Path

import click

from forge.audit.check import Report, check_paths
from forge.audit.check_report import explain, render_text, to_json
from forge.audit.compare import Comparison, compare_all
from forge.audit.rules import BOOK, all_rules
from forge.base.errors import WheelError
from forge.base.printable import printable_lines
from forge.base.severity import Severity
from forge.cli.options import provided_option
from forge.cli.rule_options import rule_ids, rule_words


@click.command()
@click.argument("paths", nargs=-1, metavar="WHEEL|DIR...", type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/check.schema.json).")
@click.option("--explain", "explained", metavar="ID", help="Print all about one rule, and check nothing.")
@click.option("--select", multiple=True, metavar="IDS", help="Only these rules: ids, starts of ids (IOS2), names.")
@click.option("--ignore", multiple=True, metavar="IDS", help="All but these rules.")
@click.option(
    "--fail-on", type=click.Choice([Severity.ERROR.value, Severity.WARNING.value]), default=Severity.ERROR.value,
    show_default=True, help="From which severity on the exit code is not 0.",
)  # fmt: skip
@click.option("--libraries", is_flag=True, help="Also list the libraries that the wheels' binaries load.")
@provided_option
@click.option(
    "--against", type=click.Path(path_type=Path, exists=True), metavar="WHEEL|DIR",
    help="Also compare with another builder's wheels: files, and what binaries export, import and load.",
)  # fmt: skip
def check(
    paths: tuple[Path, ...],
    as_json: bool,
    explained: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str,
    libraries: bool,
    provided: tuple[str, ...],
    against: Path | None,
) -> int:
    """Check iOS wheels against everything that installers, iOS and the App Store ask of them.

    Of a directory every wheel in it is checked, and whether a version lacks one of iOS's three targets. Wheels that
    are not for iOS are skipped. The exit code is 9 if there are errors or, with --against, differences. docs/checks.md
    lists the rules.
    """
    if explained is not None:
        found = rule_ids(BOOK, "docs/checks.md", "--explain", (explained,), ())
        click.echo("\n".join(explain(rule) for rule in all_rules() if rule.id in found), nl=False)
        return 0
    if not paths:
        raise click.UsageError("Missing argument 'WHEEL|DIR...'.")
    rules = rule_ids(BOOK, "docs/checks.md", "--select or --ignore", rule_words(select), rule_words(ignore))
    report = check_paths(paths, rules, frozenset(provided))
    compared = () if against is None else _compared(report, against)
    click.echo(to_json(report, compared) if as_json else render_text(report, libraries=libraries), nl=False)
    if not as_json:
        for one in compared:
            click.echo(printable_lines(str(one)))
    failed = report.fails(Severity(fail_on)) or any(one.differences or one.problem for one in compared)
    return WheelError.exit_code if failed else 0


def _compared(report: Report, against: Path) -> tuple[Comparison, ...]:
    """The wheels of a report compared with another builder's."""
    others = sorted(against.glob("*.whl")) if against.is_dir() else [against]
    return tuple(compare_all([one.path for one in report.wheels], others))
