"""What a build would download for itself: sources that a recipe has to name instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from forge.authoring.source_tree import in_tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.authoring.source_tree import SourceTree

_COMMENT = re.compile(r"^\s*#.*$", flags=re.MULTILINE)
_CMAKE = (
    # CMake's modules FetchContent and ExternalProject; the body tells what is downloaded from what is in the tree.
    re.compile(r"\b(?:FetchContent_Declare|ExternalProject_Add)\s*\(\s*([\w.+-]+)([^)]*)\)"),
    # CPM.cmake: NAME and GITHUB_REPOSITORY, or all in one word as "gh:owner/name#tag".
    re.compile(r"\bCPM(?:Add|Find)Package\s*\(\s*(?:NAME\s+)?[\"']?([^\s\"')]+)([^)]*)\)"),
)
_REMOTE = re.compile(r"\b(?:GIT_REPOSITORY|GITHUB_REPOSITORY|GITLAB_REPOSITORY|URL)\b|^(?:gh|gl|bb|https?):")
_CMAKE_FILE = re.compile(r"\bfile\s*\(\s*DOWNLOAD\b")
_PYTHON = re.compile(
    r"""\burl(?:retrieve|open)\s*\(|\brequests\.get\s*\(|["']git["']\s*,\s*["'](?:clone|submodule)["']|\bgit\s+clone\b"""
)
_MOST_NAMED = 4


def build_downloads(tree: SourceTree) -> str:
    """What the build's scripts seem to download, in words; empty if nothing.

    Args:
        tree: The source.
    """
    found = sorted(set(_found(tree)))
    if not found:
        return ""
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"the build seems to download {', '.join(found[:_MOST_NAMED])}{more}: is it needed, and is there a recipe?"


def _found(tree: SourceTree) -> Iterator[str]:
    if _PYTHON.search(_COMMENT.sub("", tree.setup)):
        yield "something by its build script"
    for file in tree.files:
        name = file.rpartition("/")[2]
        if (name != "CMakeLists.txt" and not name.endswith(".cmake")) or in_tests(file):
            continue
        text = _COMMENT.sub("", tree.text(file))
        for pattern in _CMAKE:
            for said in pattern.finditer(text):
                if _REMOTE.search(said[1]) or _REMOTE.search(said[2]):
                    yield _plain(said[1])
        if _CMAKE_FILE.search(text) and name != "CPM.cmake":
            yield f"something by {file}"


def _plain(name: str) -> str:
    """A package's name in CPM's short form, ``gh:owner/name#tag`` or ``gh:owner/name@version``."""
    return re.split(r"[#@]", name.rpartition("/")[2])[0] if ":" in name else name
