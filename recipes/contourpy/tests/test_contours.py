"""Lines of a plane, by each algorithm."""

import contourpy
import numpy as np
import pytest


@pytest.mark.parametrize("name", ["mpl2005", "mpl2014", "serial", "threaded"])
def test_a_plane_has_straight_lines(name):
    x, y = np.meshgrid(np.linspace(0, 4, 5), np.linspace(0, 4, 5))
    generator = contourpy.contour_generator(x, y, x, name=name)
    lines = generator.lines(1.5)
    if generator.line_type == contourpy.LineType.SeparateCode:  # Matplotlib's own: points, and a code for each
        lines = lines[0]
    line = np.concatenate(lines)
    assert np.allclose(line[:, 0], 1.5)
    assert sorted(set(line[:, 1])) == [0, 1, 2, 3, 4]
