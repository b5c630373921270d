"""What went into a wheel and what built it, for its bill of materials (PEP 770)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import forge
from forge.recipe.lock import read_lock
from forge.recipe.model import GitPin, PathPin, SdistPin, UrlPin
from forge.wheel.sbom import Component, pypi_purl, render_sbom

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.build.host_prefix import HostPackage
    from forge.ios_python.model import IOSPython
    from forge.recipe.model import EvaluatedRecipe
    from forge.toolchain.base import Toolchain


def bill_of_materials(
    recipe: EvaluatedRecipe,
    python: IOSPython,
    toolchain: Toolchain,
    lock: Path | None,
    host: Sequence[HostPackage] = (),
) -> str:
    """The text of a wheel's bill of materials: source, what it was compiled with and against, build requirements.

    Args:
        recipe: Evaluated for the target.
        python: The iOS Python that was built against.
        toolchain: What compiled.
        lock: The build requirements that took part, or None for none.
        host: What was linked or read for the target.
    """
    subject = Component(
        kind="library",
        name=recipe.name,
        version=recipe.version,
        purl=pypi_purl(recipe.name, recipe.version),
        license=recipe.recipe.about.license,
    )
    built_with = [
        Component(
            kind="application",
            name=toolchain.kind,
            version=toolchain.id[:16],
            linked=False,
            properties={"forge:description": toolchain.description, "forge:target": recipe.target.clang_triple},
        ),
        Component(kind="framework", name="cpython", version=python.version, linked=False),
        *(
            Component("application", pin.name, pin.version, purl=pypi_purl(pin.name, pin.version), linked=False)
            for pin in (() if lock is None else read_lock(lock).pins)
        ),
    ]
    tool = Component("application", "forge", forge.__version__)
    linked = [_host(package) for package in host]
    return render_sbom(subject, [_source(recipe), *linked, *built_with], [tool])


def _host(package: HostPackage) -> Component:
    """A host requirement: of a native library the code is folded in, of a package headers and static helpers."""
    properties = {"forge:fingerprint": package.fingerprint, "forge:wheel": package.wheel.name}
    purl = "" if "-py3-none-" in package.wheel.name else pypi_purl(package.name, package.version)
    return Component("library", package.name, package.version, purl=purl, properties=properties)


def _source(recipe: EvaluatedRecipe) -> Component:
    properties = {"forge:patches": ", ".join(patch.name for patch in recipe.patches)} if recipe.patches else {}
    match recipe.source:
        case SdistPin(sha256):
            name = f"{recipe.normalized_name}-{recipe.version} sdist"
            return Component("file", name, sha256=sha256, properties=properties)
        case UrlPin(urls, sha256):
            return Component("file", urls[0].rpartition("/")[2], sha256=sha256, properties=properties)
        case GitPin(url, revision):
            return Component("file", url, version=revision, properties=properties)
        case PathPin():
            return Component("file", f"{recipe.normalized_name} (local source)", properties=properties)
