"""The program ``forge``: its commands, and how failures are reported."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

import click
from rich.console import Console

import forge
from forge.base.atomic import storage_error
from forge.base.errors import ForgeError, Interrupted, StorageError
from forge.base.paths import ForgeHome
from forge.base.printable import printable_lines
from forge.cli.errors import show_error

if TYPE_CHECKING:
    from types import FrameType


class _Commands(click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, in order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """Import one; None if there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(f"forge.cli.{cmd_name}"), cmd_name)
        return command


_COMMANDS = (
    "build", "cache", "challenge", "changed", "check", "doctor", "explain", "fetch", "frameworks", "index", "init",
    "lint", "lock", "migrate", "new", "patch", "plan", "publish", "python", "rebuild", "repair", "report", "schema",
    "shell", "show", "test", "toolchain", "update",
)  # fmt: skip


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(forge.__version__, prog_name="forge")
def cli() -> None:
    """Build correct iOS wheels from recipes, on Linux without a Mac or on a Mac with Xcode.

    Downloads and results are kept in your cache directory; set FORGE_HOME to use another one.
    """


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit; every class of failure has its exit code (``docs/exit-codes.md``)."""
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, _terminate)  # the terminal went away: children are not in its group
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # paths have letters that a terminal's encoding may lack
            stream.reconfigure(errors="backslashreplace")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        _check_working_directory()
        code = cli.main(args=arguments, prog_name="forge", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        # Usage errors quote arguments, which a shell's pattern may have taken from a directory's names.
        said = io.StringIO()
        error.show(said)
        click.echo(printable_lines(said.getvalue()), err=True, nl=False)
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
    except Exception:  # noqa: BLE001 - the last resort: a bug of forge's own, reported as one
        _tell(console, _bug())


def _check_working_directory() -> None:
    try:
        os.getcwd()  # noqa: PTH109 - for its error
    except OSError as error:
        raise StorageError("the current directory no longer exists", hint="change to another directory") from error


def _terminate(_number: int, _frame: FrameType | None) -> None:
    """Make SIGTERM unwind like Ctrl-C, so that children end and temporary files go."""
    raise KeyboardInterrupt


def _tell(console: Console, error: ForgeError) -> NoReturn:
    sys.exit(show_error(console, error))


def _bug() -> ForgeError:
    text = traceback.format_exc()
    try:
        log = ForgeHome.from_environment().logs / f"crash-{os.getpid()}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, encoding="utf-8")
        where = f"the traceback is in {log}"
    except (OSError, ForgeError):
        where = text
    last = text.strip().splitlines()[-1]
    return ForgeError(f"internal error (a bug in forge): {last}", hint=f"please report it; {where}")
