"""What a string of a recipe must be, by what it stands for: a requirement, a module, a file."""

from __future__ import annotations

import enum
import keyword
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion

from forge.base.markers import target_environment
from forge.base.target import Abi, Arch, Target
from forge.recipe.diagnostics import Diagnostic, Location

if TYPE_CHECKING:
    from forge.recipe.document import Path as DataPath


class Role(enum.Enum):
    """What a string that may name variables stands for."""

    TEXT = enum.auto()
    ENV = enum.auto()
    REQUIREMENT = enum.auto()
    HOST_REQUIREMENT = enum.auto()
    PATCH = enum.auto()
    MODULE = enum.auto()
    LIBRARY = enum.auto()
    TEST_FILE = enum.auto()
    SOURCE_PATH = enum.auto()
    LOCAL_SOURCE = enum.auto()
    FILENAME = enum.auto()


_ROLES: dict[DataPath, Role] = {
    ("source", "sdist", "filename"): Role.FILENAME,
    ("source", "url", "*"): Role.TEXT,
    ("source", "git", "url"): Role.TEXT,
    ("source", "path"): Role.LOCAL_SOURCE,
    ("source", "patches", "*"): Role.PATCH,
    ("build", "requires", "*"): Role.REQUIREMENT,
    ("build", "config_settings", "*"): Role.TEXT,
    ("build", "config_settings", "*", "*"): Role.TEXT,
    ("build", "env", "*"): Role.ENV,
    ("build", "options", "*"): Role.TEXT,
    ("build", "script", "*"): Role.TEXT,
    ("requirements", "host", "*"): Role.HOST_REQUIREMENT,
    ("requirements", "run", "*"): Role.REQUIREMENT,
    ("wheel", "license_files", "*"): Role.SOURCE_PATH,
    ("wheel", "libraries", "*"): Role.LIBRARY,
    ("test", "imports", "*"): Role.MODULE,
    ("test", "requires", "*"): Role.REQUIREMENT,
    ("test", "files", "*"): Role.TEST_FILE,
    ("test", "suite", "requires", "*"): Role.REQUIREMENT,
    ("test", "suite", "source", "*"): Role.SOURCE_PATH,
    ("test", "suite", "directory"): Role.SOURCE_PATH,
    ("test", "suite", "args", "*"): Role.TEXT,
}
"""Which strings may name variables, by their paths; ``*`` is any key or index."""

_MANY_LINES = {Role.TEXT, Role.ENV}
"""What may have line breaks; everything else is a name, or is written into a line of METADATA."""

_FILES = {Role.PATCH: ("patch", "patches/"), Role.TEST_FILE: ("test file", "tests/"), Role.SOURCE_PATH: ("path", "")}
"""What stands for a file: what to call it, and the directory where it should be."""

_LIBRARY_PATTERN = re.compile(r"[\w*?\[\]!-]+(\.[\w*?\[\]!-]+)*")
"""A pattern of ``wheel.libraries``: dotted names with what `fnmatch` gives a meaning to."""

_SUFFIXES = {"so", "pyc", "pyd", "dylib", "abi3"}
"""What a module's file may end in, and so a name that is meant as a file's; ``py`` is a module's too (``blis.py``)."""

_SAMPLE = target_environment(Target(Abi.IPHONEOS, Arch.ARM64), "3.13")
"""An environment to try markers in: whether they can be evaluated does not depend on the target."""


def role_of(path: DataPath) -> Role | None:
    """What the string at a path stands for, or None if it may not name variables."""
    for pattern, role in _ROLES.items():
        if len(pattern) == len(path) and all(p in ("*", part) for p, part in zip(pattern, path, strict=True)):
            return role
    return None


def shortened(text: str, length: int = 80) -> str:
    """A string's repr, cut if it is long."""
    return repr(text) if len(text) <= length else f"{text[:length]!r}…"


def line_problem(text: str, where: Location, what: str) -> Diagnostic | None:
    """A complaint about a string that must be one line and is not."""
    if text.isprintable():
        return None
    if text.splitlines() != [text]:
        hint = "write it in one line; after 'key:', '>-' instead of '>' leaves the last line break out"
        return Diagnostic(where, f"{what} has a line break in it", hint)
    return Diagnostic(where, f"{what} has a control character in it: {shortened(text)}", "remove it")


def value_problems(
    role: Role, text: str, where: Location, directory: Path, *, has_variables: bool = False
) -> list[Diagnostic]:
    """What is wrong with a string once its variables are expanded.

    Args:
        role: What it stands for, which says what it must be.
        text: The string.
        where: Its place.
        directory: The recipe's.
        has_variables: Whether the text is only a sample; then a patch need not exist.
    """
    if role not in _MANY_LINES and (problem := line_problem(text, where, "the value")):
        return [problem]
    match role:
        case Role.REQUIREMENT | Role.HOST_REQUIREMENT:
            problem = _requirement_problem(text, where, host=role is Role.HOST_REQUIREMENT)
        case Role.MODULE:
            problem = module_problem(text, where)
        case Role.LIBRARY if not _LIBRARY_PATTERN.fullmatch(text):
            hint = "write dotted names without a suffix, with '*' and '?', e.g. 'package._lib_*'"
            problem = Diagnostic(where, f"{shortened(text)} is not a pattern of dotted names", hint)
        case Role.PATCH | Role.TEST_FILE | Role.SOURCE_PATH:
            problem = _file_problem(role, text, where, directory, has_variables=has_variables)
        case Role.LOCAL_SOURCE:
            problem = _local_source_problem(text, where)
        case Role.FILENAME if text.startswith(".") or "/" in text or len(text.encode()) > 200:
            problem = Diagnostic(where, f"{shortened(text)} is not the name of a file", "write it without a directory")
        case _:
            problem = None
    return [problem] if problem else []


def _requirement_problem(text: str, where: Location, *, host: bool) -> Diagnostic | None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        message = f"{shortened(text)} is not a valid requirement: {reason}"
        return Diagnostic(where, message, "write 'name' or 'name>=1.2' (PEP 508)")
    if requirement.url:
        message = f"the requirement {requirement.name!r} names a URL, which cannot be locked or declared"
        return Diagnostic(where, message, f"write '{requirement.name}' with a version, e.g. '{requirement.name}>=1.2'")
    if host and requirement.extras:
        extras = ", ".join(sorted(requirement.extras))
        message = f"the host requirement {requirement.name!r} asks for extras ({extras}), which recipes do not have"
        return Diagnostic(where, message, f"write '{requirement.name}{requirement.specifier}'")
    if requirement.marker is not None:
        try:
            requirement.marker.evaluate(_SAMPLE)
        except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion) as error:
            message = f"the marker '{requirement.marker}' cannot be evaluated: {str(error).splitlines()[0]}"
            return Diagnostic(where, message, "compare versions with versions, and texts with == or != (PEP 508)")
    return None


def module_problem(text: str, where: Location) -> Diagnostic | None:
    """What is wrong with a module's dotted name, or None."""
    parts = text.split(".")
    hint = "write 'package.module', without a suffix"
    if bad := [part for part in parts if keyword.iskeyword(part)]:
        return Diagnostic(where, f"{shortened(text)} is not a module's name: {bad[0]!r} is a keyword of Python", hint)
    if not all(part.isidentifier() for part in parts):
        return Diagnostic(where, f"{shortened(text)} is not a module's dotted name", hint)
    if len(parts) > 1 and parts[-1] in _SUFFIXES:
        return Diagnostic(where, f"{shortened(text)} is the name of a file, not a module's", hint)
    return None


def _file_problem(role: Role, text: str, where: Location, directory: Path, *, has_variables: bool) -> Diagnostic | None:
    what, place = _FILES[role]
    relative = PurePosixPath(text)
    if relative.is_absolute() or ".." in relative.parts:
        outside = "the source tree" if role is Role.SOURCE_PATH else "the recipe's directory"
        hint = f"put it in {place}" if place else "give its path from the root of the source tree"
        return Diagnostic(where, f"the {what} {shortened(text)} is outside {outside}", hint)
    if role is Role.SOURCE_PATH or has_variables:
        return None
    file = directory / relative
    try:
        if not file.is_file():
            return Diagnostic(where, f"there is no {what} {shortened(text)}", f"put {text[:80]} beside the recipe")
        if not file.resolve().is_relative_to(directory.resolve()):
            message = f"the {what} {shortened(text)} is a link out of the recipe's directory"
            return Diagnostic(where, message, f"copy the file to {place}")
        if role is Role.PATCH and file.stat().st_size == 0:
            return Diagnostic(where, f"the patch {shortened(text)} is empty", "remove it, or make it again")
    except OSError as error:
        why = (error.strerror or "error").lower()
        return Diagnostic(
            where, f"the {what} {shortened(text)} cannot be read: {why}", "check its name and permissions"
        )
    return None


def _local_source_problem(text: str, where: Location) -> Diagnostic | None:
    try:
        Path(text).expanduser()
    except RuntimeError:
        user = PurePosixPath(text).parts[0]
        return Diagnostic(where, f"there is no user {user.removeprefix('~')!r}", "write the directory's path")
    return None
