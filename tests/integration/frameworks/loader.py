"""Run by a Python for the build machine: finds modules in a tree as CPython does on iOS.

On iOS ``_get_supported_file_loaders`` puts ``AppleFrameworkLoader`` first, for ``.fwork`` in place of ``.so``
(``Lib/importlib/_bootstrap_external.py``), and ``sys.executable`` is the app's program, in the bundle's root. The one
thing that is not CPython's own is the last step: loading code for iOS.

Arguments: the tree, the suffixes of extension modules with commas between, names of modules. Prints JSON: for each
module what the spec's origin is before and after loading, and ``__file__``, loaded from the ``.fwork`` file and from
the framework.
"""

from __future__ import annotations

import _imp
import importlib.util
import json
import sys
from importlib import machinery
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

# Only 3.13 and later have it; the checker reads this for 3.11.
AppleFrameworkLoader: Any = machinery.AppleFrameworkLoader  # type: ignore[attr-defined]
tree, suffixes, *names = sys.argv[1:]
site = Path(tree, "app_packages")
sys.executable = str(Path(tree, "App"))
loaded: list[str | None] = []


def create_dynamic(spec: ModuleSpec, _file: object = None) -> ModuleType:
    """What dlopen would be given."""
    loaded.append(spec.origin)
    return ModuleType(spec.name)


_imp.create_dynamic = create_dynamic
fwork = [suffix.replace(".so", ".fwork") for suffix in suffixes.split(",")]
loaders = (AppleFrameworkLoader, fwork), (SourceFileLoader, SOURCE_SUFFIXES)
found: dict[str, list[str | None] | None] = {}
for name in names:
    directory = site / name.rpartition(".")[0].replace(".", "/")
    spec = FileFinder(str(directory), *loaders).find_spec(name)
    if spec is None or spec.loader is None or spec.origin is None:
        found[name] = None
        continue
    origin = spec.origin
    module = spec.loader.create_module(spec)
    binary = loaded[-1]
    again = importlib.util.spec_from_file_location(name, binary, loader=AppleFrameworkLoader(name, str(binary)))
    back = again.loader.create_module(again) if again and again.loader else None
    found[name] = [
        type(spec.loader).__name__,
        origin,
        binary,
        getattr(module, "__file__", None),
        getattr(back, "__file__", None),
        loaded[-1],
    ]
json.dump(found, sys.stdout)
