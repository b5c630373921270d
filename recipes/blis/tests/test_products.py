"""Products of matrices and vectors by BLIS's kernels, compared with numpy's."""

import blis.py
import numpy as np
import pytest

_RANDOM = np.random.default_rng(5)


def _numbers(kind, *shape):
    return _RANDOM.normal(size=shape).astype(kind)


# Of blis's own functions the one for float64 cannot transpose.
@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [("float32", False, False), ("float32", True, False), ("float32", False, True), ("float64", False, False)],
)
@pytest.mark.parametrize("sizes", [(1, 1, 1), (3, 5, 7), (64, 64, 64), (130, 40, 257)], ids=str)
def test_matrices(kind, first, second, sizes):
    rows, inner, columns = sizes
    one = _numbers(kind, *((inner, rows) if first else (rows, inner)))
    other = _numbers(kind, *((columns, inner) if second else (inner, columns)))
    expected = (one.T if first else one) @ (other.T if second else other)
    result = blis.py.gemm(one, other, trans1=first, trans2=second)
    assert result.dtype == kind
    assert np.allclose(result, expected, atol=1e-3 if kind == "float32" else 1e-10)


def test_into_a_given_matrix():
    one, other, out = _numbers("float64", 4, 6), _numbers("float64", 6, 3), np.ones((4, 3))
    blis.py.gemm(one, other, out=out, alpha=2.0, beta=0.5)
    assert np.allclose(out, 2 * one @ other + 0.5)


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_vectors(kind):
    matrix, vector = _numbers(kind, 50, 30), _numbers(kind, 30)
    assert np.allclose(blis.py.gemv(matrix, vector), matrix @ vector, atol=1e-4)
    assert blis.py.dotv(vector, vector) == pytest.approx(float(vector @ vector), rel=1e-4)


def test_a_vector_is_added():
    vector, out = _numbers("float64", 30), np.ones(30)
    blis.py.axpy(vector, scale=3.0, out=out)
    assert np.allclose(out, 3 * vector + 1)


def test_sizes_that_do_not_fit():
    with pytest.raises((ValueError, AssertionError)):
        blis.py.gemm(np.ones((2, 3)), np.ones((2, 3)))
