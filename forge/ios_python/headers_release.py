"""The release that CPython's headers are of (``patchlevel.h``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.base.errors import IOSPythonError

if TYPE_CHECKING:
    from pathlib import Path

_RELEASE = re.compile(r"""^#define\s+PY_VERSION\s+"(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?\+?)\"""", re.MULTILINE | re.ASCII)


def read_release(headers: Path) -> str:
    """The release that headers are of, e.g. ``3.13.5``.

    Raises:
        IOSPythonError: They are not CPython's.
    """
    try:
        found = _RELEASE.search((headers / "patchlevel.h").read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise IOSPythonError(f"{headers} does not contain CPython's headers: {error.strerror}: patchlevel.h") from error
    if found is None:
        raise IOSPythonError(f"{headers / 'patchlevel.h'} does not define PY_VERSION")
    return found[1]
