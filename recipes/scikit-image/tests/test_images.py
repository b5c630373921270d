"""Images that the compiled code draws, filters, measures and takes apart."""

import numpy as np
import pytest
from skimage import (
    draw,
    exposure,
    feature,
    filters,
    graph,
    io,
    measure,
    morphology,
    restoration,
    segmentation,
    transform,
)


@pytest.fixture
def disk():
    image = np.zeros((64, 64))
    image[draw.disk((32, 30), 12)] = 1
    return image


def test_drawing(disk):
    assert disk.sum() == pytest.approx(np.pi * 12**2, rel=0.05)
    rows, columns = draw.line(0, 0, 5, 9)
    assert (len(rows), rows[-1], columns[-1]) == (10, 5, 9)
    inside = draw.polygon2mask((10, 10), [(1, 1), (1, 8), (8, 8), (8, 1)])
    assert inside.sum() == 64


def test_measuring(disk):
    disk[2:6, 2:6] = 1
    labels = measure.label(disk)
    small, large = sorted(measure.regionprops(labels), key=lambda region: region.area)
    assert (small.area, small.centroid) == (16, (3.5, 3.5))
    assert large.centroid == pytest.approx((32, 30))
    assert large.eccentricity < 0.2
    (contour,) = measure.find_contours(disk[16:, 10:], 0.5)
    assert np.hypot(*(contour - [16, 20]).T) == pytest.approx(12, abs=0.8)
    vertices, faces, _, _ = measure.marching_cubes(np.pad(np.ones((4, 4, 4)), 2), 0.5)
    assert measure.mesh_surface_area(vertices, faces) == pytest.approx(6 * 4**2, rel=0.25)


def test_filters():
    image = np.tile([10, 10, 10, 200, 10, 10], (6, 1)).astype(np.uint8)
    image[3, 1] = 255
    assert filters.rank.median(image, np.ones((3, 3)))[3, 1] == 10
    assert filters.median(image)[3, 1] == 10
    assert 10 <= filters.threshold_otsu(image) < 200
    equalized = exposure.equalize_adapthist(image)
    assert 0 <= equalized.min() < equalized.max() <= 1


def test_features(disk):
    edges = feature.canny(disk)
    assert measure.label(edges, connectivity=2).max() == 1
    circles = transform.hough_circle(edges, [8, 12])
    _, columns, rows, radii = transform.hough_circle_peaks(circles, [8, 12], total_num_peaks=1)
    assert (rows[0], columns[0], radii[0]) == pytest.approx((32, 30, 12), abs=1)
    orientations = feature.hog(disk, pixels_per_cell=(16, 16), cells_per_block=(1, 1))
    assert orientations.shape == (4 * 4 * 9,)
    pairs = feature.graycomatrix(disk.astype(np.uint8), [1], [0], levels=2)
    assert pairs.sum() == 64 * 63
    detector = feature.ORB(n_keypoints=20)
    detector.detect_and_extract(transform.resize(np.kron(np.eye(6), np.ones((20, 20))), (160, 160)))
    assert detector.descriptors.shape[1] == 256


def test_there_and_back(disk):
    angles = np.linspace(0, 180, 90, endpoint=False)
    found = transform.iradon(transform.radon(disk, angles), angles, filter_name="ramp")
    assert np.abs(found - disk).mean() < 0.05
    turned = transform.warp(disk, transform.EuclideanTransform(translation=(3, 0)))
    assert np.array_equal(turned[:, :-4].round(), disk[:, 3:-1])
    assert transform.pyramid_reduce(disk).shape == (32, 32)


def test_segments(disk):
    disk[draw.disk((32, 46), 10)] = 1
    markers = np.zeros(disk.shape, int)
    markers[32, 26], markers[32, 50] = 1, 2
    depth = -segmentation.chan_vese(disk).astype(float)
    parts = segmentation.watershed(depth, markers, mask=disk > 0)
    assert set(np.unique(parts)) == {0, 1, 2}
    assert segmentation.flood(disk, (32, 30)).sum() == disk.sum()
    blocks = segmentation.slic(np.dstack([disk] * 3), n_segments=16)
    assert 4 < len(np.unique(blocks)) < 40
    parts = segmentation.felzenszwalb(disk, sigma=0)
    assert parts[32, 30] == parts[32, 46] != parts[0, 0] == parts[63, 63]


def test_shapes(disk):
    line = morphology.skeletonize(disk > 0)
    assert 0 < line.sum() < 20
    assert morphology.reconstruction(disk * 0.5, disk).max() == 0.5
    assert morphology.max_tree(disk.astype(np.uint8))[0].shape == disk.shape
    assert morphology.convex_hull_image(disk > 0).sum() >= disk.sum()


def test_noise_goes():
    noisy = np.full((40, 40), 0.5) + np.random.default_rng(5).normal(scale=0.1, size=(40, 40))
    for smooth in (
        restoration.denoise_tv_bregman(noisy, weight=5),
        restoration.denoise_nl_means(noisy, h=0.2),
        restoration.denoise_bilateral(noisy),
    ):
        assert smooth.std() < 0.7 * noisy.std()
    phase = np.linspace(0, 20, 100)
    assert np.allclose(np.diff(restoration.unwrap_phase(np.angle(np.exp(1j * phase)))), phase[1] - phase[0])


def test_the_cheapest_path():
    costs = np.ones((10, 10))
    costs[5, :9] = 100
    path, cost = graph.route_through_array(costs, (0, 0), (9, 0), fully_connected=False)
    assert (5, 9) in path
    assert cost == len(path) - 1 == 27


def test_files(tmp_path):
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    io.imsave(tmp_path / "a.png", picture, check_contrast=False)
    assert np.array_equal(io.imread(tmp_path / "a.png"), picture)
