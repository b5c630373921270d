"""What a project's releases tell the back end: the settings that its own wheels are built with (PEP 517)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.authoring.cibuildwheel import BUILT_WITH, named_values
from forge.authoring.draft import Item
from forge.recipe.model import Backend
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.authoring.back_end import BackEnd
    from forge.authoring.source_tree import SourceTree

_STABLE_ABI = "wheel.py-api"
"""scikit-build-core's setting for the stable ABI: the first Python that a wheel serves, e.g. ``cp312``."""


def release_settings(tree: SourceTree, back_end: BackEnd, wheel: str) -> Mapping[str, tuple[Item, ...]]:
    """Settings that the project's own wheels are built with, by name.

    They are in the configuration of cibuildwheel; that scikit-build-core was told of the stable ABI is seen by the
    wheel's name. Settings with a path or a variable in them are those of the project's machine, and passed over.

    Args:
        tree: The source.
        back_end: How it is built.
        wheel: The file name of a wheel of the release, or empty.
    """
    found: dict[str, tuple[Item, ...]] = {}
    for pairs in named_values(tree, "config-settings"):
        said: dict[str, list[Item]] = {}
        for name, value in pairs:
            texts = map(str, value if isinstance(value, list) else [value])
            said.setdefault(name, []).extend(
                Item(text, BUILT_WITH) for text in texts if not any(mark in text for mark in "/$\\{")
            )
        found.update((name, tuple(items)) for name, items in said.items() if items)
    scikit_build_core = back_end.kind is Backend.SCIKIT_BUILD_CORE and back_end.cmake == "scikit-build-core"
    if scikit_build_core and wheel and "py-api" not in tree.table("tool", "scikit-build", "wheel"):
        built = parse_wheel_name(wheel)
        if "abi3" in built.abis and len(built.pythons) == 1:
            found.setdefault(_STABLE_ABI, (Item(built.pythons[0], BUILT_WITH),))
    return found
