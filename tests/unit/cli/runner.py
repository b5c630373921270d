"""Running the command line in this process, as a shell would see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from forge.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a run of forge left: its exit code, standard output, standard error."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Forge:
    """Runs ``forge`` with a cache below *root*, which is the working directory too."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in said.out + said.err
        return Said(ended.value.code, said.out, said.err)

    def plain(self, text: str) -> str:
        """A message without what differs from run to run."""
        text = re.sub(r"^\[ *[\d.]+ s\]", "[TIME]", text, flags=re.MULTILINE)
        text = re.sub(r"(demo-1\.0-arm64-iphoneos)-[0-9a-f]{12}(?:\.\d+)?", r"\1-KEY", text)
        text = re.sub(r"crash-\d+\.log", "crash-PID.log", text)
        return text.replace(str(self.root), "TMP")
