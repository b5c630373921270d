"""A draft made of what a release's files tell; or why there is no recipe to write."""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from forge.authoring.back_end import BackEnd, back_end_of
from forge.authoring.draft import Draft, DraftTests, Item
from forge.authoring.licences import licence_of
from forge.authoring.native_libraries import native_libraries
from forge.authoring.needs import run_needs
from forge.authoring.project_metadata import ProjectMetadata, parse_metadata
from forge.authoring.readme import readme_examples, readme_test, true_examples
from forge.authoring.source_tree import SourceTree, read_tree
from forge.authoring.switches import release_variables, switches
from forge.authoring.trials import find_suite, imports_of
from forge.authoring.wheel_facts import WheelFacts, choose_wheel, read_facts
from forge.base.errors import RecipeError, SourceError, WheelError
from forge.ios_python.interface import known_minors
from forge.plan.matrix import serves
from forge.recipe.model import Backend
from forge.source.fetch import prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forge.authoring.native_libraries import NativeLibraries
    from forge.authoring.needs import Needs
    from forge.authoring.release import Release
    from forge.lint.upstream import Upstream
    from forge.recipe.store import RecipeStore

_EXTENSION = re.compile(r"""\b(?:Rust|Pybind11|Cpp)?Extension\(\s*(?:name\s*=\s*)?["']([\w.]+)""")

_README_DOUBT = "these are the examples of its README that hold for its own wheel: do they use the compiled code?"
_IMPORTS_DOUBT = "imports alone show little: write a test that uses it"


@dataclass(frozen=True)
class Findings:
    """What a release's files tell.

    Args:
        release: The release.
        back_end: How it is built.
        languages: What it is written in.
        cffi: Whether cffi makes a module of its own when it is built.
        draft: The recipe; None where there is none to write.
        needs: What it requires to run.
        libraries: The native libraries it takes.
        compared: The published wheel that was read, or empty.
    """

    release: Release
    back_end: BackEnd
    languages: tuple[str, ...]
    cffi: bool
    draft: Draft
    needs: Needs
    libraries: NativeLibraries
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
        RecipeError: forge cannot build what this is; says why.
        NetworkError: A file cannot be had.
    """
    facts = _wheel_facts(upstream, release)
    with _unpacked(upstream, release) as tree:
        if not tree.has_code():
            raise SourceError(
                f"{release.name} {release.version} is a placeholder: its sdist has no code",
                hint="check the name of the project",
            )
        metadata = facts.metadata if facts else parse_metadata((tree.path / "PKG-INFO").read_bytes()
                                                               if tree.has("PKG-INFO") else b"")  # fmt: skip
        back_end = back_end_of(tree)
        if back_end.kind is None:
            raise RecipeError(
                f"{release.name} {release.version} is built with CMake ({back_end.cmake} calls it), for which forge "
                "has no back end yet",
                hint="no recipe was written; an older release may be built otherwise",
            )
        languages = tree.languages()
        modules = facts.modules if facts else _declared_modules(tree)
        if not modules and not (facts and facts.libraries) and not languages:
            raise RecipeError(
                f"{release.name} {release.version} has no compiled code: it needs no recipe",
                hint=f"its pure wheel installs on iOS, e.g. with 'pip wheel --no-deps {release.name}'",
            )
        progress = upstream.progress
        progress.phase(release.name, "look at its requirements")
        needs = run_needs(metadata.requires_dist, minor, store, upstream)
        libraries = native_libraries(*((facts.bundled, facts.loaded) if facts else ((), ())), tree, store)
        cffi = "cffi" in tree.required and bool(re.search(r"cffi_modules|set_source|ffi\.compile", tree.setup))
        packages = _packages(facts, modules)
        examples = readme_examples(metadata.description, packages) if facts and packages else ()
        true = true_examples(examples, release.name, release.version, minor, upstream.home, progress)
        readme = readme_test(true, packages[0]) if packages else None
        tests = _tests(tree, metadata, modules, packages, readme)
        draft = _draft(release, tree, metadata, back_end, facts, modules, needs, libraries, store, minor, tests)
    compared = facts.filename if facts else ""
    return Findings(release, back_end, languages, cffi, draft, needs, libraries, compared)


def _draft(
    release: Release, tree: SourceTree, metadata: ProjectMetadata, back_end: BackEnd, facts: WheelFacts | None,
    modules: tuple[str, ...], needs: Needs, libraries: NativeLibraries, store: RecipeStore, minor: str,
    tests: DraftTests,
) -> Draft:  # fmt: skip
    licence = licence_of(metadata, map(tree.text, tree.licence_files()))
    assert back_end.kind is not None  # noqa: S101 - `compose` has looked
    return Draft(
        name=release.name,
        version=release.version,
        sha256=release.sdist.sha256 or "",
        filename=release.sdist.filename if release.sdists > 1 else None,
        backend=back_end.kind,
        backend_doubt="; ".join(filter(None, (back_end.doubt, _carried(tree, libraries, store)))),
        python=_pythons(metadata.requires_python),
        license=Item("")
        if metadata.license_expression and not licence.doubt
        else Item(licence.expression, licence.doubt),
        languages=back_end.languages,
        env={**_release_env(tree), **_env(back_end.kind, libraries)},
        host=_host(tree, libraries, store),
        run=needs.with_recipe,
        run_doubt=_run_doubt(needs),
        extensions=modules,
        extensions_doubt=_extensions_doubt(release, facts, modules, libraries, minor),
        libraries=facts.libraries if facts else (),
        tests=tests,
        switches=switches(tree),
    )


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


def _declared_modules(tree: SourceTree) -> tuple[str, ...]:
    """Extension modules by what the source says, where no wheel tells."""
    names = set(_EXTENSION.findall(tree.setup))
    for row in tree.table("tool", "setuptools").get("ext-modules", []):
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


def _pythons(requires_python: str) -> str:
    """What ``package.python`` has to say; empty if every Python that forge knows is supported."""
    try:
        specifiers = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return ""
    admitted = [minor for minor in known_minors() if specifiers.contains(f"{minor}.99")]
    if len(admitted) == len(known_minors()) or not admitted:
        return ""
    first, last = known_minors()[0], known_minors()[-1]
    parts = [f">={admitted[0]}"] if admitted[0] != first else []
    parts += [f"<={admitted[-1]}"] if admitted[-1] != last else []
    return ",".join(parts)


def _env(kind: Backend, libraries: NativeLibraries) -> Mapping[str, Item]:
    """How setuptools and cargo find the host prefix; Meson asks pkg-config."""
    if not libraries.host or kind is Backend.MESON_PYTHON:
        return {}
    if kind is Backend.MATURIN:
        openssl = {"OPENSSL_DIR": Item("${host_prefix}/opt"), "OPENSSL_STATIC": Item("1")}
        return openssl if "openssl" in libraries.host else {}
    return {"CFLAGS": Item("-I${host_prefix}/opt/include"), "LDFLAGS": Item("-L${host_prefix}/opt/lib")}


def _release_env(tree: SourceTree) -> dict[str, Item]:
    doubt = "the project's own wheels seem to be built with it"
    return {name: Item(value, doubt) for name, value in release_variables(tree).items()}


def _carried(tree: SourceTree, libraries: NativeLibraries, store: RecipeStore) -> str:
    """A library that the source has a copy of, and that there is a recipe for."""
    native = {name for name in store.names() if name.startswith("lib") or name == "openssl"} - set(libraries.host)
    found = sorted(native & {part for file in tree.files for part in file.split("/")[:-1]})
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


def _extensions_doubt(
    release: Release, facts: WheelFacts | None, modules: tuple[str, ...], libraries: NativeLibraries, minor: str
) -> str:
    doubts = []
    if facts is None:
        doubts.append("no published wheel was there to compare with; these are what the source seems to build"
                      if modules else "no published wheel was there to compare with")  # fmt: skip
    elif "macosx" not in facts.filename:
        doubts.append(f"they are those of {facts.filename}, since there is no wheel for macOS on arm64")
    elif not any(serves(file.filename, minor) for file in release.wheels):
        doubts.append(f"they are those of {facts.filename}: the project publishes no wheel for Python {minor}")
    for name, why in libraries.without.items():
        doubts.append(f"{why}, and there is no recipe for {name}")
    return "; ".join(doubts)


def _packages(facts: WheelFacts | None, modules: tuple[str, ...]) -> tuple[str, ...]:
    """The import packages: what the wheel has, else what the modules are in."""
    if facts is not None and facts.packages:
        return facts.packages
    return tuple(dict.fromkeys(module.partition(".")[0] for module in modules))


def _tests(
    tree: SourceTree, metadata: ProjectMetadata, modules: tuple[str, ...], packages: tuple[str, ...], readme: str | None
) -> DraftTests:
    if not packages:
        return DraftTests()
    suite = find_suite(tree, metadata, packages)
    guessed = ", ".join(suite.guessed) if suite else ""
    suite_doubt = "nobody has run them"
    if guessed:
        suite_doubt += f"; {guessed} {'is' if ',' not in guessed else 'are'} named as the tests import it"
    return DraftTests(
        imports=imports_of(packages, modules),
        files={"test_readme.py": readme} if readme else {},
        suite_source=suite.source if suite else "",
        suite_requires=suite.requires if suite else (),
        doubt=_README_DOUBT if readme else _IMPORTS_DOUBT,
        suite_doubt=suite_doubt if suite else "",
    )
