"""Which recipes the native libraries of a package stand for."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.authoring.wheel_facts import library_stem
from forge.base.errors import RecipeError
from forge.toolchain.data import load_yaml

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from forge.authoring.source_tree import SourceTree
    from forge.recipe.store import RecipeStore

_ALIASES = {
    "ssl": "openssl", "crypto": "openssl", "cblas": "openblas", "blas": "openblas", "scipy_openblas": "openblas",
    "scipy_openblas64_": "openblas", "openblas64_": "openblas", "sodium": "libsodium", "yaml": "libyaml",
    "ffi": "libffi", "jpeg": "libjpeg-turbo", "turbojpeg": "libjpeg-turbo", "png16": "libpng", "openjp2": "openjpeg",
    "webpmux": "libwebp", "webpdemux": "libwebp", "sharpyuv": "libwebp", "brotlidec": "libbrotli", "exslt": "libxslt",
    "brotlienc": "libbrotli", "brotlicommon": "libbrotli", "sqlite3": "sqlite", "hdf5_hl": "hdf5",
    "geos_c": "geos", "qhull_r": "qhull",
}  # fmt: skip
"""Libraries whose recipe is called otherwise than ``NAME`` or ``libNAME``."""

_RUNTIMES = frozenset(
    {"c++", "c++abi", "stdc++", "gcc_s", "gfortran", "quadmath", "System", "System.B", "omp", "gomp", "objc", "objc.A",
     "unwind"}
)  # fmt: skip
"""Run-time libraries of compilers: a build for iOS has its own, or none."""

_HEADERS = {
    "ffi.h": "libffi", "ffi/ffi.h": "libffi", "openssl": "openssl", "sodium.h": "libsodium", "sodium": "libsodium",
    "yaml.h": "libyaml", "cblas.h": "openblas", "lapacke.h": "openblas", "jpeglib.h": "libjpeg-turbo",
    "turbojpeg.h": "libjpeg-turbo", "ft2build.h": "freetype", "freetype2": "freetype", "tiffio.h": "libtiff",
    "openjpeg.h": "openjpeg", "oniguruma.h": "libonig", "libxml": "libxml2", "jv.h": "libjq",
}  # fmt: skip
"""Headers, or their first directory, by the recipe that brings them."""

_CRATES = {"openssl-sys": "openssl", "libsodium-sys": "libsodium", "libffi-sys": "libffi"}
"""Crates that link a library, by the recipe that brings it."""

_LINKED = re.compile(r"""\blibraries\s*(?:=|\+=|\.extend\(|:)\s*\[([^\]]*)\]""")


@dataclass(frozen=True)
class LibraryRecipes:
    """The names of the recipes of native libraries; ``lz4`` is that of a Python package, whatever it links.

    Args:
        store: The recipes.
    """

    store: RecipeStore

    @functools.cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.store.names())

    def __contains__(self, name: object) -> bool:
        if name not in self._names:
            return False
        try:
            return self.store.load(str(name)).backend.is_for_libraries
        except RecipeError:  # 'forge lint' says what is wrong with it
            return False


@dataclass(frozen=True)
class NativeLibraries:
    """The libraries of a package.

    Args:
        host: Recipes that bring them, with what says so, by name.
        without: Libraries that neither iOS's SDK nor a recipe has, with what says so.
    """

    host: Mapping[str, str]
    without: Mapping[str, str]


def native_libraries(
    bundled: Iterable[str], loaded: Iterable[str], tree: SourceTree, store: RecipeStore
) -> NativeLibraries:
    """Find the recipes of what a wheel bundles or loads, and of what ``setup.py`` links.

    Args:
        bundled: Names of libraries that the published wheel carries.
        loaded: Install names of the system's libraries that it loads.
        tree: The source.
        store: The recipes.
    """
    host: dict[str, str] = {}
    without: dict[str, str] = {}
    known = LibraryRecipes(store)
    system = system_libraries()
    said = {stem: f"its wheel bundles lib{stem}" for stem in bundled}
    for name in loaded:
        if name.startswith("/usr/lib/"):
            said.setdefault(library_stem(name), f"its wheel loads {name}")
    for stem, why in said.items():
        if stem in _RUNTIMES or stem in system:
            continue
        recipe = recipe_of_library(stem, known)
        if recipe is not None:
            host.setdefault(recipe, why)
        else:
            without[stem] = why
    for crate, name in _CRATES.items():
        if name in known and f'name = "{crate}"' in _crates(tree):
            host.setdefault(name, f"its Cargo.lock has the crate {crate}")
    for stem in _linked(tree):
        recipe = recipe_of_library(stem, known)
        if recipe is not None:
            host.setdefault(recipe, f"its build script names the library {stem}")
    return NativeLibraries(host, without)


def recipe_of_library(stem: str, known: Container[str]) -> str | None:
    """The recipe of a library, or None.

    Args:
        stem: The library's name, without ``lib`` and suffix.
        known: The normalised names of the recipes of native libraries.
    """
    name = stem.removeprefix("lib") or stem
    plain = canonicalize_name(name)
    choices = (_ALIASES.get(name, ""), f"lib{plain}", plain)
    return next((choice for choice in choices if choice in known), None)


def recipe_of_header(header: str, known: Container[str]) -> str | None:
    """The recipe that brings a header, or None.

    Args:
        header: As ``#include`` has it.
        known: The normalised names of the recipes of native libraries.
    """
    first = header.partition("/")[0]
    stem = first.removesuffix(".h")
    choices = (_HEADERS.get(header, ""), _HEADERS.get(first, ""), recipe_of_library(stem, known) or "")
    return next((name for name in choices if name in known), None)


def system_libraries() -> frozenset[str]:
    """The names of the libraries that C code is compiled and linked with in the SDK, without ``lib`` and suffix."""
    stubs = [str(row["file"]) for row in load_yaml("libraries.yaml") if row.get("headers", True)]
    return frozenset(library_stem(file.removesuffix(".tbd")) for file in stubs)


def _crates(tree: SourceTree) -> str:
    """The text of all ``Cargo.lock`` files."""
    return "\n".join(tree.text(file) for file in tree.files if file.rpartition("/")[2] == "Cargo.lock")


def _linked(tree: SourceTree) -> list[str]:
    """Names in the lists ``libraries=[…]`` of the build's scripts."""
    found = [name for listed in _LINKED.findall(tree.setup) for name in re.findall(r"""["']([\w+.-]+)["']""", listed)]
    return list(dict.fromkeys(found))
