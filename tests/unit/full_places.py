"""A place on a disk that has become full."""

from __future__ import annotations

import errno
import os
from typing import IO, TYPE_CHECKING, Any

from forge.plan.shared.filesystem import DirectoryPlace

if TYPE_CHECKING:
    import pytest


class _Full:
    """An open file of which the first bytes fit."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.close = file, file.close

    def write(self, data: bytes) -> int:
        self._file.write(data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no directory take what is stored there from now on."""
    create = DirectoryPlace._create

    def full(self: DirectoryPlace, path: str) -> Any:
        return _Full(create(self, path))

    monkeypatch.setattr(DirectoryPlace, "_create", full)
