"""Polygons cut with each other, and made larger."""

import pyclipper

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10)]


def test_intersection():
    clipper = pyclipper.Pyclipper()
    clipper.AddPath(SQUARE, pyclipper.PT_SUBJECT, True)
    clipper.AddPath([(5, 5), (20, 5), (20, 20), (5, 20)], pyclipper.PT_CLIP, True)
    (found,) = clipper.Execute(pyclipper.CT_INTERSECTION)
    assert sorted(map(tuple, found)) == [(5, 5), (5, 10), (10, 5), (10, 10)]


def test_areas_and_offsets():
    assert pyclipper.Area(SQUARE) == 100
    offset = pyclipper.PyclipperOffset()
    offset.AddPath(SQUARE, pyclipper.JT_MITER, pyclipper.ET_CLOSEDPOLYGON)
    (larger,) = offset.Execute(2)
    assert pyclipper.Area(larger) == 196
    assert pyclipper.PointInPolygon((5, 5), SQUARE) == 1
