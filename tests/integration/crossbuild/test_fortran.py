"""The Fortran compiler for every target: what it makes is Mach-O for iOS, and calls as C calls."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.progress import SilentProgress
from forge.crossbuild.compilers import find_compilers
from forge.crossbuild.cross_environment import EnvironmentRequest, ensure_cross_environment
from forge.crossbuild.fortran import fortran_runtime
from forge.macho.reader import read_macho
from forge.recipe.model import Language
from forge.recipe.store import find_recipes
from forge.toolchain.environment import cross_environment
from tests.integration.budget import need_wheels
from tests.integration.targets import skip_if_large

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from tests.integration.crossbuild.conftest import Forge

pytestmark = pytest.mark.toolchain

LIBRARY = """\
      SUBROUTINE REPORT(NAME, INFO)
      CHARACTER*(*) NAME
      INTEGER INFO
      WRITE(*, '(A,A,I3)') ' ** On entry to ', NAME, INFO
      END
      LOGICAL FUNCTION BEFORE(A, B)
      CHARACTER*(*) A, B
      BEFORE = A .LT. B
      END
      DOUBLE PRECISION FUNCTION TOTAL(N)
      INTEGER N, I
      DOUBLE PRECISION, ALLOCATABLE :: A(:), B(:)
      ALLOCATE(A(N))
      DO I = 1, N
         A(I) = I
      END DO
      B = 2 * A
      TOTAL = SUM(B)
      END
      COMPLEX FUNCTION CRATIO(A, B)
      COMPLEX A, B
      CRATIO = A / B
      END
      DOUBLE COMPLEX FUNCTION ZRATIO(A, B)
      DOUBLE COMPLEX A, B
      ZRATIO = A / B
      END
"""

SAME_IN_C = """\
float _Complex cratio_(float _Complex *a, float _Complex *b) { return *a / *b; }
double _Complex zratio_(double _Complex *a, double _Complex *b) { return *a / *b; }
"""

CALLER = """\
float _Complex cratio_(float _Complex *a, float _Complex *b);
double _Complex zratio_(double _Complex *a, double _Complex *b);
double total_(int *n);
void report_(const char *name, int *info, unsigned long length);
double use(float _Complex f, double _Complex d, int n) {
    report_("DGETRF", &n, 6);
    return __real__ cratio_(&f, &f) + __real__ zratio_(&d, &d) + total_(&n);
}
"""


class Shell:
    """Runs commands as a build for a target would, in a directory of sources."""

    def __init__(self, forge: Forge, target: Target, tmp_path: Path) -> None:
        context = forge.context
        flang = find_compilers([Language.FORTRAN]).fortran
        assert flang is not None
        wanted = EnvironmentRequest(context.python, target, context.build_python, context.toolchain, None)
        environment = ensure_cross_environment(context.home, wanted)
        self.runtime = fortran_runtime(flang, context, target, SilentProgress())
        self.triple = target.host_triple
        self.directory = tmp_path
        self.env = cross_environment(
            context.toolchain, target, tmp_path,
            path=[environment.wrappers, self.runtime.bin], prefix_map={tmp_path: "/usr/src/f"},
        )  # fmt: skip
        for name, text in {"library.f": LIBRARY, "same.c": SAME_IN_C, "caller.c": CALLER}.items():
            (tmp_path / name).write_text(text)

    def run(self, tool: str, *arguments: str) -> str:
        done = subprocess.run(
            [f"{self.triple}-{tool}", *arguments],
            env=self.env, cwd=self.directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def shell(forge: Forge, target: Target, tmp_path: Path) -> Shell:
    skip_if_large("fortran", target)
    need_wheels(["lapack"], target, forge.context, find_recipes())
    return Shell(forge, target, tmp_path)


def test_a_library_of_fortran_and_c(shell: Shell, target: Target) -> None:
    shell.run("flang", "-c", "-O2", str(shell.directory / "library.f"), "-o", "library.o")
    shell.run("clang", "-c", "-O2", "caller.c", "-o", "caller.o")
    shell.run("flang", "-dynamiclib", "-Wl,-exported_symbol,_use", "library.o", "caller.o", "-o", "library.dylib")
    (piece,) = read_macho(shell.directory / "library.dylib").slices
    assert [export.name for export in piece.exports] == ["_use"]
    assert [library.name for library in piece.dylibs] == ["/usr/lib/libSystem.B.dylib"]
    binary = (shell.directory / "library.dylib").read_bytes()
    assert b"/usr/src/f/library.f" in binary
    assert str(shell.directory).encode() not in binary


def test_a_program(shell: Shell) -> None:
    (shell.directory / "p.f90").write_text("program p\n  print *, 'works'\nend program\n")
    shell.run("flang", "p.f90", "-o", "p")
    (piece,) = read_macho(shell.directory / "p").slices
    assert piece.exports_symbol("_main")


def test_numerical_code_needs_nothing_of_the_runtime(shell: Shell) -> None:
    """Else every module with LAPACK in it would carry the input and output of Fortran."""
    source = "      SUBROUTINE AXPY(N, A, X, Y)\n      INTEGER N\n      DOUBLE PRECISION A, X(N), Y(N)\n"
    (shell.directory / "axpy.f").write_text(source + "      Y = Y + A * X\n      END\n")
    shell.run("clang", "-dynamiclib", "-x", "c", "/dev/null", "-o", "empty.dylib")
    shell.run("flang", "-dynamiclib", "-O2", "axpy.f", "-o", "axpy.dylib")
    sizes = [(shell.directory / name).stat().st_size for name in ("empty.dylib", "axpy.dylib")]
    assert sizes[1] - sizes[0] < 40_000


def test_complex_results_are_returned_as_c_returns_them(shell: Shell) -> None:
    """numpy's and scipy's C code calls zdotc_ and the like so (gfortran's convention, not f2c's)."""
    shell.run("flang", "-S", "-emit-llvm", "-O1", "library.f", "-o", "fortran.ll")
    shell.run("clang", "-S", "-emit-llvm", "-O1", "same.c", "-o", "c.ll")
    fortran, c = (returned(shell.directory / name) for name in ("fortran.ll", "c.ll"))
    assert fortran["zratio_"] == c["zratio_"]
    assert fortran["cratio_"] == c["cratio_"]


def returned(file: Path) -> dict[str, str]:
    """The type that each function of a file returns, in LLVM's words; the one name of ABIs that differ in words alone.

    ``[2 x float]`` and ``{ float, float }`` go into the same registers: both are two values (AAPCS64's homogeneous
    aggregates, and how LLVM lowers first-class aggregates).
    """
    found = re.findall(
        r"^define (?:[a-z_]+ )*(<.*?>|\{.*?\}|\[.*?\]|\w+) @(\w+)\(", file.read_text(), flags=re.MULTILINE
    )
    return {name: re.sub(r"\[2 x (\w+)\]", r"{ \1, \1 }", kind) for kind, name in found}
