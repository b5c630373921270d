from __future__ import annotations

from pathlib import Path

import pytest

from forge.base.errors import ToolchainError
from forge.base.progress import SilentProgress
from forge.base.target import parse_multiarch
from forge.crossbuild.compilers import Compilers
from forge.crossbuild.fortran import RUNTIME_SOURCES, fortran_runtime, fortran_variables
from forge.toolchain.fortran import Flang, FortranRuntime
from tests.unit.crossbuild.fakes import make_context

DEVICE = parse_multiarch("arm64-iphoneos")


def test_variables_are_autoconfs() -> None:
    variables = fortran_variables(FortranRuntime(Path("/rt"), Path("/rt/bin")), DEVICE)
    compiler = "arm64-apple-ios-flang"
    assert variables == {"FC": compiler, "F77": compiler, "F90": compiler, "FLIBS": "/rt/lib/libFortranRuntime.a"}


def test_a_release_whose_source_is_not_pinned(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    flang = Flang(tmp_path / "flang", "18.1.0", "flang-new version 18.1.0")
    with pytest.raises(ToolchainError, match=r"is from LLVM 18\.1\.0, .* runtime library for LLVM 19\.1$"):
        fortran_runtime(flang, context, DEVICE, SilentProgress())


def test_pinned_sources_are_whole() -> None:
    assert all(version in source.urls[0] and len(source.sha256) == 64 for version, source in RUNTIME_SOURCES.items())


def test_fortran_counts_in_a_builds_fingerprint(tmp_path: Path) -> None:
    flang = Flang(tmp_path / "flang", "19.1.7", "Debian flang-new version 19.1.7 (3)")
    assert Compilers().identity == {}
    identity = Compilers(fortran=flang).identity
    assert set(identity) == {"fortran"}
    other = Flang(flang.program, "19.1.7", "Debian flang-new version 19.1.7 (4)")
    assert Compilers(fortran=other).identity != identity
