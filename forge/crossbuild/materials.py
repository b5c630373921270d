"""The bill of materials of a wheel (PEP 770): what is in it and what built it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import forge
from forge.crossbuild.licenses import declared_license
from forge.recipe.lock import read_lock
from forge.recipe.model import GitPin, PathPin, SdistPin, UrlPin
from forge.wheel.sbom import Component, pypi_purl, render_sbom

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.crossbuild.host_prefix import HostPackage
    from forge.crossbuild.licenses import Crate
    from forge.ios_python.model import IOSPython
    from forge.recipe.model import EvaluatedRecipe
    from forge.toolchain.base import Toolchain


def bill_of_materials(
    recipe: EvaluatedRecipe,
    python: IOSPython,
    toolchain: Toolchain,
    lock: Path | None,
    host: Sequence[HostPackage] = (),
    crates: Sequence[Crate] = (),
    *,
    declared: str = "",
) -> str:
    """The text of a wheel's bill of materials.

    It lists the source, the toolchain, the iOS Python, host requirements, crates and build requirements.

    Args:
        recipe: The recipe, evaluated for the target.
        python: The iOS Python.
        toolchain: The toolchain.
        lock: The build requirements, or None if there are none.
        host: The host requirements.
        crates: The Rust crates whose code is in the wheel.
        declared: The licence of the package itself, an SPDX expression, or an empty string.
    """
    subject = Component(
        kind="library",
        name=recipe.name,
        version=recipe.version,
        purl=pypi_purl(recipe.name, recipe.version),
        license=declared,
    )
    built_with = [
        Component(
            kind="application",
            name=toolchain.kind,
            version=toolchain.id[:16],
            linked=False,
            properties={"forge:description": toolchain.description}
            # A pure wheel is the same for every target.
            | ({"forge:target": recipe.target.clang_triple} if recipe.native else {}),
        ),
        *(
            # A native library reads no Python, and is the same for all of them.
            ()
            if recipe.is_native_library
            else (Component(kind="framework", name="cpython", version=python.minor, linked=False),)
        ),
        *(
            Component("application", pin.name, pin.version, purl=pypi_purl(pin.name, pin.version), linked=False)
            for pin in (() if lock is None else read_lock(lock).for_python(python.minor).values())
        ),
    ]
    tool = Component("application", "forge", forge.__version__)
    linked = [_host(package) for package in host]
    linked += [
        Component("library", c.name, c.version, purl=f"pkg:cargo/{c.name}@{c.version}", license=_expression(c.license))
        for c in crates
    ]
    return render_sbom(subject, [_source(recipe), *linked, *built_with], [tool])


def _host(package: HostPackage) -> Component:
    """A host requirement: the code of a native library, or headers and static helpers of a package."""
    properties = {"forge:fingerprint": package.fingerprint, "forge:wheel": package.wheel.name}
    purl = "" if package.is_native_library else pypi_purl(package.name, package.version)
    return Component(
        "library",
        package.name,
        package.version,
        purl=purl,
        properties=properties,
        license=package.license or declared_license(package.wheel),
    )


def _expression(license_: str) -> str:
    """A crate's licence as an SPDX expression; old manifests have ``MIT/Apache-2.0`` (cargo's reference)."""
    return license_.replace("/", " OR ")


def _source(recipe: EvaluatedRecipe) -> Component:
    properties = {"forge:patches": ", ".join(patch.name for patch in recipe.patches)} if recipe.patches else {}
    match recipe.source:
        case SdistPin(sha256):
            name = f"{recipe.normalized_name}-{recipe.version} sdist"
            return Component("file", name, sha256=sha256, properties=properties)
        case UrlPin(sha256=sha256):
            # The address is left out: mirrors differ, and it may contain a token.
            name = f"{recipe.normalized_name}-{recipe.version} source archive"
            return Component("file", name, sha256=sha256, properties=properties)
        case GitPin(revision=revision):
            return Component("file", f"{recipe.normalized_name} git", version=revision, properties=properties)
        case PathPin():
            return Component("file", f"{recipe.normalized_name} (local source)", properties=properties)
