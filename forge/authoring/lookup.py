"""What a recipe is to be updated to: its new version, and what of its source changes with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.version import Version

from forge.authoring.errors import UpdateError
from forge.authoring.first_download import download_first
from forge.authoring.newest import choose
from forge.authoring.tags import remote_tags, scheme, tagged_by, versions
from forge.base.errors import SourceError
from forge.ios_python.interface import known_minors
from forge.recipe.model import GitPin, PathPin, SdistPin, UrlPin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.authoring.newest import Wish
    from forge.lint.upstream import Upstream
    from forge.recipe.document import Path as DataPath
    from forge.recipe.model import Recipe
    from forge.source.index import IndexFile

_VERSION = "${version}"


@dataclass(frozen=True)
class Found:
    """A version to update to.

    Args:
        version: The version (PEP 440); None if the recipe has the one that is wanted.
        values: What changes in the recipe with it, by path.
        notes: What a person should know.
        is_known: False where nothing says which versions there are.
    """

    version: str | None = None
    values: Mapping[DataPath, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    is_known: bool = True


def look_up(recipe: Recipe, wish: Wish, upstream: Upstream, *, source: bool = True) -> Found:
    """The version of a recipe's project to update to.

    Args:
        recipe: The recipe.
        wish: Which versions are taken.
        upstream: Asks the indexes.
        source: Whether to find out the new source's hash, which takes a download where no index has it.

    Raises:
        SourceError, NetworkError, UpdateError: There is no such version, or that cannot be found out.
    """
    match recipe.source:
        case SdistPin(_, filename):
            return _of_index(recipe, filename, wish, upstream, source=source)
        case UrlPin(urls, _):
            return _of_urls(recipe, urls, wish, upstream, source=source)
        case GitPin(url, revision):
            return _of_git(recipe, url.replace(_VERSION, recipe.version), revision, wish)
        case PathPin():
            return _of_path(recipe, wish)


def _of_index(recipe: Recipe, filename: str | None, wish: Wish, upstream: Upstream, *, source: bool) -> Found:
    def is_source(file: IndexFile) -> bool:
        if filename is None:
            return file.is_sdist
        return file.filename == _with_version(filename, recipe.version, file.version)

    files = sorted(upstream.files(recipe.name), key=lambda file: file.filename.endswith(".zip"))
    minors = [minor for minor in known_minors() if recipe.supports(minor)]
    choice = choose(recipe.name, Version(recipe.version), files, wish, minors, is_source)
    file = choice.file
    if file is None:
        return Found(notes=choice.passed_over)
    version = str(Version(file.version))
    notes = list(choice.passed_over)
    if file.is_yanked:
        notes.append(f"{version} was yanked")
    values: dict[DataPath, str] = {("package", "version"): version}
    if source:
        sha256 = file.sha256
        if sha256 is None:
            sha256, _ = download_first((file.url,), upstream.home, upstream.progress, upstream.settings)
            notes.append("the index gives no sha256; the one of the recipe is that of the file that came")
        values["source", "sdist", "sha256"] = sha256
        if filename is not None:
            values["source", "sdist", "filename"] = _with_literal(filename, recipe.version, version)
    return Found(version, values, tuple(notes))


def _of_urls(recipe: Recipe, urls: tuple[str, ...], wish: Wish, upstream: Upstream, *, source: bool) -> Found:
    current = Version(recipe.version)
    notes: tuple[str, ...] = ()
    version = wish.version
    if version is None:
        tagged = tagged_by(urls)
        if tagged is None:
            note = "nothing lists its versions: name one with NAME==VERSION"
            return Found(notes=(note,), is_known=False)
        known = versions(remote_tags(tagged.repository, recipe.directory), tagged.before, tagged.after)
        version, notes = _newest(current, known, wish)
    if version is None or version == current:
        return Found(notes=notes)
    values: dict[DataPath, str] = {("package", "version"): str(version)}
    if not source:
        return Found(str(version), values, notes)
    new = tuple(_with_literal(url, recipe.version, str(version)) for url in urls)
    if stuck := [url for old, url in zip(urls, new, strict=True) if _VERSION not in url and old == url]:
        raise UpdateError(
            f"{recipe.name}: the URL {stuck[0]} does not have the version in it",
            hint="write the new URL and its sha256 into the recipe yourself",
        )
    expanded = tuple(url.replace(_VERSION, str(version)) for url in new)
    sha256, whence = download_first(expanded, upstream.home, upstream.progress, upstream.settings)
    notes += (f"the sha256 is that of {whence}: compare it with the project's own announcement",)
    values |= {("source", "url", number): url for number, url in enumerate(new) if url != urls[number]}
    return Found(str(version), values | {("source", "sha256"): sha256}, notes)


def _of_git(recipe: Recipe, url: str, revision: str, wish: Wish) -> Found:
    tags = remote_tags(url, recipe.directory)
    known = versions(tags, *scheme(tags, revision, recipe.version))
    current = Version(recipe.version)
    if wish.version is None:
        version, notes = _newest(current, known, wish)
        if version is None:
            return Found(notes=notes, is_known=bool(known))
    else:
        version, notes = wish.version, ()
        if version not in known:
            listed = ", ".join(str(each) for each in sorted(known, reverse=True)[:6])
            raise SourceError(
                f"{recipe.name}: the repository has no tag of version {version}",
                hint=f"it has tags of {listed}" if known else "write the version and its commit into the recipe",
            )
    commit = tags[known[version]]
    if version == current and commit == revision:
        return Found(notes=notes)
    values: dict[DataPath, str] = {("package", "version"): str(version), ("source", "git", "revision"): commit}
    return Found(str(version), values, (*notes, f"the commit is that of the tag {known[version]}"))


def _of_path(recipe: Recipe, wish: Wish) -> Found:
    if wish.version is not None:
        raise UpdateError(
            f"{recipe.name}: its source is a directory beside the recipe", hint="change the version by hand"
        )
    return Found()


def _newest(current: Version, known: Mapping[Version, str], wish: Wish) -> tuple[Version | None, tuple[str, ...]]:
    newest = max((each for each in known if wish.pre or not each.is_prerelease), default=None)
    if newest is None or newest <= current:
        return None, ()
    if wish.min_age:
        note = f"{newest} is not taken: tags do not tell how old it is, and --min-age was given"
        return None, (note,)
    return newest, ()


def _with_version(template: str, old: str, new: str) -> str:
    return _with_literal(template, old, new).replace(_VERSION, new)


def _with_literal(template: str, old: str, new: str) -> str:
    """A template with a version that is written out in it replaced; ``${version}`` follows by itself."""
    return template if _VERSION in template else template.replace(old, new)
