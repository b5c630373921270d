"""Lines of a plane, by each algorithm."""

import contourpy
import numpy as np
import pytest


@pytest.mark.parametrize("name", ["mpl2005", "mpl2014", "serial", "threaded"])
def test_a_plane_has_straight_lines(name):
    x, y = np.meshgrid(np.linspace(0, 4, 5), np.linspace(0, 4, 5))
    generator = contourpy.contour_generator(x, y, x, name=name)
    (line,) = (np.concatenate(list(generator.lines(1.5))),)
    assert np.allclose(np.asarray(line)[:, 0], 1.5)
    assert sorted(set(np.asarray(line)[:, 1])) == [0, 1, 2, 3, 4]
