"""How an error is shown on the terminal."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from rich.text import Text

from forge.base.atomic import storage_error
from forge.base.errors import BuildError
from forge.base.printable import printable, printable_lines
from forge.cli.first_error import first_error

if TYPE_CHECKING:
    from rich.console import Console

    from forge.base.errors import ForgeError


def show_error(console: Console, error: ForgeError) -> int:
    """Print an error: its message, the last lines and the path of a log, and what to do next.

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
        if error.log:
            console.print(Text.assemble(("log", "bold"), f": {printable(str(error.log))}"))
    # Compilers say in their own words, in English in a build's environment, that the disk is full.
    full = isinstance(error, BuildError) and any(os.strerror(errno.ENOSPC) in line for line in error.tail)
    told = storage_error(OSError(errno.ENOSPC, "")) if full else None
    if hint := (told or error).hint:
        console.print(Text.assemble(("hint", "bold cyan"), f": {printable_lines(hint)}"))
    return (told or error).exit_code
