"""Rules that need the network: the index, the macOS wheel, the source tree."""

from __future__ import annotations

import functools
import re
import tomllib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from forge.base.errors import ForgeError, NetworkError, SourceError
from forge.lint.build_checks import ANY_PYTHON, lib_name, requirement_of
from forge.lint.rules import finding
from forge.recipe.conditions import every_choice
from forge.recipe.evaluate import evaluate
from forge.recipe.model import Backend, SdistPin
from forge.wheel.contents import same_version
from forge.wheel.name import parse_wheel_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forge.lint.model import Finding
    from forge.lint.run import Check
    from forge.lint.subject import Neighbours, Subject
    from forge.lint.upstream import Upstream
    from forge.recipe.model import EvaluatedRecipe, Recipe
    from forge.recipe.values import Value

_MOST_SOURCE_BYTES = 1 << 20
_LIMITED = re.compile(r"py_limited_api|Py_LIMITED_API|limited_api")
_SHOWN_MODULES = 6


def network_checks(upstream: Upstream) -> tuple[Check, ...]:
    """The checks that ask the network.

    Args:
        upstream: What answers them.
    """
    return tuple(functools.partial(check, upstream) for check in (index, extensions, source))


def index(upstream: Upstream, subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC308 and REC309: the package index's word on version and hash.

    Raises:
        NetworkError: It did not answer.
    """
    recipe = subject.recipe
    if recipe is None or not isinstance(recipe.source, SdistPin):
        return
    files = upstream.files(recipe.name)
    ours = [
        file
        for file in files
        if same_version(file.version, recipe.version) and (file.is_sdist or _is_named(file.filename, recipe))
    ]
    if not any(file.sha256 in (None, recipe.source.sha256) for file in ours):
        where = recipe.place("source", "sdist", "sha256")
        what = "another sha256" if ours else f"no sdist of {recipe.version}"
        yield finding("hash-not-in-index", where, f"the index has {what}", "compare both with the project's own page")
    newest = max(
        (version for file in files if file.is_sdist and not file.is_yanked and (version := _final(file.version))),
        default=None,
    )
    if newest is not None and newest > Version(recipe.version):
        where = recipe.place("package", "version")
        yield finding("newer-version", where, f"the newest version is {newest}", f"run 'forge update {recipe.name}'")


def _is_named(filename: str, recipe: Recipe) -> bool:
    return isinstance(recipe.source, SdistPin) and recipe.source.filename == filename


def _final(text: str) -> Version | None:
    """A version that is no pre-release."""
    try:
        version = Version(text)
    except InvalidVersion:
        return None
    return None if version.is_prerelease else version


def extensions(upstream: Upstream, subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC502: extension modules that are not those of the same release's macOS wheel.

    Raises:
        NetworkError: The index did not answer.
    """
    recipe = subject.recipe
    if recipe is None or not recipe.extensions or not isinstance(recipe.source, SdistPin):
        return
    wheels = upstream.macos_wheels(recipe.name, recipe.version)
    if not wheels:
        return
    try:
        theirs = upstream.modules(wheels[-1])
    except NetworkError:
        raise
    except ForgeError:  # a wheel that cannot be read says nothing about the recipe
        return
    explained = {row.module for row in recipe.extension_table if row.comment}
    libraries = {name for name in theirs if any(fnmatchcase(name, value.text) for value in recipe.libraries)}
    ours = {value.text for value in recipe.extensions}
    differences = (("lacks", theirs - libraries - ours - explained), ("adds", ours - theirs - explained))
    parts = [f"{what} {_listed(names)}" for what, names in differences if names]
    if parts:
        message = f"the table {' and '.join(parts)}, compared with {wheels[-1].filename}"
        hint = "correct the table, or say in a comment at a module's line why iOS differs"
        yield finding("extensions-differ", recipe.extension_table[0].where, message, hint)


def _listed(names: set[str] | frozenset[str]) -> str:
    shown = sorted(names)[:_SHOWN_MODULES]
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return ", ".join(shown) + more


def source(upstream: Upstream, subject: Subject, neighbours: Neighbours) -> Iterator[Finding]:
    """REC307, REC404 and REC503: what the source tree says.

    Raises:
        NetworkError: The source cannot be downloaded.
    """
    recipe = subject.recipe
    if recipe is None:
        return
    evaluated = {each.patches: each for each in _evaluations(recipe)}
    failed: set[str] = set()
    for patches, each in evaluated.items():
        if not patches:
            continue
        try:
            with upstream.tree(each, patches):
                pass
        except SourceError as error:
            name = next((patch.name for patch in patches if f"patch {patch.name} " in error.message), None)
            if name is None or name in failed:
                continue
            failed.add(name)
            value = next((value for value in recipe.patches if value.text.endswith(name)), None)
            where = value.where if value else recipe.place("source", "patches")
            yield finding("patch-does-not-apply", where, error.message.replace("\n", "; "), error.hint)
    if not evaluated:
        return
    try:
        with upstream.tree(next(iter(evaluated.values()))) as tree:
            yield from _unused_hosts(subject, recipe, neighbours, tree)
            yield from _abi3(upstream, subject, recipe, tree)
    except SourceError:  # REC308 says it, or a build does
        return


def _evaluations(recipe: Recipe) -> Iterator[EvaluatedRecipe]:
    for target, python, chosen in every_choice(recipe, ANY_PYTHON):
        try:
            yield evaluate(recipe, target, python, chosen)
        except ForgeError:  # a build for that target says it, with its place
            continue


def _unused_hosts(subject: Subject, recipe: Recipe, neighbours: Neighbours, tree: Path) -> Iterator[Finding]:
    """Native libraries whose names stand neither in the recipe nor in the source."""
    if recipe.backend.is_for_libraries or subject.document is None:
        return
    waiting: dict[str, Value] = {}
    for value in recipe.host:
        requirement = requirement_of(value.text)
        other = neighbours.find(requirement.name) if requirement else None
        if requirement is not None and other is not None and not _is_in_recipe(requirement.name, recipe):
            waiting[lib_name(requirement.name).lower()] = value
    for file in tree.rglob("*") if waiting else ():
        if waiting and file.is_file() and not file.is_symlink():
            text = _text(file).lower()
            waiting = {name: value for name, value in waiting.items() if name not in text}
    for value in waiting.values():
        message = f"neither the recipe nor the source mentions {value.text[:60]!r}"
        yield finding("unused-host-requirement", value.where, message, "remove it, or move it to requirements.run")


def _is_in_recipe(name: str, recipe: Recipe) -> bool:
    settings = [value for values in recipe.config_settings.values() for value in values]
    return any(lib_name(name) in value.text for value in (*settings, *recipe.env.values(), *recipe.requires))


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_SOURCE_BYTES).decode("latin-1")
    except OSError:
        return ""


def _abi3(upstream: Upstream, subject: Subject, recipe: Recipe, tree: Path) -> Iterator[Finding]:
    """A switch of the source for the stable ABI that neither its own wheels nor the recipe use."""
    if not recipe.extensions or not isinstance(recipe.source, SdistPin):
        return
    wheels = upstream.macos_wheels(recipe.name, recipe.version)
    if not wheels or any("abi3" in parse_wheel_name(wheel.filename).abis for wheel in wheels):
        return
    switch = _cargo_switch(tree) if recipe.backend is Backend.MATURIN else _setup_switch(tree)
    settings = [value.text for values in recipe.config_settings.values() for value in values]
    said = " ".join([*settings, *recipe.env, *(value.text for value in recipe.env.values())])
    if switch and switch not in said and not re.search("limited.api|abi3", said, re.IGNORECASE):
        message = f"{switch} can build for the stable ABI, which the published wheels do not use"
        where = subject.key("build", "backend")
        yield finding("unused-abi3", where, message, "switch it on, or ignore this with the reason why not")


def _cargo_switch(tree: Path) -> str:
    """A feature of the crate that turns PyO3's abi3 on and is not on by itself."""
    try:
        cargo: dict[str, Any] = tomllib.loads(_text(tree / "Cargo.toml"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return ""
    features = cargo.get("features")
    if not isinstance(features, dict):
        return ""
    default = features.get("default", [])
    for name, parts in features.items():
        turns_on = isinstance(parts, list) and any(str(part).startswith("pyo3/abi3") for part in parts)
        if turns_on and name != "default" and name not in default:
            return f"the feature {name!r} of Cargo.toml"
    return ""


def _setup_switch(tree: Path) -> str:
    for name in ("setup.py", "pyproject.toml", "meson.build"):
        if _LIMITED.search(_text(tree / name)):
            return name
    return ""
