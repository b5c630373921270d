"""``forge repair``: mend wheels."""

from __future__ import annotations

from pathlib import Path

import click

from forge.base.errors import WheelError
from forge.wheel.repair import repair_wheel
from forge.wheel.repair_model import render_text, to_json


@click.command()
@click.argument(
    "wheels", nargs=-1, required=True, metavar="WHEEL...", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("repaired"), show_default=True,
    help="Where the mended wheels go; a wheel with nothing to mend is copied.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/repair.schema.json).")
def repair(wheels: tuple[Path, ...], out: Path, dry_run: bool, as_json: bool) -> int:
    """Mend what can be mended in iOS wheels, however they were built.

    The exit code is 0 if nothing is left that repair knows of and cannot mend.
    """
    results = []
    for wheel in dict.fromkeys(wheels):
        results.append(repair_wheel(wheel, out, dry_run=dry_run))
        if not as_json:
            click.echo(render_text(results[-1]), nl=False)
    if as_json:
        click.echo(to_json(results), nl=False)
    return WheelError.exit_code if any(result.unmendable for result in results) else 0
