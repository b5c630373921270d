"""The one exception hierarchy: each class of failure has its exit code and says what to do next.

Exit code 1 is what an unforeseen error gives and 2 is click's for a wrong command line, so the classes start at 3.
``docs/exit-codes.md`` lists them for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path


class ForgeError(Exception):
    """Something the user can act on; never shown as a traceback.

    Args:
        message: What went wrong, in one sentence or a few lines.
        hint: What to do next, or None where the message already says so.
    """

    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class RecipeError(ForgeError):
    """A recipe is unknown, malformed or contradicts itself."""

    exit_code = 3
    title = "recipe"


class SourceError(ForgeError):
    """A source is not what the recipe pinned: wrong sha256, unsafe archive, a patch that does not apply."""

    exit_code = 4
    title = "source"


class NetworkError(ForgeError):
    """Nothing answered: no network, an index or every mirror out of reach."""

    exit_code = 5
    title = "network"


class ToolchainError(ForgeError):
    """A compiler, linker, SDK part or other tool is missing or too old."""

    exit_code = 6
    title = "toolchain"


class IOSPythonError(ForgeError):
    """An iOS Python or the build Python that matches it is missing or not usable."""

    exit_code = 7
    title = "python"


class BuildError(ForgeError):
    """A build ran and failed.

    Args:
        message: What failed.
        hint: What to do next.
        log: The whole log on disk, where there is one.
        tail: The last lines of that log.
    """

    exit_code = 8
    title = "build"

    def __init__(
        self, message: str, *, hint: str | None = None, log: Path | None = None, tail: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.log = log
        self.tail = tail


class WheelError(ForgeError):
    """A wheel is not what its recipe promised, or cannot be read."""

    exit_code = 9
    title = "wheel"


class StorageError(ForgeError):
    """A disk is full, a directory is not writable, a cache entry cannot be stored."""

    exit_code = 10
    title = "storage"


class TrialError(ForgeError):
    """A wheel's tests failed, or cannot be run."""

    exit_code = 11
    title = "test"


class ReproducibilityError(ForgeError):
    """A wheel that was built again is not the same."""

    exit_code = 13
    title = "reproducibility"


class Interrupted(ForgeError):  # noqa: N818 - a request of the user's, not an error
    """Ctrl-C or a termination signal; 130 is what shells report for SIGINT."""

    exit_code = 130
    title = "interrupted"
