"""Figures drawn by Agg, text laid out by FreeType and Raqm, points triangulated by Qhull."""

from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import font_manager, ft2font, tri
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path
from PIL import Image


def _pixels(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_lines_and_markers():
    figure = Figure(figsize=(3, 2), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.plot([0, 1], [0.5, 0.5], color="red", linewidth=10)
    pixels = _pixels(figure)
    assert pixels.shape == (200, 300, 4)
    assert tuple(pixels[100, 150]) == (255, 0, 0, 255)
    assert tuple(pixels[20, 150]) == (255, 255, 255, 255)


def test_images_are_resampled():
    figure = Figure(figsize=(1, 1), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(np.array([[0.0, 1.0]]), cmap="gray", aspect="auto", interpolation="bilinear")
    row = _pixels(figure)[50, :, 0].astype(int)
    assert row[2] < 10
    assert row[97] > 245
    assert (np.diff(row) >= 0).all()


def test_a_whole_figure_as_png():
    figure = Figure()
    axes = figure.subplots()
    axes.contourf(np.hypot(*np.mgrid[-1:1:40j, -1:1:40j]))
    axes.set_title(r"Gr\xf6\xdfe $\frac{x^2}{\sqrt{y}}$")
    axes.hist([1, 2, 2, 3], label="values")
    axes.legend()
    file = BytesIO()
    figure.savefig(file, format="png")
    assert Image.open(file).size == (640, 480)
    assert len(np.unique(np.asarray(Image.open(file)))) > 50


@pytest.mark.parametrize(("file_format", "start"), [("pdf", b"%PDF-"), ("svg", b"<?xml"), ("ps", b"%!PS")])
def test_other_formats(file_format, start):
    figure = Figure()
    figure.subplots().text(0.5, 0.5, "text")
    file = BytesIO()
    figure.savefig(file, format=file_format)
    assert file.getvalue().startswith(start)


def test_fonts():
    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans"))
    assert (font.family_name, font.units_per_EM) == ("DejaVu Sans", 2048)
    font.set_size(20, 100)
    font.set_text("forge")
    width, height = font.get_width_height()
    assert 60 * 64 < width < 90 * 64
    assert 15 * 64 < height < 40 * 64
    font.draw_glyphs_to_bitmap(antialiased=True)
    assert font.get_image().max() == 255


def test_paths():
    square = Path([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
    points = np.array([(0.5, 0.5), (1.5, 0.5), (0.1, 0.9)])
    assert square.contains_points(points).tolist() == [True, False, True]
    assert square.intersects_path(Path([(-1, 0.5), (2, 0.5)]))
    assert square.clip_to_bbox(mpl.transforms.Bbox([[0.5, 0], [2, 2]])).get_extents().width == 0.5


def test_triangles():
    corners = np.array([(0, 0), (2, 0), (2, 2), (0, 2), (1, 1)])
    triangulation = tri.Triangulation(*corners.T)
    assert len(triangulation.triangles) == 4
    assert triangulation.get_trifinder()(1, 0.5) >= 0
    assert triangulation.get_trifinder()(3, 3) == -1
    assert float(tri.LinearTriInterpolator(triangulation, corners.sum(axis=1))(0.5, 1.0)) == pytest.approx(1.5)
