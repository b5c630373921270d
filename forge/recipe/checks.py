"""What a schema cannot say about a recipe: versions, requirements, licences, variables, variants, missing patches.

The checks bear with a recipe that the schema has found wrong, so that its errors and these come together.
"""

from __future__ import annotations

import enum
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from forge.base.target import Abi, Arch, Target
from forge.recipe.diagnostics import Diagnostic, Location, did_you_mean
from forge.recipe.values import DEFAULT_VARIANT, Variables, expand, specifier_problem, variable_problems

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator, Sequence

    from forge.recipe.document import Document, Path


class Role(enum.Enum):
    """What a string that may name variables stands for."""

    TEXT = enum.auto()
    REQUIREMENT = enum.auto()
    PATCH = enum.auto()
    MODULE = enum.auto()
    LIBRARY = enum.auto()
    TEST_FILE = enum.auto()
    SOURCE_PATH = enum.auto()


_ROLES: dict[Path, Role] = {
    ("source", "sdist", "filename"): Role.TEXT,
    ("source", "url", "*"): Role.TEXT,
    ("source", "git", "url"): Role.TEXT,
    ("source", "path"): Role.TEXT,
    ("source", "patches", "*"): Role.PATCH,
    ("build", "requires", "*"): Role.REQUIREMENT,
    ("build", "config_settings", "*"): Role.TEXT,
    ("build", "config_settings", "*", "*"): Role.TEXT,
    ("build", "env", "*"): Role.TEXT,
    ("build", "script", "*"): Role.TEXT,
    ("requirements", "host", "*"): Role.REQUIREMENT,
    ("requirements", "run", "*"): Role.REQUIREMENT,
    ("wheel", "license_files", "*"): Role.SOURCE_PATH,
    ("wheel", "extensions", "*"): Role.MODULE,
    ("wheel", "libraries", "*"): Role.LIBRARY,
    ("test", "imports", "*"): Role.MODULE,
    ("test", "requires", "*"): Role.REQUIREMENT,
    ("test", "files", "*"): Role.TEST_FILE,
    ("test", "suite", "requires", "*"): Role.REQUIREMENT,
    ("test", "suite", "source", "*"): Role.SOURCE_PATH,
    ("test", "suite", "args", "*"): Role.TEXT,
}
"""Which strings may name variables, by their paths; ``*`` is any key or index."""


_LIBRARY_PATTERN = re.compile(r"[\w*?\[\]!-]+(\.[\w*?\[\]!-]+)*")
"""A pattern of ``wheel.libraries``: dotted names with what `fnmatch` gives a meaning to."""


def content_problems(document: Document, file: pathlib.Path) -> list[Diagnostic]:
    """Everything that is wrong with a recipe beyond its schema.

    Args:
        document: The recipe.
        file: Where it lies: its directory names the package and holds the patches.
    """
    data = document.data if isinstance(document.data, dict) else {}
    package = data.get("package")
    package = package if isinstance(package, dict) else {}
    name, version = package.get("name"), package.get("version")
    problems: list[Diagnostic] = []
    if isinstance(name, str):
        problems += _name_problems(document, name, file)
    if isinstance(version, str) and version:
        problems += _version_problems(document, version)
    about = data.get("about")
    if isinstance(about, dict) and isinstance(about.get("license"), str):
        problems += _license_problems(document, about["license"])
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


def value_problems(
    role: Role, text: str, where: Location, directory: pathlib.Path, *, has_variables: bool = False
) -> list[Diagnostic]:
    """What is wrong with a string once its variables are expanded.

    Args:
        role: What it stands for, which says what it must be.
        text: The string.
        where: Its place.
        directory: The recipe's.
        has_variables: Whether the text is but a sample; then a patch need not exist.
    """
    if role is Role.REQUIREMENT:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            reason = str(error).splitlines()[0]
            return [Diagnostic(where, f"{text!r} is no requirement: {reason}", "write 'name', 'name>=1.2' (PEP 508)")]
    elif role is Role.MODULE and not all(part.isidentifier() for part in text.split(".")):
        return [Diagnostic(where, f"{text!r} is no module's dotted name", "write 'package.module', without a suffix")]
    elif role is Role.LIBRARY and not _LIBRARY_PATTERN.fullmatch(text):
        hint = "write dotted names without a suffix, with '*' and '?', e.g. 'package._lib_*'"
        return [Diagnostic(where, f"{text!r} is not a pattern of dotted names", hint)]
    elif role in _FILES:
        return _file_problems(role, text, where, directory, has_variables=has_variables)
    return []


_FILES = {Role.PATCH: ("patch", "patches/"), Role.TEST_FILE: ("test file", "tests/"), Role.SOURCE_PATH: ("path", "")}
"""What stands for a file: what to call it, and the directory where it should be."""


def _file_problems(
    role: Role, text: str, where: Location, directory: pathlib.Path, *, has_variables: bool
) -> list[Diagnostic]:
    what, place = _FILES[role]
    relative = PurePosixPath(text)
    if relative.is_absolute() or ".." in relative.parts:
        outside = "the source tree" if role is Role.SOURCE_PATH else "the recipe's directory"
        hint = f"put it into {place}" if place else "name it from the source tree's root"
        return [Diagnostic(where, f"the {what} {text!r} lies outside {outside}", hint)]
    if role is not Role.SOURCE_PATH and not has_variables and not (directory / relative).is_file():
        return [Diagnostic(where, f"there is no {what} {text!r}", f"put it at {text} beside the recipe")]
    return []


def _name_problems(document: Document, name: str, file: pathlib.Path) -> Iterator[Diagnostic]:
    directory = file.parent.name
    if canonicalize_name(name) != canonicalize_name(directory):
        yield Diagnostic(
            document.value_at(("package", "name")),
            f"the package is {name!r} but its directory is {directory!r}",
            f"rename the directory to {canonicalize_name(name)}",
        )


def _version_problems(document: Document, version: str) -> Iterator[Diagnostic]:
    try:
        Version(version)
    except InvalidVersion:
        hint = "leave the 'v' out" if version.lower().startswith("v") else "write e.g. 1.2.3"
        yield Diagnostic(document.value_at(("package", "version")), f"{version!r} is no version (PEP 440)", hint)


def _license_problems(document: Document, text: str) -> Iterator[Diagnostic]:
    try:
        canonicalize_license_expression(text)
    except InvalidLicenseExpression as error:
        hint = "write an SPDX expression, e.g. MIT or BSD-3-Clause"
        yield Diagnostic(document.value_at(("about", "license")), f"{text!r} is no licence: {error}", hint)


def _condition_problems(document: Document, variants: Sequence[str]) -> Iterator[Diagnostic]:
    """The strings of conditions that are not an enumeration: specifiers, and the recipe's own variants."""
    for path, text in _all_strings(document):
        bare = path[:-1] if isinstance(path[-1], int) else path
        of_variant = len(bare) == 3 and (bare[0], bare[2]) == ("variants", "ios_version")
        if text and (of_variant or bare[-2:] in {("when", "python"), ("when", "ios_version")}):
            problem = specifier_problem(text)
            if problem:
                yield Diagnostic(document.value_at(path), problem, "write e.g. '>=3.13' (PEP 440)")
        elif text and bare[-2:] == ("when", "variant") and (not variants or text not in (*variants, DEFAULT_VARIANT)):
            message = f"the recipe declares no variant {text!r}" if variants else "the recipe declares no variants"
            hint = did_you_mean(text, (*variants, DEFAULT_VARIANT), "variants") if variants else None
            yield Diagnostic(document.value_at(path), message, hint or "declare it under 'variants:'")


def _strings(document: Document) -> Iterator[tuple[Path, Role, str]]:
    """Every string that may name variables, with its place and what it stands for."""
    for path, text in _all_strings(document):
        role = _role(path) or (_role(path[:-1]) if path[-1] == "value" else None)
        if role is not None and text:
            yield path, role, text


def _role(path: Path) -> Role | None:
    for pattern, role in _ROLES.items():
        if len(pattern) == len(path) and all(p in ("*", part) for p, part in zip(pattern, path, strict=True)):
            return role
    return None


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
