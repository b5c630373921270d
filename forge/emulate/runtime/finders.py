"""Python's import system taught the names of iOS and macOS extension modules.

The standard finders and loaders do the work: ``ExtensionFileLoader`` calls ``_imp.create_dynamic``, which calls
``dlopen``, which hands Mach-O files over (``loader_dl.c``). So everything that CPython does with an extension module
is CPython's own: both kinds of init functions (PEP 489), names of init functions, import twice, sub-interpreters.
"""

from __future__ import annotations

import importlib.machinery
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

FWORK = ".fwork"


_PLATFORMS = ("iphonesimulator", "iphoneos", "darwin")


def apple_suffixes(version: tuple[int, int] = sys.version_info[:2]) -> list[str]:
    """File name suffixes of extension modules that a Python takes on Apple's systems (``dynload_shlib.c``).

    Args:
        version: Its major and minor version; the running Python's by default.
    """
    found = [f".cpython-{version[0]}{version[1]}-{platform}.so" for platform in _PLATFORMS]
    # From 3.15 on also the stable ABI of free-threaded Pythons (PEP 803), and either one with a platform.
    for abi in ("abi3", "abi3t") if version >= (3, 15) else ("abi3",):
        if version >= (3, 15):
            found += [f".{abi}-{platform}.so" for platform in _PLATFORMS]
        found.append(f".{abi}.so")
    return [*found, ".so"]


class FrameworkLoader(importlib.machinery.ExtensionFileLoader):
    """Loads extension modules whose binary is in a framework.

    An ``.fwork`` file stands where the module was and holds the binary's path from the app's executable on, as
    ``AppleFrameworkLoader`` of CPython's ``Lib/importlib/_bootstrap_external.py`` reads it; beside the binary a file
    ``.origin`` names the ``.fwork`` file.
    """

    bundle: Path = Path(sys.executable).parent
    """The directory that paths count from: the app bundle's."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Make the module; its ``__file__`` is the ``.fwork`` file, its spec's ``origin`` the binary."""
        origin = spec.origin or ""
        if origin.endswith(FWORK):
            spec.origin = str(self.bundle / Path(origin).read_text("utf-8").strip())
        path = self.path
        if not path.endswith(FWORK):
            path = str(self.bundle / Path(path + ".origin").read_text("utf-8").strip())
        module = super().create_module(spec)
        module.__file__ = path
        return module


def install_finders(bundle: Path | None = None) -> None:
    """Have ``import`` find Apple's extension modules and ``.fwork`` files in every directory; to be called once.

    Sub-interpreters have an import system of their own and need their own call.

    Args:
        bundle: The directory of the app's executable; None for the running Python's.
    """
    if bundle is not None:
        FrameworkLoader.bundle = bundle
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    ours = apple_suffixes()
    # In place: inspect and importlib look at this very list.
    suffixes[:] = [*suffixes[:1], *(s for s in ours if s not in suffixes), *suffixes[1:]]
    fworks = [suffix.removesuffix(".so") + FWORK for suffix in ours]
    hook = importlib.machinery.FileFinder.path_hook(
        (FrameworkLoader, fworks),
        (importlib.machinery.ExtensionFileLoader, suffixes),
        (importlib.machinery.SourceFileLoader, importlib.machinery.SOURCE_SUFFIXES),
        (importlib.machinery.SourcelessFileLoader, importlib.machinery.BYTECODE_SUFFIXES),
    )
    # FileFinder's own hook is the last that Python installs; what others put before it keeps its place.
    places = [i for i, one in enumerate(sys.path_hooks) if getattr(one, "__name__", "") == "path_hook_for_FileFinder"]
    for place in places or [len(sys.path_hooks)]:
        sys.path_hooks[place : place + 1] = [hook]
    for path in [
        p for p, finder in sys.path_importer_cache.items() if isinstance(finder, importlib.machinery.FileFinder)
    ]:
        del sys.path_importer_cache[path]
