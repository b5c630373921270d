"""Who has which path in an app: no two files can have the same, nor paths that its file system holds for one.

The file systems that apps are built on ignore letters' case, and how a letter with an accent is composed (Unicode's
NFC and NFD).
"""

from __future__ import annotations

import enum
import hashlib
import unicodedata
from dataclasses import dataclass, field


class ClashKind(enum.Enum):
    """Why a path cannot be given away."""

    TAKEN = "taken"
    """Another file, or a directory, has it."""
    SAME = "same"
    """Another file has it, with the same bytes."""
    SIMILAR = "similar"
    """Another path differs from it only in letters' case or in Unicode form."""


@dataclass(frozen=True)
class Clash:
    """A path that is not free.

    Args:
        kind: Why.
        path: The path that was asked for.
        other: The path that is there: the same, a similar one, or a directory or file above it.
        owner: Whose *other* is.
        is_nested: Whether one of the two is a file where the other has a directory.
    """

    kind: ClashKind
    path: str
    other: str
    owner: str
    is_nested: bool = False


def same_name_key(text: str) -> str:
    """What is the same for two names that an app's file system holds for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


@dataclass(frozen=True)
class _Claim:
    path: str
    owner: str
    digest: bytes


@dataclass
class Claims:
    """Paths below a directory, as they are given away."""

    _files: dict[str, _Claim] = field(default_factory=dict)
    _directories: dict[str, _Claim] = field(default_factory=dict)

    def claim(self, path: str, owner: str, data: bytes | None = None) -> Clash | None:
        """Ask for a path.

        Args:
            path: Relative, with ``/``.
            owner: Who asks, e.g. a package's name.
            data: What the file would hold; None where two files at one place are never the same.

        Returns:
            None if the path is the owner's now; else why it is not.
        """
        mine = _Claim(path, owner, b"" if data is None else hashlib.sha256(data).digest())
        if (other := self._files.get(same_name_key(path))) is not None:
            kind = ClashKind.SAME if mine.digest and mine.digest == other.digest else ClashKind.TAKEN
            return Clash(kind if other.path == path else ClashKind.SIMILAR, path, other.path, other.owner)
        if (other := self._directories.get(same_name_key(path))) is not None:
            return Clash(ClashKind.TAKEN, path, other.path, other.owner, is_nested=True)
        parts = path.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            directory = "/".join(parts[:count])
            if (other := self._files.get(same_name_key(directory))) is not None:
                return Clash(ClashKind.TAKEN, path, other.path, other.owner, is_nested=True)
            other = self._directories.setdefault(same_name_key(directory), _Claim(directory, owner, b""))
            if other.path != directory:
                return Clash(ClashKind.SIMILAR, path, other.path, other.owner)
        self._files[same_name_key(path)] = mine
        return None
