"""Unpacking: what is kept, what is refused, what is damaged."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forge.base.errors import SourceError
from forge.source.archive import Limits, unpack

from .conftest import plain

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

TIME = 1_234_567_890


def entry(
    name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime, info.size = kind, link, mode, TIME, len(content)
    info.uid = info.gid = 12345
    return info, content


def make_tar(path: Path, *entries: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]  # the mode is a parameter
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return path


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.SYMTYPE, link=target)


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar(tmp_path: Path, mode: str) -> None:
    archive = make_tar(
        tmp_path / "x.tar",
        entry("./", kind=tarfile.DIRTYPE),
        entry("./x-1/", kind=tarfile.DIRTYPE, mode=0o555),
        entry("./x-1/a", b"A"),
        entry("./x-1/configure", b"#!", mode=0o755),
        entry("./x-1/sub/b", b"B", mode=0o400),
        symlink("x-1/sub/link", "../a"),
        entry("x-1/hard", kind=tarfile.LNKTYPE, link="x-1/a"),
        mode=mode,
    )
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    unpack(archive, out)
    assert tree(out) == {"a": "A", "configure": "#!", "sub/b": "B", "sub/link": "../a", "hard": "A"}
    assert {(out / name).stat().st_mtime for name in ("a", "configure", "sub/b")} == {TIME}
    assert [(out / name).stat().st_mode & 0o777 for name in ("a", "configure", "sub/b")] == [
        0o644,
        0o755,
        0o644,
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "x.tar"]


def test_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        for name, mode, content in [
            ("x/run", 0o100755, "r"),
            ("x/a", 0o100644, "a"),
            ("x/link", 0o120777, "a"),
        ]:
            info = zipfile.ZipInfo(name, (2001, 2, 3, 4, 5, 6))
            info.external_attr = mode << 16
            zipped.writestr(info, content)
        zipped.mkdir("x/empty")
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert tree(tmp_path / "out") == {"run": "r", "a": "a", "link": "a"}
    assert (tmp_path / "out" / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out" / "a").stat().st_mtime == 981_173_106  # 2001-02-03 04:05:06 UTC
    assert (tmp_path / "out" / "empty").is_dir()


@pytest.mark.parametrize("names", [["a", "b"], ["x/a", "y"], ["a"]])
def test_without_one_top_directory_nothing_is_stripped(tmp_path: Path, names: list[str]) -> None:
    unpack(make_tar(tmp_path / "x", *(entry(name, b"") for name in names)), tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == names


def test_the_last_of_two_members_counts(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x", entry("x/a", b"1"), symlink("x/b", "a"), entry("x/a", b"2"), entry("x/b", b"3"))
    unpack(archive, tmp_path / "out")
    assert tree(tmp_path / "out") == {"a": "2", "b": "3"}


UNSAFE = {
    "absolute": [entry("/etc/x", b"")],
    "parent": [entry("x/../../y", b"")],
    "absolute link": [symlink("x/a", "/etc/passwd")],
    "link outside": [symlink("x/a", "../../y")],
    "link outside by another link": [symlink("x/p/q/b", "../.."), symlink("x/p/q/a", "b/../../y")],
    "through a link": [symlink("x/a", "."), entry("x/a/b", b"")],
    "through a file": [entry("x/a", b""), entry("x/a/b", b"")],
    "file for a directory": [entry("x/a/b", b""), entry("x/a", b"")],
    "directory for a file": [entry("x/a", b""), entry("x/a", kind=tarfile.DIRTYPE)],
    "hard link outside": [entry("x/a", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    "hard link to a link": [symlink("x/b", "c"), entry("x/a", kind=tarfile.LNKTYPE, link="x/b")],
    "hard link to nothing": [entry("x/a", kind=tarfile.LNKTYPE, link="x/b")],
    "device": [entry("x/a", kind=tarfile.CHRTYPE)],
    "pipe": [entry("x/a", kind=tarfile.FIFOTYPE)],
    "too large": [entry("x/a", b"1" * 600), entry("x/b", b"1" * 600)],
    "too many": [entry(f"x/{number}", b"") for number in range(30)],
    "nothing": [],
}


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe(case: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    archive = make_tar(tmp_path / "x.tar.gz", *UNSAFE[case])
    with pytest.raises(SourceError) as caught:
        unpack(archive, tmp_path / "out", Limits(total_bytes=1000, members=20))
    assert plain(caught.value.message, tmp_path) == snapshot
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz"]


@pytest.mark.parametrize("suffix", ["w:gz", "w:bz2", "w:xz"])
def test_truncated(tmp_path: Path, suffix: str) -> None:
    archive = make_tar(tmp_path / "x", entry("x/a", bytes(range(256)) * 4000), mode=suffix)
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(SourceError, match="x is damaged"):
        unpack(archive, tmp_path / "out")


def test_truncated_without_compression(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x", entry("x/a", b"1" * 5000), mode="w")
    archive.write_bytes(archive.read_bytes()[:2000])
    with pytest.raises(SourceError, match="x is damaged"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more", b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08"])
def test_no_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(SourceError):
        unpack(tmp_path / "x", tmp_path / "out")
    assert not (tmp_path / "out").exists()


NAME = st.lists(st.sampled_from(["a", "b", "..", ".", "", "/"]), min_size=1, max_size=5).map("/".join)
MEMBER = st.tuples(NAME, st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE]), NAME)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(MEMBER, max_size=6))
def test_no_name_or_link_gets_out(tmp_path: Path, listed: list[tuple[str, bytes, str]]) -> None:
    members = [
        entry(name, b"1" if kind == tarfile.REGTYPE else b"", kind=kind, link=link) for name, kind, link in listed
    ]
    archive = make_tar(tmp_path / "x", *members, mode="w")
    out = tmp_path / "deep" / "out"
    try:
        unpack(archive, out)
    except SourceError:
        return
    finally:
        assert {path.name for path in tmp_path.iterdir()} <= {"x", "deep"}
        assert {path.name for path in (tmp_path / "deep").glob("*")} <= {"out"}
    for path in out.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out))  # resolve() fails at loops


def test_too_deep(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar.gz", entry("a/" * 1500 + "b"))
    with pytest.raises(SourceError, match="nest more than 100 deep"):
        unpack(archive, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.tar.gz"]


def test_a_zip_without_dates(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        file.writestr("x/a", b"A")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    for signature, offset in ((b"PK\x03\x04", 10), (b"PK\x01\x02", 12)):  # time and date, of both headers
        at = content.index(signature) + offset
        content[at : at + 4] = bytes(4)
    (tmp_path / "x.zip").write_bytes(content)
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert (tmp_path / "out" / "a").stat().st_mtime == 315_532_800


def test_a_zip_with_the_separators_of_windows(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as file:
        for name in ("x\\pyproject.toml", "x\\src\\a.py"):
            info = zipfile.ZipInfo(name)
            info.create_system = 0
            file.writestr(info, b"")
        outside = zipfile.ZipInfo("x\\..\\..\\y")
        outside.create_system = 0
    unpack(tmp_path / "x.zip", tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {"pyproject.toml", "src/a.py"}
    with zipfile.ZipFile(tmp_path / "x.zip", "a") as file:
        file.writestr(outside, b"")
    with pytest.raises(SourceError, match="is outside it"):
        unpack(tmp_path / "x.zip", tmp_path / "other")


@pytest.mark.parametrize("top", ["", "x-1/"])
def test_one_directory_alone(tmp_path: Path, top: str) -> None:
    archive = make_tar(
        tmp_path / "x.tar",
        entry(f"{top}Include/a.h", b"a"),
        entry(f"{top}Include/cpython/b.h", b"b"),
        entry(f"{top}Lib/c.py", b"c"),
        entry(f"{top}Lib/more/Include/d.h", b"d"),
        entry(f"{top}IncludeOther/e.h", b"e"),
        symlink(f"{top}far", "/etc"),
    )
    unpack(archive, tmp_path / "out", Limits(inside="Include"))
    found = {Path(name).name for name in tree(tmp_path / "out")}
    assert found == {"a.h", "b.h"}


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "x.tar", entry("x-1/Lib/c.py", b"c"))
    with pytest.raises(SourceError, match=r"x\.tar does not contain Include"):
        unpack(archive, tmp_path / "out", Limits(inside="Include"))
    assert not (tmp_path / "out").exists()
