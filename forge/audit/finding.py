"""What a check says: rules with stable ids, and findings that name one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.severity import Severity


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a wheel.

    Args:
        id: The rule's stable id, e.g. ``IOS205``.
        name: The rule's name, e.g. ``fat-binary``.
        severity: How bad it is.
        message: What is wrong here, in one sentence.
        member: The file in the wheel, or None where it is about the whole.
        why: Why that is wrong anywhere.
        mend: What to do about it.
        symbols: Every symbol that it is about; the message names the first few.
    """

    id: str
    name: str
    severity: Severity
    message: str
    member: str | None
    why: str
    mend: str
    symbols: tuple[str, ...] = ()

    @property
    def located(self) -> str:
        """The message, after the file that it is about."""
        return f"{self.member}: {self.message}" if self.member else self.message


@dataclass(frozen=True)
class Rule:
    """What can be wrong; a row of ``rules.json``.

    Args:
        id: Stable for ever; the hundreds group: 0 unreadable, 1 wheel, 2 Mach-O, 3 leaks of a path, 4 apps.
        name: In kebab case; stable too.
        severity: How bad it is, unless a check knows better.
        what: What it is, in one sentence.
        why: Why it is wrong.
        mend: What to do about it.
        references: Who says so: PEPs, codes of the App Store's rejections, issues, documentation.
    """

    id: str
    name: str
    severity: Severity
    what: str
    why: str
    mend: str
    references: tuple[str, ...] = ()

    def finding(
        self,
        message: str,
        member: str | None = None,
        *,
        severity: Severity | None = None,
        symbols: Iterable[str] = (),
    ) -> Finding:
        """A finding under this rule."""
        return Finding(
            self.id, self.name, severity or self.severity, message, member, self.why, self.mend, tuple(symbols)
        )
