"""A recipe as it was read, and as it counts for one target and Python: two types, not to be mixed up."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from forge.recipe.diagnostics import Location, shown_path
from forge.recipe.values import any_admits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forge.base.target import Target
    from forge.recipe.document import Path as DataPath
    from forge.recipe.extension_table import Row
    from forge.recipe.values import Value

T = TypeVar("T")

LOCK_NAME = "build-requirements.lock"
"""The file beside a recipe that pins its build requirements."""

RECIPE_NAME = "recipe.yaml"
"""The file that makes a directory a recipe."""

TABLE_NAME = "extension-modules.txt"
"""The file beside a recipe that lists the wheel's extension modules (`forge.recipe.extension_table`)."""


class Backend(enum.StrEnum):
    """The kinds of builds that forge knows: PEP 517 back ends, and those for native libraries."""

    SETUPTOOLS = "setuptools"
    MESON_PYTHON = "meson-python"
    MATURIN = "maturin"
    SCIKIT_BUILD_CORE = "scikit-build-core"
    SCRIPT = "script"
    CMAKE = "cmake"
    AUTOTOOLS = "autotools"
    MESON = "meson"

    @property
    def is_for_libraries(self) -> bool:
        """Whether it makes headers and static archives rather than a Python package."""
        return self in LIBRARY_REQUIRES


LIBRARY_REQUIRES: Mapping[Backend, tuple[str, ...]] = {
    Backend.SCRIPT: (),
    Backend.CMAKE: ("cmake>=3.24", "ninja"),
    Backend.AUTOTOOLS: (),
    Backend.MESON: ("meson>=1.4", "ninja"),
}
"""The back ends of native libraries, and the build requirements that each has of its own (PEP 508)."""


class Language(enum.StrEnum):
    """Compilers that a build may ask for beside those of C and C++."""

    RUST = "rust"
    FORTRAN = "fortran"


@dataclass(frozen=True)
class About:
    """What a recipe says to people, and to the wheel's bill of materials.

    Args:
        homepage: A URL, or an empty string.
        license: An SPDX expression (PEP 639), or an empty string.
        summary: One line, or an empty string.
    """

    homepage: str = ""
    license: str = ""
    summary: str = ""


@dataclass(frozen=True)
class SdistPin:
    """The package's own sdist in the configured package index.

    Args:
        sha256: Of the file, 64 hex digits.
        filename: Its name, where the version has several sdists.
    """

    sha256: str
    filename: str | None = None


@dataclass(frozen=True)
class UrlPin:
    """One archive at several mirrors.

    Args:
        urls: In the order to try them; ``debian:pool/…`` is Debian's archive as apt knows it.
        sha256: Of the file, 64 hex digits.
    """

    urls: tuple[str, ...]
    sha256: str


@dataclass(frozen=True)
class GitPin:
    """One commit of a repository.

    Args:
        url: The repository.
        revision: The commit, 40 hex digits.
    """

    url: str
    revision: str


@dataclass(frozen=True)
class PathPin:
    """A directory or archive of this machine.

    Args:
        path: As written, or absolute once evaluated.
    """

    path: str


@dataclass(frozen=True)
class Trial(Generic[T]):
    """How a wheel is tried (``forge test``): with `Value`s as it stands in the recipe, with strings once evaluated.

    Args:
        imports: Dotted names of the modules that must import.
        requires: What the tests need besides pytest (PEP 508).
        files: pytest files of the recipe's own; relative to its directory, absolute once evaluated.
        suite_requires: What the project's own test suite needs besides.
        suite_source: Files and directories of the source tree that the suite is in, where the wheel does not have it.
        suite_directory: The directory of the source tree that pytest runs in, at most one; its root if none.
        suite_args: pytest's arguments for the suite; none where there is no suite to run.
    """

    imports: tuple[T, ...] = ()
    requires: tuple[T, ...] = ()
    files: tuple[T, ...] = ()
    suite_requires: tuple[T, ...] = ()
    suite_source: tuple[T, ...] = ()
    suite_directory: tuple[T, ...] = ()
    suite_args: tuple[T, ...] = ()


@dataclass(frozen=True)
class Disabled:
    """Why a package is not built for now.

    Args:
        reason: One line.
        until: The version of the package (PEP 440) from which on the reason no longer holds, or None if nobody knows.
        where: Its place, for messages.
    """

    reason: str
    until: str | None = None
    where: Location = field(default=Location("", 1), compare=False)


@dataclass(frozen=True)
class Variant:
    """Another way to build a package, chosen by name (``--variant``).

    Args:
        name: As the recipe declares it.
        summary: One line that says what it is for.
        ios_version: PEP 440 specifier sets on the minimum iOS version, of which any must admit it; empty: all do.
        where: Its place, for messages.
    """

    name: str
    summary: str
    ios_version: tuple[str, ...] = ()
    where: Location = field(default=Location("", 1), compare=False)


SourcePin = SdistPin | UrlPin | GitPin | PathPin
"""Where a recipe's source comes from."""


@dataclass(frozen=True)
class Recipe:
    """A recipe as it stands in its file: conditions and variables are still in it.

    Args:
        file: The recipe's file, absolute.
        name: The package's name, as written.
        version: Its version (PEP 440), as written.
        source: Where the source comes from; variables are still in its strings.
        backend: The kind of its PEP 517 back end.
        about: For people.
        maintainers: Who looks after the recipe.
        python: The versions of Python, as major.minor, that it can be built for (PEP 440); empty for all.
        patches: Unified diffs, relative to the recipe's directory.
        requires: Build requirements (PEP 508) beside and instead of ``build-system.requires``.
        config_settings: PEP 517 config settings.
        env: Environment variables of the build.
        languages: Further compilers that the build takes.
        script: The commands of a native library's build, in order.
        host: Host requirements (PEP 508).
        run: Run requirements that the wheel declares beside the project's own (PEP 508).
        license_files: Of a native library: files of the source that go into the wheel (PEP 639).
        native: Whether the wheel must have compiled code.
        extension_table: What the table beside it says of the wheel's extension modules.
        libraries: Patterns (fnmatch) of the dotted names of compiled files that are not extension modules but libraries
            that the package opens by path with ctypes or cffi.
        trial: How the wheel is tried.
        variants: The variants that it declares.
        state: Why it is not built for now, or None.
        places: Where each value stands in the file, by its path.
    """

    file: Path
    name: str
    version: str
    source: SourcePin
    backend: Backend
    about: About = About()
    maintainers: tuple[str, ...] = ()
    python: str = ""
    patches: tuple[Value, ...] = ()
    requires: tuple[Value, ...] = ()
    config_settings: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    env: Mapping[str, Value] = field(default_factory=dict)
    languages: tuple[Language, ...] = ()
    options: tuple[Value, ...] = ()
    script: tuple[Value, ...] = ()
    host: tuple[Value, ...] = ()
    run: tuple[Value, ...] = ()
    license_files: tuple[Value, ...] = ()
    native: bool = True
    extension_table: tuple[Row, ...] = ()
    libraries: tuple[Value, ...] = ()
    trial: Trial[Value] = Trial()
    variants: tuple[Variant, ...] = ()
    state: Disabled | None = None
    places: Mapping[DataPath, Location] = field(default_factory=dict, compare=False, repr=False)

    def place(self, *path: str | int) -> Location:
        """Where a value stands, or the nearest thing around it, for messages."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) or Location(shown_path(self.file), 1)

    def supports(self, minor: str) -> bool:
        """Whether the package can be built for a version of Python, e.g. ``3.14``."""
        return not self.python or any_admits((self.python,), minor)

    @property
    def extensions(self) -> tuple[Value, ...]:
        """Dotted names of the extension modules that the wheel must have."""
        return tuple(value for row in self.extension_table for value in row.values())

    @property
    def disabled(self) -> Disabled | None:
        """Why the version at hand is not built, or None: a reason holds until the version that it names."""
        if self.state is None or (self.state.until is not None and Version(self.version) >= Version(self.state.until)):
            return None
        return self.state

    @property
    def directory(self) -> Path:
        """Where the recipe and its patches lie."""
        return self.file.parent

    @property
    def normalized_name(self) -> NormalizedName:
        """The name by which recipes are found and compared (PEP 503)."""
        return canonicalize_name(self.name)

    @property
    def lock_file(self) -> Path:
        """Where its build requirements are pinned; may not exist yet."""
        return self.directory / LOCK_NAME

    @property
    def table_file(self) -> Path:
        """Where the wheel's extension modules are listed; may not exist yet."""
        return self.directory / TABLE_NAME


@dataclass(frozen=True)
class EvaluatedRecipe:
    """A recipe for one target, Python and choice of variants: plain strings, only what counts.

    Args:
        recipe: What it was made from.
        target: What it is for.
        python: Python's major.minor, e.g. ``3.13``.
        source: Where the source comes from; a path is absolute.
        patches: Unified diffs, absolute paths of files that exist, in order.
        requires: Build requirements (PEP 508) beside and instead of ``build-system.requires``.
        config_settings: PEP 517 config settings; a setting whose values all have failing conditions is left
            out.
        env: Environment variables of the build.
        options: Arguments for a native library's build system.
        script: The commands of a native library's build, in order.
        host: Host requirements (PEP 508).
        run: Run requirements that the wheel declares beside the project's own (PEP 508).
        license_files: Of a native library: files of the source that go into the wheel (PEP 639).
        extensions: Dotted names of the extension modules that the wheel must have.
        libraries: Patterns (fnmatch) of the dotted names of compiled files that are not extension modules but libraries
            that the package opens by path with ctypes or cffi.
        trial: How the wheel is tried.
        variants: The names of the variants that were chosen and that the recipe declares, in the recipe's order.
        host_places: Where each of *host* stands, for messages.
        run_places: Where each of *run* stands.
    """

    recipe: Recipe
    target: Target
    python: str
    source: SourcePin
    patches: tuple[Path, ...] = ()
    requires: tuple[str, ...] = ()
    config_settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    script: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    license_files: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    trial: Trial[str] = Trial()
    variants: tuple[str, ...] = ()
    host_places: tuple[Location, ...] = field(default=(), compare=False, repr=False)
    run_places: tuple[Location, ...] = field(default=(), compare=False, repr=False)

    @property
    def name(self) -> str:
        """The package's name, as written."""
        return self.recipe.name

    @property
    def normalized_name(self) -> NormalizedName:
        """The package's name, normalised (PEP 503)."""
        return self.recipe.normalized_name

    @property
    def version(self) -> str:
        """The package's version, as written."""
        return self.recipe.version

    @property
    def backend(self) -> Backend:
        """The kind of PEP 517 back end."""
        return self.recipe.backend

    @property
    def languages(self) -> tuple[Language, ...]:
        """Further compilers that the build takes; maturin's always takes Rust."""
        implied = (Language.RUST,) if self.backend is Backend.MATURIN else ()
        return tuple(sorted({*implied, *self.recipe.languages}))

    @property
    def is_native_library(self) -> bool:
        """Whether it makes headers and static archives rather than a Python package."""
        return self.backend.is_for_libraries

    @property
    def needs_no_lock(self) -> bool:
        """Whether it has no build requirements for certain: a native library whose back end has none of its own."""
        return not self.requires and LIBRARY_REQUIRES.get(self.backend) == ()

    @property
    def native(self) -> bool:
        """Whether the wheel must have compiled code."""
        return self.recipe.native

    @property
    def about(self) -> About:
        """For people."""
        return self.recipe.about

    @property
    def lock_file(self) -> Path:
        """Where the build requirements are pinned; may not exist yet."""
        return self.recipe.lock_file
