"""OpenCV's modules through cv2: codecs, filters, features, geometry, networks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


def picture() -> np.ndarray:
    """A smooth picture with shapes on it, 96 by 128, blue, green and red."""
    rows, columns = np.mgrid[0:96, 0:128]
    image = np.stack([rows * 2, columns * 2, (rows + columns)], axis=-1).clip(0, 255).astype(np.uint8)
    cv2.rectangle(image, (20, 20), (60, 50), (255, 255, 255), -1)
    cv2.circle(image, (90, 60), 18, (0, 0, 0), -1)
    return image


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tiff"])
def test_lossless_codecs(suffix: str) -> None:
    image = picture()
    done, data = cv2.imencode(suffix, image)
    assert done
    assert np.array_equal(cv2.imdecode(data, cv2.IMREAD_COLOR), image)


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".jpg", b"\xff\xd8\xff"), (".webp", b"RIFF"), (".jp2", b"\0\0\0\x0cjP")]
)
def test_lossy_codecs(suffix: str, magic: bytes) -> None:
    image = picture()
    done, data = cv2.imencode(suffix, image)
    assert done
    assert data.tobytes().startswith(magic)
    again = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert again.shape == image.shape
    assert cv2.PSNR(image, again) > 25


def test_colours_and_thresholds() -> None:
    grey = cv2.cvtColor(picture(), cv2.COLOR_BGR2GRAY)
    assert grey[30, 30] == 255
    assert grey[60, 90] == 0
    level, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    assert 0 < level < 255
    assert set(np.unique(mask)) == {0, 255}
    hsv = cv2.cvtColor(np.uint8([[[0, 0, 255]]]), cv2.COLOR_BGR2HSV)
    assert hsv.ravel().tolist() == [0, 255, 255]


def test_filters() -> None:
    impulse = np.zeros((9, 9), np.float32)
    impulse[4, 4] = 1
    kernel = cv2.getGaussianKernel(5, 1.0, cv2.CV_32F)
    blurred = cv2.GaussianBlur(impulse, (5, 5), 1.0)
    assert np.allclose(blurred[2:7, 2:7], kernel @ kernel.T, atol=1e-6)
    edges = cv2.Canny(picture(), 100, 200)
    assert edges[35, 20] or edges[35, 19]
    assert cv2.medianBlur(np.uint8([[0, 9, 0]] * 3), 3)[1, 1] == 0


def test_contours_and_moments() -> None:
    mask = np.zeros((100, 100), np.uint8)
    cv2.rectangle(mask, (10, 20), (49, 79), 255, -1)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    assert len(contours) == 1
    assert cv2.boundingRect(contours[0]) == (10, 20, 40, 60)
    assert cv2.contourArea(contours[0]) == 39 * 59
    moments = cv2.moments(mask, binaryImage=True)
    assert moments["m00"] == 40 * 60
    assert moments["m10"] / moments["m00"] == pytest.approx(29.5)


def test_geometry() -> None:
    image = picture()
    turned = cv2.rotate(cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE), cv2.ROTATE_90_COUNTERCLOCKWISE)
    assert np.array_equal(turned, image)
    moved = cv2.warpAffine(image, np.float32([[1, 0, 5], [0, 1, 3]]), (128, 96))
    assert np.array_equal(moved[3:, 5:], image[:-3, :-5])
    assert cv2.resize(image, (64, 48), interpolation=cv2.INTER_AREA).shape == (48, 64, 3)


def test_linear_algebra() -> None:
    matrix = np.float64([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
    done, solution = cv2.solve(matrix, np.float64([[1], [2], [3]]), flags=cv2.DECOMP_SVD)
    assert done
    assert np.allclose(matrix @ solution, [[1], [2], [3]])
    done, values, _ = cv2.eigen(matrix)
    assert done
    assert np.allclose(np.sort(values.ravel()), np.linalg.eigvalsh(matrix))
    signal = np.arange(16, dtype=np.float32).reshape(1, -1)
    assert np.allclose(cv2.idft(cv2.dft(signal), flags=cv2.DFT_SCALE), signal, atol=1e-5)


def test_features_find_where_a_picture_was_moved() -> None:
    random = np.random.default_rng(7)
    image = cv2.resize(random.integers(0, 256, (30, 40), np.uint8), (320, 240), interpolation=cv2.INTER_NEAREST)
    moved = cv2.warpAffine(image, np.float32([[1, 0, 12], [0, 1, 7]]), (320, 240))
    detector = cv2.ORB_create(300)
    points, found = detector.detectAndCompute(image, None)
    others, there = detector.detectAndCompute(moved, None)
    matches = sorted(cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(found, there), key=lambda m: m.distance)
    shifts = [np.subtract(others[m.trainIdx].pt, points[m.queryIdx].pt) for m in matches[:50]]
    assert np.allclose(np.median(shifts, axis=0), [12, 7], atol=1)


def test_a_camera_s_pose() -> None:
    corners = np.float64([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    camera = np.float64([[500, 0, 160], [0, 500, 120], [0, 0, 1]])
    turn, move = np.float64([[0.1], [-0.2], [0.3]]), np.float64([[0.2], [-0.1], [8]])
    seen, _ = cv2.projectPoints(corners, turn, move, camera, None)
    done, found_turn, found_move = cv2.solvePnP(corners, seen, camera, None)
    assert done
    assert np.allclose(found_turn, turn, atol=1e-4)
    assert np.allclose(found_move, move, atol=1e-4)


def test_a_qr_code_is_written_and_read() -> None:
    code = cv2.QRCodeEncoder_create().encode("forge for iOS")
    large = cv2.copyMakeBorder(code, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=255)
    large = cv2.resize(large, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    text, corners, _ = cv2.QRCodeDetector().detectAndDecode(large)
    assert text == "forge for iOS"
    assert corners.shape == (1, 4, 2)


def test_optical_flow() -> None:
    random = np.random.default_rng(3)
    image = cv2.GaussianBlur(random.integers(0, 256, (120, 160), np.uint8), (0, 0), 3)
    moved = cv2.warpAffine(image, np.float32([[1, 0, 2], [0, 1, 1]]), (160, 120), borderMode=cv2.BORDER_REFLECT)
    points = np.float32([[[x, y]] for x in range(40, 120, 20) for y in range(40, 90, 20)])
    found, status, _ = cv2.calcOpticalFlowPyrLK(image, moved, points, None)
    assert status.all()
    assert np.allclose(np.median(found - points, axis=0), [[2, 1]], atol=0.2)


def test_settings_are_stored(tmp_path: object) -> None:
    path = f"{tmp_path}/settings.yml"
    storage = cv2.FileStorage(path, cv2.FILE_STORAGE_WRITE)
    storage.write("matrix", np.eye(3))
    storage.release()
    storage = cv2.FileStorage(path, cv2.FILE_STORAGE_READ)
    assert np.array_equal(storage.getNode("matrix").mat(), np.eye(3))


def test_errors_are_python_s() -> None:
    with pytest.raises(cv2.error, match="empty"):
        cv2.cvtColor(np.zeros((0, 0, 3), np.uint8), cv2.COLOR_BGR2GRAY)


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer, numbers below 128 and lengths below 16384."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value) & 0x7F | 0x80, len(value) >> 7]) + value


def test_a_network() -> None:
    """An ONNX file with one layer: y = relu(x @ w + b)."""
    random = np.random.default_rng(5)
    weights, bias = random.normal(size=(6, 4)).astype(np.float32), random.normal(size=4).astype(np.float32)

    def tensor(name: bytes, values: np.ndarray) -> bytes:
        shape = b"".join(field(1, size) for size in values.shape)
        return shape + field(2, 1) + field(8, name) + field(9, values.tobytes())

    def value(name: bytes, shape: tuple[int, ...]) -> bytes:
        sizes = b"".join(field(1, field(1, size)) for size in shape)
        return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))

    gemm = field(1, b"x") + field(1, b"w") + field(1, b"b") + field(2, b"h") + field(4, b"Gemm")
    relu = field(1, b"h") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, gemm) + field(1, relu) + field(2, b"g") + field(5, tensor(b"w", weights))
    graph += field(5, tensor(b"b", bias)) + field(11, value(b"x", (2, 6))) + field(12, value(b"y", (2, 4)))
    model = field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 13))
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    given = random.normal(size=(2, 6)).astype(np.float32)
    network.setInput(given)
    assert np.allclose(network.forward(), np.maximum(given @ weights + bias, 0), atol=1e-5)
