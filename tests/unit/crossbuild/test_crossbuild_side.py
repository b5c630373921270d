"""Headers of the build machine's packages: the cross compiler is told whose they are, or finds the target's instead."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.crossbuild.build_side import hide_headers, include_directories, lay_out_declarations

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "demo/core/include/demo/sizes.h"


def install(site_packages: Path, files: dict[str, str], name: str = "Demo_Numbers") -> Path:
    """A package as pip leaves it, with its RECORD."""
    for path, text in files.items():
        (site_packages / path).parent.mkdir(parents=True, exist_ok=True)
        (site_packages / path).write_text(text)
    dist_info = site_packages / f"{name}-1.0.dist-info"
    dist_info.mkdir()
    (dist_info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n")
    (dist_info / "RECORD").write_text("".join(f"{path},,\n" for path in (*files, "../../bin/demo-config")))
    return site_packages


@pytest.fixture
def build_side(tmp_path: Path) -> Path:
    files = {HEADER: "#define SIZE 8\n", "demo/core/lib/libdemo.a": "archive", "demo/core/_x.cpython-313-x.so": "elf"}
    return install(tmp_path / "build", files)


def preprocessed(*include: Path, cpath: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin"} | ({"CPATH": str(cpath)} if cpath else {})
    command = ["cc", "-E", "-P", *(f"-I{path}" for path in include), "-x", "c", "-"]
    text = '#include "demo/sizes.h"\nint size = SIZE;\n'
    return subprocess.run(command, input=text, env=env, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
class TestCompiling:
    def test_the_error_names_the_requirement(self, build_side: Path) -> None:
        assert hide_headers(build_side) == ("demo-numbers",)
        done = preprocessed(build_side / "demo/core/include")
        assert done.returncode != 0
        assert "list demo-numbers under requirements.host in the recipe" in done.stderr

    def test_the_targets_header_is_taken_where_there_is_one(self, build_side: Path, tmp_path: Path) -> None:
        hide_headers(build_side)
        host = install(tmp_path / "host", {HEADER: "#define SIZE 4\n"})
        (directory,) = include_directories(host)
        done = preprocessed(build_side / "demo/core/include", cpath=directory)
        assert done.stdout.strip() == "int size = 4;", done.stderr


def test_static_archives_go_and_other_files_stay(build_side: Path) -> None:
    hide_headers(build_side)
    assert not (build_side / "demo/core/lib/libdemo.a").exists()
    assert (build_side / "demo/core/_x.cpython-313-x.so").read_text() == "elf", "tools of the build run it"


def test_a_pure_packages_headers_stay(tmp_path: Path) -> None:
    """Such as pybind11's: the same on every machine."""
    site_packages = install(tmp_path, {HEADER: "#define SIZE 8\n", "demo/__init__.py": ""})
    assert hide_headers(site_packages) == ()
    assert (site_packages / HEADER).read_text() == "#define SIZE 8\n"


def test_headers_that_a_tool_writes_into_its_results_stay(tmp_path: Path) -> None:
    """Such as cffi's, which has compiled code too."""
    files = {"cffi/_cffi_include.h": "text for C", "_cffi_backend.cpython-313-x.so": "elf"}
    site_packages = install(tmp_path, files, "cffi")
    assert hide_headers(site_packages) == ()
    assert (site_packages / "cffi/_cffi_include.h").read_text() == "text for C"


def test_nothing_outside_is_touched(build_side: Path) -> None:
    """RECORD may name files above the directory."""
    outside = build_side.parent.parent / "outside.h"
    record = next(build_side.glob("*.dist-info")) / "RECORD"
    record.write_text(record.read_text() + "../../outside.h,,\n")
    outside.write_text("mine")
    hide_headers(build_side)
    assert outside.read_text() == "mine"


def test_directories_without_headers_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "a" / "include").mkdir(parents=True)
    assert list(include_directories(tmp_path)) == []


class TestDeclarations:
    def test_only_they_are_laid_out(self, tmp_path: Path) -> None:
        files = {
            "demo/__init__.py": "", "demo/api.pxd": "cdef int x", "demo/inner/more.pxi": "", "demo/__init__.pxd": "",
            "demo/inner/__init__.py": "", "other/__init__.py": "", "other/x.pyx": "", HEADER: "",
        }  # fmt: skip
        site_packages = install(tmp_path / "build", files)
        assert lay_out_declarations(site_packages, tmp_path / "d")
        found = sorted(path.relative_to(tmp_path / "d").as_posix() for path in (tmp_path / "d").rglob("*.p*"))
        assert found == ["demo/__init__.pxd", "demo/api.pxd", "demo/inner/__init__.pxd", "demo/inner/more.pxi"]
        assert (tmp_path / "d/demo/api.pxd").read_text() == "cdef int x"

    def test_nothing_is_imported_from_them_in_place_of_the_package(self, tmp_path: Path) -> None:
        site_packages = install(tmp_path / "build", {"demo/__init__.py": "here = 1", "demo/api.pxd": ""})
        assert lay_out_declarations(site_packages, tmp_path / "d")
        code = f"import sys; sys.path[:0] = [{str(tmp_path / 'd')!r}, {str(site_packages)!r}]; import demo; demo.here"
        subprocess.run([sys.executable, "-I", "-c", code], check=True)

    def test_none(self, tmp_path: Path) -> None:
        assert not lay_out_declarations(install(tmp_path / "build", {"demo/__init__.py": ""}), tmp_path / "d")
        assert not (tmp_path / "d").exists()
