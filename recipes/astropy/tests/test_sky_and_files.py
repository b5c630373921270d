"""Places in the sky, times, tables and FITS files, by the compiled code."""

import io

import numpy as np
import pytest
from astropy import units as u
from astropy.convolution import Gaussian1DKernel, convolve
from astropy.coordinates import SkyCoord
from astropy.cosmology import FlatLambdaCDM
from astropy.io import ascii as text
from astropy.io import fits
from astropy.stats import sigma_clip
from astropy.table import Table, join
from astropy.time import Time
from astropy.timeseries import BoxLeastSquares, LombScargle
from astropy.utils import iers
from astropy.wcs import WCS

iers.conf.auto_download = False


def test_the_galactic_centre():
    centre = SkyCoord(l=0 * u.deg, b=0 * u.deg, frame="galactic").icrs
    assert centre.ra.deg == pytest.approx(266.40499, abs=1e-4)
    assert centre.dec.deg == pytest.approx(-28.93617, abs=1e-4)


def test_times():
    moment = Time("2000-01-01T12:00:00", scale="tt")
    assert moment.jd == 2451545.0
    assert (moment.tai - Time("2000-01-01T12:00:00", scale="tai")).sec == pytest.approx(-32.184)
    assert Time(["2024-02-29 12:34:56.789"] * 3).isot.tolist() == ["2024-02-29T12:34:56.789"] * 3


@pytest.mark.parametrize("method", ["RICE_1", "GZIP_1", "GZIP_2", "PLIO_1", "HCOMPRESS_1"])
def test_compressed_images(method):
    image = np.random.default_rng(1).integers(0, 1000, (60, 80), dtype=np.int32)
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image, compression_type=method)]).writeto(file)
    file.seek(0)
    with fits.open(file) as opened:
        assert (opened[1].data == image).all()


def test_tables_as_text():
    table = Table({"name": ["a", "b", "c"], "flux": [1.5, 2.5, -3e-10], "count": [1, 2, 3]})
    written = io.StringIO()
    table.write(written, format="ascii.ecsv")
    read = text.read(written.getvalue(), format="ecsv")
    assert read["flux"].tolist() == table["flux"].tolist()
    fast = text.read("x,y\n1,2.5\n3,4.5e3\n", format="csv", fast_reader=True, guess=False)
    assert fast["y"].tolist() == [2.5, 4500]
    both = join(table, Table({"name": ["b", "c"], "class": [7, 8]}), keys="name")
    assert both["class"].tolist() == [7, 8]


def test_votables():
    file = io.BytesIO()
    Table({"x": [1.0, 2.0], "flag": [True, False]}).write(file, format="votable", tabledata_format="binary2")
    file.seek(0)
    assert Table.read(file, format="votable")["flag"].tolist() == [True, False]


def test_world_coordinates():
    world = WCS(naxis=2)
    world.wcs.crpix = [50, 50]
    world.wcs.cdelt = [-0.01, 0.01]
    world.wcs.crval = [120, 40]
    world.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    assert world.wcs_pix2world([[50, 50]], 1)[0] == pytest.approx([120, 40])
    pixels = np.random.default_rng(2).uniform(0, 100, (20, 2))
    assert world.wcs_world2pix(world.wcs_pix2world(pixels, 0), 0) == pytest.approx(pixels)


def test_convolution():
    values = np.zeros(101)
    values[50] = 1
    smooth = convolve(values, Gaussian1DKernel(4))
    assert smooth.sum() == pytest.approx(1)
    assert smooth.max() == pytest.approx(1 / (4 * np.sqrt(2 * np.pi)), rel=0.01)
    values[20] = np.nan
    assert np.isfinite(convolve(values, Gaussian1DKernel(4))).all()


def test_periods():
    at = np.sort(np.random.default_rng(3).uniform(0, 50, 400))
    frequency, power = LombScargle(at, np.sin(2 * np.pi * at / 2.5)).autopower(maximum_frequency=2)
    assert frequency[power.argmax()] == pytest.approx(0.4, abs=0.005)
    dips = np.where((at % 3) < 0.2, 0.9, 1.0)
    result = BoxLeastSquares(at, dips).power(np.linspace(2, 4, 401), 0.2)
    assert result.period[result.power.argmax()] == pytest.approx(3, abs=0.02)


def test_statistics_and_distances():
    values = np.random.default_rng(6).normal(size=1000)
    values[::100] = 1000
    assert sigma_clip(values, sigma=4).mask.sum() == 10
    assert FlatLambdaCDM(H0=70, Om0=0.3).H(1).value == pytest.approx(70 * 3.1**0.5)
    assert (3 * u.km / (2 * u.min)).to_value("m/s") == pytest.approx(25)
