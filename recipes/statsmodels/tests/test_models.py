"""Models whose numbers come out of the compiled code: smoothers, filters of state space models, robust scales."""

import warnings

import numpy as np
import pytest
from statsmodels.nonparametric.kde import KDEUnivariate
from statsmodels.nonparametric.smoothers_lowess import lowess
from statsmodels.regression.linear_model import OLS
from statsmodels.robust.scale import qn_scale
from statsmodels.tsa.api import ExponentialSmoothing, MarkovRegression
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.innovations.arma_innovations import arma_innovations
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother
from statsmodels.tsa.stl.mstl import MSTL
from statsmodels.tsa.tsatools import lagmat

_RANDOM = np.random.default_rng(11)
_NOISE = _RANDOM.normal(size=300)


def _autoregression(factor):
    values = np.zeros(len(_NOISE))
    for i in range(1, len(values)):
        values[i] = factor * values[i - 1] + _NOISE[i]
    return values


def test_a_straight_line():
    x = np.linspace(0, 1, 50)
    fit = OLS(3 * x + 1, np.column_stack([np.ones(50), x])).fit()
    assert fit.params == pytest.approx([1, 3])
    assert fit.rsquared == pytest.approx(1)


def test_lowess_follows_a_line_and_passes_by_an_outlier():
    x = np.arange(60.0)
    y = 2 * x + 5
    y[30] += 1000
    smooth = lowess(y, x, frac=0.3, return_sorted=False)
    assert np.delete(smooth - 2 * x - 5, 30) == pytest.approx(0, abs=1e-6)


def test_a_density_is_one_in_all():
    density = KDEUnivariate(_NOISE)
    density.fit(kernel="gau", fft=True)
    assert np.trapezoid(density.density, density.support) == pytest.approx(1, abs=1e-3)
    exact = KDEUnivariate(_NOISE)
    exact.fit(kernel="gau", fft=False)
    assert np.interp(0, density.support, density.density) == pytest.approx(
        np.interp(0, exact.support, exact.density), rel=0.02
    )


def test_a_robust_scale():
    spoilt = np.append(_NOISE, [1e6] * 30)
    assert qn_scale(spoilt) == pytest.approx(np.std(_NOISE), rel=0.25)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex64, np.complex128])
def test_a_random_walk_is_filtered_and_smoothed(kind):
    """The local level model with variances 1 and 1; its gain goes to (sqrt(5) - 1) / 2."""
    observed = np.cumsum(_NOISE[:50]) + _NOISE[50:100]
    model = KalmanSmoother(k_endog=1, k_states=1, dtype=kind)
    model.bind(observed.astype(kind))
    for name in ("design", "transition", "selection", "state_cov", "obs_cov"):
        model[name] = np.eye(1, dtype=kind)
    model.initialize_approximate_diffuse()
    found = model.smooth()
    gain = np.real(found.kalman_gain[0, 0, -1])
    assert gain == pytest.approx((5**0.5 - 1) / 2, rel=1e-3)
    # The last smoothed state is the last filtered one; before it smoothing knows more.
    assert np.real(found.smoothed_state[0, -1]) == pytest.approx(np.real(found.filtered_state[0, -1]), rel=1e-3)
    assert np.real(found.smoothed_state_cov[0, 0, 20]) < np.real(found.filtered_state_cov[0, 0, 20])


def test_the_univariate_filter_gives_the_same():
    observed = np.column_stack([_NOISE[:100], _NOISE[100:200]])

    def likelihood(univariate):
        model = KalmanFilter(k_endog=2, k_states=2, loglikelihood_burn=2)
        model.bind(observed)
        model["design"] = np.array([[1.0, 0.5], [0.0, 1.0]])
        model["transition"] = np.array([[0.7, 0.1], [0.0, 0.5]])
        for name in ("selection", "state_cov", "obs_cov"):
            model[name] = np.eye(2)
        model.initialize_stationary()
        model.filter_univariate = univariate
        return model.loglike()

    assert likelihood(univariate=True) == pytest.approx(likelihood(univariate=False))


def test_an_autoregression_is_found():
    fit = ARIMA(_autoregression(0.6), order=(1, 0, 0)).fit()
    assert fit.params[1] == pytest.approx(0.6, abs=0.1)
    # Of a state space and of the innovations algorithm, the same likelihood.
    estimate, variance = arma_innovations(_autoregression(0.6), ar_params=[0.6], sigma2=1.0)
    assert np.std(estimate) == pytest.approx(1, abs=0.1)
    assert variance[-1] == pytest.approx(1)


def test_seasons():
    season = np.tile([10.0, -5.0, 0.0, -5.0], 20) + np.linspace(50, 60, 80)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a perfect fit is warned of
        smooth = ExponentialSmoothing(season, trend="add", seasonal="add", seasonal_periods=4).fit()
        states = ETSModel(season, trend="add", seasonal="add", seasonal_periods=4).fit(disp=False)
    assert smooth.forecast(4) == pytest.approx(season[-4:] + 40 / 79, abs=0.2)
    assert states.forecast(4) == pytest.approx(season[-4:] + 40 / 79, abs=0.5)
    parts = MSTL(season, periods=4).fit()
    assert parts.seasonal[40:44] == pytest.approx([10, -5, 0, -5], abs=0.5)


def test_two_regimes():
    levels = np.repeat([0.0, 8.0, 0.0], 40)
    fit = MarkovRegression(levels + _NOISE[:120], k_regimes=2).fit()
    high = int(np.argmax(fit.params[2:4]))
    assert (fit.smoothed_marginal_probabilities[:, high] > 0.5).tolist() == (levels > 4).tolist()


def test_lags():
    assert lagmat(np.arange(4.0), 2).tolist() == [[0, 0], [0, 0], [1, 0], [2, 1]]
