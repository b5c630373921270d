"""Rates of return."""

import datetime as dt

import pytest
from pyxirr import irr, npv, pv, xirr


def test_rates():
    assert npv(0.1, [-100, 60, 60]) == pytest.approx(-100 + 60 / 1.1 + 60 / 1.21)
    rate = irr([-100, 39, 59, 55, 20])
    assert npv(rate, [-100, 39, 59, 55, 20]) == pytest.approx(0, abs=1e-9)
    days = [dt.date(2020, 1, 1), dt.date(2021, 1, 1)]
    assert xirr(days, [-100, 110]) == pytest.approx(0.09970, abs=1e-4)
    assert pv(0.05 / 12, 120, -100, -100) == pytest.approx(9488.85, abs=0.01)
