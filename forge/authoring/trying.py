"""A new recipe's first build, and after a failure the mends that the catalogue has for it, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from forge.base.errors import BuildError, ForgeError, SourceError, WheelError
from forge.failures.match import Explanation, explain_lines, explain_log

if TYPE_CHECKING:
    from pathlib import Path

    from forge.authoring.draft import Draft
    from forge.authoring.mends import Mend, Mender

MOST_MENDS = 6
"""How many mends are tried: each takes a build."""


class Workbench(Protocol):
    """Writes and builds the recipe that is tried."""

    def write(self, draft: Draft) -> None:
        """Write the recipe and its lock anew.

        Raises:
            ForgeError: Its build requirements cannot be locked.
        """

    def build(self) -> Path:
        """Build the recipe as it was written; returns the wheel.

        Raises:
            ForgeError: It failed.
        """

    def log(self) -> Path | None:
        """The log of the newest build, or None."""


@dataclass(frozen=True)
class Attempt:
    """One build.

    Args:
        mend: What was changed before it; empty for the first.
        outcome: What came of it, in one line.
        kept: Whether the recipe has the change.
    """

    mend: str
    outcome: str
    kept: bool = True


@dataclass(frozen=True)
class Tried:
    """What came of trying a recipe.

    Args:
        draft: The recipe as it is now.
        wheel: The wheel, or None if no build succeeded.
        error: The failure of the last build that counts, or None.
        attempts: Every build, in order.
    """

    draft: Draft
    wheel: Path | None
    error: ForgeError | None
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class _Failure:
    """A failed build, with what its log says."""

    error: ForgeError
    explanation: Explanation

    @property
    def said(self) -> str:
        """The failure in one line: a known cause, else the first error, else the message."""
        if self.explanation.matches:
            best = self.explanation.matches[0]
            return f"{best.entry.id}: {best.cause}"
        if self.explanation.first is not None:
            return self.explanation.first[1].strip()
        return self.error.message.partition("\n")[0]

    @property
    def sign(self) -> str:
        """What tells it from another failure."""
        if self.explanation.matches:
            best = self.explanation.matches[0]
            return f"{best.entry.id}: {best.line.strip()}"
        return self.said


def try_recipe(draft: Draft, bench: Workbench, mender: Mender) -> Tried:
    """Build a recipe, and mend it while that moves things forward.

    A mend is kept if the build succeeds with it, or fails at something else. One that changes nothing is taken back.

    Args:
        draft: The recipe, written already.
        bench: Writes and builds it.
        mender: Applies mends.

    Raises:
        ForgeError: Something other than the recipe is wrong: no toolchain, no network, no space.
    """
    made, failure = _built(bench)
    attempts = [Attempt("", _outcome(failure))]
    tried: set[str] = set()
    while failure is not None and len(attempts) <= MOST_MENDS:
        mend = _next_mend(draft, failure, mender, tried)
        if mend is None:
            break
        tried.add(mend.said)
        try:
            bench.write(mend.draft)
        except (BuildError, SourceError) as error:  # a requirement that cannot be had; what was there is still there
            attempts.append(Attempt(mend.said, error.message.partition("\n")[0], kept=False))
            continue
        made, following = _built(bench)
        if following is not None and following.sign == failure.sign:
            bench.write(draft)
            attempts.append(Attempt(mend.said, "no change", kept=False))
            continue
        attempts.append(Attempt(mend.said, _outcome(following)))
        draft, failure = mend.draft, following
    return Tried(draft, made if failure is None else None, failure.error if failure else None, tuple(attempts))


def _next_mend(draft: Draft, failure: _Failure, mender: Mender, tried: set[str]) -> Mend | None:
    """The first mend that was not tried, of the failures that the log matched, the best first."""
    mends = (mend for match in failure.explanation.matches for mend in mender.mends(draft, match))
    return next((mend for mend in mends if mend.said not in tried), None)


def _built(bench: Workbench) -> tuple[Path | None, _Failure | None]:
    try:
        return bench.build(), None
    except (BuildError, WheelError) as error:
        return None, _Failure(error, _explained(error, bench))


def _explained(error: ForgeError, bench: Workbench) -> Explanation:
    """What is known of a failure: of a wheel that is wrong its own message first, then the log."""
    said = explain_lines(error.message.split("\n"))
    log = (error.log if isinstance(error, BuildError) else None) or bench.log()
    try:
        logged = explain_log(log) if log is not None else said
    except ForgeError:  # a log that has gone explains nothing
        return said
    if isinstance(error, WheelError) and log is not None:
        return Explanation((*said.matches, *logged.matches), logged.first)
    return logged


def _outcome(failure: _Failure | None) -> str:
    return "built" if failure is None else failure.said
