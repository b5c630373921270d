"""py-build-cmake's description of a target.

It refuses to run where ``platform.system()`` is iOS. It has cross builds of its own: it runs in the build machine's
Python, and a file says what the wheel is for (its documentation, "Cross-compilation").
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from forge.crossbuild.context import Build

PY_BUILD_CMAKE = "py_build_cmake"
"""The package that its hooks are in."""


def write_cross_file(build: Build, toolchain_file: str) -> Path:
    """Write the file for a build's target into its work directory; returns its path.

    Args:
        build: The build.
        toolchain_file: CMake's.
    """
    version = build.context.python.minor.replace(".", "")
    values = {
        "implementation": "cp",
        "version": version,
        "abi": f"cp{version}",
        "arch": build.target.platform_tag,
        "toolchain_file": toolchain_file,
    }
    file = build.work / "forge-cross.toml"
    # JSON strings are TOML's basic strings.
    file.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()), encoding="utf-8")
    return file
