"""How a new recipe's wheel is tried: imports, and the project's own tests."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from forge.wheel.requirements import valid_requirements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from packaging.requirements import Requirement

    from forge.authoring.project_metadata import ProjectMetadata
    from forge.authoring.source_tree import SourceTree

_MOST_IMPORTS = 12
"""How many extension modules are imported by name; the package imports most by itself."""

_MOST_TEST_FILES = 200
_TEST_EXTRAS = ("test", "tests", "testing", "dev", "development")
_OWN = frozenset({"pytest", "_pytest", "setuptools", "pip", "conftest"})
_TEST_FILE = re.compile(r"(?:test_\w*|\w*_test|tests?)\.py")


@dataclass(frozen=True)
class Suite:
    """A project's own tests.

    Args:
        source: The directory of the source that they are in.
        requires: What they import besides (PEP 508).
        guessed: Those of them that the project does not declare: named as they are imported.
    """

    source: str
    requires: tuple[str, ...] = ()
    guessed: tuple[str, ...] = ()


def imports_of(packages: Sequence[str], modules: Sequence[str]) -> tuple[str, ...]:
    """What to import: each top-level package, then the extension modules themselves.

    Args:
        packages: The import packages.
        modules: Dotted names of the extension modules.
    """
    return tuple(dict.fromkeys((*packages[:_MOST_IMPORTS], *modules[:_MOST_IMPORTS])))


def find_suite(tree: SourceTree, metadata: ProjectMetadata, packages: Iterable[str]) -> Suite | None:
    """The project's own tests, if the sdist has them in a directory of their own.

    Args:
        tree: The source.
        metadata: The project's.
        packages: Its import packages.
    """
    for directory in ("tests", "test"):
        files = [file for file in tree.files if file.startswith(f"{directory}/") and file.endswith(".py")]
        if any(_TEST_FILE.fullmatch(file.rpartition("/")[2]) for file in files):
            break
    else:
        return None
    own = {*packages, directory, *_OWN}
    for file in files:
        own.update(part.removesuffix(".py") for part in file.split("/"))
    own.update(file.partition("/")[0].removesuffix(".py") for file in tree.files)
    own |= _scripts(tree)
    imported = {name for file in files[:_MOST_TEST_FILES] for name in _imported(tree.text(file))}
    needed = sorted(name for name in imported if name not in own and name not in sys.stdlib_module_names)
    declared = {canonicalize_name(each.name) for each in _declared(tree, metadata)}
    # What the package itself requires is there.
    installed = {canonicalize_name(each.name) for each in valid_requirements(metadata.requires_dist) if not each.marker}
    requires = [
        project
        for name in needed
        if not name.startswith("_") and (project := canonicalize_name(_PROJECTS.get(name, name))) not in installed
    ]
    guessed = [project for project in requires if project not in declared]
    plugins = [name for name in declared if name.startswith("pytest-") and name not in _PLUGINS_FOR_SPEED]
    return Suite(directory, tuple(dict.fromkeys([*requires, *sorted(plugins)])), tuple(guessed))


_PROJECTS = {
    "Crypto": "pycryptodome", "Cryptodome": "pycryptodomex", "OpenSSL": "pyopenssl", "PIL": "pillow", "attr": "attrs",
    "bs4": "beautifulsoup4", "cv2": "opencv-python-headless", "dateutil": "python-dateutil", "docx": "python-docx",
    "dotenv": "python-dotenv", "git": "gitpython", "jose": "python-jose", "jwt": "pyjwt", "nacl": "pynacl",
    "serial": "pyserial", "skimage": "scikit-image", "sklearn": "scikit-learn", "yaml": "pyyaml", "zmq": "pyzmq",
}  # fmt: skip
"""Projects whose import package has another name, of those that tests import."""

_PLUGINS_FOR_SPEED = frozenset({"pytest-cov", "pytest-xdist", "pytest-codspeed", "pytest-timeout", "pytest-randomly"})
"""pytest's plug-ins that no test needs: for coverage, processes and measuring."""


def _scripts(tree: SourceTree) -> set[str]:
    """Modules of the source that are in no package, e.g. ``tools/make_data.py``; tests that import them add a path."""
    packages = {file.rpartition("/")[0] for file in tree.files if file.endswith("/__init__.py")}
    parts = (file.rpartition("/") for file in tree.files if file.endswith(".py"))
    return {name.removesuffix(".py") for directory, _, name in parts if directory not in packages}


def _imported(source: str) -> Iterator[str]:
    try:
        parsed = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in parsed.body:  # what a function imports may be optional
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
            case _:
                continue


def _declared(tree: SourceTree, metadata: ProjectMetadata) -> Iterator[Requirement]:
    """What the project declares for its tests: extras of its metadata, dependency groups (PEP 735)."""
    groups = tree.table("dependency-groups")
    listed = [text for name in _TEST_EXTRAS for text in groups.get(name, []) if isinstance(text, str)]
    listed += [text for text in metadata.requires_dist if re.search(r"extra\s*==\s*['\"](?:tests?|testing|dev)", text)]
    return valid_requirements(listed)
