"""``forge schema``: the format of recipes."""

from __future__ import annotations

import click

from forge.lint.schema_text import all_keys, render_keys, schema_source
from forge.recipe.diagnostics import did_you_mean


@click.command()
@click.argument("key", required=False, metavar="[KEY]")
@click.option("--text", "as_text", is_flag=True, help="Print all keys for people, not JSON Schema.")
def schema(key: str | None, as_text: bool) -> None:
    """Print the schema of recipes, with descriptions, defaults and examples.

    Without KEY this is JSON Schema, for editors and other programs; with KEY, e.g. build.env, what the key and those
    below it mean. The first line of a recipe tells editors where the schema is: docs/recipes.md.
    """
    if key is None and not as_text:
        click.echo(schema_source(), nl=False)
        return
    text = render_keys(key or "")
    if not text:
        hint = did_you_mean(str(key), (each.name for each in all_keys()), "keys")
        raise click.BadParameter(f"there is no key {key!r}; {hint}", param_hint="KEY")
    click.echo(text, nl=False)
