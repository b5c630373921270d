"""A built wheel against its recipe: once when it is built, and again when forge's checks have changed since.

The checks are no part of a wheel's fingerprint, so a new one compiles nothing again. A wheel from the cache that it
finds fault with is not shipped.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import forge
from forge.base.errors import WheelError
from forge.base.hashing import tree_sha256
from forge.base.severity import Severity

if TYPE_CHECKING:
    from collections.abc import Collection

    from forge.audit.finding import Finding
    from forge.ios_python.model import IOSPython
    from forge.recipe.model import EvaluatedRecipe


@cache
def checks_digest() -> str:
    """What tells these checks from those of another release of forge."""
    return tree_sha256(Path(forge.__file__).parent / "audit")


def verify_wheel(
    wheel: Path, recipe: EvaluatedRecipe, python: IOSPython, *, places: Collection[Path] = (), hint: str
) -> tuple[Finding, ...]:
    """Check that a wheel is what its recipe says.

    Args:
        wheel: The file.
        recipe: The recipe, evaluated for the target.
        python: The iOS Python that it was built against.
        places: Directories of this machine that the wheel must not name.
        hint: What to do about a fault.

    Returns:
        What was found that is no error.

    Raises:
        WheelError: It is not what the recipe says; lists what is wrong.
    """
    # Slow to import, and wheels that were checked by these very checks are not checked again.
    from forge.audit.promise import Promise, check_promise  # noqa: PLC0415
    from forge.audit.report import render_text  # noqa: PLC0415

    promise = Promise(
        name=recipe.name,
        version=recipe.version,
        target=recipe.target,
        python="py3" if recipe.is_native_library else python.python_tag,
        native=recipe.native,
        extensions=recipe.extensions,
        libraries=recipe.libraries,
        forbidden_prefixes=tuple(map(str, places)),
    )
    findings = check_promise(wheel, promise)
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        if recipe.is_native_library and any(error.name == "not-native" for error in errors):
            hint = f"if the library has headers only, set 'native: false' under 'wheel'; {hint}"
        raise WheelError(f"{wheel.name} does not match its recipe:\n{render_text(errors).rstrip()}", hint=hint)
    return findings
