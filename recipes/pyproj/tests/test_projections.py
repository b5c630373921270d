"""Coordinates transformed by PROJ, with the database that the wheel carries."""

import concurrent.futures
import math
from pathlib import Path

import pyproj
import pytest
from pyproj import CRS, Geod, Proj, Transformer, database, datadir
from pyproj.aoi import AreaOfInterest
from pyproj.enums import WktVersion
from pyproj.exceptions import CRSError, ProjError


def test_the_library_finds_its_own_database():
    assert pyproj.__proj_version__ == "9.6.0"
    directory = Path(datadir.get_data_dir())
    assert directory.is_relative_to(Path(pyproj.__file__).parent)
    assert (directory / "proj.db").stat().st_size > 5_000_000
    assert database.get_database_metadata("PROJ.VERSION") == "9.6.0"


def test_mercator_by_its_formula():
    lon, lat, radius = 13.4, 52.5, 6378137.0
    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    assert x == pytest.approx(radius * math.radians(lon), abs=1e-6)
    assert y == pytest.approx(radius * math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)), abs=1e-6)


def test_there_and_back():
    utm = Transformer.from_crs("EPSG:4326", "EPSG:32633", always_xy=True)
    # On the central meridian x is the false easting.
    assert utm.transform(15, 0) == pytest.approx((500000, 0), abs=1e-6)
    lons, lats = [13.4, 15.0, 17.25], [52.5, -3.0, 60.0]
    xs, ys = utm.transform(lons, lats)
    back = utm.transform(xs, ys, direction="INVERSE")
    assert back[0] == pytest.approx(lons, abs=1e-9)
    assert back[1] == pytest.approx(lats, abs=1e-9)


def test_axes_in_the_order_of_the_authority():
    assert [axis.direction for axis in CRS(4326).axis_info] == ["north", "east"]
    x, _ = Transformer.from_crs(4326, 3857).transform(52.5, 13.4)
    assert x == pytest.approx(6378137.0 * math.radians(13.4))


def test_a_change_of_datum():
    operations = pyproj.transformer.TransformerGroup("EPSG:4277", "EPSG:4326", always_xy=True)
    assert len(operations.transformers) > 1
    lon, lat = operations.transformers[0].transform(-1.5, 53.0)
    # Between Great Britain's datum and WGS 84 there are some hundred metres.
    assert 50 < Geod(ellps="WGS84").inv(-1.5, 53.0, lon, lat)[2] < 200


def test_systems_in_words():
    crs = CRS("EPSG:25832")
    assert crs.name == "ETRS89 / UTM zone 32N"
    assert crs.ellipsoid.name == "GRS 1980"
    assert crs.utm_zone == "32N"
    assert crs.to_authority() == ("EPSG", "25832")
    for version in (WktVersion.WKT2_2019, WktVersion.WKT1_GDAL):
        assert CRS(crs.to_wkt(version)).to_epsg() == 25832
    assert CRS.from_json(crs.to_json()) == crs
    assert CRS("+proj=utm +zone=32 +ellps=GRS80 +type=crs").coordinate_operation.method_name == "Transverse Mercator"


def test_a_query_of_the_database():
    area = AreaOfInterest(10.0, 47.0, 10.1, 47.1)
    (found,) = database.query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
    assert (found.auth_name, found.code) == ("EPSG", "32632")
    assert "EPSG" in database.get_authorities()
    assert len(pyproj.list.get_ellps_map()) > 40


def test_geodesics():
    geod = Geod(ellps="WGS84")
    # A quarter of a meridian.
    assert geod.inv(0, 0, 0, 90)[2] == pytest.approx(10001965.729, abs=1e-3)
    lon, lat, _ = geod.fwd(0, 0, 90, geod.a * math.radians(30))
    assert (lon, lat) == pytest.approx((30, 0), abs=1e-9)
    area, _ = geod.polygon_area_perimeter([0, 90, 0], [0, 0, 90])
    assert area == pytest.approx(510065621724088.44 / 8, rel=1e-9)


def test_what_proj_refuses():
    with pytest.raises(CRSError, match="crs not found"):
        CRS("EPSG:999999")
    with pytest.raises(ProjError):
        Transformer.from_crs(4326, 3857, always_xy=True).transform(0, 100, errcheck=True)
    assert Proj("+proj=merc")(0, 100)[0] == math.inf


def test_modules_in_threads():
    """Contexts of one thread each are made by one module and used by another."""

    def turn(zone):
        return Transformer.from_crs(4326, 32600 + zone, always_xy=True).transform(6 * zone - 183, 0)[0]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(turn, range(1, 61))) == pytest.approx([500000] * 60)
