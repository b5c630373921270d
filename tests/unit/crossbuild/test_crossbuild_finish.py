from __future__ import annotations

import plistlib
import zipfile
from pathlib import Path

import pytest

from forge.base.errors import WheelError
from forge.crossbuild.finish import finish_wheel, replace_paths
from forge.wheel.contents import read_wheel
from forge.wheel.record import parse_record, record_digest
from tests.unit.macho.builder import LOAD, PYTHON, macho
from tests.unit.wheel.wheels import DEVICE, make_wheel

WORK = Path("/home/someone/.cache/forge/builds/demo-1.0")
NAMES = {WORK.parents[1]: "/forge", WORK: "/usr/src/build", WORK / "tree": "/usr/src/demo"}
FILES = {
    "demo/__init__.py": b"",
    "demo/__config__.py": f"place = '{WORK}/tree/x', '{WORK}/meson', '{WORK.parents[1]}/pythons', '/usr'\n".encode(),
    "demo/demo.pc": f"prefix={WORK}/tree\n".encode(),
    "demo/_x.cpp": f'/* "depends": ["{WORK}/host/include/Python.h"] */\n'.encode(),
    "demo/notes": f"{WORK}".encode(),
    "demo/_x.so": b"\xcf\xfa\xed\xfe" + f"{WORK}/tree/x.c".encode(),
    "demo/latin.txt": f"\xe9 {WORK}".encode("latin-1"),
}


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return finish_wheel(make_wheel(tmp_path / "in", FILES, name="demo"), tmp_path / "work", NAMES).path


def test_paths_in_text_files_are_replaced_longest_first(finished: Path) -> None:
    with zipfile.ZipFile(finished) as archive:
        read = archive.read
        assert (
            read("demo/__config__.py")
            == b"place = '/usr/src/demo/x', '/usr/src/build/meson', '/forge/pythons', '/usr'\n"
        )
        assert read("demo/demo.pc") == b"prefix=/usr/src/demo\n"
        assert read("demo/_x.cpp") == b'/* "depends": ["/usr/src/build/host/include/Python.h"] */\n', "Cython's"
        assert read("demo/latin.txt") == b"\xe9 /usr/src/build", "not UTF-8, and still text"


def test_other_files_are_left_alone(finished: Path) -> None:
    """A binary's paths are at places that count: the audit finds them, nothing here changes them."""
    with zipfile.ZipFile(finished) as archive:
        for name in ("demo/_x.so", "demo/notes"):
            assert archive.read(name) == FILES[name]


def test_record_is_of_the_files_as_they_are_now(finished: Path) -> None:
    contents = read_wheel(finished)
    record = {entry.path: entry for entry in parse_record(contents.read("demo-1.0.dist-info/RECORD"))}
    members = dict(contents.read_all())
    assert set(record) == set(members)
    for path, data in members.items():
        if not path.endswith("/RECORD"):
            assert (record[path].digest, record[path].size) == (record_digest(data), str(len(data))), path


def test_the_same_files_give_the_same_bytes(tmp_path: Path, finished: Path) -> None:
    first = finished.read_bytes()
    elsewhere = Path("/another/machine/forge/builds/demo-1.0")
    files = {
        path: data.replace(str(WORK.parents[1]).encode(), str(elsewhere.parents[1]).encode())
        for path, data in reversed(FILES.items())
        if path not in {"demo/_x.so", "demo/notes"}
    } | {path: FILES[path] for path in ("demo/_x.so", "demo/notes")}
    names = {elsewhere.parents[1]: "/forge", elsewhere: "/usr/src/build", elsewhere / "tree": "/usr/src/demo"}
    wheel = make_wheel(tmp_path / "in again", files, name="demo")
    assert finish_wheel(wheel, tmp_path / "work again", names).path.read_bytes() == first


def test_an_earlier_try_is_in_nobodys_way(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "in", FILES, name="demo")
    (tmp_path / "work" / "tree" / "demo").mkdir(parents=True)
    (tmp_path / "work" / "tree" / "demo" / "stale.py").touch()
    assert "demo/stale.py" not in dict(read_wheel(finish_wheel(wheel, tmp_path / "work", NAMES).path).read_all())


def test_no_wheel(tmp_path: Path) -> None:
    file = tmp_path / "demo-1.0-py3-none-any.whl"
    file.write_text("not a zip file")
    with pytest.raises(WheelError, match=r"demo-1\.0-py3-none-any\.whl"):
        finish_wheel(file, tmp_path / "work", {})


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(str(WORK))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "link.py").symlink_to(outside)
    replace_paths(tmp_path / "tree", NAMES)
    assert outside.read_text() == str(WORK)


def test_is_compressed_whether_something_was_mended_or_not(tmp_path: Path, finished: Path) -> None:
    native = {"demo/_x.cpython-313-iphoneos.so": macho(exports=("_PyInit__x",), install_name="build/lib/_x.so")}
    wheel = make_wheel(tmp_path / "native", native, name="demo", tag=DEVICE)
    mended = finish_wheel(wheel, tmp_path / "work native", {})
    assert "install name" in mended.report
    for path in (finished, mended.path):
        with zipfile.ZipFile(path) as archive:
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_DEFLATED}


def test_what_openssl_is_linked_into_gets_a_privacy_manifest(tmp_path: Path) -> None:
    openssl = b'OpenSSL 3.0.16 11 Feb 2025\0OPENSSLDIR: "/usr"\0'
    files = {
        "demo/_x.cpython-313-iphoneos.so": macho(exports=("_PyInit__x",), strings=openssl),
        "demo/_own.cpython-313-iphoneos.so": macho(exports=("_PyInit__own",), strings=openssl),
        "demo/_own.xcprivacy": b"<plist/>",
        "demo/_y.cpython-313-iphoneos.so": macho(exports=("_PyInit__y",)),
    }
    wheel = make_wheel(tmp_path / "native", files, name="demo", tag=DEVICE)
    contents = read_wheel(finish_wheel(wheel, tmp_path / "work", {}).path)
    assert [m.path for m in contents.members if m.path.endswith(".xcprivacy")] == [
        "demo/_own.xcprivacy", "demo/_x.xcprivacy",
    ]  # fmt: skip
    assert plistlib.loads(contents.read("demo/_x.xcprivacy"))["NSPrivacyTracking"] is False
    assert contents.read("demo/_own.xcprivacy") == b"<plist/>"


def test_a_shared_library_with_openssl_in_it_gets_one_too(tmp_path: Path) -> None:
    """As libpq, which psycopg's modules load: it goes along to where app builds make a framework of the library."""
    host, name = tmp_path / "lib", "@rpath/libx.dylib"
    host.mkdir()
    openssl = b'OpenSSL 3.0.16 11 Feb 2025\0OPENSSLDIR: "/usr"\0'
    (host / "libx.dylib").write_bytes(macho(exports=("_f",), install_name=name, strings=openssl))
    module = macho(exports=("_PyInit__x",), imports=(("_f", 2, False),), loads=((PYTHON, LOAD), (name, LOAD)))
    wheel = make_wheel(tmp_path / "native", {"demo/_x.cpython-313-iphoneos.so": module}, name="demo", tag=DEVICE)
    contents = read_wheel(finish_wheel(wheel, tmp_path / "work", {}, libraries=host).path)
    members = {member.path for member in contents.members}
    assert {"demo/_dylibs/libx.so", "demo/_dylibs/libx.xcprivacy"} <= members
    assert not {path for path in members if path.startswith("demo/.dylibs/")}
