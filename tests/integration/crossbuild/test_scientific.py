"""numpy, scipy and scikit-learn: no BLAS name is among their exports."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.macho.reader import read_macho
from tests.integration.targets import long

if TYPE_CHECKING:
    from forge.base.target import Target
    from tests.integration.crossbuild.conftest import Forge

pytestmark = [pytest.mark.toolchain, long]

NAMES = ("numpy", "scipy", "scikit-learn")

BLAS = re.compile(r"_(?:cblas_)?[sdczi][a-z0-9]{2,7}_|_xerbla_|_cblas_.*")
"""Names of BLAS and LAPACK routines, as Fortran and C know them."""


@pytest.mark.parametrize("name", NAMES)
def test_no_blas_name_is_exported(name: str, target: Target, forge: Forge, tmp_path: Path) -> None:
    """The App Store takes such an export for Apple's own (ITMS-90338)."""
    exported: dict[str, list[str]] = {}
    with zipfile.ZipFile(forge.build(name, target).wheel) as archive:
        for file in archive.namelist():
            if not file.endswith(".so"):
                continue
            (piece,) = read_macho(Path(archive.extract(file, tmp_path))).slices
            if found := [export.name for export in piece.exports if BLAS.fullmatch(export.name)]:
                exported[file] = found
    assert exported == {}
