"""What a source tree shows: languages, what it declares, its tests, its licences. Nothing of it is run."""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from forge.wheel.requirements import valid_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.requirements import Requirement

_LANGUAGES = {
    ".c": "C", ".m": "Objective-C", ".cc": "C++", ".cpp": "C++", ".cxx": "C++", ".pyx": "Cython", ".rs": "Rust",
    ".f": "Fortran", ".f90": "Fortran", ".f95": "Fortran", ".s": "assembly", ".asm": "assembly",
}  # fmt: skip
_IGNORED = frozenset({"tests", "test", "testing", "docs", "doc", "examples", "benchmarks", "bench", "fuzz", ".github"})
"""Directories whose files are not part of what is built."""

_LICENCE_FILE = re.compile(r"(?:LICEN[CS]E|COPYING|UNLICEN[CS]E)(?:[-._].*)?", flags=re.IGNORECASE)
_MOST_TEXT = 1 << 18
_MOST_FILES = 20_000


@dataclass(frozen=True)
class SourceTree:
    """A source tree, read once.

    Args:
        path: The directory.
        files: Its files, relative, with ``/``, sorted; of a very large tree the first.
        pyproject: ``pyproject.toml``, or an empty mapping.
        setup: ``setup.py`` and the Python files that build things beside it, or empty.
    """

    path: Path
    files: tuple[str, ...]
    pyproject: Mapping[str, Any] = field(default_factory=dict)
    setup: str = ""

    @property
    def build_backend(self) -> str:
        """What ``build-system.build-backend`` names; setuptools' where there is none (PEP 517)."""
        return str(self.table("build-system").get("build-backend") or "setuptools.build_meta:__legacy__")

    @property
    def backend_path(self) -> tuple[str, ...]:
        """Directories that the back end is in, if it is in the tree (``build-system.backend-path``)."""
        paths = self.table("build-system").get("backend-path")
        return tuple(map(str, paths)) if isinstance(paths, list) else ()

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """``build-system.requires``, as far as it is valid."""
        listed = self.table("build-system").get("requires")
        texts = listed if isinstance(listed, list) else []
        return tuple(valid_requirements(text for text in texts if isinstance(text, str)))

    @property
    def required(self) -> frozenset[str]:
        """The normalised names of what the build requires."""
        return frozenset(canonicalize_name(each.name) for each in self.requires)

    def table(self, *path: str) -> Mapping[str, Any]:
        """A table of ``pyproject.toml``; an empty one where there is none."""
        found: Any = self.pyproject
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def text(self, file: str) -> str:
        """The start of a file as text; empty if it cannot be read."""
        try:
            with (self.path / file).open("rb") as opened:
                return opened.read(_MOST_TEXT).decode("utf-8", errors="replace")
        except OSError:
            return ""

    def has(self, file: str) -> bool:
        """Whether there is a file."""
        return file in self.files

    def languages(self) -> tuple[str, ...]:
        """The languages of what is built, most files first."""
        found: Counter[str] = Counter()
        for file in self.files:
            language = _LANGUAGES.get(Path(file).suffix.lower())
            if language and not in_tests(file):
                found[language] += 1
        return tuple(name for name, _ in found.most_common())

    def licence_files(self) -> tuple[str, ...]:
        """Licence files of the top directory, the one with the plainest name first."""
        top = [file for file in self.files if "/" not in file and _LICENCE_FILE.fullmatch(file)]
        return tuple(sorted(top, key=lambda name: (len(name), name)))

    def has_code(self) -> bool:
        """Whether anything in it could be installed: a tree without is a placeholder's."""
        scripts = {"setup.py", "conftest.py", "noxfile.py"}
        modules = (file for file in self.files if file.endswith(".py") and file not in scripts)
        return bool(self.languages()) or any(self.text(file).strip() for file in modules)


def in_tests(file: str) -> bool:
    """Whether a file of a source is in a directory of tests, documentation or examples: not part of what is built."""
    return not _IGNORED.isdisjoint(part.lower() for part in file.split("/")[:-1])


def read_tree(path: Path) -> SourceTree:
    """Read a source tree.

    Args:
        path: The directory, unpacked.
    """
    files = sorted(_walk(path))[:_MOST_FILES]
    bare = SourceTree(path, tuple(files))
    try:
        pyproject = tomllib.loads(bare.text("pyproject.toml"))
    except tomllib.TOMLDecodeError:
        pyproject = {}
    declared = SourceTree(path, (), pyproject)
    module = declared.build_backend.partition(":")[0].partition(".")[0]
    own = [(Path(directory) / module).as_posix() for directory in declared.backend_path]
    building = [file for file in files if _builds(file, own)]
    return SourceTree(path, tuple(files), pyproject, "\n".join(map(bare.text, building)))


def _builds(file: str, own: Iterable[str]) -> bool:
    """Whether a file says how the project is built: ``setup.py``, what build scripts are called, its own back end."""
    if not file.endswith(".py"):
        return False
    if re.fullmatch(r"_?(?:setup|build|custom_build|hatch_build|cffi_build)\w*\.py", file):
        return True
    return any(file == f"{module}.py" or file.startswith(f"{module}/") for module in own)


def _walk(path: Path) -> Iterator[str]:
    for directory, names, files in os.walk(path):
        names[:] = [name for name in names if name not in (".git", "__pycache__", "node_modules")]
        relative = Path(directory).relative_to(path).as_posix()
        for file in files:
            yield file if relative == "." else f"{relative}/{file}"
