"""What the network knows of a recipe's package: its files in the index, its macOS wheel, its source tree."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import SourceError, WheelError
from forge.crossbuild.sources import source_of
from forge.source.download import download
from forge.source.fetch import fetch, prepare
from forge.source.http import Patience
from forge.source.index import project_files
from forge.source.pip_settings import PipSettings
from forge.wheel.archive import open_archive
from forge.wheel.contents import same_version
from forge.wheel.extension import parse_extension
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.recipe.model import EvaluatedRecipe
    from forge.source.index import IndexFile


@dataclass(frozen=True)
class Upstream:
    """Asks the network, and keeps what it answered.

    Args:
        home: The cache, which downloads go to.
        progress: Is told what happens.
        settings: Which indexes, and how they are reached.
    """

    home: ForgeHome
    progress: Progress
    settings: PipSettings = field(default_factory=PipSettings.from_pip)
    _files: dict[str, tuple[IndexFile, ...]] = field(default_factory=dict)

    def files(self, name: str) -> tuple[IndexFile, ...]:
        """What the indexes offer of a project.

        Raises:
            NetworkError: An index did not answer.
        """
        if name not in self._files:
            self.progress.phase(name, "ask the index")
            self._files[name] = project_files(name, self.settings, Patience.of(self.settings))
        return self._files[name]

    def macos_wheels(self, name: str, version: str) -> tuple[IndexFile, ...]:
        """The wheels of a version for macOS on arm64, those for the newest CPython last.

        Raises:
            NetworkError: An index did not answer.
        """
        found = []
        for file in self.files(name):
            if file.is_sdist or not same_version(file.version, version) or not file.filename.endswith(".whl"):
                continue
            with contextlib.suppress(WheelError):
                parsed = parse_wheel_name(file.filename)
                if any(p.startswith("macosx") and p.endswith(("arm64", "universal2")) for p in parsed.platforms):
                    found.append((_rank(parsed.pythons, parsed.abis), file))
        return tuple(file for _, file in sorted(found, key=lambda pair: (pair[0], pair[1].filename)))

    def get(self, file: IndexFile) -> Path:
        """A file of an index, in the cache.

        Raises:
            ForgeError: It cannot be downloaded, or the index gives no hash of it.
        """
        if file.sha256 is None:
            raise SourceError(
                f"the index gives no sha256 of {file.filename}", hint="serve the index with hashes (PEP 503)"
            )
        return download(
            (file.url,), sha256=file.sha256, filename=file.filename, home=self.home, progress=self.progress,
            patience=Patience.of(self.settings), settings=self.settings,
        )  # fmt: skip

    def modules(self, wheel: IndexFile) -> frozenset[str]:
        """The dotted names of a wheel's extension modules.

        Raises:
            ForgeError: It cannot be downloaded or read.
        """
        path = self.get(wheel)
        with open_archive(path) as (_, members):
            found = (parse_extension(member.path) for member in members)
            return frozenset(each.module for each in found if each is not None)

    @contextlib.contextmanager
    def tree(self, recipe: EvaluatedRecipe, patches: Sequence[Path] = ()) -> Iterator[Path]:
        """A recipe's source tree, patched, for as long as it is looked at.

        Raises:
            ForgeError: It cannot be had, or a patch does not apply.
        """
        source = fetch(source_of(recipe), self.home, self.progress, index=self.settings)
        directory = Path(tempfile.mkdtemp(prefix="forge-lint-"))
        try:
            tree = directory / "source"
            prepare(source, patches, tree, self.progress)
            yield tree
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _rank(pythons: Sequence[str], abis: Sequence[str]) -> int:
    """The newest CPython of a wheel's tags, to sort by; free-threaded ones, which iOS has not, come first."""
    if any(abi.endswith("t") for abi in abis):
        return -1
    return max((int(tag[3:]) for tag in pythons if tag.startswith("cp3") and tag[3:].isdecimal()), default=0)
