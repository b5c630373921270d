"""What a signed statement says of a wheel: what it was built from, in the form of SLSA's provenance (version 1).

The facts are those of the record of the build, if the wheel is in this machine's cache, and of the bill of materials
that the wheel carries. Of a wheel that forge did not build it only says of which release it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from forge.base.errors import ForgeError
from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.plan.explain import as_json
from forge.plan.git import git
from forge.plan.inventory import stored_wheels
from forge.recipe.digest import digest_input
from forge.recipe.evaluate import evaluate
from forge.wheel.contents import read_metadata, read_wheel
from forge.wheel.sbom import FILE_NAME, pypi_purl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.plan.inventory import StoredWheel
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore

BUILT = "https://slsa.dev/provenance/v1"
"""SLSA's predicate type."""

RELEASED = "https://in-toto.io/attestation/release/v0.1"
"""in-toto's predicate type for: this file is of that release."""

BUILD_TYPE = "https://forge.example.org/build/v1"
BUILDER = "https://forge.example.org/builder"


@dataclass(frozen=True)
class BuildFacts:
    """Says what wheels were built from.

    Args:
        home: The cache, whose records of builds are taken.
        store: The recipes as they are now; None for not to look at them.
    """

    home: ForgeHome
    store: RecipeStore | None = None

    def of(self, wheel: Path, sha256: str) -> tuple[str, Mapping[str, Any]]:
        """The predicate's type, and the predicate.

        Args:
            wheel: The file.
            sha256: Its hash.

        Raises:
            WheelError: It cannot be read.
        """
        bill = _bill_of_materials(wheel)
        stored = self._records.get(sha256)
        if bill is None and stored is None:
            metadata = read_metadata(wheel)
            return RELEASED, {"purl": pypi_purl(metadata.name, metadata.version)}
        subject, components, forge = bill or ({}, [], "")
        external = {"recipe": subject.get("name"), "version": subject.get("version")}
        internal: dict[str, Any] = {"toolchain": [_named(each) for each in components if _is_tool(each)]}
        dependencies = [found for each in components if (found := _dependency(each)) is not None]
        if stored is not None:
            external = {
                "recipe": stored.name, "version": stored.version, "target": stored.target, "python": stored.python,
            }  # fmt: skip
            internal |= {"fingerprint": stored.fingerprint, "inputs": stored.inputs}
            if commit := self._commit(stored):
                dependencies.insert(0, {"name": "recipes", "digest": {"gitCommit": commit}})
        builder: dict[str, Any] = {"id": BUILDER}
        if forge:
            builder["version"] = {"forge": forge}
        return BUILT, {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {key: value for key, value in external.items() if value},
                "internalParameters": internal,
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": builder},
        }

    @cached_property
    def _records(self) -> dict[str, StoredWheel]:
        return {wheel.sha256: wheel for wheel in stored_wheels(self.home)}

    def _commit(self, stored: StoredWheel) -> str:
        """The commit whose recipe says just what a wheel was built from, or an empty string.

        Only a recipe whose directory has no changes that are not committed says it, whichever commit it was built at.
        """
        if self.store is None:
            return ""
        try:
            recipe = self.store.load(canonicalize_name(stored.name))
            if not _says(recipe, stored):
                return ""
            if git(recipe.directory, "status", "--porcelain", "--ignored", "--", "."):
                return ""
            return git(recipe.directory, "rev-parse", "HEAD")
        except ForgeError:  # no recipe, no git, no repository
            return ""


def _says(recipe: Recipe, stored: StoredWheel) -> bool:
    """Whether a recipe says what a wheel was built from, with any one of its variants or none."""
    target = _target(stored)
    choices = ((), *((variant.name,) for variant in recipe.variants))
    return any(
        as_json(digest_input(evaluate(recipe, target, stored.python, variants))) == stored.recipe
        for variants in choices
    )


def _target(stored: StoredWheel) -> Target:
    """What a wheel was built for; any target for one that is the same for all."""
    said = stored.recipe.get("target")
    if not isinstance(said, list):
        return Target(Abi.IPHONEOS, Arch.ARM64)
    abi, arch, version = said
    return Target(Abi(abi), Arch(arch), IOSVersion.parse(version))


def _bill_of_materials(wheel: Path) -> tuple[dict[str, Any], list[dict[str, Any]], str] | None:
    """The package, the components and the version of forge of a wheel's own bill of materials; None without one."""
    contents = read_wheel(wheel)
    member = f"{contents.dist_info}/sboms/{FILE_NAME}"
    if not any(each.path == member for each in contents.members):
        return None
    try:
        data = json.loads(contents.read(member))
        subject = data["metadata"]["component"]
        tools = data["metadata"]["tools"]["components"]
        components = data["components"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(subject, dict) or not isinstance(tools, list) or not isinstance(components, list):
        return None
    version = next((str(tool.get("version", "")) for tool in _dicts(tools) if tool.get("name") == "forge"), "")
    return subject, list(_dicts(components)), version


def _dicts(rows: list[Any]) -> Iterator[dict[str, Any]]:
    return (row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str))


def _is_tool(component: Mapping[str, Any]) -> bool:
    """Toolchains and Pythons: what took part and is no package."""
    return component.get("scope") == "excluded" and not component.get("purl")


def _named(component: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": component["name"],
        "version": component.get("version", ""),
        **{key.rpartition(":")[2]: value for key, value in _properties(component).items()},
    }


def _dependency(component: Mapping[str, Any]) -> dict[str, Any] | None:
    """A component as SLSA has it (in-toto's ResourceDescriptor); None for one that nothing identifies."""
    if _is_tool(component):
        return None
    hashes = [each for each in component.get("hashes") or () if isinstance(each, dict)]
    sha256 = next((each.get("content") for each in hashes if each.get("alg") == "SHA-256"), None)
    properties = _properties(component)
    found: dict[str, Any] = {"name": component["name"]}
    if component.get("version"):
        found["annotations"] = {"version": component["version"], **properties}
    elif properties:
        found["annotations"] = properties
    if component.get("purl"):
        found["uri"] = component["purl"]
    if sha256:
        found["digest"] = {"sha256": sha256}
    return found


def _properties(component: Mapping[str, Any]) -> dict[str, str]:
    rows = component.get("properties") or ()
    return {str(row["name"]): str(row.get("value", "")) for row in rows if isinstance(row, dict) and "name" in row}
