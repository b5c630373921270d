"""What a build would download for itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.authoring.downloads import build_downloads
from tests.unit.authoring.source_trees import tree

if TYPE_CHECKING:
    from pathlib import Path


class TestDownloads:
    @pytest.mark.parametrize(
        ("cmake", "named"),
        [
            ("", ""),
            ("add_subdirectory(third_party/fmt)", ""),
            ("FetchContent_Declare(fmt SOURCE_DIR ${CMAKE_SOURCE_DIR}/fmt)", ""),
            ("# FetchContent_Declare(fmt URL https://example.org/fmt.zip)", ""),
            ("FetchContent_Declare(\n  fmt\n  GIT_REPOSITORY https://example.org/fmt.git\n  GIT_TAG 1\n)", "fmt"),
            ("ExternalProject_Add(zlib-ng URL https://example.org/z.tgz)", "zlib-ng"),
            ('CPMAddPackage("gh:fmtlib/fmt#11.0")', "fmt"),
            ("CPMAddPackage(NAME eigen GITHUB_REPOSITORY a/eigen)", "eigen"),
            ("file(DOWNLOAD https://example.org/x x)", "something by CMakeLists.txt"),
        ],
    )
    def test_by_cmake(self, tmp_path: Path, cmake: str, named: str) -> None:
        said = build_downloads(tree(tmp_path, CMakeLists_dot_txt=cmake))
        assert said == (f"the build seems to download {named}: is it needed, and is there a recipe?" if named else "")

    @pytest.mark.parametrize(
        ("setup", "downloads"),
        [
            ("urllib.request.urlretrieve(url, path)", True),
            ("subprocess.check_call(['git', 'submodule', 'update'])", True),
            ("# git clone it first\nsetup(url='https://example.org')", False),
        ],
    )
    def test_by_setup(self, tmp_path: Path, setup: str, downloads: bool) -> None:
        assert bool(build_downloads(tree(tmp_path, setup_dot_py=setup))) is downloads

    def test_not_by_tests(self, tmp_path: Path) -> None:
        found = tree(tmp_path, tests__CMakeLists_dot_txt="FetchContent_Declare(catch2 URL https://example.org/c)")
        assert build_downloads(found) == ""

    def test_many(self, tmp_path: Path) -> None:
        cmake = "\n".join(f"FetchContent_Declare(p{number} URL https://example.org/{number})" for number in range(6))
        said = build_downloads(tree(tmp_path, CMakeLists_dot_txt=cmake))
        assert said.startswith("the build seems to download p0, p1, p2, p3 and 2 more:")
