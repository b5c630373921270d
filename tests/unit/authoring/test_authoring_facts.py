"""What new recipes are made of: back ends, licences, libraries, requirements, tests."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.authoring.back_end import back_end_of
from forge.authoring.licences import UNKNOWN, licence_of
from forge.authoring.native_libraries import (
    LibraryRecipes,
    native_libraries,
    recipe_of_header,
    recipe_of_library,
    system_libraries,
)
from forge.authoring.needs import run_needs
from forge.authoring.project_metadata import ProjectMetadata, parse_metadata
from forge.authoring.release import Asked, Release, at_least, find_release, newest_version, parse_asked
from forge.authoring.switches import release_variables, switches
from forge.authoring.wheel_facts import choose_wheel, library_stem, read_facts
from forge.base.errors import SourceError
from forge.recipe.model import Backend, Language
from forge.recipe.store import RecipeStore
from forge.source.index import IndexFile
from tests.unit.authoring.source_trees import system, tree
from tests.unit.crossbuild.fakes import RECIPE
from tests.unit.macho.builder import LOAD, SYSTEM, macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from forge.lint.upstream import Upstream

BSD = "Redistribution and use in source and binary forms, with or without modification, are permitted"


class FakeUpstream:
    """An index that is made up: names of files by project."""

    def __init__(self, **files: list[str]) -> None:
        self.offered = files

    def files(self, name: str) -> tuple[IndexFile, ...]:
        found = []
        for filename in self.offered.get(name.replace("-", "_"), []):
            plain, yanked = filename.removesuffix("!"), filename.endswith("!")
            version = re.split(r"-", plain)[1].removesuffix(".tar.gz")
            url = f"https://example.org/{plain}"
            found.append(IndexFile(plain, version, plain.endswith(".tar.gz"), url, "0" * 64, is_yanked=yanked))
        return tuple(found)

    def macos_wheels(self, name: str, version: str) -> tuple[IndexFile, ...]:
        return tuple(each for each in self.files(name) if "macosx" in each.filename and each.version == version)


def upstream(**files: list[str]) -> Upstream:
    return cast("Upstream", FakeUpstream(**files))


class TestBackEnd:
    @pytest.mark.parametrize(
        ("pyproject", "setup", "kind"),
        [
            ("", "from setuptools import setup", Backend.SETUPTOOLS),
            (system("setuptools.build_meta"), "", Backend.SETUPTOOLS),
            (system("mesonpy"), "", Backend.MESON_PYTHON),
            (system("maturin"), "", Backend.MATURIN),
            (system("scikit_build_core.build"), "", Backend.SCIKIT_BUILD_CORE),
            (system("py_build_cmake.build"), "", Backend.SCIKIT_BUILD_CORE),
            (system("setuptools.build_meta", "'scikit-build'"), "", Backend.SCIKIT_BUILD_CORE),
            (system("setuptools.build_meta"), "from skbuild import setup", Backend.SCIKIT_BUILD_CORE),
            (system("scikit_build_core.setuptools.build_meta"), "", Backend.SCIKIT_BUILD_CORE),
        ],
    )
    def test_kinds(self, tmp_path: Path, pyproject: str, setup: str, kind: Backend) -> None:
        found = back_end_of(tree(tmp_path, pyproject_dot_toml=pyproject, setup_dot_py=setup))
        runs_cmake = kind is Backend.SCIKIT_BUILD_CORE
        assert (found.kind, bool(found.cmake)) == (kind, runs_cmake)
        assert bool(found.doubt) is (runs_cmake and found.cmake != "scikit-build-core")

    def test_setup_that_calls_cmake(self, tmp_path: Path) -> None:
        setup = "import subprocess\nsubprocess.check_call(['cmake', '.'])\n"
        found = back_end_of(tree(tmp_path, setup_dot_py=setup, lib__CMakeLists_dot_txt=""))
        assert (found.kind, found.cmake) == (Backend.SCIKIT_BUILD_CORE, "its own build script")

    @pytest.mark.parametrize(
        ("pyproject", "setup", "programs"),
        [
            (system("scikit_build_core.build"), "", ()),
            (system("setuptools.build_meta", "'scikit-build'"), "", ("cmake", "ninja")),
            (system("setuptools.build_meta", "'scikit-build', 'cmake>=3.18'"), "", ("ninja",)),
            (system("setuptools.build_meta", "'ninja'"), "run(['cmake', '.'])", ("cmake",)),
        ],
    )
    def test_programs_that_nobody_asks_for(
        self, tmp_path: Path, pyproject: str, setup: str, programs: tuple[str, ...]
    ) -> None:
        found = back_end_of(
            tree(tmp_path, pyproject_dot_toml=pyproject, setup_dot_py=setup, CMakeLists_dot_txt="")
        )  # fmt: skip
        assert found.programs == programs

    def test_a_vendored_library_that_has_cmake_as_well(self, tmp_path: Path) -> None:
        found = back_end_of(tree(tmp_path, setup_dot_py="setup()", lib__CMakeLists_dot_txt=""))
        assert found.kind is Backend.SETUPTOOLS

    @pytest.mark.parametrize(
        ("module", "kind", "said"),
        [
            ("from setuptools import build_meta", Backend.SETUPTOOLS, "calls setuptools"),
            ("import mesonpy", Backend.MESON_PYTHON, "calls mesonpy"),
            ("from scikit_build_core import build", Backend.SCIKIT_BUILD_CORE, "calls scikit_build_core"),
            ("import os", Backend.SETUPTOOLS, "what it calls is not clear"),
        ],
    )
    def test_in_the_tree(self, tmp_path: Path, module: str, kind: Backend, said: str) -> None:
        pyproject = system("own", more="backend-path = ['build_it']\n")
        found = back_end_of(tree(tmp_path, pyproject_dot_toml=pyproject, build_it__own_dot_py=module))
        assert found.kind is kind
        assert said in found.doubt

    @pytest.mark.parametrize("backend", ["hatchling.build", "poetry.core.masonry.api", "unheard_of"])
    def test_others_are_called_as_setuptools_is(self, tmp_path: Path, backend: str) -> None:
        found = back_end_of(tree(tmp_path, pyproject_dot_toml=system(backend)))
        assert found.kind is Backend.SETUPTOOLS
        assert "it is called as setuptools is" in found.doubt

    def test_languages(self, tmp_path: Path) -> None:
        rust = tree(tmp_path / "a", pyproject_dot_toml=system("setuptools.build_meta", "'setuptools-rust'"))
        assert back_end_of(rust).languages == (Language.RUST,)
        build = "project('x', 'c')\nadd_languages('fortran', native: false)\n"
        fortran = tree(tmp_path / "b", pyproject_dot_toml=system("mesonpy"), meson_dot_build=build)
        assert back_end_of(fortran).languages == (Language.FORTRAN,)

    @pytest.mark.parametrize("pyproject", ["no TOML", "build-system = 1", system("", "1, 'a b c', 'fine'")])
    def test_what_is_malformed_counts_as_left_out(self, tmp_path: Path, pyproject: str) -> None:
        found = tree(tmp_path, pyproject_dot_toml=pyproject)
        assert back_end_of(found).kind is Backend.SETUPTOOLS
        assert [str(each) for each in found.requires] in ([], ["fine"])


def test_languages_leave_tests_and_docs_out(tmp_path: Path) -> None:
    found = tree(tmp_path, a__x_dot_pyx="", a__y_dot_cpp="", a__z_dot_cpp="", tests__t_dot_rs="", docs__d_dot_c="")
    assert found.languages() == ("C++", "Cython")


class TestLicence:
    @pytest.mark.parametrize(
        ("metadata", "text", "expression", "is_sure"),
        [
            (ProjectMetadata(license_expression="mit or apache-2.0"), "", "MIT OR Apache-2.0", True),
            (ProjectMetadata(license="BSD 3-Clause License"), "", "BSD-3-Clause", True),
            (ProjectMetadata(license="MIT"), f"{BSD} Neither the name", "MIT", False),
            (ProjectMetadata(classifiers=("License :: OSI Approved :: ISC License (ISCL)",)), "", "ISC", False),
            (
                ProjectMetadata(classifiers=("License :: OSI Approved :: MIT License",)),
                "Permission is hereby granted, free of charge, to any person obtaining a copy", "MIT", True,
            ),
            (ProjectMetadata(classifiers=("License :: OSI Approved :: BSD License",)), BSD, "BSD-2-Clause", False),
            (
                ProjectMetadata(classifiers=("License :: OSI Approved :: BSD License",)),
                f"{BSD}\nNeither the name of", "BSD-3-Clause", False,
            ),
            (
                ProjectMetadata(classifiers=("License :: OSI Approved :: MIT License",
                                             "License :: OSI Approved :: Apache Software License")),
                "", "MIT OR Apache-2.0", False,
            ),
            (ProjectMetadata(license="ask me"), "", UNKNOWN, False),
            (ProjectMetadata(license="line\nline"), "", UNKNOWN, False),
        ],
    )  # fmt: skip
    def test_licence(self, metadata: ProjectMetadata, text: str, expression: str, is_sure: bool) -> None:
        found = licence_of(metadata, [text])
        assert (found.expression, not found.doubt) == (expression, is_sure)

    @given(st.binary())
    def test_any_metadata_is_read(self, data: bytes) -> None:
        metadata = parse_metadata(data)
        assert licence_of(metadata, [metadata.description]).expression


def write_library(recipes: Path, name: str) -> None:
    """The recipe of a native library."""
    (recipes / name).mkdir()
    text = RECIPE.replace("demo", name).replace("setuptools", "script\n  script: [make]")
    (recipes / name / "recipe.yaml").write_text(text)


class TestLibraries:
    @pytest.mark.parametrize(
        ("path", "stem"),
        [
            ("x/.dylibs/libyaml-0.2.dylib", "yaml"), ("/usr/lib/libz.1.dylib", "z"), ("libssl.3.dylib", "ssl"),
            ("x.libs/libffi-1a2b3c4d.so.8.1.2", "ffi"), ("libscipy_openblas64_.dylib", "scipy_openblas64_"),
            ("libbz2.1.0.dylib", "bz2"), ("liblz4.1.9.4.dylib", "lz4"), ("lib.dylib", "lib"),
            ("x.libs/libcrypto-3-x64-0123456789abcdef0123456789abcdef.dll", "crypto"), ("libpq.dll", "pq"),
        ],
    )  # fmt: skip
    def test_stem(self, path: str, stem: str) -> None:
        assert library_stem(path) == stem

    @given(st.text())
    def test_any_name_has_one(self, path: str) -> None:
        library_stem(path)

    def test_recipes(self) -> None:
        known = ["openssl", "libjpeg-turbo", "libpng", "libyaml", "zstd"]
        stems = ("ssl", "crypto", "yaml", "zstd", "jpeg", "libjpeg", "png16", "tiff")
        assert [recipe_of_library(stem, known) for stem in stems] == [
            "openssl", "openssl", "libyaml", "zstd", "libjpeg-turbo", "libjpeg-turbo", "libpng", None,
        ]  # fmt: skip
        assert recipe_of_header("openssl/ssl.h", known) == "openssl"
        assert recipe_of_header("zstd.h", known) == "zstd"
        assert recipe_of_header("x.h", known) is None

    def test_a_package_of_the_name_is_no_library(self, tmp_path: Path) -> None:
        """lz4 and zstd are Python packages, whatever they link."""
        write_library(tmp_path, "libyaml")
        directory = tmp_path / "zstd"
        directory.mkdir()
        (directory / "recipe.yaml").write_text(RECIPE.replace("demo", "zstd"))
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "recipe.yaml").write_text("")
        recipes = LibraryRecipes(RecipeStore(tmp_path))
        assert [name in recipes for name in ("libyaml", "zstd", "broken", "absent")] == [True, False, False, False]
        found = native_libraries(["yaml", "zstd"], [], tree(tmp_path / "t"), RecipeStore(tmp_path))
        assert (set(found.host), set(found.without)) == ({"libyaml"}, {"zstd"})

    def test_what_the_sdk_has_is_no_recipe(self, tmp_path: Path) -> None:
        assert {"z", "bz2", "iconv"} <= system_libraries()
        write_library(tmp_path, "libyaml")
        found = native_libraries(
            ["yaml", "png16", "c++"], ["/usr/lib/libz.1.dylib", "/usr/lib/libsqlite3.dylib", "/System/Library/x"],
            tree(tmp_path / "t", setup_dot_py="Extension('x', libraries=['yaml', 'm'])"), RecipeStore(tmp_path),
        )  # fmt: skip
        assert found.host == {"libyaml": "its wheel bundles libyaml"}
        assert found.without == {
            "png16": "its wheel bundles libpng16", "sqlite3": "its wheel loads /usr/lib/libsqlite3.dylib",
        }  # fmt: skip

    def test_crates_that_link_one(self, tmp_path: Path) -> None:
        write_library(tmp_path, "openssl")
        lock = '[[package]]\nname = "openssl-sys"\nversion = "0.9"\n'
        found = native_libraries([], [], tree(tmp_path / "t", src__rust__Cargo_dot_lock=lock), RecipeStore(tmp_path))
        assert found.host == {"openssl": "its Cargo.lock has the crate openssl-sys"}


class TestWheel:
    def test_what_it_holds(self, tmp_path: Path) -> None:
        loads = ((SYSTEM, LOAD), ("@loader_path/.dylibs/libx.1.dylib", LOAD), ("/usr/lib/libxml2.2.dylib", LOAD))
        files = {
            "demo/_x.cpython-313-darwin.so": macho(exports=("_PyInit__x",), loads=loads),
            "demo/_raw.abi3.so": macho(exports=("_encrypt",)),
            "demo/.dylibs/libx.1.dylib": macho(exports=("_x",)),
            "demo/broken.so": b"no Mach-O",
            "plain.py": b"",
            "tests/test_it.py": b"",
            "LICENSE": b"",
        }
        found = read_facts(make_wheel(tmp_path, files, name="demo", tag="cp313-cp313-macosx_11_0_arm64"))
        assert found.packages == ("demo", "plain")
        assert found.modules == ("demo._x", "demo.broken")
        assert found.libraries == ("demo._raw",)
        assert found.bundled == ("x",)
        assert found.loaded == (SYSTEM, "/usr/lib/libxml2.2.dylib")

    def test_libraries_of_libraries_are_their_own_business(self, tmp_path: Path) -> None:
        def library(name: str, *loads: str) -> bytes:
            dylibs = ((f"@loader_path/{each}", LOAD) for each in (name, *loads) if not each.startswith("/"))
            system = ((each, LOAD) for each in loads if each.startswith("/"))
            return macho(exports=("_x",), loads=(*dylibs, *system))

        module = macho(exports=("_PyInit__x",), loads=(("@loader_path/.dylibs/libavcodec.61.dylib", LOAD),))
        files = {
            "demo/_x.abi3.so": module,
            "demo/.dylibs/libavcodec.61.dylib": library(
                "libavcodec.61.dylib", "libx264.165.dylib", "/usr/lib/libcurl.4.dylib"
            ),
            "demo/.dylibs/libx264.165.dylib": library("libx264.165.dylib"),
            "demo/.dylibs/libopened.dylib": library("libopened.dylib", "libx264.165.dylib"),
        }
        found = read_facts(make_wheel(tmp_path, files, name="demo", tag="cp313-cp313-macosx_11_0_arm64"))
        assert found.bundled == ("avcodec", "opened")
        assert found.loaded == ()

    def test_the_one_that_tells_most(self) -> None:
        names = ["demo-1-py3-none-any.whl", "demo-1-cp313-cp313-win_amd64.whl",
                 "demo-1-cp312-cp312-manylinux_2_17_x86_64.whl", "demo-1-pp310-pypy310_pp73-macosx_11_0_arm64.whl",
                 "demo-1-cp313-cp313-manylinux_2_17_x86_64.whl"]  # fmt: skip
        macos = "demo-1-cp313-cp313-macosx_11_0_arm64.whl"
        for there, best in ((names[:3], names[2]), ([*names[:3], names[4]], names[4]), (names[:1], None),
                            ([*names, macos], macos)):  # fmt: skip
            sdist = IndexFile("demo-1.tar.gz", "1", True, "", "0" * 64)
            index = upstream(demo=there)
            release = Release("demo", "1", sdist, 1, tuple(index.files("demo")), ())
            found = choose_wheel(index, release)
            assert (found.filename if found else None) == best


class TestRelease:
    def test_what_was_withdrawn_is_passed_over_unless_it_is_named(self) -> None:
        index = upstream(demo=["demo-1.0.tar.gz", "demo-2.0.tar.gz!"])
        assert find_release(index, Asked("demo")).version == "1.0"
        assert find_release(index, Asked("demo", "2")).yanked
        assert newest_version(index, "demo") == "1.0"

    def test_pre_releases_where_there_is_nothing_else(self) -> None:
        assert find_release(upstream(demo=["demo-1.0a1.tar.gz"]), Asked("demo")).version == "1.0a1"
        assert newest_version(upstream(), "demo") is None

    def test_a_floor(self) -> None:
        assert [at_least("ninja", version) for version in ("1.13.2", "2", None)] == [
            "ninja>=1.13",
            "ninja>=2.0",
            "ninja",
        ]

    def test_no_valid_version(self) -> None:
        with pytest.raises(SourceError, match="no release with a version that is valid"):
            find_release(upstream(demo=["demo-2013.a.b.tar.gz"]), Asked("demo"))

    @given(st.text())
    def test_any_text_is_a_name_or_is_refused(self, text: str) -> None:
        with contextlib.suppress(ValueError):
            assert parse_asked(text).name in text


def test_run_requirements(tmp_path: Path) -> None:
    (tmp_path / "multidict").mkdir()
    (tmp_path / "multidict" / "recipe.yaml").write_text("")
    index = upstream(
        pure=["pure-1-py3-none-any.whl", "pure-1-cp313-cp313-win_amd64.whl"],
        own=["own-1-cp313-cp313-ios_13_0_arm64_iphoneos.whl"],
        compiled=[
            "compiled-1-py3-none-any.whl",
            "compiled-2-cp313-cp313-win_amd64.whl",
            "compiled-3-py3-none-any.whl!",
        ],
        source=["source-1.tar.gz"],
    )
    requires = ["Multidict>=4", "pure", "own", "compiled", "source", "nobody", "not valid!!",
                "windows; sys_platform == 'win32'", "more; extra == 'x'", "only; sys_platform == 'ios'"]  # fmt: skip
    needs = run_needs(requires, "3.13", RecipeStore(tmp_path), index)
    assert needs.with_recipe == ("Multidict>=4",)
    assert needs.without == ("compiled",)
    assert run_needs(["compiled<2"], "3.13", RecipeStore(tmp_path), index).without == ()
    cannot_be_evaluated = ["compiled; os_name ~= 'posix'", "compiled; 'x' in extras"]
    assert run_needs(cannot_be_evaluated, "3.13", RecipeStore(tmp_path), index).without == ()


class TestSwitches:
    def test_variables_of_the_project_s_releases(self, tmp_path: Path) -> None:
        pyproject = (
            "[tool.cibuildwheel]\nenvironment = {A_FLAG='1', PATH='/x', PIP_X='1', X='$Y', LIST='a,b', NO_COLOR='1'}\n"
            "[tool.cibuildwheel.ios]\nenvironment = 'A_FLAG=2 other=3 B=\"4\"'\n"
            "[tool.hatch.build.targets.wheel.hooks.mypyc]\nenable-by-default = false\n"
        )
        setup = "os.environ.get('DEMO_USE_MYPYC'); os.getenv('DEMO_NO_MYPYC'); os.environ['HOME']"
        found = tree(tmp_path, pyproject_dot_toml=pyproject, setup_dot_py=setup)
        assert release_variables(found) == {
            "A_FLAG": "2", "LIST": "a,b", "B": "4", "HATCH_BUILD_HOOKS_ENABLE": "1", "DEMO_USE_MYPYC": "1",
        }  # fmt: skip

    def test_cython_that_is_off_by_default(self, tmp_path: Path) -> None:
        setup = "os.getenv('DEMO_USE_CYTHON') == '1'; os.getenv('DEMO_USE_CYTHON_ABI3')"
        found = tree(tmp_path, setup_dot_py=setup, demo__x_dot_pyx="")
        assert release_variables(found) == {"DEMO_USE_CYTHON": "1"}
        assert release_variables(tree(tmp_path, demo__x_dot_c="")) == {}, "the sdist has what Cython made"

    @pytest.mark.parametrize("said", ["1", "'A=\"'", "['A=1']", "{A={B='1'}}"])
    def test_what_is_malformed(self, tmp_path: Path, said: str) -> None:
        found = tree(tmp_path, pyproject_dot_toml=f"[tool.cibuildwheel]\nenvironment = {said}\n")
        assert release_variables(found) == {}

    def test_switches(self, tmp_path: Path) -> None:
        names = [
            "CIBUILDWHEEL",
            "DEMO_NO_EXTENSIONS",
            "DEMO_EXTENSIONS",
            "REQUIRE_SPEEDUPS",
            "DEMO_FORCE_LIBX",
            "DEBUG",
        ]
        setup = "".join(f"os.environ.get({name!r}, '')\n" for name in names)
        assert switches(tree(tmp_path, setup_dot_py=setup)) == (*names[:1], *names[2:5])
