"""Laying out what a wheel build reads (`forge.ios_python.model`): headers of a release, and forge's own data."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from forge.base.errors import IOSPythonError
from forge.ios_python.headers_release import read_release
from forge.ios_python.interface import TARGETS, render_pyconfig, render_stub, render_sysconfigdata

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.ios_python.interface import Interface


_PATCH_RELEASE = {
    "PY_MICRO_VERSION": "0",
    "PY_RELEASE_LEVEL": "PY_RELEASE_LEVEL_FINAL",
    "PY_RELEASE_SERIAL": "0",
}
"""What a build is told of the patch release (``patchlevel.h``): that it is the first of its minor version.

A wheel runs on every release of the minor version, so no build may decide by the one that the headers are of; and a
wheel that records it would differ from machine to machine."""


def write_tree(interface: Interface, headers: Path, directory: Path) -> None:
    """Lay out an iOS Python for building wheels.

    Args:
        interface: The minor version's data.
        headers: A release's ``Include`` or ``include/python3.X``.
        directory: An empty directory to fill.

    Raises:
        IOSPythonError: The headers are of another version, or not CPython's.
    """
    slices: dict[str, list[Target]] = {}
    for target in TARGETS:
        slices.setdefault(target.slice_name, []).append(target)
    for name, targets in slices.items():
        slice_ = directory / name
        own = slice_ / "Python.framework" / "Headers"
        _write_headers(interface, headers, own)
        (own / "pyconfig.h").write_text(render_pyconfig(interface, targets), encoding="utf-8")
        (own.parent / "Python.tbd").write_text(render_stub(interface, targets), encoding="utf-8")
        (slice_ / "include").mkdir()
        (slice_ / "include" / f"python{interface.minor}").symlink_to("../Python.framework/Headers")
        (slice_ / "bin").mkdir()
        for target in targets:
            _write_wrappers(slice_ / "bin", target)
            library = slice_ / f"lib-{target.arch}" / f"python{interface.minor}"
            library.mkdir(parents=True)
            data = library / f"_sysconfigdata__ios_{target.multiarch}.py"
            data.write_text(render_sysconfigdata(interface, target), encoding="utf-8")


def _write_headers(interface: Interface, headers: Path, destination: Path) -> None:
    release = read_release(headers)
    if not release.startswith(f"{interface.minor}."):
        raise IOSPythonError(f"{headers} has the headers of Python {release}, not of {interface.minor}")
    # Packages find what CPython keeps for itself in 'internal', which some read all the same.
    shutil.copytree(headers, destination, ignore=shutil.ignore_patterns("pyconfig*.h", "module.modulemap", "README*"))
    patchlevel = destination / "patchlevel.h"
    text = patchlevel.read_text(encoding="utf-8")
    for name, value in _PATCH_RELEASE.items():
        text, count = re.subn(rf"(?m)^(#define\s+{name}\s+).*$", rf"\g<1>{value}", text)
        if count != 1:
            raise IOSPythonError(f"{headers / 'patchlevel.h'} does not define {name} as expected")
    text = text.replace(f'"{release}"', f'"{interface.minor}.0"')
    patchlevel.write_text(text, encoding="utf-8")


_TOOLS = {"clang": "clang", "clang++": "clang++", "cpp": "clang", "ar": "ar", "strip": "strip"}


def _write_wrappers(directory: Path, target: Target) -> None:
    """Write the tools that sysconfig's variables name, each by its full name with the triple."""
    prefix = f"{target.arch}-apple-ios" + ("-simulator" if target.is_simulator else "")
    triple = f"{target.arch}-apple-ios${{IPHONEOS_DEPLOYMENT_TARGET:-{target.ios_version}}}" + (
        "-simulator" if target.is_simulator else ""
    )
    for name, tool in _TOOLS.items():
        options = f' -target "{triple}"' if tool.startswith("clang") else ""
        options += " -E" if name == "cpp" else ""
        path = directory / f"{prefix}-{name}"
        path.write_text(f'#!/bin/sh\nexec xcrun --sdk {target.abi} {tool}{options} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
