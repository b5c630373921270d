"""``forge challenge``: a sample of wheels built again, and whether the same come out."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import click
from rich.console import Console

from forge.base.errors import ForgeError, RecipeError, ReproducibilityError, WheelError
from forge.base.paths import ForgeHome
from forge.cli.display import progress_display
from forge.cli.errors import show_error
from forge.cli.options import jobs_option, variant_option
from forge.plan.in_use import in_use
from forge.plan.rebuild import rebuild, render_differences, wheels_in
from forge.recipe.store import find_recipes


@click.command()
@click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[WHEEL|DIRECTORY]...")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Take N of the wheels; by default all of them.")
@click.option("--seed", type=int, help="Number that decides which; by default they are others each time.")
@variant_option
@jobs_option
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def challenge(
    places: tuple[Path, ...], sample: int | None, seed: int | None, variants: tuple[str, ...], jobs: int | None,
    recipes: Path | None,
) -> int:  # fmt: skip
    """Build wheels again and compare them with those that are there, bit for bit.

    Without arguments the wheels are those of the cache. A wheel whose recipe has another version by now is skipped.
    The exit code is 13 if a wheel differs, and that of the first failure if one cannot be built.
    """
    home, store = ForgeHome.from_environment(), find_recipes(recipes)
    wheels = wheels_in(places or [home.wheels])
    if sample is not None and sample < len(wheels):
        wheels = sorted(random.Random(seed).sample(wheels, sample))
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    code, counted = 0, {"same": 0, "different": 0, "failed": 0, "skipped": 0}
    for wheel in wheels:
        home.work.mkdir(parents=True, exist_ok=True)
        try:
            with (
                tempfile.TemporaryDirectory(prefix="rebuild-", dir=home.work) as temporary,
                in_use(home),
                progress_display(Console(stderr=True, highlight=False)) as progress,
            ):
                made = rebuild(wheel, home, store, Path(temporary), progress, variants=variants, jobs=jobs)
        except (RecipeError, WheelError) as error:
            said, text = "skipped", f": {error.message.splitlines()[0]}"
        except ForgeError as error:
            code = code or show_error(console, error)
            said, text = "failed", ""
        else:
            said, text = "same", ""
            if made.differences:
                said, text = "different", f"\n{render_differences(made.differences)}"
                code = code or ReproducibilityError.exit_code
        counted[said] += 1
        click.echo(f"{wheel.name}: {said}{text}")
    click.echo(", ".join(f"{number} {what}" for what, number in counted.items()))
    return code
