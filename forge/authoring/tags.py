"""Versions by a repository's tags, for sources that no package index lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version

from forge.base.errors import NetworkError
from forge.plan.git import GitError, git
from forge.source.model import redacted

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = "${version}"
_OF_A_FORGE = re.compile(
    r"(?P<repository>/[^/]+/[^/]+)/(?:archive/refs/tags|releases/download|archive|-/archive)/(?P<tag>[^/]+)(?:/.*)?"
)
"""Paths of archives on GitHub, GitLab, Forgejo and their like."""

_ENDINGS = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".zip")


@dataclass(frozen=True)
class Tagged:
    """Where a project's versions are tags.

    Args:
        repository: What ``git ls-remote`` takes.
        before: What a tag has before the version.
        after: What it has after it.
    """

    repository: str
    before: str
    after: str


def tagged_by(urls: tuple[str, ...]) -> Tagged | None:
    """The repository whose tags name the archives of a source, if its URLs show one.

    Args:
        urls: As a recipe has them, with ``${version}`` in them.
    """
    for url in urls:
        parts = urlsplit(url)
        found = _OF_A_FORGE.fullmatch(parts.path)
        if parts.scheme not in ("https", "http", "file") or found is None:
            continue
        tag = next((found["tag"].removesuffix(end) for end in _ENDINGS if found["tag"].endswith(end)), found["tag"])
        if tag.count(_VERSION) == 1 and "$" not in tag.replace(_VERSION, ""):
            before, _, after = tag.partition(_VERSION)
            return Tagged(parts._replace(path=found["repository"], query="", fragment="").geturl(), before, after)
    return None


def remote_tags(repository: str, directory: Path) -> dict[str, str]:
    """The tags of a repository, each with its commit.

    Args:
        repository: What ``git ls-remote`` takes.
        directory: Where git runs.

    Raises:
        NetworkError: It does not answer.
        ToolchainError: There is no git.
    """
    try:
        listing = git(directory, "ls-remote", "--tags", "--", repository)
    except GitError as error:
        raise NetworkError(
            f"cannot list the tags of {redacted(repository)}\n  " + "\n  ".join(error.said.splitlines()[-3:]),
            hint="check the network, or name the version: forge update NAME==VERSION",
        ) from error
    tags: dict[str, str] = {}
    for line in listing.splitlines():
        commit, _, ref = line.partition("\t")
        name = ref.removeprefix("refs/tags/")
        tags[name.removesuffix("^{}")] = commit  # an annotated tag's second line has its commit, and comes later
    return tags


def versions(tags: dict[str, str], before: str, after: str) -> dict[Version, str]:
    """The versions that tags name, each with its tag."""
    found: dict[Version, str] = {}
    for tag in tags:
        if tag.startswith(before) and tag.endswith(after) and len(tag) > len(before) + len(after):
            text = tag[len(before) : len(tag) - len(after)]
            try:
                version = Version(text)
            except InvalidVersion:
                continue
            if str(version) == text:  # 'v' or '-' of another scheme of tags
                found[version] = tag
    return found


def scheme(tags: dict[str, str], commit: str, version: str) -> tuple[str, str]:
    """What a repository's tags have before and after a version, by the tag of a version's commit.

    Where that commit has no tag that names the version, ``vVERSION`` is taken, unless there is a tag ``VERSION``.

    Args:
        tags: The tags.
        commit: The commit of the version.
        version: The version.
    """
    named = [tag for tag, each in tags.items() if each == commit and version in tag]
    if named:
        before, _, after = named[0].partition(version)
        return before, after
    return ("v", "") if f"v{version}" in tags or version not in tags else ("", "")
