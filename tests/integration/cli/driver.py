"""``forge`` with a Python of this machine in place of a toolchain: what the tests start as a process of its own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from unittest import mock

from forge.cli import build as build_command
from forge.cli.main import main
from forge.crossbuild import recipe_build
from tests.unit.crossbuild.fakes import make_context, no_cross_environment

if __name__ == "__main__":
    # As a shell starts a program, however the tests were started (in the background, with nohup).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    root = Path(sys.argv[1])
    with (
        mock.patch.object(build_command, "plan_context", return_value=make_context(root)),
        mock.patch.object(recipe_build, "ensure_cross_environment", no_cross_environment),
    ):
        main(sys.argv[2:])
