"""The command line, as in the tests of its own room; and an index, which is a directory."""

from __future__ import annotations

import io
import os
import re
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from forge.plan import lock as lock_module
from forge.recipe.lock import make_lock
from tests.unit.cli.conftest import forge, no_toolchain, signals
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from forge.recipe.lock import BuildLock

__all__ = ["forge", "no_toolchain", "signals"]

METADATA = """\
Metadata-Version: 2.1
Name: demo
Version: {version}
Summary: A demonstration
License: MIT
Classifier: License :: OSI Approved :: MIT License
"""


@dataclass(frozen=True)
class Index:
    """Packages in a directory, which pip's configuration names.

    Args:
        directory: The directory.
    """

    directory: Path

    def sdist(
        self, files: Mapping[str, str | bytes], *, name: str = "demo", version: str = "1.0", suffix: str = ".tar.gz"
    ) -> Path:
        """Add an sdist; it has PKG-INFO unless *files* has one."""
        root = f"{name}-{version}"
        contents: dict[str, str | bytes] = {"PKG-INFO": METADATA.format(version=version), **files}
        path = self.directory / f"{root}{suffix}"
        with tarfile.open(path, "w:gz") as archive:
            for file, content in contents.items():
                data = content.encode() if isinstance(content, str) else content
                info = tarfile.TarInfo(f"{root}/{file}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    def wheel(
        self, tag: str, files: Mapping[str, bytes], *, version: str = "1.0", name: str = "demo", more: str = ""
    ) -> Path:
        """Add a wheel; *more* are further lines of METADATA."""
        metadata = METADATA.format(version=version).replace("Name: demo", f"Name: {name}") + more
        return make_wheel(self.directory, files, name=name, version=version, tag=tag, metadata=metadata)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    directory = tmp_path / "index"
    directory.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("FORGE_MIRROR", raising=False)
    return Index(directory)


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """No pip and no hook: what would be resolved, each time."""
    seen: list[list[str]] = []

    def resolve(_home: object, requires: Sequence[str], *_: object, **__: object) -> BuildLock:
        seen.append(list(requires))
        return make_lock([(re.split("[<>=]", text)[0], "1", ["ab" * 32]) for text in requires], requires)

    monkeypatch.setattr(lock_module, "resolve_lock", resolve)
    monkeypatch.setattr(lock_module, "hook_requires", lambda *_, **__: ())
    return seen
