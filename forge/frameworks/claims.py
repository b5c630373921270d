"""Who has which path: two packages cannot have the same, nor paths that differ in letters' case only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from forge.frameworks.findings import Finding, finding


@dataclass(frozen=True)
class _Claim:
    path: str
    owner: str
    digest: bytes


@dataclass
class Claims:
    """Paths below a directory, as they are given away.

    Args:
        place: What findings call the directory.
    """

    place: str
    _files: dict[str, _Claim] = field(default_factory=dict)
    _directories: dict[str, _Claim] = field(default_factory=dict)

    def claim(self, path: str, owner: str, data: bytes) -> Finding | None:
        """Ask for a path.

        Args:
            path: Relative, with ``/``.
            owner: Which package asks.
            data: What the file would hold.

        Returns:
            None if the path is the owner's now; else why it is not. That may be a warning: another package's file
            is the same, and both are content with it.
        """
        mine = _Claim(path, owner, hashlib.sha256(data).digest())
        if (other := self._files.get(path.casefold())) is not None:
            return self._refused(mine, other)
        if (other := self._directories.get(path.casefold())) is not None:
            return self._finding("FW101", mine, f"a file of {owner}, a directory of {other.owner}")
        parts = path.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            directory = "/".join(parts[:count])
            if (other := self._files.get(directory.casefold())) is not None:
                return self._finding("FW101", mine, f"{other.path} is a file of {other.owner}")
            other = self._directories.setdefault(directory.casefold(), _Claim(directory, owner, b""))
            if other.path != directory:
                return self._finding("FW103", mine, f"{other.owner} has {other.path}/, {owner} {directory}/")
        self._files[path.casefold()] = mine
        return None

    def _refused(self, mine: _Claim, other: _Claim) -> Finding:
        if other.path != mine.path:
            return self._finding("FW103", mine, f"{other.owner} has {other.path}")
        if other.digest == mine.digest:
            return self._finding("FW102", mine, f"of {other.owner} and {mine.owner}")
        return self._finding("FW101", mine, f"of {other.owner} and {mine.owner}, which differ")

    def _finding(self, rule: str, mine: _Claim, message: str) -> Finding:
        return finding(rule, f"{self.place}/{mine.path}", message)
