"""Host requirements laid out as an installer lays out wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge.base.errors import BuildError
from forge.crossbuild.host_prefix import HostPackage, installed_place, make_host_prefix
from tests.unit.wheel.wheels import make_wheel


@pytest.mark.parametrize(
    ("member", "place"),
    [
        ("opt/include/x.h", "opt/include/x.h"),
        ("pkg/__init__.py", "site-packages/pkg/__init__.py"),
        ("hdr-1.0.data/headers/hdr.h", "include/hdr/hdr.h"),
        ("hdr-1.0.data/headers/sub/a.h", "include/hdr/sub/a.h"),
        ("hdr-1.0.data/platlib/hdr/_x.so", "site-packages/hdr/_x.so"),
        ("hdr-1.0.data/purelib/hdr/a.py", "site-packages/hdr/a.py"),
        ("hdr-1.0.data/scripts/tool", "bin/tool"),
        ("hdr-1.0.data/data/share/hdr/x", "share/hdr/x"),
        ("hdr-1.0.data/stray", "site-packages/hdr-1.0.data/stray"),
    ],
)
def test_where_a_member_goes(member: str, place: str) -> None:
    assert installed_place(Path(member), "hdr") == Path(place)


def package(tmp_path: Path, name: str, files: dict[str, bytes]) -> HostPackage:
    return HostPackage(name, "1.0", make_wheel(tmp_path / name, files, name=name), "0" * 64)


def test_a_wheels_data_directory_is_spread(tmp_path: Path) -> None:
    files = {"hdr-1.0.data/headers/hdr.h": b"#define A", "hdr.py": b""}
    prefix = make_host_prefix([package(tmp_path, "hdr", files)], tmp_path / "prefix")
    assert (prefix.root / "include" / "hdr" / "hdr.h").read_bytes() == b"#define A"
    assert (prefix.site_packages / "hdr.py").is_file()


def test_two_packages_with_one_file(tmp_path: Path) -> None:
    one, other = (package(tmp_path, name, {"opt/include/x.h": name.encode()}) for name in ("one", "other"))
    with pytest.raises(BuildError, match=r"the host requirements one and other both install opt/include/x\.h"):
        make_host_prefix([one, other], tmp_path / "prefix")
