"""What a schema cannot say about a recipe: versions, requirements, licences, variables, variants, missing patches.

The checks put up with a recipe that the schema has found wrong, so that its errors and these come together.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.target import Abi, Arch, Target
from forge.recipe.combinations import combination_problems
from forge.recipe.diagnostics import Diagnostic, did_you_mean
from forge.recipe.rules import line_problem, role_of, shortened, value_problems
from forge.recipe.values import DEFAULT_VARIANT, Variables, any_admits, expand, variable_problems

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Sequence

    from forge.recipe.document import Document, Path
    from forge.recipe.rules import Role

RESERVED_VARIABLES = frozenset(
    {
        "HOME", "PATH", "LANG", "LC_ALL", "TZ", "SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "IPHONEOS_DEPLOYMENT_TARGET", "PKG_CONFIG_LIBDIR",
        "PKG_CONFIG_PATH", "PKG_CONFIG_SYSROOT_DIR", "ZERO_AR_DATE", "FORGE_PREFIX_MAP", "SDKROOT", "TMPDIR",
        "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "MESON", "MAKEFLAGS", "DESTDIR", "PREFIX", "HOST_PREFIX",
        "RUSTC_WRAPPER",
    }
)  # fmt: skip
"""Variables that make a build isolated and reproducible, or name its places: the build sets them, no recipe may."""

_TEXTS = (
    ("about", "summary"),
    ("about", "homepage"),
    ("about", "license"),
    ("package", "version"),
    ("state", "disabled"),
)
"""Strings without variables that are written into a line of METADATA or into the name of a file."""


def content_problems(document: Document, file: pathlib.Path) -> list[Diagnostic]:
    """Everything that is wrong with a recipe beyond its schema.

    Args:
        document: The recipe.
        file: Where it is: its directory names the package and holds the patches.
    """
    data = document.data if isinstance(document.data, dict) else {}
    package = data.get("package")
    package = package if isinstance(package, dict) else {}
    name, version = package.get("name"), package.get("version")
    problems: list[Diagnostic] = list(_line_problems(document))
    if isinstance(name, str):
        problems += _name_problems(document, name, file)
    if isinstance(version, str) and version.isprintable() and version:
        problems += _version_problems(document, ("package", "version"), version)
    state = data.get("state")
    until = state.get("until") if isinstance(state, dict) else None
    if isinstance(until, str) and until.isprintable() and until:
        problems += _version_problems(document, ("state", "until"), until)
    about = data.get("about")
    if isinstance(about, dict) and isinstance(about.get("license"), str) and about["license"].isprintable():
        problems += _license_problems(document, about["license"])
    problems += _env_problems(document)
    problems += combination_problems(document)
    sample = Variables.of(
        name if isinstance(name, str) else "name",
        version if isinstance(version, str) else "1",
        Target(Abi.IPHONEOS, Arch.ARM64),
        "3.13",
    )
    for path, role, text in _strings(document):
        where = document.value_at(path)
        unknown = variable_problems(text, where)
        problems += unknown
        if not unknown:
            problems += value_problems(role, expand(text, sample), where, file.parent, has_variables="${" in text)
    variants = data.get("variants")
    problems += _condition_problems(document, list(variants) if isinstance(variants, dict) else [])
    return problems


def _line_problems(document: Document) -> Iterator[Diagnostic]:
    for path, text in _all_strings(document):
        if path in _TEXTS or (len(path) == 3 and (path[0], path[2]) == ("variants", "summary")):
            name = ".".join(map(str, path))
            if problem := line_problem(text, document.value_at(path), name):
                yield problem


def _name_problems(document: Document, name: str, file: pathlib.Path) -> Iterator[Diagnostic]:
    directory = file.parent.name
    if canonicalize_name(name) != canonicalize_name(directory):
        yield Diagnostic(
            document.value_at(("package", "name")),
            f"the package is {shortened(name)} but its directory is {directory!r}",
            f"rename the directory to {canonicalize_name(name)[:80]}",
        )


def _version_problems(document: Document, path: Path, version: str) -> Iterator[Diagnostic]:
    where = document.value_at(path)
    try:
        canonical = str(Version(version))
    except InvalidVersion:
        hint = "leave the 'v' out" if version.lower().startswith("v") else "write e.g. 1.2.3"
        yield Diagnostic(where, f"{shortened(version)} is not a valid version (PEP 440)", hint)
    else:
        if canonical != version:
            message = f"the version {shortened(version)} is not in its canonical form (PEP 440)"
            yield Diagnostic(where, message, f'write "{canonical}"')


def _license_problems(document: Document, text: str) -> Iterator[Diagnostic]:
    try:
        canonicalize_license_expression(text)
    except InvalidLicenseExpression as error:
        hint = "write an SPDX expression, e.g. MIT or BSD-3-Clause"
        where = document.value_at(("about", "license"))
        yield Diagnostic(where, f"{shortened(text)} is not a valid licence expression: {error}", hint)


def _env_problems(document: Document) -> Iterator[Diagnostic]:
    build = document.data.get("build") if isinstance(document.data, dict) else None
    env = build.get("env") if isinstance(build, dict) else None
    for name in env if isinstance(env, dict) else ():
        if name in RESERVED_VARIABLES or name.startswith("FORGE_"):
            message = f"build.env may not set {name}: the build sets it to keep itself isolated and reproducible"
            yield Diagnostic(document.key_at(("build", "env", name)), message, "remove it")


def _condition_problems(document: Document, variants: Sequence[str]) -> Iterator[Diagnostic]:
    """The strings of conditions that are not an enumeration: specifiers, and the recipe's own variants."""
    for path, text in _all_strings(document):
        bare = path[:-1] if isinstance(path[-1], int) else path
        of_variant = len(bare) == 3 and (bare[0], bare[2]) == ("variants", "ios_version")
        of_version = bare == ("package", "python") or bare[-2:] in {("when", "python"), ("when", "ios_version")}
        if text and (of_variant or of_version):
            problem, hint = specifier_problem(text, is_ios=bare[-1] == "ios_version") or ("", "")
            if problem:
                yield Diagnostic(document.value_at(path), problem, hint)
        elif text and bare[-2:] == ("when", "variant") and (not variants or text not in (*variants, DEFAULT_VARIANT)):
            message = (
                f"the recipe declares no variant {shortened(text)}" if variants else "the recipe declares no variants"
            )
            hint = did_you_mean(text, (*variants, DEFAULT_VARIANT), "variants") if variants else ""
            yield Diagnostic(document.value_at(path), message, hint or "declare it under 'variants:'")


@functools.cache
def specifier_problem(text: str, *, is_ios: bool) -> tuple[str, str] | None:
    """What is wrong with a condition's PEP 440 specifier set, and a hint, or None.

    Args:
        text: The specifier set.
        is_ios: Whether it is on the minimum iOS version (12.0 and up) rather than on Python's major.minor (3.13 and up:
            PEP 730).
    """
    example = "write e.g. '>=14.0' (PEP 440)" if is_ios else "write e.g. '>=3.13' (PEP 440)"
    try:
        specifiers = SpecifierSet(text)
    except InvalidSpecifier:
        return f"{shortened(text)} is not a valid version specifier", example
    if any(re.match(r"\d+\.\d+\.\d", each.version) for each in specifiers):
        what = "the minimum iOS version" if is_ios else "Python's version"
        return f"{shortened(text)} has three numbers, but conditions see {what} as major.minor", example
    if not any(any_admits((text,), version) for version in _versions(is_ios=is_ios)):
        what = "iOS versions are 12.0 and later" if is_ios else "Python versions are 3.13 and later"
        return f"{shortened(text)} never holds: {what}", example
    return None


@functools.cache
def _versions(*, is_ios: bool) -> tuple[str, ...]:
    """What a condition may be asked about: enough to tell whether it can ever hold."""
    if is_ios:  # packaging's ios_platforms knows minor versions up to 9
        return tuple(f"{major}.{minor}" for major in range(12, 60) for minor in range(10))
    return tuple(f"3.{minor}" for minor in range(13, 100))


def _strings(document: Document) -> Iterator[tuple[Path, Role, str]]:
    """Every string that may name variables, with its place and what it stands for."""
    for path, text in _all_strings(document):
        role = role_of(path) or (role_of(path[:-1]) if path[-1] == "value" else None)
        if role is not None and text:
            yield path, role, text


def _all_strings(document: Document) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, object]] = [((), document.data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str) and path:
            yield path, value
        elif isinstance(value, dict):
            waiting += [((*path, key), item) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, number), item) for number, item in enumerate(value)]
