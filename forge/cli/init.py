"""``forge init``: a repository for recipes of one's own."""

from __future__ import annotations

from pathlib import Path

import click
from packaging.requirements import InvalidRequirement, Requirement

import forge
from forge.base.printable import printable
from forge.pipeline.scaffold import scaffold_files, write_scaffold


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--name", help="What the repository is called.  [default: the directory's name]")
@click.option(
    "--forge", "requirement", default=f"forge-ios=={forge.__version__}", show_default=True, metavar="REQUIREMENT",
    help="What the workflows install forge from (PEP 508), e.g. 'forge-ios @ git+https://…'.",
)  # fmt: skip
def init(directory: Path, name: str | None, requirement: str) -> None:
    """Make a repository for recipes of your own in the new directory DIR.

    In it are a directory for recipes, a configuration file, and GitHub's workflows: pull requests are linted, built,
    checked and tested, and answered by one comment; what is merged is built and published as a package index on GitHub
    Pages; newer versions are proposed once a week. docs/pipeline.md describes all of it.
    """
    try:
        Requirement(requirement)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise click.BadParameter(
            f"{requirement!r} is not a requirement (PEP 508): {reason}", param_hint="'--forge'"
        ) from None
    chosen = name or directory.absolute().name
    files = scaffold_files(" ".join(chosen.split()), requirement)
    write_scaffold(directory, files)
    for path in sorted(files):
        click.echo(printable(f"{directory / path}"))
    click.echo(f"\nNext: cd {printable(str(directory))} && git init && forge new NAME", err=True)
