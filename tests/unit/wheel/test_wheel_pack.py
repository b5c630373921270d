from __future__ import annotations

import os
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.tags import parse_tag

from forge.base.errors import WheelError
from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.wheel.contents import read_wheel
from forge.wheel.pack import pack_wheel, repack, rewrite_tags, unpack_wheel
from tests.unit.wheel.wheels import DEVICE, make_wheel, wheel_text

EPOCH = 1_700_000_000
SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.ARM64, IOSVersion(13, 0))


def test_order_modes_and_times(tmp_path: Path) -> None:
    files = {"z.py": b"", "example/run": b"", "zz.data/x": b"", "example-1.0.dist-info/aaa": b""}
    wheel = make_wheel(tmp_path / "in", files, executables=frozenset({"example/run"}))
    out = repack(wheel, tmp_path / "out", source_date_epoch=EPOCH)
    assert out.name == wheel.name
    with zipfile.ZipFile(out) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == [
        "example/run",
        "z.py",
        "zz.data/x",
        "example-1.0.dist-info/METADATA",
        "example-1.0.dist-info/WHEEL",
        "example-1.0.dist-info/aaa",
        "example-1.0.dist-info/RECORD",
    ]
    assert {entry.date_time for entry in entries} == {(2023, 11, 14, 22, 13, 20)}
    assert [oct(entry.external_attr >> 16) for entry in entries[:2]] == ["0o100755", "0o100644"]
    assert read_wheel(out).record_problems == ()
    assert [path.name for path in (tmp_path / "out").iterdir()] == [out.name]


@pytest.mark.parametrize(("epoch", "year"), [(0, 1980), (-5, 1980), (EPOCH, 2023), (1 << 40, 2107)])
def test_times_are_clamped_to_what_zip_can_say(tmp_path: Path, epoch: int, year: int) -> None:
    out = repack(make_wheel(tmp_path / "in"), tmp_path, source_date_epoch=epoch)
    with zipfile.ZipFile(out) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {year}


names = st.from_regex(r"[a-z]{1,4}(/[a-zA-Z_.\u00fc]{1,4}[a-z]){0,2}", fullmatch=True)


@settings(max_examples=40)
@given(files=st.dictionaries(names, st.binary(max_size=100), max_size=6), executable=st.booleans())
def test_packing_is_idempotent_and_reproducible(files: dict[str, bytes], executable: bool) -> None:
    files = {name: data for name, data in files.items() if not any(other.startswith(f"{name}/") for other in files)}
    with TemporaryDirectory() as directory:
        root = Path(directory)
        marked = frozenset(files) if executable else frozenset()
        wheel = make_wheel(root / "in", files, executables=marked)
        first = repack(wheel, root / "1", source_date_epoch=EPOCH).read_bytes()
        again = repack(root / "1" / wheel.name, root / "2", source_date_epoch=EPOCH).read_bytes()
        # The same files in another order, with other times and modes that say the same.
        other = make_wheel(root / "3", dict(reversed(files.items())), executables=marked)
        unpack_wheel(other, root / "tree")
        for path in (root / "tree").rglob("*"):
            os.utime(path, (1, 1))
            if path.is_file():
                path.chmod(path.stat().st_mode & 0o700 | 0o020)
        assert first == again == pack_wheel(root / "tree", root / "4", source_date_epoch=EPOCH).read_bytes()
        packed = dict(read_wheel(root / "1" / wheel.name).read_all())
        assert files.items() <= packed.items()


def test_build_tag_and_compressed_tags_are_kept(tmp_path: Path) -> None:
    text = wheel_text("py3-none-any", "py2-none-any", pure=True, extra="Build: 2\n")
    wheel = make_wheel(tmp_path, wheel=text, filename="example-1.0-2-py2.py3-none-any.whl")
    assert repack(wheel, tmp_path / "out", source_date_epoch=EPOCH).name == wheel.name


def test_signatures_of_the_old_record_are_left_out(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"example-1.0.dist-info/RECORD.jws": b"{}"})
    out = repack(wheel, tmp_path / "out", source_date_epoch=EPOCH)
    assert all("jws" not in member.path for member in read_wheel(out).members)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "Wheel-Version: 1.0\nTag: a-b-c\nGenerator: x\nTag: d-e-f\n",
            "Wheel-Version: 1.0\n{}Generator: x\n",
        ),
        ("Wheel-Version: 1.0\r\nTag: a-b-c\r\n", "Wheel-Version: 1.0\n{}"),
        ("Root-Is-Purelib: true\nBuild: 1\n", "Root-Is-Purelib: true\n{}Build: 1\n"),
        ("Wheel-Version: 1.0\n\n", "Wheel-Version: 1.0\n{}\n"),
        ("Wheel-Version: 1.0", "Wheel-Version: 1.0\n{}"),
    ],
)
def test_rewritten_tags(before: str, after: str) -> None:
    tags = "Tag: py2-none-any\nTag: py3-none-any\n"
    assert rewrite_tags(before.encode(), parse_tag("py3.py2-none-any")).decode() == after.format(tags)


def test_trees_that_are_no_wheels(tmp_path: Path) -> None:
    def refused(tree: Path, text: str) -> None:
        with pytest.raises(WheelError, match=text):
            pack_wheel(tree, tmp_path / "out", source_date_epoch=EPOCH)
        assert not (tmp_path / "out").exists()

    tree = tmp_path / "tree"
    tree.mkdir()
    refused(tree, "no files to pack")
    (tree / "x.py").touch()
    refused(tree, "no dist-info directory")
    dist_info = tree / "example-1.0.dist-info"
    dist_info.mkdir()
    (dist_info / "METADATA").touch()
    refused(tree, "WHEEL is missing")
    (dist_info / "WHEEL").write_text(wheel_text())
    refused(tree, "at least one tag")
    (dist_info / "WHEEL").write_text(wheel_text(DEVICE))
    (tree / "link").symlink_to("x.py")
    refused(tree, "link is a symbolic link")
    (tree / "link").unlink()
    os.mkfifo(tree / "fifo")
    refused(tree, "fifo is a special file")


def test_unsafe_wheel_leaves_nothing(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "in", {"data": os.urandom(4096)})
    damaged = bytearray(wheel.read_bytes())
    damaged[1000] ^= 0xFF
    wheel.write_bytes(damaged)
    with pytest.raises(WheelError):
        unpack_wheel(wheel, tmp_path / "tree")
    with pytest.raises(WheelError):
        repack(wheel, tmp_path / "out", source_date_epoch=EPOCH)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out"]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_step_on_the_way_is_stored_as_it_is(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    unpack_wheel(make_wheel(tmp_path / "in", {"z.py": b"x = 1\n" * 1000}), tree)
    stored = pack_wheel(tree, tmp_path / "stored", source_date_epoch=EPOCH, compress=False)
    packed = pack_wheel(tree, tmp_path / "packed", source_date_epoch=EPOCH)
    with zipfile.ZipFile(stored) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert dict(read_wheel(stored).read_all()) == dict(read_wheel(packed).read_all())
    assert stored.stat().st_size > packed.stat().st_size
