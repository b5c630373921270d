"""What is to be published, where, and why not."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from forge.base.errors import ForgeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.progress import Progress
    from forge.index.add import NewFile
    from forge.source.index import IndexFile


class PublishError(ForgeError):
    """Wheels cannot be published: something refuses them, or they did not arrive whole."""

    exit_code: ClassVar[int] = 19
    title: ClassVar[str] = "publish"


class Gate(enum.StrEnum):
    """What a wheel has to pass, unless the user says otherwise."""

    BUILT = "built"
    """All wheels that recipes stand for are in the cache."""
    CHECK = "check"
    """``forge check`` finds no errors."""
    TARGETS = "targets"
    """There are wheels for all of iOS's targets."""
    REQUIREMENTS = "requirements"
    """What it requires can be had."""
    LICENCES = "licences"
    """It has the licence files of what is linked into it."""


@dataclass(frozen=True)
class Refusal:
    """Why a wheel, or a project, is not published.

    Args:
        subject: A file's name, or a project's.
        message: What is wrong.
        gate: What it did not pass; None for what cannot be allowed.
    """

    subject: str
    message: str
    gate: Gate | None = None

    @property
    def named(self) -> str:
        """The message, after the gate's name."""
        return f"{self.gate}: {self.message}" if self.gate else self.message


@dataclass(frozen=True)
class Publication:
    """What is to become of the wheels of a set.

    Args:
        new: What is to be published, each after what it requires.
        same: Names of what is there already, with the same bytes.
        libraries: Names of wheels of native libraries, which are for builds: an app cannot use them.
        refusals: What stands against it; nothing is published if there is any.
    """

    new: tuple[NewFile, ...]
    same: tuple[str, ...]
    libraries: tuple[str, ...]
    refusals: tuple[Refusal, ...]


class Destination(Protocol):
    """Where wheels are published."""

    name: str
    """What it is called in messages; without a password."""

    def files(self, project: str) -> Sequence[IndexFile]:
        """What is there of a project, as far as it can be looked at.

        Args:
            project: Its name, normalised.

        Raises:
            ForgeError: It does not answer.
        """

    def sha256(self, file: IndexFile) -> str:
        """The hash of a file that is there.

        Args:
            file: One of those that `files` gave.

        Raises:
            ForgeError: It cannot be had.
        """

    def send(self, files: Sequence[NewFile], progress: Progress) -> Sent:
        """Publish files.

        Args:
            files: Each after what it requires.
            progress: Receives progress updates.

        Raises:
            ForgeError: One was not taken; what the next run finds there it does not send again.
        """

    def read_back(self, files: Sequence[NewFile], progress: Progress) -> str:
        """Get files as users do, and compare their hashes.

        Args:
            files: What was sent.
            progress: Receives progress updates.

        Returns:
            Where they were read from, or an empty string if nobody can look.

        Raises:
            PublishError: One is not there, or has other bytes.
        """


@dataclass(frozen=True)
class Sent:
    """What a destination took.

    Args:
        new: Names of the files that are new.
        same: Names of those that somebody else published meanwhile, with the same bytes.
    """

    new: tuple[str, ...]
    same: tuple[str, ...] = ()
