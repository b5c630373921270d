"""A recipe that is being written: its values, each with a comment where a person has to look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.recipe.model import Backend, Language


LEFT_OUT = "the build for iOS did not make it"
"""What the table of extension modules says of one that the project's own wheel has."""


@dataclass(frozen=True)
class Item:
    """A value of a recipe.

    Args:
        text: The value.
        doubt: What a person has to look at, in one line, or empty: it becomes a comment.
    """

    text: str
    doubt: str = ""


@dataclass(frozen=True)
class DraftTests:
    """How the wheel is tried.

    Args:
        imports: Modules that must import.
        requires: What the tests need (PEP 508).
        files: Test files of the recipe's own: their names below ``tests/``, and their contents.
        suite_source: The directory of the project's own tests, or empty.
        suite_requires: What they need besides (PEP 508).
        doubt: What a person has to look at.
        suite_doubt: The same about the project's own tests.
    """

    imports: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    suite_source: str = ""
    suite_requires: tuple[str, ...] = ()
    doubt: str = ""
    suite_doubt: str = ""


@dataclass(frozen=True)
class Draft:
    """A recipe's values.

    Args:
        name: The package, normalised.
        version: Its version.
        sha256: The sdist's.
        backend: The kind of back end.
        backend_doubt: What a person has to look at there.
        python: The versions of Python that it can be built for (PEP 440), or empty.
        license: An SPDX expression where the project's metadata does not have one, else empty.
        filename: The sdist's name, where the version has several.
        languages: Compilers besides those of C and C++.
        requires: Build requirements (PEP 508).
        config_settings: What the back end is told (PEP 517).
        env: Environment variables of the build.
        host: Host requirements (PEP 508).
        run: Run requirements (PEP 508).
        run_doubt: What a person has to look at there.
        extensions: Extension modules that the wheel must have.
        left_out: Modules that the project's own wheel has and iOS's has not.
        extensions_doubt: What a person has to look at there.
        libraries: Patterns of the libraries that the package opens by path.
        tests: How the wheel is tried.
        switches: Variables that the build's scripts read, which may switch compiled code on; not part of the recipe.
    """

    name: str
    version: str
    sha256: str
    backend: Backend
    backend_doubt: str = ""
    python: str = ""
    license: Item = Item("")
    filename: str | None = None
    languages: tuple[Language, ...] = ()
    requires: tuple[Item, ...] = ()
    config_settings: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    env: Mapping[str, Item] = field(default_factory=dict)
    host: tuple[Item, ...] = ()
    run: tuple[str, ...] = ()
    run_doubt: str = ""
    extensions: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    extensions_doubt: str = ""
    libraries: tuple[str, ...] = ()
    tests: DraftTests = DraftTests()
    switches: tuple[str, ...] = ()

    def with_host(self, name: str, doubt: str) -> Draft:
        """The same with a host requirement; as it is if it has that already."""
        if name in {each.text for each in self.host}:
            return self
        return replace(self, host=(*self.host, Item(name, doubt)))

    def with_build_requirement(self, text: str, doubt: str) -> Draft:
        """The same with a build requirement in place of one of that name; as it is if it has that already."""
        if text in {each.text for each in self.requires}:
            return self
        name = canonicalize_name(Requirement(text).name)
        others = (each for each in self.requires if canonicalize_name(Requirement(each.text).name) != name)
        return replace(self, requires=(*others, Item(text, doubt)))

    def with_language(self, language: Language) -> Draft:
        """The same with a compiler."""
        return replace(self, languages=tuple(dict.fromkeys((*self.languages, language))))

    def with_variable(self, name: str, value: str, doubt: str) -> Draft:
        """The same with an environment variable."""
        return replace(self, env={**self.env, name: Item(value, doubt)})

    def with_flag(self, name: str, flag: str, doubt: str) -> Draft:
        """The same with a flag at the end of an environment variable; as it is if it has that already."""
        old = self.env.get(name)
        if old is None:
            return self.with_variable(name, flag, doubt)
        if flag in old.text.split():
            return self
        return self.with_variable(name, f"{old.text} {flag}", old.doubt or doubt)

    def doubts(self) -> tuple[str, ...]:
        """All that a person has to look at, each with the key that it is about."""
        found = [
            ("about.license", self.license.doubt),
            ("build.backend", self.backend_doubt),
            *(("build.requires", item.doubt) for item in self.requires),
            *((f"build.config_settings.{name}", items[0].doubt) for name, items in self.config_settings.items()),
            *((f"build.env.{name}", item.doubt) for name, item in self.env.items()),
            *(("requirements.host", item.doubt) for item in self.host),
            ("requirements.run", self.run_doubt),
            *(("extension-modules.txt", f"{LEFT_OUT}: {name}") for name in self.left_out),
            ("extension-modules.txt", self.extensions_doubt),
            ("test", self.tests.doubt),
            ("test.suite", self.tests.suite_doubt),
        ]
        return tuple(f"{key}: {doubt}" for key, doubt in found if doubt)
