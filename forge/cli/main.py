"""The program ``forge``: its commands, and how failures are told."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console
from rich.text import Text

import forge
from forge.base.atomic import storage_error
from forge.base.errors import BuildError, ForgeError, Interrupted
from forge.base.paths import ForgeHome
from forge.cli.build import build
from forge.cli.check import check
from forge.cli.doctor import doctor
from forge.cli.frameworks import frameworks
from forge.cli.lock import lock
from forge.cli.python import python
from forge.cli.repair import repair
from forge.cli.test import test
from forge.cli.toolchain import toolchain

if TYPE_CHECKING:
    from types import FrameType


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(forge.__version__, prog_name="forge")
def cli() -> None:
    """Build correct iOS wheels from recipes, on Linux without a Mac or on a Mac with Xcode.

    The cache is in the user's cache directory; FORGE_HOME names another.
    """


for command in (build, check, doctor, frameworks, lock, python, repair, test, toolchain):
    cli.add_command(command)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; every class of failure has its exit code (``docs/exit-codes.md``)."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, _terminate)  # the terminal went away: children are not in its group
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        code = cli.main(args=arguments, prog_name="forge", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _tell(console, Interrupted("interrupted", hint="run the command again: what was finished is kept"))
    except ForgeError as error:
        _tell(console, error)
    except OSError as error:
        _tell(
            console,
            storage_error(error) or ForgeError(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")),
        )
    except Exception:  # noqa: BLE001 - the last resort: a bug of forge's own, told as one
        _tell(console, _bug())


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Make SIGTERM unwind like Ctrl-C, so that children end and temporary files go."""
    raise KeyboardInterrupt


def _tell(console: Console, error: ForgeError) -> NoReturn:
    # Messages hold names and lines of other programs' output: they are shown as they are, not read as markup.
    console.print(Text.assemble(("error", "bold red"), f"[{error.title}]: {error.message}"))
    if isinstance(error, BuildError):
        if error.tail:
            console.print(Text("the last lines of its output:", style="dim"))
            console.print(Text("\n".join(f"  {line}" for line in error.tail)))
        if error.log:
            console.print(Text.assemble(("log", "bold"), f": {error.log}"))
    # Compilers say in their own words, in English in a build's environment, that the disk is full.
    full = isinstance(error, BuildError) and any(os.strerror(errno.ENOSPC) in line for line in error.tail)
    told = storage_error(OSError(errno.ENOSPC, "")) if full else None
    if hint := (told or error).hint:
        console.print(Text.assemble(("hint", "bold cyan"), f": {hint}"))
    sys.exit((told or error).exit_code)


def _bug() -> ForgeError:
    text = traceback.format_exc()
    try:
        log = ForgeHome.from_environment().logs / "crash.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
        where = f"the traceback is in {log}"
    except (OSError, ForgeError):
        where = text
    last = text.strip().splitlines()[-1]
    return ForgeError(f"forge failed in a way that nobody foresaw: {last}", hint=f"please report it; {where}")
