"""Libraries that the app brings itself (``--provided``), by the names that wheels load them by."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from forge.wheel.framework_name import framework_install_name

if TYPE_CHECKING:
    from collections.abc import Collection


def is_provided(install_name: str, provided: Collection[str]) -> bool:
    """Whether one of *provided* stands for a library.

    Args:
        install_name: What a binary loads, e.g. ``@rpath/SDL3.framework/SDL3``.
        provided: Names of frameworks, e.g. ``SDL3``, or, with a slash in them, install names such as
            ``@rpath/libomp.dylib``. Both may be shell patterns: ``Qt*``, ``@rpath/libav*.dylib``.
    """
    if any(install_name in (name, framework_install_name(name)) for name in provided):
        return True
    framework = _framework(install_name)
    return any(
        fnmatchcase(install_name, name) if "/" in name else framework is not None and fnmatchcase(framework, name)
        for name in provided
    )


def _framework(install_name: str) -> str | None:
    """The framework whose binary has that install name; None for other libraries."""
    name = install_name.rpartition("/")[2]
    return name if install_name == framework_install_name(name) else None
