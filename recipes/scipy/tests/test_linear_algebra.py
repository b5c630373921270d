"""BLAS and LAPACK behind every kind of module that uses them, in all four precisions."""

import numpy as np
import pytest
import scipy.linalg as la
import scipy.sparse.linalg as sla
from scipy import optimize, sparse
from scipy.linalg import blas

KINDS = ["f4", "f8", "c8", "c16"]


def matrix(kind, count=40):
    generator = np.random.default_rng(count)
    made = generator.normal(size=(count, count))
    if np.dtype(kind).kind == "c":
        made = made + 1j * generator.normal(size=(count, count))
    return made.astype(kind)


def close(one, other):
    tolerance = 1e-3 if one.dtype in (np.float32, np.complex64) else 1e-9
    return np.allclose(one, other, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_factorisations(kind):
    a = matrix(kind)
    permutation, lower, upper = la.lu(a)
    assert close(permutation @ lower @ upper, a)
    q, r = la.qr(a)
    assert close(q @ r, a)
    u, s, v = la.svd(a)
    assert close((u * s) @ v, a)
    t, z = la.schur(a)
    assert close(z @ t @ z.conj().T, a)
    assert close(la.solve(a, a @ a), a)
    positive = a @ a.conj().T + 50 * np.eye(40, dtype=a.dtype)
    factor = la.cholesky(positive, lower=True)
    assert close(factor @ factor.conj().T, positive)


@pytest.mark.parametrize("count", [2, 3, 40, 130])
@pytest.mark.parametrize("driver", ["ev", "evd", "evr", "evx"])
@pytest.mark.parametrize("kind", KINDS)
def test_eigenvalues(kind, driver, count):
    a = matrix(kind, count)
    a = a + a.conj().T
    for lower in (True, False):
        values, vectors = la.eigh(a, driver=driver, lower=lower)
        assert close((vectors * values) @ vectors.conj().T, a)


@pytest.mark.parametrize("kind", ["c8", "c16"])
def test_functions_that_return_a_complex_number(kind):
    a, b = matrix(kind)[:2]
    prefix = {"c8": "c", "c16": "z"}[kind]
    assert close(np.array(getattr(blas, f"{prefix}dotc")(a, b), kind), np.vdot(a, b))
    assert close(np.array(getattr(blas, f"{prefix}dotu")(a, b), kind), np.dot(a, b))


@pytest.mark.parametrize("kind", KINDS)
def test_sparse(kind):
    a = sparse.csc_array(np.triu(np.tril(matrix(kind), 2), -2) + 20 * np.eye(40, dtype=kind))
    right = matrix(kind)[0]
    assert close(a @ sla.spsolve(a, right), right)
    values = sla.eigs(a, k=3, which="LM", return_eigenvectors=False)
    assert values.size == 3


def test_matrix_functions():
    a = matrix("f8", 12)
    assert close(la.expm(la.logm(a @ a.T + np.eye(12))), a @ a.T + np.eye(12))
    root = la.sqrtm(a @ a.T + np.eye(12))
    assert close(root @ root, a @ a.T + np.eye(12))


def test_optimizers():
    rosenbrock = optimize.rosen
    for method in ("BFGS", "L-BFGS-B", "SLSQP", "COBYLA"):
        found = optimize.minimize(rosenbrock, [0.5, 0.5], method=method, options={"maxiter": 3000}, tol=1e-8)
        assert np.allclose(found.x, 1, atol=0.05), method
