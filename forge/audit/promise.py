"""Whether a wheel is what its recipe promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit import macho_checks, wheel_checks
from forge.audit.rules import rule
from forge.audit.subject import Promise, Subject, read_subject
from forge.base.errors import WheelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from forge.audit.finding import Finding

__all__ = ["CHECKS", "Check", "Promise", "check_promise", "check_subject"]


@dataclass(frozen=True)
class Check:
    """A pure function from a read wheel to findings, and the names of the rules it may name."""

    run: Callable[[Subject, Promise], Iterable[Finding]]
    rules: tuple[str, ...]


CHECKS = (
    Check(wheel_checks.check_identity, ("wrong-name", "wrong-version")),
    Check(wheel_checks.check_nativeness, ("not-native", "native-in-purelib", "not-pure")),
    Check(wheel_checks.check_tags, ("tags-disagree", "wrong-platform-tag", "wrong-python-tag")),
    Check(wheel_checks.check_record, ("record-mismatch",)),
    Check(wheel_checks.check_suffixes, ("wrong-suffix",)),
    Check(wheel_checks.check_extensions, ("missing-extension",)),
    Check(macho_checks.check_format, ("foreign-binary", "malformed-macho", "fat-binary")),
    Check(macho_checks.check_target, ("wrong-cpu", "wrong-platform", "minos-too-high")),
    Check(macho_checks.check_file_type, ("not-a-dylib",)),
    Check(macho_checks.check_libraries, ("foreign-library", "unanswered-library")),
    Check(macho_checks.check_init_functions, ("no-init-function",)),
    Check(macho_checks.check_bindings, ("unbound-symbols",)),
    Check(macho_checks.check_leaks, ("build-path-in-load-command", "build-path-in-binary", "build-path-in-file")),
)
"""Every check there is, in the order it runs."""


def check_promise(wheel: Path, promise: Promise) -> tuple[Finding, ...]:
    """Check a wheel against its recipe's promise.

    Args:
        wheel: The wheel; one that cannot be read is a finding too, not an error.
        promise: What it was to be.

    Returns:
        The findings, errors first, then by id and file; empty for a wheel that is as promised.
    """
    try:
        subject = read_subject(wheel, promise.forbidden_prefixes)
    except WheelError as error:
        return (rule("unreadable-wheel").finding(error.message),)
    return check_subject(subject, promise)


def check_subject(subject: Subject, promise: Promise, checks: Iterable[Check] = CHECKS) -> tuple[Finding, ...]:
    """Run checks over a wheel that is read already; sorted as `check_promise` does."""
    findings = {finding for check in checks for finding in check.run(subject, promise)}
    return tuple(sorted(findings, key=lambda f: (f.severity.rank, f.id, f.member or "", f.message)))
