"""Whether a wheel is what its recipe promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.audit import app_checks, further, image_checks, load_checks, macho_checks, symbol_checks, wheel_checks
from forge.audit.classes import check_classes
from forge.audit.rules import rule
from forge.audit.subject import Promise, Subject, read_subject
from forge.base.errors import WheelError
from forge.base.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from forge.audit.finding import Finding

__all__ = ["CHECKS", "Check", "Promise", "check_promise", "check_subject"]


@dataclass(frozen=True)
class Check:
    """A pure function from a read wheel to findings.

    Args:
        run: The function.
        rules: The names of the rules it may name.
        needs_target: Whether it can do nothing where the target is not known.
    """

    run: Callable[[Subject, Promise], Iterable[Finding]]
    rules: tuple[str, ...]
    needs_target: bool = False


CHECKS = (
    Check(wheel_checks.check_identity, ("wrong-name", "wrong-version")),
    Check(wheel_checks.check_nativeness, ("not-native", "native-in-purelib", "not-pure")),
    Check(wheel_checks.check_tags, ("tags-disagree", "wrong-python-tag")),
    Check(wheel_checks.check_free_threading, ("free-threaded",)),
    Check(wheel_checks.check_platform_tag, ("wrong-platform-tag",), needs_target=True),
    Check(wheel_checks.check_record, ("record-mismatch",)),
    Check(wheel_checks.check_suffixes, ("wrong-suffix",), needs_target=True),
    Check(wheel_checks.check_extensions, ("missing-extension",)),
    Check(macho_checks.check_format, ("foreign-binary", "malformed-macho", "fat-binary")),
    Check(macho_checks.check_target, ("wrong-cpu", "wrong-platform", "minos-too-high"), needs_target=True),
    Check(macho_checks.check_file_type, ("not-a-dylib",)),
    Check(load_checks.check_libraries, ("foreign-library", "unanswered-library")),
    Check(
        load_checks.check_system_libraries,
        ("private-framework", "macos-library", "newer-library", "unknown-library"),
        needs_target=True,
    ),
    Check(load_checks.check_names, ("install-name", "absolute-rpath")),
    Check(macho_checks.check_init_functions, ("no-init-function",)),
    Check(
        symbol_checks.check_bindings,
        ("unbound-symbols", "missing-symbol", "unavailable-symbol", "newer-symbol"),
        needs_target=True,
    ),
    Check(
        symbol_checks.check_system_symbols,
        ("unavailable-symbol", "newer-symbol", "unknown-symbol"),
        needs_target=True,
    ),
    Check(symbol_checks.check_private_symbols, ("non-public-symbol",)),
    Check(check_classes, ("duplicate-classes",)),
    Check(symbol_checks.check_limited_api, ("outside-limited-api",)),
    Check(
        image_checks.check_signatures,
        ("invalid-signature", "unsigned-simulator-binary", "signed-device-binary"),
        needs_target=True,
    ),
    Check(image_checks.check_memory, ("text-relocations", "executable-stack", "writable-code")),
    Check(image_checks.check_load_code, ("runs-code-at-load", "python-at-load")),
    Check(image_checks.check_debug_information, ("debug-information",)),
    Check(macho_checks.check_leaks, ("build-path-in-load-command", "build-path-in-binary", "build-path-in-file")),
    Check(
        app_checks.check_places,
        ("invalid-framework-name", "framework-name-clash", "dotted-directory", "path-clash"),
    ),
    Check(app_checks.check_files, ("file-not-for-apps", "static-archive", "code-in-archive")),
    Check(app_checks.check_privacy_manifests, ("missing-privacy-manifest",)),
    Check(app_checks.check_sizes, ("large",)),
    Check(further.check_layouts, ("unsignable-layout",)),
    Check(
        further.check_headers,
        (
            "missing-install-name",
            "encrypted",
            "refused-by-dyld",
            "newer-load-command",
            "duplicate-load-command",
            "bitcode",
        ),
        needs_target=True,
    ),
    Check(further.check_instructions, ("newer-instruction",), needs_target=True),
    Check(further.check_python_library, ("wrong-python-library",)),
    Check(further.check_privacy, ("invalid-privacy-manifest", "unused-privacy-manifest", "required-reason-api")),
    Check(further.check_startup_files, ("startup-file",)),
    Check(further.check_metadata, ("invalid-metadata",)),
)
"""Every check of a wheel that was promised, in the order it runs."""


def check_promise(wheel: Path, promise: Promise) -> tuple[Finding, ...]:
    """Check a wheel against its recipe's promise.

    Args:
        wheel: The wheel; one that cannot be read is a finding too, not an error.
        promise: What it was to be.

    Returns:
        The errors and warnings, errors first, then by id and file; empty for a wheel that is as promised. What is
        for information only is left out: a build tells what there is to do, ``forge check`` tells the rest.
    """
    try:
        subject = read_subject(wheel, promise.forbidden_prefixes)
    except WheelError as error:
        return (rule("unreadable-wheel").finding(error.message),)
    return tuple(f for f in check_subject(subject, promise) if f.severity is not Severity.INFO)


def check_subject(subject: Subject, promise: Promise, checks: Iterable[Check] = CHECKS) -> tuple[Finding, ...]:
    """Run checks over a wheel that is read already; sorted as `check_promise` does."""
    findings = {finding for check in checks for finding in check.run(subject, promise)}
    return tuple(sorted(findings, key=lambda f: (f.severity.rank, f.id, f.member or "", f.message)))
