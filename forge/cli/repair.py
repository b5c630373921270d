"""``forge repair``: fix wheels."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forge.audit.repaired import with_errors_left
from forge.base.errors import WheelError
from forge.wheel.repair import repair_wheel
from forge.wheel.repair_model import render_text, to_json

if TYPE_CHECKING:
    from forge.wheel.repair_model import RepairResult


@click.command()
@click.argument(
    "wheels", nargs=-1, required=True, metavar="WHEEL...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("repaired"), show_default=True,
    help="Where the repaired wheels go; a wheel with nothing to repair is copied.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only report what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/repair.schema.json).")
def repair(wheels: tuple[Path, ...], out: Path, dry_run: bool, as_json: bool) -> int:
    """Fix what can be fixed in iOS wheels, however they were built.

    The result is checked as forge check does. The exit code is 9 if an error is left, and 0 if none is.
    """
    results: list[RepairResult] = []
    taken: set[Path] = set()
    with tempfile.TemporaryDirectory(prefix="forge-repair.") as temporary:
        directory = Path(temporary) if dry_run else out
        for wheel in dict.fromkeys(wheels):
            result = repair_wheel(wheel, directory, taken=taken)
            if result.output is not None:
                taken.add(result.output)
                result = with_errors_left(result, result.output)
            results.append(dataclasses.replace(result, output=None) if dry_run else result)
            if not as_json:
                click.echo(render_text(results[-1]), nl=False)
    if as_json:
        click.echo(to_json(results), nl=False)
    return WheelError.exit_code if any(result.unmendable for result in results) else 0
