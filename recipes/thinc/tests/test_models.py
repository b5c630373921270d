"""Models trained, and the compiled operations compared with those in Python."""

import numpy as np
import pytest
from thinc.api import Adam, Model, NumpyOps, Ops, Relu, Softmax, SparseLinear, chain, fix_random_seed, get_current_ops
from thinc.backends import numpy_ops

_OPS = NumpyOps()


def test_the_compiled_code_is_used():
    assert type(get_current_ops()) is numpy_ops.NumpyOps
    assert _OPS.cblas() is not None


def test_products():
    one, other = np.random.default_rng(6).normal(size=(2, 20, 20)).astype("float32")
    assert np.allclose(_OPS.gemm(one, other, trans2=True), one @ other.T, atol=1e-4)


@pytest.mark.parametrize("name", ["relu", "mish", "swish", "gelu", "hard_swish"])
def test_activations(name):
    values = np.linspace(-4, 4, 60, dtype="float32").reshape(6, 10)
    assert np.allclose(getattr(_OPS, name)(values.copy()), getattr(Ops, name)(_OPS, values.copy()), atol=1e-4)


def test_hashes_and_windows():
    ids = np.arange(5, dtype="uint64")
    hashes = _OPS.hash(ids, 7)
    assert hashes.shape == (5, 4)
    assert len(np.unique(hashes)) == 20
    sequence = np.arange(6, dtype="float32").reshape(3, 2)
    assert _OPS.seq2col(sequence, 1).tolist() == [[0, 0, 0, 1, 2, 3], [0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 0, 0]]
    lengths = np.array([2, 1], dtype="int32")
    assert _OPS.reduce_sum(sequence, lengths).tolist() == [[2, 4], [4, 5]]
    assert _OPS.reduce_max(sequence, lengths)[0].tolist() == [[2, 3], [4, 5]]


def test_a_model_learns():
    fix_random_seed(0)
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype="float32")
    labels = np.eye(2, dtype="float32")[[0, 1, 1, 0]]
    model: Model = chain(Relu(16, normalize=False), Softmax())
    model.initialize(X=inputs, Y=labels)
    optimizer = Adam(0.02)
    for _ in range(400):
        guess, backprop = model.begin_update(inputs)
        backprop(guess - labels)
        model.finish_update(optimizer)
    assert model.predict(inputs).argmax(axis=1).tolist() == [0, 1, 1, 0]
    again = chain(Relu(16, normalize=False), Softmax()).initialize(X=inputs, Y=labels).from_bytes(model.to_bytes())
    assert np.array_equal(again.predict(inputs), model.predict(inputs))


def test_sparse_features():
    model = SparseLinear(3)
    model.initialize()
    keys, values = np.array([1, 5, 9], dtype="uint64"), np.ones(3, dtype="float32")
    scores, backprop = model.begin_update((keys, values, np.array([2, 1], dtype="int32")))
    assert scores.shape == (2, 3)
    backprop(np.ones((2, 3), dtype="float32"))
    assert model.get_grad("W").any()
