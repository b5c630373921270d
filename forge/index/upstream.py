"""What other indexes have of a project, each asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.source.http import Patience
from forge.source.index import project_files
from forge.source.pip_settings import PipSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from forge.source.index import IndexFile


def ask_pip() -> Callable[[str], Sequence[IndexFile]]:
    """Asks the package index that pip is configured for, once for each project.

    Returns:
        A function that takes a project's name, and raises `NetworkError` if the index does not answer.
    """
    settings = PipSettings.from_pip()
    known: dict[str, Sequence[IndexFile]] = {}

    def files(name: str) -> Sequence[IndexFile]:
        if name not in known:
            known[name] = project_files(name, settings, Patience.of(settings))
        return known[name]

    return files
