from __future__ import annotations

import ctypes
import math
import string
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

A, C, D, G, L, P, S, U, X, B, R = (
    0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000,
)  # fmt: skip
PREDICATES = {
    A: str.isalpha, D: str.isdigit, L: str.islower, U: str.isupper, S: str.isspace, R: str.isprintable,
    P: string.punctuation.__contains__, X: string.hexdigits.__contains__, B: " \t".__contains__,
}  # fmt: skip


def test_character_types_of_ascii_are_pythons(shim: ctypes.CDLL) -> None:
    table = (ctypes.c_char * 3208).in_dll(shim, "forge_darwin__DefaultRuneLocale")
    types = struct.unpack_from("<256I", table, 60)
    lower = struct.unpack_from("<256i", table, 1084)
    upper = struct.unpack_from("<256i", table, 2108)
    assert bytes(table)[:8] == b"RuneMagA"
    for c in range(128):
        for mask, predicate in PREDICATES.items():
            expected = predicate(chr(c)) and not (mask == S and c in range(0x1C, 0x20))
            assert bool(types[c] & mask) == expected, (c, hex(mask))
        assert bool(types[c] & C) == (c < 32 or c == 127)
        assert bool(types[c] & G) == (32 < c < 127)
        assert (lower[c], upper[c]) == (ord(chr(c).lower()), ord(chr(c).upper()))
        if chr(c) in string.hexdigits:
            assert types[c] & 0xFF == int(chr(c), 16)
    assert set(types[128:]) == {0}
    assert lower[128:] == upper[128:] == tuple(range(128, 256))


@given(c=st.integers(-(2**31), 2**31 - 1))
def test_any_number_may_be_asked_of(shim: ctypes.CDLL, c: int) -> None:
    digit = shim.forge_darwin_isdigit(c)
    assert bool(digit) == (48 <= c <= 57)
    assert bool(shim["forge_darwin___isctype"](c, ctypes.c_ulong(X))) == (0 <= c < 128 and chr(c) in string.hexdigits)
    if not 0 <= c < 128:
        assert shim["forge_darwin___maskrune"](c, ctypes.c_ulong(D)) == 0


def test_qsort_r_gives_the_context_first(shim: ctypes.CDLL) -> None:
    compare_type = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)
    )
    contexts = set()

    @compare_type  # type: ignore[untyped-decorator]  # ctypes has no types for callbacks
    def compare(context: int, one: ctypes._Pointer[ctypes.c_int], other: ctypes._Pointer[ctypes.c_int]) -> int:
        contexts.add(context)
        return int(one[0] > other[0]) - int(one[0] < other[0])

    values = (ctypes.c_int * 50)(*((i * 37) % 50 for i in range(50)))
    shim.forge_darwin_qsort_r(values, ctypes.c_size_t(50), ctypes.c_size_t(4), ctypes.c_void_p(1234), compare)
    assert list(values) == list(range(50))
    assert contexts == {1234}


@given(values=st.lists(st.integers(0, 20)))
def test_mergesort_is_stable(shim: ctypes.CDLL, values: list[int]) -> None:
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    compare = compare_type(lambda one, other: one[0] // 5 - other[0] // 5)
    array = (ctypes.c_int * len(values))(*values)
    assert shim.forge_darwin_mergesort(array, ctypes.c_size_t(len(values)), ctypes.c_size_t(4), compare) == 0
    assert list(array) == sorted(values, key=lambda value: value // 5)


@given(source=st.binary(max_size=20), have=st.binary(max_size=12), size=st.integers(0, 24))
def test_strlcpy_and_strlcat(shim: ctypes.CDLL, source: bytes, have: bytes, size: int) -> None:
    source, have = source.replace(b"\0", b"x"), have.replace(b"\0", b"y")
    shim.forge_darwin_strlcpy.restype = shim.forge_darwin_strlcat.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(b"\xee" * 40, 40)
    assert shim.forge_darwin_strlcpy(out, source, ctypes.c_size_t(size)) == len(source)
    if size:
        assert out.value == source[: size - 1]
        assert out.raw[size:] == b"\xee" * (40 - size)
    else:
        assert out.raw == b"\xee" * 40
    out = ctypes.create_string_buffer(have, 40)
    expected = min(len(have), size) + len(source)
    assert shim.forge_darwin_strlcat(out, source, ctypes.c_size_t(size)) == expected
    assert out.value == (have if size <= len(have) else have + source[: size - len(have) - 1])


@given(width=st.sampled_from([4, 8, 16]), pattern=st.binary(min_size=16, max_size=16), length=st.integers(0, 70))
def test_patterns(shim: ctypes.CDLL, width: int, pattern: bytes, length: int) -> None:
    out = ctypes.create_string_buffer(80)
    shim[f"forge_darwin_memset_pattern{width}"](out, pattern, ctypes.c_size_t(length))
    assert out.raw == (pattern[:width] * 20)[:length] + bytes(80 - length)


def printed(shim: ctypes.CDLL, form: str, *arguments: object) -> str:
    out = ctypes.create_string_buffer(400)
    length = shim.forge_darwin_snprintf(out, ctypes.c_size_t(400), form.encode(), *arguments)
    assert length == len(out.value)
    return out.value.decode()


def test_printf_writes_as_darwin_does(shim: ctypes.CDLL) -> None:
    nan, double = ctypes.c_double(-math.nan), ctypes.c_double
    assert printed(shim, "<%p>", None) == "<0x0>"
    assert printed(shim, "<%8p|%-8p>", None, None) == "<     0x0|0x0     >"
    assert printed(shim, "%p", ctypes.c_void_p(0xABC)) == "0xabc"
    assert printed(shim, "%f %e %G", nan, nan, nan) == "nan nan NAN"
    assert printed(shim, "[%+08.2f|%-6f|% f]", nan, nan, nan) == "[     nan|nan   |nan]"
    assert printed(shim, "[%*.*f]", 7, 2, nan) == "[    nan]"
    assert printed(shim, "%f", double(-math.inf)) == "-inf"
    assert printed(shim, "%D %U", ctypes.c_long(-(2**40)), ctypes.c_ulong(2**40)) == "-1099511627776 1099511627776"
    assert printed(shim, "%s %d%% %c %.3f %p", b"text", 5, 65, double(2.5), None) == "text 5% A 2.500 0x0"
    assert printed(shim, "%2$s %1$s", b"a", b"b") == "b a"
    count = ctypes.c_int()
    assert printed(shim, "%p%n", None, ctypes.byref(count)) == "0x0"
    assert count.value == 3


@given(
    flags=st.text("-+ #0", max_size=3), width=st.none() | st.integers(1, 30), precision=st.none() | st.integers(0, 12),
    value=st.floats(allow_nan=False), letter=st.sampled_from("eEfFgG"),
)  # fmt: skip
def test_numbers_are_written_as_python_writes_them(
    shim: ctypes.CDLL, flags: str, width: int | None, precision: int | None, value: float, letter: str
) -> None:
    form = f"%{flags}{width or ''}{'' if precision is None else f'.{precision}'}{letter}"
    if math.isinf(value):
        form = form.replace("0", "").replace("#", "")
    if len(form % value) < 390:
        # The pointer makes the shim do the format piece by piece.
        assert printed(shim, form + "%p", ctypes.c_double(value), None) == form % value + "0x0"


def test_printf_cuts_and_tells_the_whole_length(shim: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(b"\xee" * 16, 16)
    assert shim.forge_darwin_snprintf(out, ctypes.c_size_t(4), b"%p%s", None, b"abcdef") == 9
    assert out.raw[:5] == b"0x0\0\xee"


def test_setlocale_by_darwins_numbers(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_setlocale.restype = ctypes.c_char_p
    for category in range(7):
        assert shim.forge_darwin_setlocale(category, None)
    assert shim.forge_darwin_setlocale(7, None) is None


class Lconv(ctypes.Structure):
    _fields_ = [("strings", ctypes.c_char_p * 10), ("small", ctypes.c_char * 14)]


def test_null_is_the_c_locale(shim: ctypes.CDLL) -> None:
    shim.forge_darwin_strtod_l.restype = ctypes.c_double
    end = ctypes.c_char_p()
    assert shim.forge_darwin_strtod_l(b"2.5e3x", ctypes.byref(end), None) == 2500
    assert end.value == b"x"
    shim.forge_darwin_localeconv_l.restype = ctypes.POINTER(Lconv)
    found = shim.forge_darwin_localeconv_l(None).contents
    assert found.strings[0] == b"."
    assert found.strings[1] == b""
    assert bytes(found.small) in {b"", b"\x7f" * 14}
    shim.forge_darwin_nl_langinfo_l.restype = ctypes.c_char_p
    item = {0: b"ANSI_X3.4-1968", 7: b"Sunday", 20: b"Sat", 32: b"December", 33: b"Jan", 50: b".", 3: b"%H:%M:%S"}
    for number, text in item.items():
        assert shim.forge_darwin_nl_langinfo_l(number, None) == text


@pytest.mark.parametrize(
    ("name", "argument", "sine", "cosine"),
    [("__sincos_stret", 0.5, math.sin(0.5), math.cos(0.5)), ("__sincospi_stret", 1.5, -1.0, 0.0),
     ("__sincospi_stret", -0.5, -1.0, 0.0), ("__sincospi_stret", 0.25, math.sqrt(0.5), math.sqrt(0.5)),
     ("__sincospi_stret", 1e15 + 0.5, 1.0, 0.0)],
)  # fmt: skip
def test_sine_and_cosine_at_once(shim: ctypes.CDLL, name: str, argument: float, sine: float, cosine: float) -> None:
    class Pair(ctypes.Structure):
        _fields_ = [("sine", ctypes.c_double), ("cosine", ctypes.c_double)]

    function = shim[f"forge_darwin_{name}"]
    function.restype, function.argtypes = Pair, [ctypes.c_double]
    pair = function(argument)
    assert (pair.sine, pair.cosine) == (pytest.approx(sine, abs=1e-15), pytest.approx(cosine, abs=1e-15))


def test_powers_of_ten_are_whole(shim: ctypes.CDLL) -> None:
    """What clang makes of pow(10, x): as exact for 10**9, or text of numbers is read a bit off."""
    power = shim["forge_darwin___exp10"]
    power.restype, power.argtypes = ctypes.c_double, [ctypes.c_double]
    assert [power(float(x)) for x in range(-5, 23)] == [float(f"1e{x}") for x in range(-5, 23)]
    assert power(0.5) == pytest.approx(math.sqrt(10))


def test_classes_of_numbers_are_darwins(shim: ctypes.CDLL) -> None:
    classify = shim["forge_darwin___fpclassifyd"]
    classify.argtypes = [ctypes.c_double]
    assert [classify(x) for x in (math.nan, math.inf, 0.0, 1.0, 5e-324)] == [1, 2, 3, 4, 5]
    shim.forge_darwin_ilogb.argtypes = [ctypes.c_double]
    assert [shim.forge_darwin_ilogb(x) for x in (0.0, math.nan, 8.0)] == [-(2**31), -(2**31), 3]


def test_random_bytes(shim: ctypes.CDLL) -> None:
    out = ctypes.create_string_buffer(300)
    assert shim.forge_darwin_getentropy(out, ctypes.c_size_t(256)) == 0
    assert len(set(out.raw[:256])) > 50
    assert shim.forge_darwin_getentropy(out, ctypes.c_size_t(257)) == -1
    shim.forge_darwin_arc4random_uniform.restype = ctypes.c_uint32
    drawn = [shim.forge_darwin_arc4random_uniform(ctypes.c_uint32(6)) for _ in range(500)]
    assert set(drawn) == set(range(6))
    assert shim.forge_darwin_arc4random_uniform(ctypes.c_uint32(1)) == 0


@pytest.mark.parametrize(
    ("suspect", "known", "fits"),
    [
        (b"%d of %s", b"%u in %s", True),
        (b"no more", b"%d", False),
        (b"%s", b"%d", False),
        (b"%ld", b"%d", False),
        (b"%5.1f%%", b"%g", True),
        (b"%Lf", b"%f", False),
        (b"%*d", b"%d %d", True),
        (b"%n", b"%d", False),
        (b"%p", b"%s", True),
    ],
)
def test_fmtcheck(shim: ctypes.CDLL, suspect: bytes, known: bytes, fits: bool) -> None:
    shim.forge_darwin_fmtcheck.restype = ctypes.c_char_p
    assert shim.forge_darwin_fmtcheck(suspect, known) == (suspect if fits else known)
    assert shim.forge_darwin_fmtcheck(None, known) == known
