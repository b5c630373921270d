"""Licences of host requirements and crates: into the wheel as files, and into its METADATA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.crossbuild.host_prefix import HostPackage
from forge.crossbuild.licenses import CRATES_FILE, Crate, add_licenses, license_files, linked_crates
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

TRIPLE = "aarch64-apple-ios"


def host_package(tmp_path: Path, *, native: bool) -> HostPackage:
    files = {"opt/include/x.h": b"", "blas-1.0.dist-info/licenses/COPYING": b"the words\n"}
    wheel = make_wheel(tmp_path, files, name="blas", tag="py3-none-ios_12_0_arm64_iphoneos")
    return HostPackage("blas", "1.0", wheel, "0" * 64, native, "BSD-3-Clause")


def test_a_native_librarys_licences_go_along(tmp_path: Path) -> None:
    assert license_files([host_package(tmp_path, native=True)], ()) == {"blas/COPYING": b"the words\n"}


def test_a_packages_do_not(tmp_path: Path) -> None:
    """Its wheel is installed beside, with its own licences in it."""
    assert license_files([host_package(tmp_path, native=False)], ()) == {}


def crate_on_disk(tmp_path: Path, name: str, version: str, license_: str, texts: dict[str, str]) -> Path:
    directory = tmp_path / "cargo" / "registry" / "src" / "index-0123" / f"{name}-{version}"
    (directory / "src").mkdir(parents=True)
    (directory / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nlicense = "{license_}"\n')
    for file, text in texts.items():
        (directory / file).write_text(text)
    return directory


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What cargo leaves: crates compiled for the target and one for the build machine."""
    one = crate_on_disk(tmp_path, "memchr", "2.7.4", "Unlicense OR MIT", {"LICENSE-MIT": "MIT\n", "COPYING": "both\n"})
    two = crate_on_disk(tmp_path, "wasi-x", "0.9.0+wasi.1", "MIT", {"LICENSE": "MIT\n", "README.md": "no licence"})
    macro = crate_on_disk(tmp_path, "syn", "2.0.1", "MIT", {})
    deps = tmp_path / "tree" / "target" / TRIPLE / "release" / "deps"
    host = tmp_path / "tree" / "target" / "release" / "deps"
    for directory, name, crate in ((deps, "memchr", one), (deps, "wasi_x", two), (host, "syn", macro)):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}-0f.d").write_text(f"/w/lib{name}.rlib: {crate}/src/lib.rs {crate}/src/a.rs\n\n")
    (deps / "own-0f.d").write_text("/w/libown.rlib: src/lib.rs\n")
    return tmp_path / "tree"


def test_crates_that_were_compiled_for_the_target(tree: Path) -> None:
    assert [(c.name, c.version, c.license, sorted(c.texts)) for c in linked_crates(tree, TRIPLE)] == [
        ("memchr", "2.7.4", "Unlicense OR MIT", ["COPYING", "LICENSE-MIT"]),
        ("wasi-x", "0.9.0+wasi.1", "MIT", ["LICENSE"]),
    ]


def test_each_text_stands_once(tree: Path) -> None:
    text = license_files((), linked_crates(tree, TRIPLE))[CRATES_FILE].decode()
    assert text.count("\nMIT\n") == 1
    assert "memchr 2.7.4 (LICENSE-MIT)\nwasi-x 0.9.0+wasi.1 (LICENSE)\n\nMIT" in text
    assert "  wasi-x 0.9.0+wasi.1: MIT\n" in text


def test_a_build_without_crates_has_no_file() -> None:
    assert license_files((), ()) == {}
    assert CRATES_FILE in license_files((), (Crate("a", "1.0.0", "", {}),))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "Metadata-Version: 2.4\nName: x\nLicense-File: LICENSE\n\nwords\n",
            "Metadata-Version: 2.4\nName: x\nLicense-File: LICENSE\nLicense-File: blas/COPYING\n\nwords\n",
        ),
        ("Metadata-Version: 2.4\nName: x\n", "Metadata-Version: 2.4\nName: x\nLicense-File: blas/COPYING\n"),
        ("Metadata-Version: 2.1\nName: x\n\nwords\n", "Metadata-Version: 2.1\nName: x\n\nwords\n"),
    ],
)
def test_metadata_names_them_where_it_can(before: str, after: str, tmp_path: Path) -> None:
    (tmp_path / "METADATA").write_text(before)
    add_licenses(tmp_path, {"blas/COPYING": b"the words\n"})
    assert (tmp_path / "METADATA").read_text() == after
    assert (tmp_path / "licenses" / "blas" / "COPYING").read_bytes() == b"the words\n"
    add_licenses(tmp_path, {"blas/COPYING": b"the words\n"})
    assert (tmp_path / "METADATA").read_text() == after, "none twice"
