"""Environment variables that a project's build reads: those that its releases set, and switches for compiled code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.authoring.cibuildwheel import named_values
from forge.recipe.checks import RESERVED_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from forge.authoring.source_tree import SourceTree

_READ = re.compile(r"""(?:environ(?:\.get\(|\[)|getenv\()\s*["']([A-Z][A-Z0-9_]*)["']""")
_SWITCH = re.compile(
    r"CIBUILDWHEEL|\w*(?:MYPYC|CYTHON|EXTENSIONS?|SPEEDUPS?|NATIVE|COMPILED?|C_EXT|REQUIRE_\w+)\w*|\w+_(?:FORCE|USE|WITH)_\w+"
)
_OFF_BY_DEFAULT = re.compile(r"\w*USE_(?:MYPYC|CYTHON)\w*|\w*MYPYC")
"""Switches that projects have off by default, so that their sdists install without a compiler."""

_NEGATIVE = re.compile(
    r"(?:^|_)(?:NO|DISABLE|SKIP|WITHOUT|PURE|DEBUG|COVERAGE|WARNINGS?|WERROR|TESTS?|CI|PGO|ABI3|LIMITED|TRACE|TRACING|DEV|SANITIZE)(?:_|$)"
)
_MACHINE = re.compile(
    r"(?:PIP|CIBW|UV|MACOSX|HOMEBREW|DYLD|CARGO|RUSTUP|SCCACHE|CCACHE|PYTHON|VIRTUAL)(?:_|$)\w*|\w*COLORS?"
)
_PLAIN = re.compile(r"[A-Za-z0-9_.,:=/+-]*")


def release_variables(tree: SourceTree) -> Mapping[str, str]:
    """Variables that the project's own releases are built with, as far as they are about the project.

    They are in the configuration of cibuildwheel; hatchling's build hooks may be off by default.

    Args:
        tree: The source.
    """
    found: dict[str, str] = {}
    for pairs in named_values(tree, "environment"):
        found.update(_variables(pairs))
    hooks = (*_hooks(tree, "tool", "hatch", "build", "hooks"),
             *_hooks(tree, "tool", "hatch", "build", "targets", "wheel", "hooks"))  # fmt: skip
    if any(hook.get("enable-by-default") is False for hook in hooks):
        found["HATCH_BUILD_HOOKS_ENABLE"] = "1"
    for name in _read(tree):
        if _OFF_BY_DEFAULT.fullmatch(name) and not _NEGATIVE.search(name) and _would_compile(tree, name):
            found.setdefault(name, "1")
    return found


def _would_compile(tree: SourceTree, name: str) -> bool:
    """Whether nothing is compiled without a switch: C that Cython wrote for the sdist is, mypyc's is never there."""
    if "MYPYC" in name:
        return True
    modules = [file.removesuffix(".pyx") for file in tree.files if file.endswith(".pyx")]
    return bool(modules) and not any(tree.has(f"{module}{suffix}") for module in modules for suffix in (".c", ".cpp"))


def switches(tree: SourceTree) -> tuple[str, ...]:
    """Variables that the build's scripts read, which may switch compiled code on.

    Args:
        tree: The source.
    """
    return tuple(name for name in _read(tree) if _SWITCH.fullmatch(name) and not _NEGATIVE.search(name))


def _read(tree: SourceTree) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_READ.findall(tree.setup)))


def _variables(pairs: Iterable[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    """Those of cibuildwheel's variables that are about the project, and have a plain value."""
    for name, said in pairs:
        value = str(said)
        usual = re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and name not in RESERVED_VARIABLES
        if (
            usual
            and not _MACHINE.fullmatch(name)
            and not _NEGATIVE.search(name)
            and _PLAIN.fullmatch(value)
            and not value.startswith("/")
            and "://" not in value
        ):
            yield name, value


def _hooks(tree: SourceTree, *path: str) -> Iterator[Mapping[str, object]]:
    for hook in tree.table(*path).values():
        if isinstance(hook, dict):
            yield hook
