"""Native libraries that are built with CMake, a configure script and Meson."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Abi, Arch, Target

if TYPE_CHECKING:
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.X86_64)


@pytest.mark.parametrize(
    ("name", "archive", "header", "package"),
    [
        ("libjpeg-turbo", "libjpeg.a", "jpeglib.h", "libjpeg.pc"),  # CMake
        ("libpng", "libpng16.a", "libpng16/png.h", "libpng16.pc"),  # configure
        ("lcms2", "liblcms2.a", "lcms2.h", "lcms2.pc"),  # Meson
    ],
)
def test_a_library(forge: Forge, name: str, archive: str, header: str, package: str) -> None:
    wheel = forge.build(name, SIMULATOR).wheel
    assert wheel.name.endswith("-py3-none-ios_12_0_x86_64_iphonesimulator.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        data = opened.read(f"opt/lib/{archive}")
        described = opened.read(f"opt/lib/pkgconfig/{package}").decode()
    assert f"opt/include/{header}" in names
    assert data.startswith(b"!<arch>\n")
    assert b"\xcf\xfa\xed\xfe\x07\x00\x00\x01" in data, "Mach-O files for x86_64"
    assert "prefix=${pcfiledir}/../.." in described
    assert not [each for each in names if each.endswith((".dylib", ".so"))]
