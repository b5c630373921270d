"""The table of exit codes in the documentation: every class of failure is in it, with its own."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import forge as forge_package
from forge.base.errors import ForgeError, Interrupted
from forge.base.target import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = Path(__file__).parents[3] / "docs" / "exit-codes.md"


class TestDocument:
    @pytest.fixture
    def rows(self) -> dict[int, str]:
        """Exit codes and their classes, as the table has them."""
        lines = re.findall(r"^\| (\d+) \| (\S*) ?\|", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert len({code for code, _ in lines}) == len(lines)
        return {int(code): name for code, name in lines}

    @staticmethod
    def errors(kind: type[ForgeError] = ForgeError) -> Iterator[type[ForgeError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from TestDocument.errors(child)

    def test_every_failure_is_listed(self, rows: dict[int, str]) -> None:
        for module in pkgutil.walk_packages(forge_package.__path__, "forge."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
        codes = {kind.exit_code for kind in self.errors()} | {0, click.UsageError.exit_code}
        assert set(rows) == codes

    def test_each_class_of_failure_has_its_own(self, rows: dict[int, str]) -> None:
        classes = ForgeError.__subclasses__()
        assert len({kind.exit_code for kind in classes}) == len(classes)
        assert len({kind.title for kind in classes}) == len(classes)
        every: list[type[ForgeError]] = [ForgeError, *classes]
        for kind in every:
            assert rows[kind.exit_code] == kind.title, kind

    def test_what_shells_and_click_have_meanings_for(self) -> None:
        assert TargetError.exit_code == click.UsageError.exit_code
        assert Interrupted.exit_code == 128 + 2
