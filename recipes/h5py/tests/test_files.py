"""Files written and read by HDF5 through h5py: storage, filters, types, references, scales."""

import io

import h5py
import numpy as np
import pytest
from h5py import h5d, h5s, h5t

_GRID = np.arange(1200, dtype="<i4").reshape(30, 40)


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as opened:
        yield opened


def _again(file):
    """The same file, closed and opened to read."""
    name = file.filename
    file.close()
    return h5py.File(name, "r")


def test_the_library():
    assert h5py.version.hdf5_version_tuple == h5py.version.hdf5_built_version_tuple
    assert h5py.version.hdf5_version_tuple >= (1, 14, 5)
    assert h5py.h5z.filter_avail(h5py.h5z.FILTER_DEFLATE)
    assert h5py.h5z.filter_avail(h5py.h5z.FILTER_LZF)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"chunks": (7, 11)},
        {"compression": "gzip", "compression_opts": 9, "shuffle": True},
        {"compression": "lzf"},
        {"fletcher32": True, "maxshape": (None, 40)},
        {"scaleoffset": 0},
    ],
)
def test_storage(file, options):
    data = file.create_dataset("a/b/grid", data=_GRID, **options)
    assert data.compression == options.get("compression")
    with _again(file) as read:
        stored = read["a/b/grid"]
        assert (stored[...] == _GRID).all()
        assert (stored[3:29:5, [0, 7, 39]] == _GRID[3:29:5][:, [0, 7, 39]]).all()
        assert (stored[stored[...] % 97 == 5] == _GRID[_GRID % 97 == 5]).all()


def test_compression_makes_it_smaller(file):
    zeros = file.create_dataset("zeros", data=np.zeros((256, 256)), chunks=(256, 256), compression="gzip")
    assert zeros.id.get_storage_size() < 2000
    file.flush()
    assert zeros.id.read_direct_chunk((0, 0))[1][:1] == b"\x78"


def test_resizing_and_filling(file):
    data = file.create_dataset("data", (2, 3), maxshape=(None, 3), dtype=">f8", fillvalue=-1.5)
    data[0] = [1, 2, 3]
    data.resize(4, axis=0)
    with _again(file) as read:
        assert read["data"].dtype == ">f8"
        assert read["data"][...].tolist() == [[1, 2, 3], [-1.5] * 3, [-1.5] * 3, [-1.5] * 3]


def test_attributes(file):
    group = file.create_group("group", track_order=True)
    group.attrs["number"] = np.int16(-7)
    group.attrs["text"] = "Zürich ✓"
    group.attrs["list"] = [0.5, 0.25]
    group.attrs.create("bytes", np.bytes_(b"abc"))
    group.attrs["gone"] = 1
    del group.attrs["gone"]
    with _again(file) as read:
        attributes = read["group"].attrs
        assert set(attributes) == {"number", "text", "list", "bytes"}
        assert (attributes["number"], attributes["number"].dtype) == (-7, np.int16)
        assert attributes["text"] == "Zürich ✓"
        assert attributes["list"].tolist() == [0.5, 0.25]
        assert attributes["bytes"] == b"abc"
        with pytest.raises(KeyError):
            attributes["gone"]


def test_strings_of_any_length(file):
    words = ["", "a", "日本語", "x" * 5000]
    file.create_dataset("objects", data=words, dtype=h5py.string_dtype())
    file.create_dataset("fixed", data=np.array([b"ab", b"cde"], "S3"))
    numpys = file.create_dataset("numpys", (4,), dtype=np.dtypes.StringDType())
    numpys[...] = words
    ragged = file.create_dataset("ragged", (3,), dtype=h5py.vlen_dtype(np.uint8))
    ragged[0], ragged[2] = [1, 2, 3], [255]
    with _again(file) as read:
        assert [word.decode() for word in read["objects"][...]] == words
        assert read["objects"].asstr()[2] == "日本語"
        assert read["numpys"].astype("T")[...].tolist() == words
        assert read["fixed"][...].tolist() == [b"ab", b"cde"]
        assert [row.tolist() for row in read["ragged"][...]] == [[1, 2, 3], [], [255]]


@pytest.mark.parametrize("kind", ["i1", "u2", "<i8", ">u4", "f2", ">f4", "f8", "c8", ">c16", "g", "G", "?"])
def test_numbers(file, kind):
    values = np.array([0, 1, 1], dtype=kind) * np.array(1, dtype=kind)
    file["values"] = values.astype(kind)
    with _again(file) as read:
        assert read["values"].dtype == np.dtype(kind)
        assert (read["values"][...] == values).all()


def test_conversion(file):
    file["half"] = np.array([0.5, -2.0, 65504.0, 1e-7], "f2")
    file["wide"] = np.array([-1, 300, 70000], "i8")
    assert file["half"].astype("f8")[...].tolist() == [0.5, -2.0, 65504.0, float(np.float16(1e-7))]
    # HDF5 clips what does not fit.
    assert file["wide"].astype("u1")[...].tolist() == [0, 255, 255]


def test_compounds_and_enumerations(file):
    colours = h5py.enum_dtype({"RED": 0, "GREEN": 1}, basetype="u1")
    kind = np.dtype([("name", h5py.string_dtype()), ("at", "f4", (2,)), ("colour", colours)])
    table = file.create_dataset("table", (2,), dtype=kind, chunks=True)
    table[0] = ("first", (1.5, 2.5), 1)
    table["at", 1] = (3, 4)
    with _again(file) as read:
        assert read["table"]["name"].tolist() == [b"first", b""]
        assert read["table"]["at"].tolist() == [[1.5, 2.5], [3, 4]]
        assert h5py.check_enum_dtype(read["table"].dtype["colour"]) == {"RED": 0, "GREEN": 1}


def test_links_and_references(file):
    grid = file.create_dataset("grid", data=_GRID)
    file["soft"] = h5py.SoftLink("/grid")
    file["hard"] = grid
    file["broken"] = h5py.SoftLink("/nothing")
    file.create_dataset("object", data=grid.ref, dtype=h5py.ref_dtype)
    file.create_dataset("region", data=grid.regionref[4:6, 1:3], dtype=h5py.regionref_dtype)
    with _again(file) as read:
        assert read["soft"] == read["hard"] == read["grid"]
        assert read.get("broken") is None
        assert read.get("soft", getlink=True).path == "/grid"
        assert read[read["object"][()]].name == "/grid"
        region = read["region"][()]
        assert read[region][region].tolist() == _GRID[4:6, 1:3].tolist()
        names = []
        read.visit(names.append)
        # Each object once, and no soft links.
        assert len(names) == 3


def test_scales_of_the_high_level_library(file):
    file["grid"] = _GRID
    file["x"] = np.linspace(0, 1, 40)
    file["x"].make_scale("x axis")
    file["grid"].dims[1].attach_scale(file["x"])
    file["grid"].dims[0].label = "row"
    with _again(file) as read:
        assert read["x"].is_scale
        assert read["grid"].dims[1]["x axis"] == read["x"]
        assert [dimension.label for dimension in read["grid"].dims] == ["row", ""]


def test_a_virtual_dataset(file, tmp_path):
    layout = h5py.VirtualLayout((3, 4), dtype="i4")
    for row in range(3):
        with h5py.File(tmp_path / f"{row}.h5", "w") as part:
            part["row"] = np.full(4, row, "i4")
        layout[row] = h5py.VirtualSource(tmp_path / f"{row}.h5", "row", (4,))
    file.create_virtual_dataset("all", layout, fillvalue=-1)
    with _again(file) as read:
        assert read["all"][...].tolist() == [[row] * 4 for row in range(3)]


def test_files_in_memory():
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as written:
        written["x"] = np.arange(10)
    assert buffer.getvalue().startswith(b"\x89HDF\r\n\x1a\n")
    with h5py.File(buffer, "r") as read:
        assert read["x"][...].sum() == 45
    with h5py.File("core.h5", "w", driver="core", backing_store=False) as core:
        core["x"] = 1
        core.flush()
        image = core.id.get_file_image()
    assert image.startswith(b"\x89HDF")


def test_many_handles(tmp_path):
    # The modules share one library, and what it counts.
    with h5py.File(tmp_path / "many.h5", "w", libver="latest") as many:
        for number in range(200):
            many.create_group(f"{number % 10}/{number}").attrs["n"] = number
        assert sum(group.attrs["n"] for top in many.values() for group in top.values()) == 199 * 100
    assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == 0


def test_low_level(file):
    space = h5s.create_simple((10,))
    low = h5d.create(file.id, b"low", h5t.STD_I32BE, space)
    space.select_hyperslab((2,), (4,), stride=(2,))
    low.write(h5s.create_simple((4,)), space, np.array([1, 2, 3, 4], "i4"))
    assert space.get_select_npoints() == 4
    assert file["low"][...].tolist() == [0, 0, 1, 0, 2, 0, 3, 0, 4, 0]


def test_errors(file, tmp_path):
    (tmp_path / "no.h5").write_bytes(b"not HDF5" * 100)
    with pytest.raises(OSError, match="file signature not found"):
        h5py.File(tmp_path / "no.h5", "r")
    with pytest.raises(FileNotFoundError):
        h5py.File(tmp_path / "missing.h5", "r")
    file.create_group("a")
    with pytest.raises(ValueError, match="name already exists"):
        file.create_group("a")
    with pytest.raises(KeyError):
        file["nothing"]
