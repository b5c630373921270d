"""What the cross compiler and Cython see of build requirements.

Build requirements are installed for the build machine. What such a package has compiled is the build machine's, and its
headers with it: numpy's ``_numpyconfig.h`` holds the sizes of Linux's types, and its ``npy_endian.h`` includes Linux's
``<endian.h>``. A recipe that forgot numpy under ``requirements.host`` would be compiled against them. Headers of
pure packages (pybind11, Cython's) are the same everywhere and stay.

The build Python has headers too, of which programs of the build side ask it: ``pybind11-config --includes`` does. They
are told the iOS Python's.

Cython's declarations (``.pxd``) are the same everywhere too. Cython looks for them on ``sys.path``, where a cross
Python has nothing of the build side: crossenv finds its modules by other means.
"""

from __future__ import annotations

from importlib.metadata import PathDistribution
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEADERS = frozenset({".h", ".hpp", ".hh", ".hxx", ".cuh", ".inc"})
_COMPILED = (".so", ".a", ".dylib")
_DECLARATIONS = frozenset({".pxd", ".pxi"})

_INSTEAD = """\
/* Made by forge in the place of a header of the build machine's {name}. */
#if defined(__has_include_next)
#if __has_include_next("{include}")
#define FORGE_FOUND_NEXT
#endif
#endif
#ifdef FORGE_FOUND_NEXT
#undef FORGE_FOUND_NEXT
#include_next "{include}"
#else
#error "{file} belongs to the build machine's {name}: list {name} under requirements.host in the recipe"
#endif
"""
"""If a host requirement has a header of the same name later on the compiler's search path, that one is used."""


_HEADERS_MODULE = "_forge_headers"

_TELL_HEADERS = """\
# Made by forge: what is compiled here is compiled for iOS, so sysconfig names the iOS Python's headers.
import sysconfig

_include = {include!r}
_pattern = _include.replace("{{", "{{{{").replace("}}", "}}}}")
for _scheme in sysconfig._INSTALL_SCHEMES.values():
    _scheme.update((key, _pattern) for key in ("include", "platinclude") if key in _scheme)
_get_config_vars = sysconfig.get_config_vars


def get_config_vars(*names):
    found = _get_config_vars()
    found["INCLUDEPY"] = found["CONFINCLUDEPY"] = _include
    return [found.get(name) for name in names] if names else found


sysconfig.get_config_vars = get_config_vars
"""


def tell_headers(site_packages: Path, include: Path) -> None:
    """Let `sysconfig` of the build side name another directory of headers than its Python's own.

    Args:
        site_packages: The build side's.
        include: The directory with the iOS Python's ``Python.h``.
    """
    text = _TELL_HEADERS.format(include=str(include))
    (site_packages / f"{_HEADERS_MODULE}.py").write_text(text, encoding="utf-8")
    # Imports in .pth files run up to Python 3.17 (PEP 829).
    (site_packages / f"{_HEADERS_MODULE}.pth").write_text(f"import {_HEADERS_MODULE}\n", encoding="utf-8")


def lay_out_declarations(site_packages: Path, directory: Path) -> bool:
    """Link the Cython declarations of packages into a directory for ``sys.path``, and nothing else of them.

    Without an ``__init__.py`` nothing there can be imported in place of the package itself; Cython takes a directory
    with an ``__init__.pxd`` for a package.

    Args:
        site_packages: The build side's.
        directory: Where they go; made if there are any.

    Returns:
        Whether there are any.
    """
    found = sorted(path for path in site_packages.rglob("*") if path.suffix in _DECLARATIONS and path.is_file())
    for file in found:
        link = directory / file.relative_to(site_packages)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    for package in [path for path in directory.rglob("*") if path.is_dir()] if found else []:
        if not any(path.name.startswith("__init__.") for path in package.iterdir()):
            (package / "__init__.pxd").touch()
    return bool(found)


def hide_headers(site_packages: Path) -> tuple[str, ...]:
    """Replace the headers, and remove the static archives, of packages that have compiled code.

    Args:
        site_packages: The build side's.

    Returns:
        The normalised names of these packages, sorted.
    """
    hidden: list[str] = []
    for dist_info in sorted(site_packages.glob("*.dist-info")):
        distribution = PathDistribution(dist_info)
        files = [site_packages.joinpath(*file.parts) for file in distribution.files or () if ".." not in file.parts]
        if not any(file.name.endswith(_COMPILED) for file in files):
            continue
        name = canonicalize_name(distribution.metadata["Name"])
        if _replace(files, name):
            hidden.append(name)
    return tuple(hidden)


def _replace(files: list[Path], name: str) -> bool:
    changed = False
    for file in files:
        if file.suffix == ".a":
            file.unlink(missing_ok=True)
            changed = True
        elif file.suffix in _HEADERS and file.is_file() and (include := _included_as(file)):
            # A new file: this one may be a hard link to a file in pip's cache.
            file.unlink()
            file.write_text(_INSTEAD.format(name=name, include=include, file=include), encoding="utf-8")
            changed = True
    return changed


def _included_as(file: Path) -> str | None:
    """A header's path as ``#include`` names it, below the nearest directory ``include``; None if there is none.

    Headers elsewhere are what a tool writes into its results (cffi's ``_cffi_include.h``, f2py's ``fortranobject.h``).
    """
    parents = [parent.name for parent in file.parents]
    if "include" not in parents:
        return None
    return file.relative_to(file.parents[parents.index("include")]).as_posix()


def include_directories(site_packages: Path) -> Iterator[Path]:
    """The directories ``include`` of packages built for the target, sorted, for the compiler's ``CPATH``.

    Args:
        site_packages: A host prefix's.
    """
    for directory in sorted(site_packages.rglob("include")):
        if directory.is_dir() and any(file.suffix in _HEADERS for file in directory.rglob("*")):
            yield directory
