from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.audit.check import check_paths
from forge.audit.classes import own_classes
from forge.macho.reader import read_macho
from tests.unit.audit.classes import LIBRARY, two_modules
from tests.unit.macho.builder import macho

if TYPE_CHECKING:
    from pathlib import Path

PYBIND11 = tuple(f"N8pybind115type{number}E" for number in range(10, 30))
UNNAMED = tuple(f"N3geo12_GLOBAL__N_16Shape{number}E" for number in range(10))
STANDARD = tuple(f"St6vector{number}E" for number in range(10))


def test_what_is_told(tmp_path: Path) -> None:
    (finding,) = check_paths([two_modules(LIBRARY, (*LIBRARY, *PYBIND11))(tmp_path)]).findings
    assert (finding.id, finding.severity, finding.member) == ("IOS243", "warning", None)
    assert finding.message == (
        "10 classes of the C++ namespace geo are in each of several files: example/x.so, example/y.so"
    )
    assert finding.symbols == tuple(f"__ZTI{name}" for name in LIBRARY)


@pytest.mark.parametrize(
    ("first", "second", "exports"),
    [
        (LIBRARY, (), ()),
        (LIBRARY[:5], LIBRARY[5:], ()),
        (LIBRARY[:9], LIBRARY[:9], ()),
        (LIBRARY, LIBRARY, LIBRARY),
        (PYBIND11, PYBIND11, ()),
        (UNNAMED, UNNAMED, ()),
        (STANDARD, STANDARD, ()),
    ],
    ids=["in one", "others in each", "a few", "one copy for all", "told by name", "each file's own", "the standard's"],
)
def test_what_is_left_alone(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...], exports: tuple[str, ...]
) -> None:
    assert check_paths([two_modules(first, second, exports)(tmp_path)]).findings == ()


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"\0N4geos4geom5PointE\0N4geos6SpatialIdEE\0", {"N4geos4geom5PointE", "N4geos6SpatialIdEE"}),
        (b"\0xN4geos5PointE\0", set()),  # not a string's start
        (b"\0N4geos5PointEx\0", set()),  # nor its end
        (b"\0N40geos5PointE\0", set()),  # longer than the name
        (b"\0N4geos5Po-ntE\0", set()),
        (b"", set()),
    ],
)
def test_names(data: bytes, names: set[str]) -> None:
    whole = macho(strings=data)
    assert own_classes(whole, read_macho(whole).slices[0]) == names
