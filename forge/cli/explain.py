"""``forge explain``: why a build failed, from its log."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.base.errors import BuildError
from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.failures.match import explain_lines, explain_log

if TYPE_CHECKING:
    from forge.failures.match import Explanation, Match

JSON_VERSION = 1
"""Goes up when a field changes its meaning or goes away."""


@click.command()
@click.argument(
    "log",
    required=False,
    metavar="[LOG]",
    type=click.Path(path_type=Path, exists=True, allow_dash=True, dir_okay=False),
)
@click.option("--all", "every", is_flag=True, help="Show every failure that matches, not the likeliest alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def explain(log: Path | None, every: bool, as_json: bool) -> None:
    """Say why a build failed, and what mends it.

    LOG is the log of a build, or "-" for standard input; by default the newest log in the cache. docs/failures.md lists
    the failures that are known.
    """
    if log is None:
        log = _newest(ForgeHome.from_environment())
        click.echo(f"log: {printable(str(log))}", err=True)
    explanation = explain_lines(sys.stdin.read().split("\n")) if str(log) == "-" else explain_log(log)
    click.echo(_to_json(explanation) if as_json else _text(explanation, every=every), nl=False)


def _newest(home: ForgeHome) -> Path:
    """The log that was written last; logs of crashes are forge's own."""
    found = [path for path in home.logs.glob("*.log") if path.is_file() and not path.name.startswith("crash-")]
    if not found:
        raise BuildError(f"there is no log in {home.logs}", hint="name the file: forge explain LOG")
    return max(found, key=lambda path: path.stat().st_mtime)


def _text(explanation: Explanation, *, every: bool) -> str:
    if not explanation.matches:
        if explanation.first is None:
            return "no known failure, and no line that reports an error\n"
        number, line = explanation.first
        return f"no known failure; the first error is in line {number}:\n  {printable(line)}\n"
    shown = explanation.matches if every else explanation.matches[:1]
    return "\n".join(_shown(match) for match in shown)


def _shown(match: Match) -> str:
    lines = [f"{match.entry.id}, line {match.number}:", f"  {printable(match.line)}"]
    return "\n".join([*lines, f"cause: {printable(match.cause)}", f"fix:   {printable(match.mend)}"]) + "\n"


def _to_json(explanation: Explanation) -> str:
    first = explanation.first
    data = {
        "version": JSON_VERSION,
        "matches": [
            {
                "id": match.entry.id,
                "tool": match.entry.tool,
                "line": match.number,
                "text": match.line,
                "cause": match.cause,
                "mend": match.mend,
                "general": match.entry.general,
            }
            for match in explanation.matches
        ],
        "first_error": None if first is None else {"line": first[0], "text": first[1]},
    }
    return json.dumps(data, indent=2) + "\n"
