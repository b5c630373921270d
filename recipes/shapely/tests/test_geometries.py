"""Geometries computed by GEOS, one by one and as arrays."""

import numpy as np
import pytest
import shapely
from shapely import geometry, ops, strtree

_SQUARE = geometry.box(0, 0, 2, 2)


def test_the_version_of_geos():
    assert shapely.geos_version >= (3, 13)


def test_areas():
    disc = geometry.Point(2, 1).buffer(1, quad_segs=64)
    assert disc.area == pytest.approx(np.pi, rel=1e-3)
    assert _SQUARE.intersection(disc).area == pytest.approx(np.pi / 2, rel=1e-3)
    assert _SQUARE.union(disc).area == pytest.approx(4 + np.pi / 2, rel=1e-3)


def test_text_and_binary():
    text = "POLYGON Z ((0 0 1, 4 0 1, 4 4 1, 0 4 1, 0 0 1), (1 1 1, 2 1 1, 2 2 1, 1 1 1))"
    polygon = shapely.from_wkt(text)
    assert polygon.area == 15.5
    assert shapely.to_wkt(polygon, rounding_precision=0) == text
    assert shapely.from_wkb(shapely.to_wkb(polygon)).equals_exact(polygon)
    assert shapely.from_geojson(shapely.to_geojson(polygon)).equals(polygon)


def test_arrays():
    points = shapely.points(np.random.default_rng(2).uniform(-1, 3, (1000, 2)))
    inside = shapely.contains(_SQUARE, points)
    expected = ((shapely.get_coordinates(points) > 0) & (shapely.get_coordinates(points) < 2)).all(axis=1)
    assert (inside == expected).all()
    assert 0 < inside.sum() < 1000
    assert (shapely.distance(_SQUARE, points)[inside] == 0).all()


def test_tree():
    boxes = [geometry.box(x, 0, x + 0.5, 1) for x in range(100)]
    tree = strtree.STRtree(boxes)
    assert sorted(tree.query(geometry.box(9.75, 0, 12.25, 1))) == [10, 11, 12]
    assert tree.nearest(geometry.Point(50.6, 5)) == 50


def test_geometries_are_made_valid():
    bow = geometry.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    assert not bow.is_valid
    assert "Self-intersection" in shapely.is_valid_reason(bow)
    assert shapely.make_valid(bow).area == 2


def test_prepared_and_changed():
    shapely.prepare(_SQUARE)
    assert _SQUARE.contains(geometry.Point(1, 1))
    moved = shapely.transform(_SQUARE, lambda points: np.add(points, (10, 0)))
    assert moved.bounds == (10, 0, 12, 2)
    assert ops.unary_union([geometry.box(x, 0, x + 1, 1) for x in range(5)]).area == 5
    assert len(ops.triangulate(geometry.MultiPoint([(0, 0), (2, 0), (2, 2), (0, 2), (1, 1)]))) == 4


def test_errors_of_geos():
    with pytest.raises(shapely.GEOSException, match="ParseException"):
        shapely.from_wkt("POINT (1")


def test_one_module_takes_what_another_has_made():
    """The modules share GEOS: in a copy of its own, one would not know the other's classes."""
    corners = [(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0), (0.0, 0.0)]
    (ring,) = shapely.linearrings([corners], indices=None, handle_nan="skip")
    (hole,) = shapely.linearrings([(x / 4 + 0.5, y / 4 + 0.5) for x, y in corners], indices=[0] * 5)
    (polygon,) = shapely.polygons([ring, hole], indices=[0, 0])
    assert polygon.area == 4 - 0.25
    assert [list(each.coords) for each in (polygon.exterior, ring)] == [corners, corners]
    (several,) = shapely.multipolygons([polygon], indices=[0])
    assert several.geoms[0].interiors[0].length == 2
