"""Writes ``docs/failures.md`` from the catalogue: ``python -m forge.failures.docs > docs/failures.md``."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

from forge.failures.catalogue import NAMED, ChangeKind, all_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.failures.catalogue import Change, Entry

_TOOLS = {
    "configure": "configure and the autotools",
    "cmake": "CMake and Ninja",
    "meson": "Meson",
    "compiler": "Compilers",
    "linker": "Linkers",
    "rust": "Rust",
    "python": "Python and back ends",
    "pip": "pip",
    "forge": "The machine, and forge itself",
    "tests": "Tests",
}

_HEAD = """\
# Failures

<!-- Made by `python -m forge.failures.docs` from forge/failures/catalogue.yaml: change that file, not this one. -->

`forge explain [LOG]` says why a build failed and how to fix it: it matches the log against the failures below. Without
a log it takes the newest one in the cache; `-` is standard input. After a failed build forge says the same by itself.
Where nothing matches, it shows the first error of a compiler, linker, configure script or Python in the log rather than
the last lines, which only tell that something failed before. `--all` shows every failure that matches, `--json` prints
JSON.

`forge new NAME --try` applies fixes that a program can make to the recipe that it has written; they are shown as "By
itself".

To add a failure, add an entry with an example to `forge/failures/catalogue.yaml`; a test matches each example against
all entries.
"""


def render() -> str:
    """The page, in Markdown; ends in a line break."""
    lines = [_HEAD]
    order = list(_TOOLS)
    entries = sorted(all_entries(), key=lambda entry: order.index(entry.tool))
    for tool, group in itertools.groupby(entries, key=lambda entry: entry.tool):
        lines.append(f"## {_TOOLS[tool]}\n")
        for entry in group:
            lines.extend(_section(entry))
    return "\n".join(lines).rstrip("\n") + "\n"


def _section(entry: Entry) -> Iterator[str]:
    yield f"### {entry.id}\n"
    yield f"```\n{entry.example.rstrip()}\n```\n"
    yield f"**Cause:** {_named(entry.cause)}\n"
    yield f"**Fix:** {_named(entry.mend)}\n"
    if entry.changes:
        yield f"**By itself:** {'; '.join(map(_change, entry.changes))}\n"


def _change(change: Change) -> str:
    """A change in a few words."""
    value = f"`{change.value}`" if not NAMED.search(change.value) else _named(change.value)
    match change.kind:
        case ChangeKind.HOST:
            return f"{value} in requirements.host"
        case ChangeKind.HEADER | ChangeKind.LIBRARY:
            return f"the recipe that brings {value}, in requirements.host"
        case ChangeKind.REQUIRES:
            return f"{value} in build.requires"
        case ChangeKind.MODULE:
            return f"what brings {value}, if it is a known tool, in build.requires"
        case ChangeKind.LANGUAGE:
            return f"{value} in build.languages"
        case ChangeKind.VARIABLE:
            return f"`{change.name}: {change.value}` in build.env"
        case ChangeKind.FLAG:
            return f"{value} at the end of {change.name} in build.env"
        case ChangeKind.SWITCH:
            return "a variable that the build script reads, as `1` in build.env"
        case ChangeKind.WITHOUT_EXTENSION:
            return f"no promise of {value}"


def _named(text: str) -> str:
    """A text whose groups are shown as placeholders."""
    return NAMED.sub(r"*\1*", text)


if __name__ == "__main__":
    sys.stdout.write(render())
