"""The command line, as in the tests of its own room."""

from __future__ import annotations

from tests.unit.cli.conftest import forge, no_toolchain, signals

__all__ = ["forge", "no_toolchain", "signals"]
