"""Constraints of several strengths."""

import kiwisolver
import pytest
from kiwisolver import Solver, Variable


def test_constraints():
    left, width, right = Variable("left"), Variable("width"), Variable("right")
    solver = Solver()
    solver.addConstraint(left + width == right)
    solver.addConstraint(left >= 10)
    solver.addConstraint((width == 100) | "weak")
    solver.addConstraint((right <= 60) | "strong")
    solver.updateVariables()
    assert (left.value(), width.value(), right.value()) == (10, 50, 60)


def test_a_suggestion():
    x, y = Variable("x"), Variable("y")
    solver = Solver()
    solver.addConstraint(y == 2 * x + 1)
    solver.addEditVariable(x, "strong")
    solver.suggestValue(x, 20)
    solver.updateVariables()
    assert y.value() == 41


def test_what_cannot_be_satisfied():
    x = Variable("x")
    solver = Solver()
    solver.addConstraint(x == 1)
    with pytest.raises(kiwisolver.UnsatisfiableConstraint):
        solver.addConstraint(x == 2)
