"""What a recipe is written from: a release's sdist, unpacked, and its wheel, read."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.authoring.project_metadata import ProjectMetadata, parse_metadata
from forge.authoring.source_tree import SourceTree, read_tree
from forge.authoring.wheel_facts import WheelFacts, choose_wheel, read_facts
from forge.base.errors import SourceError, WheelError
from forge.source.fetch import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.authoring.release import Release
    from forge.lint.upstream import Upstream

_EXTENSION = re.compile(r"""\b(?:Rust|Pybind11|Cpp)?Extension\(\s*(?:name\s*=\s*)?["']([\w.]+)""")


@dataclass(frozen=True)
class Material:
    """A release, read.

    Args:
        release: The release.
        tree: Its source, for as long as it is there.
        facts: Its wheel that tells most; None if it has none that can be read.
        metadata: What it says of itself.
        modules: Dotted names of its extension modules.
        packages: What it is imported by.
    """

    release: Release
    tree: SourceTree
    facts: WheelFacts | None
    metadata: ProjectMetadata
    modules: tuple[str, ...]
    packages: tuple[str, ...]


@contextlib.contextmanager
def read_material(upstream: Upstream, release: Release) -> Iterator[Material]:
    """Get and read a release's sdist and wheel; the source is there while the body runs.

    Args:
        upstream: Gets the files.
        release: The release.

    Raises:
        SourceError: The sdist cannot be read, or has no code.
        NetworkError: A file cannot be had.
    """
    facts = _wheel_facts(upstream, release)
    with _unpacked(upstream, release) as tree:
        if not tree.has_code():
            raise SourceError(
                f"{release.name} {release.version} is a placeholder: its sdist has no code",
                hint="check the name of the project",
            )
        metadata = facts.metadata if facts else parse_metadata(tree.text("PKG-INFO").encode())
        modules = facts.modules if facts else declared_modules(tree)
        packages = facts.packages if facts else ()
        if not packages:
            packages = tuple(dict.fromkeys(module.partition(".")[0] for module in modules))
        yield Material(release, tree, facts, metadata, modules, packages)


def declared_modules(tree: SourceTree) -> tuple[str, ...]:
    """Extension modules by what a source says, where no wheel tells.

    Args:
        tree: The source.
    """
    names = set(_EXTENSION.findall(tree.setup))
    rows = tree.table("tool", "setuptools").get("ext-modules")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and isinstance(row.get("name"), str):
            names.add(row["name"])
    named = tree.table("tool", "maturin").get("module-name")
    if isinstance(named, str):
        names.add(named)
    if not names:
        for file in tree.files:
            if file.endswith(".pyx") and "/" in file:
                names.add(file.removeprefix("src/").removeprefix("lib/").removesuffix(".pyx").replace("/", "."))
    return tuple(sorted(names))


def _wheel_facts(upstream: Upstream, release: Release) -> WheelFacts | None:
    wheel = choose_wheel(upstream, release)
    if wheel is None:
        return None
    with contextlib.suppress(WheelError):  # one that cannot be read tells nothing
        return read_facts(upstream.get(wheel))
    return None


@contextlib.contextmanager
def _unpacked(upstream: Upstream, release: Release) -> Iterator[SourceTree]:
    archive = upstream.get(release.sdist)
    directory = Path(tempfile.mkdtemp(prefix="forge-new-"))
    try:
        prepare(archive, (), directory / "source", upstream.progress)
        yield read_tree(directory / "source")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
