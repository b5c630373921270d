"""Which kind of back end a recipe names, and whether the declared one only calls another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.recipe.model import Backend, Language

if TYPE_CHECKING:
    from forge.authoring.source_tree import SourceTree

_CMAKE = {
    "scikit_build_core": "scikit-build-core", "skbuild": "scikit-build", "py_build_cmake": "py-build-cmake",
    "cmeel": "cmeel",
}  # fmt: skip
"""Modules of back ends that run CMake, and what they are called."""

_OWN_SCRIPT = "its own build script"
_PROGRAMS = ("cmake", "ninja")
"""What runs a build by CMake; only some back ends ask for what is not on PATH."""

_KINDS = {"setuptools": Backend.SETUPTOOLS, "mesonpy": Backend.MESON_PYTHON, "maturin": Backend.MATURIN}
_WITH_HOOKS = {
    "hatchling": "hatchling", "poetry": "poetry-core", "pdm": "pdm-backend", "flit_core": "flit", "uv_build": "uv",
}  # fmt: skip
"""Back ends that compile nothing by themselves: only in a build script or plug-in of the project's."""

_CALLS_CMAKE = re.compile(
    r"""["']cmake["']|cmake_minimum|find_executable\(["']cmake|CMakeExtension|cmake_source_dir|\bcmake\s+--build"""
)


@dataclass(frozen=True)
class BackEnd:
    """How a project is built.

    Args:
        declared: What its ``pyproject.toml`` names, e.g. ``setuptools.build_meta``.
        kind: The recipe's.
        cmake: What runs CMake, or empty.
        doubt: What a person has to look at, or empty.
        languages: Compilers besides those of C and C++.
        programs: Build requirements that it takes from PATH, and neither it nor the project names.
    """

    declared: str
    kind: Backend
    cmake: str = ""
    doubt: str = ""
    languages: tuple[Language, ...] = ()
    programs: tuple[str, ...] = ()


def back_end_of(tree: SourceTree) -> BackEnd:
    """Find out how a project is built.

    Args:
        tree: Its source.
    """
    declared = tree.build_backend
    module = declared.partition(":")[0].partition(".")[0]
    doubt = ""
    if tree.backend_path:
        called = _called(tree)
        doubt = f"the back end {declared} is in the source"
        doubt += f", and calls {called}" if called else "; what it calls is not clear"
        module = called or "setuptools"
    if cmake := _cmake(tree, module):
        if cmake != _CMAKE["scikit_build_core"]:
            doubt += f"{'; ' if doubt else ''}{cmake} runs CMake, which finds a toolchain file for the target"
        finds = cmake in (_OWN_SCRIPT, _CMAKE["skbuild"])
        programs = tuple(name for name in _PROGRAMS if finds and name not in tree.required)
        return BackEnd(declared, Backend.SCIKIT_BUILD_CORE, cmake, doubt, programs=programs)
    if module in _KINDS:
        kind = _KINDS[module]
        return BackEnd(declared, kind, doubt=doubt, languages=_languages(tree, kind))
    name = _WITH_HOOKS.get(module)
    if name is not None:
        doubt = f"{name} compiles in a build script of the project; it is called as setuptools is"
    else:
        doubt = f"forge does not know {declared}; it is called as setuptools is"
    return BackEnd(declared, Backend.SETUPTOOLS, doubt=doubt, languages=_languages(tree, Backend.SETUPTOOLS))


def _called(tree: SourceTree) -> str:
    """The module of the back end that one in the source tree imports, or empty."""
    known = [*_CMAKE, "mesonpy", "maturin", *_WITH_HOOKS, "setuptools"]
    found = set(re.findall(r"^\s*(?:from|import)\s+(\w+)", tree.setup, flags=re.MULTILINE))
    return next((name for name in known if name in found), "")


def _cmake(tree: SourceTree, module: str) -> str:
    """What runs CMake in a project's build, or empty."""
    if module in _CMAKE:
        return _CMAKE[module]
    for name in _CMAKE.values():
        if name in tree.required:
            return name
    imported = set(re.findall(r"^\s*(?:from|import)\s+(\w+)", tree.setup, flags=re.MULTILINE))
    for each, name in _CMAKE.items():
        if each in imported:
            return name
    if "CMakeLists.txt" in {file.rpartition("/")[2] for file in tree.files} and (
        "cmake" in tree.required or _CALLS_CMAKE.search(tree.setup)
    ):
        return _OWN_SCRIPT
    return ""


def _languages(tree: SourceTree, kind: Backend) -> tuple[Language, ...]:
    found = []
    rust = "setuptools-rust" in tree.required or (
        not tree.has("pyproject.toml") and "RustExtension" in tree.setup
    )  # fmt: skip
    if rust and kind is not Backend.MATURIN:
        found.append(Language.RUST)
    if kind is Backend.MESON_PYTHON and _meson_has_fortran(tree):
        found.append(Language.FORTRAN)
    return tuple(found)


def _meson_has_fortran(tree: SourceTree) -> bool:
    build = "\n".join(tree.text(file) for file in tree.files if file.rpartition("/")[2] == "meson.build")
    return bool(re.search(r"(?:add_languages\(|project\()[^)]*'fortran'", build))
