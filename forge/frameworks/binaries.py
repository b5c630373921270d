"""What ``forge check`` holds against the binaries of a wheel, and an app build does not change.

The tree is made of a wheel's own files, so that a fault of theirs is one of the app's: dyld refuses it, or the App
Store does. The checks are those of `forge.audit`, under their own ids. What the making of a framework mends (names,
signatures, debug information) or looks at itself (loads, flat look-ups, init functions) is left to it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from forge.audit.check import promise_of
from forge.audit.promise import CHECKS, check_subject
from forge.audit.rules import rule
from forge.audit.subject import read_subject
from forge.audit.symbol_checks import check_bindings
from forge.frameworks.findings import Finding, Rule
from forge.wheel.framework_name import installed_path

if TYPE_CHECKING:
    from forge.base.target import Target
    from forge.frameworks.options import Options
    from forge.frameworks.plan import PlannedWheel

RULES = (
    "private-framework",
    "macos-library",
    "newer-library",
    "unavailable-symbol",
    "newer-symbol",
    "non-public-symbol",
    "text-relocations",
    "executable-stack",
    "writable-code",
    "python-at-load",
    "encrypted",
    "refused-by-dyld",
    "newer-load-command",
    "bitcode",
    "newer-instruction",
    "wrong-python-library",
)
"""The names of the rules that a tree of frameworks is held to as well."""


def binary_findings(wheel: PlannedWheel, options: Options) -> list[Finding]:
    """What is wrong with a wheel's binaries, whatever is made of them.

    Args:
        wheel: The wheel; a pure one has none.
        options: What was chosen: files left out do not count, and the app's minimum iOS version does.

    Raises:
        WheelError: The wheel cannot be read.
    """
    if wheel.target is None:
        return []
    subject = read_subject(wheel.contents.path)
    promise = promise_of(subject, _target(wheel.target, options))
    # Flat look-ups are answered by all wheels together: FW213 has them.
    checks = [one for one in CHECKS if set(RULES) & set(one.rules) and one.run is not check_bindings]
    kept = {rule(name).id for name in RULES}
    return [
        Finding(
            Rule(one.id, one.name, one.severity, one.why, one.mend),
            f"{wheel.contents.name.filename}: {one.member}",
            one.message,
        )
        for one in check_subject(subject, promise, checks)
        if one.id in kept and one.member is not None and not options.excludes(installed_path(one.member) or one.member)
    ]


def _target(target: Target, options: Options) -> Target:
    """The wheel's target at the iOS that the app needs at least: what came before it is there."""
    app = options.ios_version
    return target if app is None or app <= target.ios_version else dataclasses.replace(target, ios_version=app)
