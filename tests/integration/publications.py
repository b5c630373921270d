"""Wheels that projects publish, fetched with pip from the index that it is configured for."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MACOS_ARM64 = (
    *(f"macosx_{version}_0_{arch}" for version in range(11, 16) for arch in ("arm64", "universal2")),
    "macosx_10_13_universal2",
)
MACOS_X86_64 = ("macosx_10_13_x86_64",)
LINUX_X86_64 = ("manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64")


def published_wheel(
    name: str, version: str, platforms: tuple[str, ...], directory: Path, python: str = "3.13"
) -> Path | None:
    """Download the wheel of a release for one version of CPython, or for its stable ABI.

    Args:
        name: The project.
        version: The release.
        platforms: Tags of which any will do.
        directory: Where to; it has no other wheel in it.
        python: The version of CPython.

    Returns:
        The wheel; None if the project has none for these platforms, or only a pure one.
    """
    tags = [option for platform in platforms for option in ("--platform", platform)]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", "--implementation", "cp", "--python-version", python, *tags, "--dest", str(directory),
        f"{name}=={version}",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        assert "No matching distribution" in done.stderr, done.stderr
        return None
    (wheel,) = directory.glob("*.whl")
    return None if wheel.name.endswith("-any.whl") else wheel
