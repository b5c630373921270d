"""The environment that a target's requirements are evaluated in: PEP 508's markers, asked of the target.

`packaging.markers.default_environment` answers for the interpreter that runs it, which is the build machine's. What a
wheel for iOS requires depends on the device instead (PEP 730 gives the values of ``sys.platform`` and the others).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.base.errors import RecipeError

if TYPE_CHECKING:
    from forge.base.target import Target

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+)\w*)?", flags=re.ASCII)
_DARWIN_MINUS_IOS = 6
"""Darwin's major version is iOS's plus 6 up to iOS 18 (iOS 12 is Darwin 18); iOS 26 is Darwin 25."""
_RENUMBERED = 26


def target_environment(target: Target, python_version: str) -> dict[str, str]:
    """All eleven marker variables of PEP 508 for Python on an iOS target.

    Args:
        target: What the Python runs on.
        python_version: ``3.13`` or ``3.13.2``; without a third number ``python_full_version`` ends in ``.0``.

    Returns:
        The variables, as `packaging.markers.Marker.evaluate` takes them; ``extra`` is the caller's.

    Raises:
        RecipeError: *python_version* is not a version of Python.
    """
    found = _VERSION.fullmatch(python_version)
    if found is None:
        raise RecipeError(f"{python_version!r} is not a valid Python version", hint="expected e.g. 3.13 or 3.13.2")
    full = python_version if found[3] else f"{python_version}.0"
    ios = target.effective_ios_version
    darwin = ios.major - 1 if ios.major >= _RENUMBERED else ios.major + _DARWIN_MINUS_IOS
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": target.arch.value,
        # PEP 730: platform.system() and platform.release() ask UIDevice, so that they say iOS and its version.
        "platform_python_implementation": "CPython",
        "platform_release": str(ios),
        "platform_system": "iOS",
        "platform_version": f"Darwin Kernel Version {darwin}.{ios.minor}.0",
        "python_full_version": full,
        "python_version": f"{found[1]}.{found[2]}",
        "sys_platform": "ios",
    }
