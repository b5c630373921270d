"""Values with conditions and variables: what a recipe's strings may be besides strings.

A conditional value is data (``{value: …, when: {abi: iphonesimulator}}``) and a variable is one of a fixed
list (``${version}``), so that a recipe can be read, checked and edited without running anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet

from forge.recipe.diagnostics import Diagnostic, Location, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from forge.base.target import Target

HOST_PREFIX = "/forge/host"
"""Placeholder for the host prefix, and the path recorded in built files, so that they are the same on every machine."""

DEFAULT_VARIANT = "default"
"""What conditions call a build for which no variant of the recipe is chosen."""

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[^{}]*)\}|\$\{")


@dataclass(frozen=True)
class Variables:
    """What values may name as ``${…}``; a field's name is the variable's.

    Args:
        name: The package's name, as the recipe writes it.
        version: Its version, as the recipe writes it.
        abi: ``iphoneos`` or ``iphonesimulator``.
        arch: ``arm64`` or ``x86_64``.
        multiarch: e.g. ``arm64-iphoneos`` (PEP 730).
        platform_tag: e.g. ``ios_12_0_arm64_iphoneos`` (PEP 730).
        ios_version: e.g. ``12.0``.
        python_version: e.g. ``3.13``.
        host_prefix: Where host requirements are laid out; a name that the build replaces by the real place.
    """

    name: str
    version: str
    abi: str
    arch: str
    multiarch: str
    platform_tag: str
    ios_version: str
    python_version: str
    host_prefix: str

    @classmethod
    def of(cls, name: str, version: str, target: Target, python: str) -> Variables:
        """The variables of one build."""
        return cls(
            name=name,
            version=version,
            abi=str(target.abi),
            arch=str(target.arch),
            multiarch=target.multiarch,
            platform_tag=target.platform_tag,
            ios_version=str(target.ios_version),
            python_version=python,
            host_prefix=HOST_PREFIX,
        )


VARIABLE_NAMES = tuple(each.name for each in fields(Variables))
"""The variables that a recipe may name."""


@dataclass(frozen=True)
class When:
    """A condition: every key that is given must hold, and of a key's items any one.

    Args:
        abi: ABIs.
        arch: Architectures.
        python: PEP 440 specifier sets on Python's major.minor.
        ios_version: PEP 440 specifier sets on the minimum iOS version.
        variant: Variants of the recipe; ``default`` is none of them.
    """

    abi: tuple[str, ...] = ()
    arch: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    ios_version: tuple[str, ...] = ()
    variant: tuple[str, ...] = ()

    def holds(self, variables: Variables, variants: Collection[str] = ()) -> bool:
        """Whether the condition holds in a build with these variables, and these variants of the recipe chosen."""
        return (
            (not self.abi or variables.abi in self.abi)
            and (not self.arch or variables.arch in self.arch)
            and (not self.python or any_admits(self.python, variables.python_version))
            and (not self.ios_version or any_admits(self.ios_version, variables.ios_version))
            and (not self.variant or not set(variants or (DEFAULT_VARIANT,)).isdisjoint(self.variant))
        )


@dataclass(frozen=True)
class Value:
    """A string of a recipe, perhaps with a condition.

    Args:
        text: As written: variables are still in it.
        when: Where it counts; None is everywhere.
        where: Its place, for messages; two equal values may stand in different places.
    """

    text: str
    when: When | None = None
    where: Location = field(default=Location("", 1), compare=False)

    def counts(self, variables: Variables, variants: Collection[str] = ()) -> bool:
        """Whether its condition holds in a build with these variables, and these variants of the recipe chosen."""
        return self.when is None or self.when.holds(variables, variants)


def expand(text: str, variables: Variables) -> str:
    """Replace each ``${name}`` by its value, and ``$${`` by ``${``.

    The text must have passed `variable_problems`.

    Raises:
        KeyError: It names an unknown variable, or a ``${`` is not closed.
    """

    def replacement(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        if found["name"] not in VARIABLE_NAMES:
            raise KeyError(found[0])
        return str(getattr(variables, found["name"]))

    return _VARIABLE.sub(replacement, text)


def expand_all(values: Iterable[Value], variables: Variables, variants: Collection[str] = ()) -> tuple[str, ...]:
    """The strings of those values whose conditions hold, in order."""
    return tuple(expand(value.text, variables) for value in values if value.counts(variables, variants))


def variable_problems(text: str, where: Location) -> list[Diagnostic]:
    """What is wrong with the variables that a string names, each at its place."""
    problems = []
    for found in _VARIABLE.finditer(text):
        name = found["name"]
        if found[0] == "$${" or name in VARIABLE_NAMES:
            continue
        here = where.within(text, found.start(), len(found[0]))
        if name is None:
            problems.append(
                Diagnostic(here, "'${' is not closed", "close it with '}', or write '$${' for a plain '${'")
            )
        else:
            hint = did_you_mean(name, VARIABLE_NAMES, "variables")
            problems.append(Diagnostic(here, f"unknown variable '{found[0]}'", hint))
    return problems


def any_admits(specifiers: Iterable[str], version: str) -> bool:
    """Whether any of several PEP 440 specifier sets admits a version."""
    return any(SpecifierSet(text).contains(version, prereleases=True) for text in specifiers)
