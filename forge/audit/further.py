"""Checks that need nothing of a promise but the target: what is wrong with a wheel whoever built it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.rules import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject


def check_layouts(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Apple's tools can sign every binary."""
    for member, problem in sorted(subject.layouts.items()):
        yield rule("unsignable-layout").finding(problem, member)
