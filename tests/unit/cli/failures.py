"""What tests of failures share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.cli import build as build_command
from forge.cli import test as trial_command

if TYPE_CHECKING:
    import pytest

    from tests.unit.cli.runner import Forge

ONE = ("--abi", "iphoneos")


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(build_command, "plan_context", failing)
    monkeypatch.setattr(trial_command, "ensure_context", failing)


def cached(forge: Forge) -> list[str]:
    """The files of the cache that are no logs, locks and work directories: what a later run could take for whole."""
    home = forge.root / "home"
    kept = [path for path in home.rglob("*") if path.is_file()]
    return [str(p.relative_to(home)) for p in kept if p.relative_to(home).parts[0] not in {"logs", "locks", "builds"}]
