"""How an error is shown on the terminal."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from rich.text import Text

from forge.base.atomic import storage_error
from forge.base.errors import BuildError, ForgeError
from forge.base.printable import printable, printable_lines
from forge.failures.first_error import first_error
from forge.failures.match import explain_lines, explain_log

if TYPE_CHECKING:
    from rich.console import Console

    from forge.failures.match import Match


def show_error(console: Console, error: ForgeError) -> int:
    """Print an error: its message, the last lines of a log, its cause if it is known, and what to do next.

    Args:
        console: Where it is printed.
        error: The error.

    Returns:
        The exit code.
    """
    # Messages hold names out of files and lines of other programs' output: they are neither read as markup nor obeyed.
    console.print(Text.assemble(("error", "bold red"), f"[{error.title}]: {printable_lines(error.message)}"))
    if isinstance(error, BuildError):
        first = first_error(error.log) if error.log else None
        if first is not None and first not in error.tail:
            console.print(Text("the first error in the log:", style="dim"))
            console.print(Text(f"  {printable_lines(first)}"))
        if error.tail:
            console.print(Text("the last lines of its output:", style="dim"))
            console.print(Text("\n".join(f"  {printable_lines(line)}" for line in error.tail)))
        if match := _known(error):
            console.print(Text.assemble(("cause", "bold"), f": {printable(match.cause)}"))
            console.print(Text.assemble(("fix", "bold"), f": {printable(match.mend)}"))
        if error.log:
            console.print(Text.assemble(("log", "bold"), f": {printable(str(error.log))}"))
    # Compilers say in their own words, in English in a build's environment, that the disk is full.
    full = isinstance(error, BuildError) and any(os.strerror(errno.ENOSPC) in line for line in error.tail)
    told = storage_error(OSError(errno.ENOSPC, "")) if full else None
    if hint := (told or error).hint:
        console.print(Text.assemble(("hint", "bold cyan"), f": {printable_lines(hint)}"))
    return (told or error).exit_code


def _known(error: BuildError) -> Match | None:
    """The entry of the catalogue of failures that fits a build best."""
    try:
        explanation = explain_log(error.log) if error.log else explain_lines(error.tail)
    except ForgeError:  # a log that has gone explains nothing
        return None
    return next(iter(explanation.matches), None)
