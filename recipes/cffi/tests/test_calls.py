"""Calls into C and back, through libffi, which is linked into the module."""

import cffi
import pytest

DECLARATIONS = """
    typedef struct { double x; short n; char name[6]; } point;
    double strtod(const char *, char **);
    void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
    int snprintf(char *, size_t, const char *, ...);
"""


@pytest.fixture
def ffi():
    made = cffi.FFI()
    made.cdef(DECLARATIONS)
    return made


def test_a_call(ffi):
    text = ffi.new("char[]", b"2.5e3 rest")
    end = ffi.new("char **")
    assert ffi.dlopen(None).strtod(text, end) == 2500
    assert ffi.string(end[0]) == b" rest"


def test_a_callback(ffi):
    @ffi.callback("int(const void *, const void *)")
    def compare(one, other):
        a, b = ffi.cast("int *", one)[0], ffi.cast("int *", other)[0]
        return (a > b) - (a < b)

    numbers = ffi.new("int[]", [3, -1, 70000, 0])
    ffi.dlopen(None).qsort(numbers, len(numbers), ffi.sizeof("int"), compare)
    assert list(numbers) == [-1, 0, 3, 70000]


def test_variadic_arguments(ffi):
    buffer = ffi.new("char[64]")
    said = ffi.dlopen(None).snprintf(
        buffer, 64, b"%d %.2f %s", ffi.cast("int", -7), ffi.cast("double", 1.5), ffi.new("char[]", b"x")
    )
    assert ffi.string(buffer) == b"-7 1.50 x"
    assert said == 9


def test_structures(ffi):
    points = ffi.new("point[2]", [(1.5, 2, b"one"), {"n": -3}])
    assert ffi.sizeof("point") == 16
    assert (points[0].x, points[1].n, ffi.string(points[0].name)) == (1.5, -3, b"one")
    with pytest.raises(OverflowError):
        points[0].n = 40000
