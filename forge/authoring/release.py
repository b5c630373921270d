"""The release of a project that a recipe is written for: its sdist, its wheels, and whether there is any."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.errors import SourceError
from forge.wheel.contents import same_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from forge.lint.upstream import Upstream
    from forge.source.index import IndexFile

_ASKED = re.compile(r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:==\s*(\S+)\s*)?", flags=re.ASCII)


@dataclass(frozen=True)
class Asked:
    """What a person asked for.

    Args:
        name: The project, in any spelling.
        version: PEP 440, or None for the newest.
    """

    name: str
    version: str | None = None


@dataclass(frozen=True)
class Release:
    """One version of a project.

    Args:
        name: The project, normalised (PEP 503).
        version: The version, in its canonical form.
        sdist: The file that a recipe builds.
        sdists: How many sdists the version has.
        wheels: Its wheels.
        others: The wheels of other versions.
        yanked: Whether the project has withdrawn it (PEP 592).
    """

    name: str
    version: str
    sdist: IndexFile
    sdists: int
    wheels: tuple[IndexFile, ...]
    others: tuple[IndexFile, ...]
    yanked: bool = False


def parse_asked(text: str) -> Asked:
    """Read ``NAME`` or ``NAME==VERSION``.

    Raises:
        ValueError: It is neither; says why.
    """
    found = _ASKED.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is neither NAME nor NAME==VERSION")
    if found[2] is not None:
        try:
            Version(found[2])
        except InvalidVersion:
            raise ValueError(f"{found[2]!r} is not a version (PEP 440)") from None
    return Asked(found[1], found[2])


def find_release(upstream: Upstream, asked: Asked, recipes: Iterable[str] = ()) -> Release:
    """Look a release up in the indexes.

    Without a version it is the newest that is no pre-release, has an sdist and was not withdrawn (PEP 592).

    Args:
        upstream: Asks the indexes.
        asked: What is wanted.
        recipes: Names that are known, to find a misspelt one among.

    Raises:
        SourceError: No index has the project or the version, or the version has no sdist.
        NetworkError: An index did not answer.
    """
    name = canonicalize_name(asked.name)
    files = upstream.files(name)
    if not files:
        near = difflib.get_close_matches(name, sorted(recipes), n=1, cutoff=0.75)
        hint = "check its spelling, and the indexes in 'pip config list'"
        if near:
            hint += f"; there is a recipe {near[0]!r}"
        raise SourceError(f"no package index has the project {asked.name!r}", hint=hint)
    version = _version(asked, files)
    ours = [file for file in files if same_version(file.version, version)]
    sdists = sorted((file for file in ours if file.is_sdist), key=lambda file: file.filename.endswith(".zip"))
    if not sdists:
        raise _without_sdist(asked.name, version, files, ours)
    wheels = [file for file in files if file.filename.endswith(".whl")]
    mine = tuple(file for file in wheels if file in ours)
    others = tuple(file for file in wheels if file not in ours)
    return Release(name, version, sdists[0], len(sdists), mine, others, sdists[0].is_yanked)


def newest_version(upstream: Upstream, name: str) -> str | None:
    """The newest version of a project that is no pre-release; None if there is none.

    Args:
        upstream: Asks the indexes.
        name: The project, in any spelling.

    Raises:
        NetworkError: An index did not answer.
    """
    offered = (file for file in upstream.files(name) if not file.is_yanked)
    final = [each for each in _versions(offered) if not each.is_prerelease]
    return str(max(final)) if final else None


def at_least(name: str, version: str | None) -> str:
    """A requirement on a project of a version's major.minor or later; on any version if none is known.

    Args:
        name: The project.
        version: The version (PEP 440), or None.
    """
    if version is None:
        return name
    parsed = Version(version)
    return f"{name}>={parsed.major}.{parsed.minor}"


def _version(asked: Asked, files: Sequence[IndexFile]) -> str:
    known = _versions(files)
    if asked.version is not None:
        wanted = Version(asked.version)
        if wanted in known:
            return str(wanted)
        near = difflib.get_close_matches(str(wanted), [str(each) for each in known], n=3, cutoff=0.6)
        newest = [str(each) for each in sorted(known, reverse=True)[:4]]
        listed = ", ".join(dict.fromkeys([*near, *newest]))
        raise SourceError(f"{asked.name} has no version {asked.version}", hint=f"the index has {listed}, for example")
    with_sdist = _versions(file for file in files if file.is_sdist and not file.is_yanked)
    final = [each for each in with_sdist if not each.is_prerelease]
    newest_file = max(final or with_sdist or known, default=None)
    if newest_file is None:
        raise SourceError(f"{asked.name} has no release with a version that is valid (PEP 440)",
                          hint="write the recipe by hand, with another source")  # fmt: skip
    return str(newest_file)


def _versions(files: Iterable[IndexFile]) -> set[Version]:
    found = set()
    for file in files:
        try:
            found.add(Version(file.version))
        except InvalidVersion:  # of before PEP 440
            continue
    return found


def _without_sdist(name: str, version: str, files: Sequence[IndexFile], ours: Sequence[IndexFile]) -> SourceError:
    versions = sorted(_versions(file for file in files if file.is_sdist), reverse=True)
    hint = "write the recipe by hand, with 'git' or 'url' as its source (docs/recipes.md)"
    if versions:
        hint = f"the newest version with one is {versions[0]}: forge new {name}=={versions[0]}; or {hint}"
    listed = ", ".join(sorted(file.filename for file in ours)[:3])
    return SourceError(f"{name} {version} has no sdist; the index has {listed}", hint=hint)
