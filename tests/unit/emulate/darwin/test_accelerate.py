"""Accelerate's names: what each is bound to, with small libraries that stand for OpenBLAS's."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.emulate import shim_compile
from forge.emulate.runtime.accelerate import ADAPTED, OPENBLAS, UNBOUND, counterpart
from forge.emulate.runtime.system import System

if TYPE_CHECKING:
    from collections.abc import Iterator

UMBRELLA = "/System/Library/Frameworks/Accelerate.framework/Accelerate"
INSIDE = "/System/Library/Frameworks/Accelerate.framework/Frameworks/vecLib.framework/libBLAS.dylib"
ROUTINES = Path(__file__).parents[4] / "recipes" / "accelerate" / "stub" / "routines.txt"

# x and y are complex vectors of one number, whose product each function would return; n is looked at for its width.
SOURCE = """
#include <complex.h>
#define DOT(type, name) \\
    type name(const INTEGER *n, const type *x, const INTEGER *x_step, const type *y, const INTEGER *y_step) \\
    { return *n == LENGTH && *x_step == 1 && *y_step == -1 ? *x * *y : 0; }
DOT(float complex, scipy_cdotu_SUFFIX)
DOT(double complex, scipy_zdotu_SUFFIX)
double scipy_dlamch_SUFFIX(const char *what) { return *what == 'E' ? INFORM : 0; }
double scipy_cblas_dasumSUFFIX(INTEGER n, const double *x, INTEGER step) { return n == LENGTH ? x[step] : 0; }
INTEGER scipy_ilaenv_SUFFIX(void) { return 1; }
"""

_names = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)


@pytest.fixture(scope="session")
def openblas(shim_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both stand-ins; the lengths that they take have the other's width in another half."""
    work = tmp_path_factory.mktemp("openblas")
    made = {}
    variants = {"openblas32": ("int", "", "7", "32"), "openblas64": ("long", "64_", "0x700000000", "64")}
    for name, (integer, suffix, length, inform) in variants.items():
        source, made[name] = work / f"{name}.c", work / f"lib{name}.so"
        text = SOURCE.replace("SUFFIX", suffix).replace("INTEGER", integer)
        source.write_text(text.replace("LENGTH", length).replace("INFORM", inform))
        command = [*shim_compile.compiler(), "-shared", "-fPIC", str(source), "-o", str(made[name])]
        subprocess.run(command, check=True)
    return made


@pytest.fixture(scope="session")
def darwin(shim: ctypes.CDLL, openblas: dict[str, Path]) -> System:
    return System(shim, openblas)


def bound(darwin: System, symbol: str, install_name: str = UMBRELLA) -> tuple[str, str] | None:
    library = darwin.library(install_name)
    assert library is not None
    found = library.find(symbol)
    return None if found is None else (found.source, found.entry)


def address(darwin: System, symbol: str) -> int:
    library = darwin.library(UMBRELLA)
    assert library is not None
    found = library.find(symbol)
    assert found is not None
    return found.address


@given(_names)
def test_names_of_fortran_and_of_c(name: str) -> None:
    narrow, wide = counterpart(f"_{name}$NEWLAPACK"), counterpart(f"_{name}$NEWLAPACK$ILP64")
    if name in UNBOUND:
        assert narrow is wide is None
        return
    assert narrow is not None
    assert wide is not None
    assert (narrow.provider, wide.provider) == OPENBLAS
    underscore = "" if name.startswith("cblas_") else "_"
    assert narrow.entry == f"scipy_{name}{underscore}"
    assert wide.entry == f"scipy_{name}{underscore}64_"


@given(st.one_of(st.text(), st.builds("_{}{}".format, _names, st.sampled_from(["", "_", "$ILP64", "$NEWLAPACK$"]))))
def test_other_names_are_of_another_interface(symbol: str) -> None:
    """f2c's interface among them, whose sdot returns a double: the same name does not make it the same function."""
    assert counterpart(symbol) is None


def test_no_two_symbols_share_a_function() -> None:
    found = [counterpart(f"_{name}{suffix}") for name in _routines() for suffix in ("$NEWLAPACK", "$NEWLAPACK$ILP64")]
    entries = [(one.provider, one.entry) for one in found if one is not None]
    assert len(entries) == len(set(entries)) > 4000


def test_each_adapter_has_a_place_of_its_own() -> None:
    found = [counterpart(f"_{name}{suffix}") for suffix in ("$NEWLAPACK", "$NEWLAPACK$ILP64") for name in ADAPTED]
    assert [one.slot for one in found if one is not None] == list(range(2 * len(ADAPTED)))


def test_what_is_left_out_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in UNBOUND.values())
    assert UNBOUND.keys().isdisjoint(ADAPTED)


def test_a_symbol_is_bound_by_its_suffix(darwin: System) -> None:
    assert bound(darwin, "_dlamch$NEWLAPACK") == ("openblas32", "scipy_dlamch_")
    assert bound(darwin, "_dlamch$NEWLAPACK$ILP64") == ("openblas64", "scipy_dlamch_64_")
    assert bound(darwin, "_dlamch$NEWLAPACK", INSIDE) == ("openblas32", "scipy_dlamch_")
    function = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_char_p)
    assert function(address(darwin, "_dlamch$NEWLAPACK"))(b"E") == 32
    assert function(address(darwin, "_dlamch$NEWLAPACK$ILP64"))(b"E") == 64


def test_cblas_takes_integers_of_its_width(darwin: System) -> None:
    numbers = (ctypes.c_double * 2)(1.5, 2.5)
    assert bound(darwin, "_cblas_dasum$NEWLAPACK$ILP64") == ("openblas64", "scipy_cblas_dasum64_")
    for suffix, integer, length in (("", ctypes.c_int, 7), ("$ILP64", ctypes.c_long, 0x700000000)):
        function = ctypes.CFUNCTYPE(ctypes.c_double, integer, ctypes.c_void_p, integer)
        assert function(address(darwin, f"_cblas_dasum$NEWLAPACK{suffix}"))(length, ctypes.addressof(numbers), 1) == 2.5


@pytest.mark.parametrize(("name", "part"), [("cdotu", ctypes.c_float), ("zdotu", ctypes.c_double)])
@pytest.mark.parametrize(("suffix", "integer", "length"), [("", "c_int", 7), ("$ILP64", "c_long", 0x700000000)])
def test_complex_results_go_where_the_first_argument_says(
    darwin: System,
    name: str,
    part: type[ctypes.c_float] | type[ctypes.c_double],
    suffix: str,
    integer: str,
    length: int,
) -> None:
    kind: type[ctypes.c_int] | type[ctypes.c_long] = getattr(ctypes, integer)
    pair = part * 2
    result, x, y = pair(9, 9), pair(1, 2), pair(3, 4)
    n, forward, back = kind(length), kind(1), kind(-1)
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 6)(address(darwin, f"_{name}$NEWLAPACK{suffix}"))
    function(*(ctypes.addressof(one) for one in (result, n, x, forward, y, back)))
    assert list(result) == [-5, 10]
    assert bound(darwin, f"_{name}$NEWLAPACK{suffix}") == (
        "shim", f"forge_darwin_{name}_{'ilp64' if suffix else 'lp64'}",
    )  # fmt: skip


@pytest.mark.parametrize(
    "symbol",
    [
        "_ilaenv$NEWLAPACK",  # there, but it would read a length
        "_zdotc$NEWLAPACK",  # an adapter alone is nothing
        "_appleblas_dgeadd$NEWLAPACK",
        "_SetBLASParamErrorProc",
        "_vDSP_maxv",
        "_dlamch_",
        "_dlamch",
        "_malloc",
    ],
)
def test_what_nobody_has_stays_a_trap(darwin: System, symbol: str) -> None:
    assert bound(darwin, symbol) is None


def test_without_the_libraries_nothing_is_bound(shim: ctypes.CDLL, openblas: dict[str, Path]) -> None:
    none = System(shim)
    assert bound(none, "_dlamch$NEWLAPACK") is bound(none, "_zdotu$NEWLAPACK") is None
    one = System(shim, {"openblas64": openblas["openblas64"]})
    assert bound(one, "_dlamch$NEWLAPACK") is None
    assert bound(one, "_dlamch$NEWLAPACK$ILP64") == ("openblas64", "scipy_dlamch_64_")


def test_code_can_open_it_where_something_stands_in(shim: ctypes.CDLL, openblas: dict[str, Path]) -> None:
    dlopen, dlsym = shim.forge_darwin_dlopen, shim.forge_darwin_dlsym
    dlopen.restype = dlsym.restype = ctypes.c_void_p
    System(shim)
    assert dlopen(UMBRELLA.encode(), 2) is None
    darwin = System(shim, openblas)  # the shim asks the one that was made last
    handle = dlopen(UMBRELLA.encode(), 2)
    assert dlsym(ctypes.c_void_p(handle), b"dlamch$NEWLAPACK") == address(darwin, "_dlamch$NEWLAPACK")


def test_a_library_that_cannot_be_loaded_is_an_error(shim: ctypes.CDLL, tmp_path: Path) -> None:
    broken = tmp_path / "libbroken.so"
    broken.write_text("no ELF file")
    library = System(shim, {"openblas32": broken}).library(UMBRELLA)
    assert library is not None
    with pytest.raises(OSError, match="libbroken"):
        library.find("_dlamch$NEWLAPACK")


def _routines() -> Iterator[str]:
    """What the recipe's stub of Accelerate has."""
    for line in ROUTINES.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            yield from line.split()
