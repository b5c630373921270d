"""Images written and read by each library that is linked in, and the features of the project's own iOS wheels."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageMath, ImageMorph, features

_SIZE = (48, 32)


def _gradient():
    image = Image.linear_gradient("L").resize(_SIZE)
    return Image.merge("RGB", (image, image.transpose(Image.Transpose.ROTATE_180), Image.new("L", _SIZE, 90)))


def _through(image, file_format, **options):
    file = BytesIO()
    image.save(file, file_format, **options)
    read = Image.open(BytesIO(file.getvalue()))
    read.load()
    assert read.format == file_format
    return read


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {"optimize": True}),
        ("WEBP", {"lossless": True}),
        ("JPEG2000", {}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "packbits"}),
        ("TIFF", {"compression": "lzma"}),
    ],
    ids=str,
)
def test_without_loss(file_format, options):
    assert _through(_gradient(), file_format, **options).tobytes() == _gradient().tobytes()


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("AVIF", {"quality": 95}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
    ],
    ids=str,
)
def test_with_loss(file_format, options):
    image = _gradient()
    read = _through(image, file_format, **options).convert("RGB")
    apart = [abs(one - other) for one, other in zip(image.tobytes(), read.tobytes(), strict=True)]
    assert sum(apart) / len(apart) < 4
    assert len(set(read.tobytes())) > 20


@pytest.mark.parametrize("file_format", ["WEBP", "AVIF"])
def test_several_frames(file_format):
    red, blue = Image.new("RGB", _SIZE, "red"), Image.new("RGB", _SIZE, "blue")
    file = BytesIO()
    red.save(file, file_format, save_all=True, append_images=[blue], duration=100)
    read = Image.open(BytesIO(file.getvalue()))
    assert read.n_frames == 2
    read.seek(1)
    pixel = read.convert("RGB").getpixel((20, 20))
    assert pixel[2] > 240
    assert pixel[0] < 16


def test_jpeg_that_is_cut_short():
    file = BytesIO()
    _gradient().save(file, "JPEG")
    with pytest.raises(OSError, match=r"(?i)truncated"):
        Image.open(BytesIO(file.getvalue()[:400])).load()


def test_text_is_drawn():
    image = Image.new("L", (120, 40))
    font = ImageFont.load_default(24)
    assert isinstance(font, ImageFont.FreeTypeFont)
    ImageDraw.Draw(image).text((4, 4), "forge", font=font, fill=255)
    assert font.getlength("forge") > font.getlength("for") > 20
    left, top, right, bottom = image.getbbox()
    assert 4 <= left < 10
    assert 40 < right < 110
    assert 4 < top < bottom <= 40


def test_colours_are_converted():
    lab = ImageCms.profileToProfile(
        Image.new("RGB", (2, 2), (255, 0, 0)),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    lightness, *_ = lab.getpixel((0, 0))
    assert 53 <= lightness * 100 / 255 <= 55


def test_pixels_are_computed():
    image = Image.new("I", (4, 4), 7)
    result = ImageMath.lambda_eval(lambda args: args["image"] * 6 + 1, image=image)
    assert result.getpixel((3, 3)) == 43


def test_shapes_are_found():
    image = Image.new("L", (9, 9))
    image.putpixel((4, 4), 255)
    changed, grown = ImageMorph.MorphOp(op_name="dilation4").apply(image)
    assert changed == 4
    assert grown.getpixel((4, 3)) == 255


def test_features():
    assert set(features.get_supported_modules()) == {"pil", "freetype2", "littlecms2", "webp", "avif"}
    assert set(features.get_supported_codecs()) == {"jpg", "jpg_2000", "zlib", "libtiff"}
    assert set(features.get_supported_features()) == {"libjpeg_turbo"}
