"""What is published already of a wheel's project: in a directory, or in a package index."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.base.errors import WheelError
from forge.lint.upstream import Upstream
from forge.source.pip_settings import PipSettings
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.wheel.name import WheelName


@dataclass(frozen=True)
class Published:
    """A place with published wheels.

    Args:
        place: A directory with wheels in it, or the address of an index (PEP 503).
        home: The cache, which downloads go to.
        progress: Receives progress updates.
    """

    place: str
    home: ForgeHome
    progress: Progress

    def counterpart(self, filename: str) -> Path | None:
        """The published wheel that a wheel takes the place of: of the same version if there is one, else the newest.

        It has the same project, the same platform, and the same Python and ABI tags.

        Args:
            filename: The new wheel's name.

        Raises:
            NetworkError: The index did not answer.
            SourceError: The index gives no hash of the file, or another one than it has.
            WheelError: The name is not a wheel's.
        """
        name = parse_wheel_name(filename)
        if "://" not in self.place:
            files = {file.name: file for file in Path(self.place).rglob("*.whl")}
            chosen = _chosen(name, files)
            return files[chosen] if chosen else None
        offered = {file.filename: file for file in self._upstream.files(name.distribution)}
        chosen = _chosen(name, offered)
        return self._upstream.get(offered[chosen]) if chosen else None

    @functools.cached_property
    def _upstream(self) -> Upstream:
        """The index, asked once for all wheels of a project."""
        settings = replace(PipSettings.from_pip(), index_url=self.place, extra_index_urls=(), find_links=())
        return Upstream(self.home, self.progress, settings)


def _chosen(name: WheelName, filenames: Iterable[str]) -> str | None:
    """The file name among several that a wheel takes the place of."""
    found = []
    for filename in filenames:
        with contextlib.suppress(WheelError):
            other = parse_wheel_name(filename)
            same = canonicalize_name(other.distribution) == canonicalize_name(name.distribution)
            if same and (other.pythons, other.abis, other.platforms) == (name.pythons, name.abis, name.platforms):
                found.append((other.version == name.version, other.version, other.build, filename))
    return max(found)[-1] if found else None
