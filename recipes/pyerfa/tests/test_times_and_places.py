"""Times and places computed by ERFA, for arrays of them at once."""

import erfa
import numpy as np
import pytest


def test_calendars():
    years, months, days, fractions = erfa.jd2cal(2460000.0, [0, 1, 2.25, 3])
    assert years.tolist() == [2023] * 4
    assert months.tolist() == [2] * 4
    assert days.tolist() == [24, 25, 26, 27]
    assert fractions.tolist() == [0.5, 0.5, 0.75, 0.5]
    assert erfa.cal2jd(2000, 1, 1) == (2400000.5, 51544.0)


def test_time_scales():
    tai = erfa.utctai(2457754.0, 0.5)
    assert (tai[1] - 0.5) * erfa.DAYSEC == pytest.approx(37)
    assert erfa.taitt(*tai)[1] - tai[1] == pytest.approx(32.184 / erfa.DAYSEC)
    assert erfa.dat(1999, 1, 1, 0) == 32


def test_planets():
    places = erfa.plan94(2460000.0, np.arange(365.0), 3)
    assert places.dtype == erfa.dt_pv
    distances = np.linalg.norm(places["p"], axis=-1)
    assert distances.min() == pytest.approx(0.9833, abs=2e-3)
    assert distances.max() == pytest.approx(1.0167, abs=2e-3)


def test_rotations():
    matrix = erfa.pnm06a(2451545.0, np.array([0.0, 3652.5]))
    assert matrix.shape == (2, 3, 3)
    assert np.allclose(matrix @ matrix.swapaxes(1, 2), np.eye(3), atol=1e-14)
    vectors = np.random.default_rng(4).normal(size=(2, 3))
    assert np.allclose(erfa.rxp(matrix, vectors), np.einsum("nij,nj->ni", matrix, vectors))


def test_angles():
    longitude, latitude = erfa.c2s(erfa.s2c(np.array([0.1, 2.0]), np.array([0.5, -1.2])))
    assert np.allclose(longitude, [0.1, 2.0])
    assert np.allclose(latitude, [0.5, -1.2])
    assert erfa.seps(0, 0, np.pi / 2, 0) == pytest.approx(np.pi / 2)


def test_errors_and_warnings():
    with pytest.raises(erfa.ErfaError, match="bad month"):
        erfa.cal2jd([2000], [13], [1])
    with pytest.warns(erfa.ErfaWarning, match="dubious year"):
        erfa.utctai([1800000.0], 0.0)
