from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.tags import parse_tag

from forge.base.errors import WheelError
from forge.wheel.archive import Limits
from forge.wheel.contents import read_wheel
from tests.unit.wheel.wheels import DEVICE, make_wheel, record_line, wheel_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion


def test_sound_wheel(tmp_path: Path) -> None:
    files = {"example/__init__.py": b"", "example/_x.abi3.so": b"x", "example/bin/run": b"#!/bin/sh\n"}
    metadata = "Metadata-Version: 2.1\nName: Example\nVersion: 1.0\nRequires-Python: >=3.9\n"
    metadata += "Requires-Dist: a\n\nBody\n"
    wheel = make_wheel(tmp_path, files, metadata=metadata, executables=frozenset({"example/bin/run"}))
    contents = read_wheel(wheel)
    assert contents.dist_info == "example-1.0.dist-info"
    assert (contents.metadata.name, contents.metadata.version) == ("Example", "1.0")
    assert (contents.metadata.requires_python, contents.metadata.requires_dist) == (">=3.9", ("a",))
    assert contents.wheel.tags == parse_tag(DEVICE)
    assert contents.wheel.generator == "tests 1.0"
    assert not contents.wheel.root_is_purelib
    assert [extension.module for extension in contents.extensions] == ["example._x"]
    assert contents.record_problems == ()
    assert {m.path for m in contents.members if m.executable} == {"example/bin/run"}
    assert contents.read("example/_x.abi3.so") == b"x"
    assert dict(contents.read_all())["example/_x.abi3.so"] == b"x"
    with pytest.raises(WheelError, match="no such member"):
        contents.read("absent")


def test_record_problems(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    files = {name: name.encode() for name in ("ok", "changed", "size", "md5", "nohash", "unlisted", "twice")}
    lines = record_line("ok", b"ok") + record_line("changed", b"before") + record_line("gone", b"gone")
    lines += record_line("size", b"size").replace(",4\n", ",5\n") + "md5,md5=abc,3\n" + "nohash,,\n"
    lines += record_line("twice", b"twice") * 2
    wheel = make_wheel(tmp_path, files, record=lines)
    assert [f"{p.member} {p.text}" for p in read_wheel(wheel).record_problems] == snapshot


def test_signatures_of_record_are_not_in_it(tmp_path: Path) -> None:
    dist_info = "example-1.0.dist-info"
    metadata, text = "Name: example\nVersion: 1.0\n", wheel_text(DEVICE)
    record = record_line(f"{dist_info}/METADATA", metadata.encode()) + record_line(f"{dist_info}/WHEEL", text.encode())
    files = {f"{dist_info}/RECORD.jws": b"{}"}
    wheel = make_wheel(tmp_path, files, metadata=metadata, wheel=text, record=record)
    assert read_wheel(wheel).record_problems == ()


def zip_of(*entries: tuple[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries:
            entry = zipfile.ZipInfo("x", (2024, 1, 1, 0, 0, 0))
            entry.filename = name  # ZipInfo's constructor would mend it
            entry.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(entry)
            archive.writestr(entry, data)
    return out.getvalue()


def as_link(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16


def as_fifo(entry: zipfile.ZipInfo) -> None:
    entry.external_attr = (stat.S_IFIFO | 0o644) << 16


def as_bzip2(entry: zipfile.ZipInfo) -> None:
    entry.compress_type = zipfile.ZIP_BZIP2


def with_flag(data: bytes, flag: int, *, clear: int = 0) -> bytes:
    """The archive of one member with a general-purpose flag set in both its headers."""
    mutable = bytearray(data)
    for at in (6, data.index(b"PK\1\2") + 8):
        value = struct.unpack_from("<H", data, at)[0]
        struct.pack_into("<H", mutable, at, value & ~clear | flag)
    return bytes(mutable)


ONE = zip_of(("a", b"a"))
TRICKS = {
    "empty file": b"",
    "text": b"no zip file",
    "only an end": b"PK\5\6" + bytes(18),
    "cut off": ONE[:-10],
    "prefixed": b"#!/bin/sh\n" + ONE,
    "parent": zip_of(("../evil", b"")),
    "parent inside": zip_of(("a/../../evil", b"")),
    "absolute": zip_of(("/etc/evil", b"")),
    "drive": zip_of(("C:/evil", b"")),
    "backslash": zip_of(("..\\evil", b"")),
    "dot": zip_of(("./a", b"")),
    "double slash": zip_of(("a//b", b"")),
    "line break": zip_of(("a\nb", b"")),
    "nul": zip_of(("a\0b", b"")),
    "below a file": zip_of(("a", b""), ("a/b", b"")),
    "link": zip_of(("a", b"/etc/passwd"), change=as_link),
    "fifo": zip_of(("a", b""), change=as_fifo),
    "bzip2": zip_of(("a", b"a"), change=as_bzip2),
    "encrypted": with_flag(ONE, 0x1),
    "not marked as UTF-8": with_flag(zip_of(("\u00fc", b"")), 0, clear=0x800),
    "not UTF-8": zip_of(("\u00fc", b"")).replace("\u00fc".encode(), b"\xff\xfe"),
    "bomb": zip_of(("a", bytes(20 << 20))),
    "directory with contents": zip_of(("a/", b"contents")),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_tricks(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    path = tmp_path / "x-1.0-py3-none-any.whl"
    said = {}
    for name, data in {**TRICKS, "twice": zip_of(("a", b"1"), ("a", b"2"))}.items():
        path.write_bytes(data)
        with pytest.raises(WheelError) as caught:
            read_wheel(path)
        said[name] = caught.value.message
    path.unlink()
    with pytest.raises(WheelError) as caught:
        read_wheel(path)
    said["absent"] = caught.value.message
    assert said == snapshot


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(members=3), "4 members; more than 3"),
        (Limits(member_bytes=10), "unpacks to .* bytes; more than 10"),
        (Limits(total_bytes=100), "unpacks to more than 100 bytes"),
    ],
)
def test_limits(tmp_path: Path, limits: Limits, text: str) -> None:
    with pytest.raises(WheelError, match=text):
        read_wheel(make_wheel(tmp_path), limits=limits)


def test_damaged_contents(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, {"data": os.urandom(4096)})
    damaged = bytearray(wheel.read_bytes())
    damaged[1000] ^= 0xFF
    wheel.write_bytes(damaged)
    with pytest.raises(WheelError, match="data: damaged zip file"):
        read_wheel(wheel)


BROKEN: dict[str, dict[str, str]] = {
    "another project": {"filename": f"other-1.0-{DEVICE}.whl"},
    "another version": {"filename": f"example-2.0-{DEVICE}.whl"},
    "no name": {"metadata": "Version: 1.0\n"},
    "no version": {"metadata": "Name: example\n"},
    "WHEEL of the future": {"wheel": "Wheel-Version: 2.0\n"},
    "WHEEL without a version": {"wheel": ""},
    "malformed tag": {"wheel": "Wheel-Version: 1.0\nTag: py3\n"},
    "RECORD of two fields": {"record": "a,b\n"},
    "RECORD with a stray quote": {"record": '"a' + "b" * 200_000},
}


def test_broken_dist_info(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    said = {}
    for name, change in BROKEN.items():
        wheel = make_wheel(tmp_path, **change)  # type: ignore[arg-type]  # each is a text field of make_wheel
        with pytest.raises(WheelError) as caught:
            read_wheel(wheel)
        said[name] = caught.value.message
    two = make_wheel(tmp_path, {"other-1.0.dist-info/METADATA": b""})
    with pytest.raises(WheelError) as caught:
        read_wheel(two)
    said["two"] = caught.value.message
    for files in ((("a", b""),), (("x-1.0.dist-info/WHEEL", b""),)):
        path = tmp_path / "x-1.0-py3-none-any.whl"
        path.write_bytes(zip_of(*files))
        with pytest.raises(WheelError) as caught:
            read_wheel(path)
        said[f"only {files[0][0]}"] = caught.value.message
    assert said == snapshot


def test_equal_versions_may_be_spelled_differently(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, version="1.0", filename=f"Example-1.0.0-{DEVICE}.whl")
    assert str(read_wheel(wheel).name.version) == "1.0.0"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_mutated_wheels_give_a_result_or_an_error_of_ours(tmp_path: Path, data: st.DataObject) -> None:
    mutable = bytearray(make_wheel(tmp_path).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(mutable) - 1), max_size=6)):
        mutable[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "mutated" / f"example-1.0-{DEVICE}.whl"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(mutable[: data.draw(st.none() | st.integers(0, len(mutable)))])
    try:
        read_wheel(path)
    except WheelError:
        return
