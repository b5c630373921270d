"""Mends of the catalogue of failures, applied to a draft."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from forge.authoring.native_libraries import recipe_of_header, recipe_of_library
from forge.authoring.release import at_least
from forge.failures.catalogue import Change, ChangeKind
from forge.recipe.model import Backend, Language

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterator

    from forge.authoring.draft import Draft
    from forge.failures.match import Match

_TOOLS = {
    "cffi": "cffi", "cython": "cython", "distutils": "setuptools", "flit_core": "flit-core", "hatchling": "hatchling",
    "jinja2": "jinja2", "maturin": "maturin", "mesonpy": "meson-python", "nanobind": "nanobind", "ninja": "ninja",
    "numpy": "numpy", "packaging": "packaging", "pkg_resources": "setuptools<81", "pkgconfig": "pkgconfig",
    "poetry": "poetry-core", "pybind11": "pybind11", "pythran": "pythran", "setuptools": "setuptools",
    "setuptools_rust": "setuptools-rust", "setuptools_scm": "setuptools-scm", "swig": "swig",
    "versioneer": "versioneer", "wheel": "wheel",
}  # fmt: skip
"""Modules and programs of builds, by what brings them. Nothing else is installed by the name that it is imported by:
whoever registered that name would have their code run here."""


@dataclass(frozen=True)
class Mend:
    """What a failure's mend makes of a draft.

    Args:
        draft: The draft, changed.
        said: What was changed, e.g. ``requirements.host: numpy``.
    """

    draft: Draft
    said: str


@dataclass(frozen=True)
class Mender:
    """Applies mends.

    Args:
        recipes: The normalised names of the recipes there are.
        libraries: Those of native libraries.
        newest: Asks the index for a project's newest version; None if it has none.
    """

    recipes: Collection[str]
    libraries: Container[str]
    newest: Callable[[str], str | None]

    def mends(self, draft: Draft, match: Match) -> Iterator[Mend]:
        """What a failure's mend may make of a draft: nothing if the mend has no changes, or one cannot be made.

        Args:
            draft: The draft whose build failed.
            match: What its log matched.
        """
        doubt = _doubt(match)
        for change in match.changes:
            if change.kind is ChangeKind.SWITCH:
                unset = (name for name in draft.switches if name not in draft.env)
                yield from (Mend(draft.with_variable(name, "1", doubt), f"build.env.{name}: 1") for name in unset)
                return
        if (together := self._together(draft, match)) is not None:
            yield together

    def _together(self, draft: Draft, match: Match) -> Mend | None:
        """All changes of a mend."""
        said = []
        changed = draft
        for change in match.changes:
            made = self._change(changed, change, _doubt(match))
            if made is None:
                return None
            changed = made.draft
            said.append(made.said)
        return Mend(changed, "; ".join(said)) if changed != draft else None

    def _change(self, draft: Draft, change: Change, doubt: str) -> Mend | None:
        match change.kind:
            case ChangeKind.HOST:
                name = canonicalize_name(change.value)
                return self._host(draft, name if name in self.recipes else None, doubt)
            case ChangeKind.HEADER:
                return self._library(draft, recipe_of_header(change.value, self.libraries), doubt)
            case ChangeKind.LIBRARY:
                return self._library(draft, recipe_of_library(change.value, self.libraries), doubt)
            case ChangeKind.MODULE:
                tool = _TOOLS.get(change.value.partition(".")[0].lower())
                return None if tool is None else self._requirement(draft, tool, doubt)
            case ChangeKind.REQUIRES:
                return self._requirement(draft, change.value, doubt)
            case ChangeKind.LANGUAGE:
                return Mend(draft.with_language(Language(change.value)), f"build.languages: {change.value}")
            case ChangeKind.VARIABLE:
                said = f"build.env.{change.name}: {change.value}"
                return Mend(draft.with_variable(change.name, change.value, doubt), said)
            case ChangeKind.FLAG:
                return Mend(
                    draft.with_flag(change.name, change.value, doubt), f"build.env.{change.name}: {change.value}"
                )
            case ChangeKind.SWITCH:  # `mends` makes one of each
                return None
            case ChangeKind.WITHOUT_EXTENSION:
                return _without_extension(draft, change.value)

    @staticmethod
    def _host(draft: Draft, recipe: str | None, doubt: str) -> Mend | None:
        return None if recipe is None else Mend(draft.with_host(recipe, doubt), f"requirements.host: {recipe}")

    def _library(self, draft: Draft, recipe: str | None, doubt: str) -> Mend | None:
        """A native library, and where compilers find it; Meson asks pkg-config."""
        made = self._host(draft, recipe, doubt)
        if made is None or draft.backend is Backend.MESON_PYTHON:
            return made
        changed = made.draft.with_flag("CFLAGS", "-I${host_prefix}/opt/include", "")
        return Mend(changed.with_flag("LDFLAGS", "-L${host_prefix}/opt/lib", ""), made.said)

    def _requirement(self, draft: Draft, text: str, doubt: str) -> Mend | None:
        """A build requirement, with the newest version as the lowest where nothing is said of versions."""
        requirement = Requirement(text)
        if not requirement.specifier:
            newest = self.newest(requirement.name)
            if newest is None:
                return None
            text = at_least(requirement.name, newest)
        return Mend(draft.with_build_requirement(text, doubt), f"build.requires: {text}")


def _doubt(match: Match) -> str:
    return f"added for the failure {match.entry.id}"


def _without_extension(draft: Draft, name: str) -> Mend | None:
    left = tuple(each for each in draft.extensions if each != name)
    if not left or left == draft.extensions:
        return None
    changed = replace(
        draft,
        extensions=left,
        left_out=(*draft.left_out, name),
        tests=replace(draft.tests, imports=tuple(each for each in draft.tests.imports if each != name)),
    )
    return Mend(changed, f"extension-modules.txt: without {name}")
