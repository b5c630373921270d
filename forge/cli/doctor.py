"""``forge doctor``: what is installed, what is missing, and the command that installs it."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from forge.base.errors import ToolchainError
from forge.base.paths import ForgeHome
from forge.toolchain.doctor import Status, examine, remedy, to_json

_STYLES = {Status.OK: "green", Status.MISSING: "bold red", Status.OUTDATED: "bold red", Status.OPTIONAL: "yellow"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/doctor.schema.json).")
def doctor(as_json: bool) -> int:
    """Check that this machine has what builds need. The exit code is 0 if nothing is missing."""
    checks = examine(ForgeHome.from_environment())
    if as_json:
        click.echo(to_json(checks))
    else:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for heading in ("", "what", "found"):
            table.add_column(heading)
        for check in checks:
            table.add_row(Text(check.status, style=_STYLES[check.status]), Text(check.title), Text(check.found))
        Console(highlight=False).print(table)
        for check in checks:
            if check.status is not Status.OK and check.remedy:
                click.echo(f"\n{check.title}:\n    {check.remedy}")
        if command := remedy(checks):
            click.echo(f"\nTo install everything that is missing, run:\n    {command}")
    lacking = any(check.status in (Status.MISSING, Status.OUTDATED) for check in checks)
    return ToolchainError.exit_code if lacking else 0
