"""A draft made of what a release's files tell; or why there is no recipe to write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from forge.authoring.back_end import BackEnd, back_end_of
from forge.authoring.cibuildwheel import BUILT_WITH
from forge.authoring.downloads import build_downloads
from forge.authoring.draft import Draft, DraftTests, Item
from forge.authoring.licences import licence_of
from forge.authoring.material import Material, read_material
from forge.authoring.native_libraries import LibraryRecipes, native_libraries
from forge.authoring.needs import run_needs
from forge.authoring.readme import readme_examples, readme_test, true_examples
from forge.authoring.release import at_least, newest_version
from forge.authoring.settings import release_settings
from forge.authoring.switches import release_variables, switches
from forge.authoring.trials import find_suite, imports_of
from forge.base.errors import RecipeError
from forge.ios_python.interface import known_minors
from forge.plan.matrix import serves
from forge.recipe.model import Backend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.authoring.native_libraries import NativeLibraries
    from forge.authoring.needs import Needs
    from forge.authoring.release import Release
    from forge.authoring.source_tree import SourceTree
    from forge.lint.upstream import Upstream
    from forge.recipe.store import RecipeStore

_README_DOUBT = "these are the examples of its README that hold for its own wheel: do they use the compiled code?"
_IMPORTS_DOUBT = "imports alone show little: write a test that uses it"


@dataclass(frozen=True)
class Findings:
    """What a release's files tell.

    Args:
        release: The release.
        back_end: How it is built.
        languages: What it is written in; cffi is one if it makes a module when the package is built.
        draft: The recipe.
        compared: The published wheel that was read, or empty.
    """

    release: Release
    back_end: BackEnd
    languages: tuple[str, ...]
    draft: Draft
    compared: str


def compose(upstream: Upstream, release: Release, minor: str, store: RecipeStore) -> Findings:
    """Read a release's sdist and wheel, and draft a recipe.

    Args:
        upstream: Gets the files.
        release: The release.
        minor: Python's major.minor that markers are asked of.
        store: The recipes there are.

    Raises:
        SourceError: The sdist cannot be read, or has no code.
        RecipeError: forge cannot build what this is, or need not; says why.
        NetworkError: A file cannot be had.
    """
    with read_material(upstream, release) as material:
        back_end = back_end_of(material.tree)
        _refuse(material)
        upstream.progress.phase(release.name, "look at its requirements")
        needs = run_needs(material.metadata.requires_dist, minor, store, upstream)
        facts = material.facts
        libraries = native_libraries(*((facts.bundled, facts.loaded) if facts else ((), ())), material.tree, store)
        tests = _tests(material, _readme(material, minor, upstream))
        doubts = (back_end.doubt, build_downloads(material.tree), _carried(material.tree, libraries, store))
        draft = Draft(
            name=release.name,
            version=release.version,
            sha256=release.sdist.sha256 or "",
            filename=release.sdist.filename if release.sdists > 1 else None,
            backend=back_end.kind,
            backend_doubt="; ".join(filter(None, doubts)),
            python=_pythons(material.metadata.requires_python),
            license=_license(material),
            languages=back_end.languages,
            requires=tuple(Item(at_least(name, newest_version(upstream, name))) for name in back_end.programs),
            config_settings=release_settings(material.tree, back_end, facts.filename if facts else ""),
            env={**_release_env(material.tree), **_env(back_end.kind, libraries)},
            host=_host(material.tree, libraries, store),
            run=needs.with_recipe,
            run_doubt=_run_doubt(needs),
            extensions=material.modules,
            extensions_doubt=_extensions_doubt(material, libraries, minor),
            libraries=facts.libraries if facts else (),
            tests=tests,
            switches=switches(material.tree),
        )
        languages = (*material.tree.languages(), *(("cffi",) if _has_cffi_module(material.tree) else ()))
    return Findings(release, back_end, languages, draft, facts.filename if facts else "")


def _refuse(material: Material) -> None:
    release = material.release
    named = f"{release.name} {release.version}"
    has_libraries = material.facts is not None and bool(material.facts.libraries)
    if not material.modules and not has_libraries and not material.tree.languages():
        raise RecipeError(
            f"{named} has no compiled code: it needs no recipe",
            hint=f"its pure wheel installs on iOS, e.g. with 'pip wheel --no-deps {release.name}'",
        )
    if not _admitted(material.metadata.requires_python):
        raise RecipeError(
            f"{named} is for Python {material.metadata.requires_python}; iOS has {known_minors()[0]} and later",
            hint="look for a newer release",
        )


def _has_cffi_module(tree: SourceTree) -> bool:
    return "cffi" in tree.required and bool(re.search(r"cffi_modules|set_source|ffi\.compile", tree.setup))


def _admitted(requires_python: str) -> tuple[str, ...]:
    """The versions of Python that forge knows and that a project supports."""
    try:
        specifiers = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return known_minors()
    return tuple(minor for minor in known_minors() if specifiers.contains(f"{minor}.99"))


def _pythons(requires_python: str) -> str:
    """What ``package.python`` has to say; empty if every Python that forge knows is supported."""
    admitted = _admitted(requires_python)
    first, last = known_minors()[0], known_minors()[-1]
    parts = [f">={admitted[0]}"] if admitted[0] != first else []
    parts += [f"<={admitted[-1]}"] if admitted[-1] != last else []
    return ",".join(parts)


def _license(material: Material) -> Item:
    """Empty where the metadata has an SPDX expression, which ends in the wheel anyway."""
    licence = licence_of(material.metadata, map(material.tree.text, material.tree.licence_files()))
    if material.metadata.license_expression and not licence.doubt:
        return Item("")
    return Item(licence.expression, licence.doubt)


def _env(kind: Backend, libraries: NativeLibraries) -> Mapping[str, Item]:
    """How setuptools and cargo find the host prefix; Meson asks pkg-config."""
    if not libraries.host or kind is Backend.MESON_PYTHON:
        return {}
    if kind is Backend.MATURIN:
        openssl = {"OPENSSL_DIR": Item("${host_prefix}/opt"), "OPENSSL_STATIC": Item("1")}
        return openssl if "openssl" in libraries.host else {}
    names = ("CFLAGS", "CXXFLAGS") if kind is Backend.SCIKIT_BUILD_CORE else ("CFLAGS",)  # CMake reads both
    return {name: Item("-I${host_prefix}/opt/include") for name in names} | {
        "LDFLAGS": Item("-L${host_prefix}/opt/lib")
    }


def _release_env(tree: SourceTree) -> dict[str, Item]:
    return {name: Item(value, BUILT_WITH) for name, value in release_variables(tree).items()}


def _carried(tree: SourceTree, libraries: NativeLibraries, store: RecipeStore) -> str:
    """A library that the source has a copy of, and that there is a recipe for."""
    parts = {part for file in tree.files for part in file.split("/")[:-1]}
    recipes = LibraryRecipes(store)
    found = sorted(part for part in parts - set(libraries.host) if part in recipes)
    return f"the source carries a copy of {found[0]}, for which there is a recipe: is it built here?" if found else ""


def _host(tree: SourceTree, libraries: NativeLibraries, store: RecipeStore) -> tuple[Item, ...]:
    """Native libraries, and the recipes of packages whose headers the build takes."""
    items = [Item(name, f"{why}; is it found and linked?") for name, why in libraries.host.items()]
    known = set(store.names())
    for requirement in tree.requires:
        name = canonicalize_name(requirement.name)
        headers = name == "numpy" or f"{name.replace('-', '_')}.get_include" in tree.setup
        if name in known and headers and name not in {item.text for item in items}:
            items.append(Item(name))
    return tuple(items)


def _run_doubt(needs: Needs) -> str:
    if not needs.without:
        return ""
    return f"{', '.join(needs.without)}, which it requires too, has compiled code and neither recipe nor iOS wheels"


def _extensions_doubt(material: Material, libraries: NativeLibraries, minor: str) -> str:
    facts = material.facts
    doubts = []
    if facts is None:
        doubts.append("no published wheel was there to compare with")
        if material.modules:
            doubts.append("these are what the source seems to build")
    elif "macosx" not in facts.filename:
        doubts.append(f"they are those of {facts.filename}, since there is no wheel for macOS on arm64")
    elif not any(serves(file.filename, minor) for file in material.release.wheels):
        doubts.append(f"they are those of {facts.filename}: the project publishes no wheel for Python {minor}")
    for name, why in libraries.without.items():
        doubts.append(f"{why}, and there is no recipe for {name}")
    return "; ".join(doubts)


def _readme(material: Material, minor: str, upstream: Upstream) -> str | None:
    """A test of the README's examples, if there are any that hold for a published wheel."""
    if material.facts is None or not material.packages:
        return None
    release = material.release
    examples = readme_examples(material.metadata.description, material.packages)
    true = true_examples(examples, release.name, release.version, minor, upstream.home, upstream.progress)
    return readme_test(true, material.packages[0])


def _tests(material: Material, readme: str | None) -> DraftTests:
    if not material.packages:
        return DraftTests()
    suite = find_suite(material.tree, material.metadata, material.packages)
    guessed = ", ".join(suite.guessed) if suite else ""
    suite_doubt = "nobody has run them"
    if guessed:
        suite_doubt += f"; {guessed} {'is' if ',' not in guessed else 'are'} named as the tests import it"
    return DraftTests(
        imports=imports_of(material.packages, material.modules),
        files={"test_readme.py": readme} if readme else {},
        suite_source=suite.source if suite else "",
        suite_requires=suite.requires if suite else (),
        doubt=_README_DOUBT if readme else _IMPORTS_DOUBT,
        suite_doubt=suite_doubt if suite else "",
    )
