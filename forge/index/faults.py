"""What can be wrong with an index, and what is worth a note."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What is wrong."""

    FILE = "file"
    """A file is missing, or has other bytes than the index says."""
    WHEEL = "wheel"
    """A file is no sound wheel, or its RECORD disagrees with what is in it: it was so when it was added."""
    SIGNATURE = "signature"
    """A file is not signed by anybody who is trusted, or a signed statement is not the one that was signed."""
    PAGE = "page"
    """A page is missing, or says something else than the index holds."""
    TARGET = "target"
    """A version has wheels for some of iOS's targets only."""
    REQUIREMENT = "requirement"
    """A wheel requires what neither the index nor its upstream has."""
    BUILT = "built"
    """A file is not what this machine has built."""
    SHADOW = "shadow"
    """Upstream has something that installers take in place of the index's wheel."""
    NOTE = "note"
    """Nothing wrong: upstream has wheels of the same version, and installers may take either."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an index, or worth a note.

    Args:
        kind: What kind of thing.
        subject: The file, page or project.
        message: What is wrong.
    """

    kind: Kind
    subject: str
    message: str

    @property
    def is_wrong(self) -> bool:
        """Whether something has to be done about it."""
        return self.kind is not Kind.NOTE
