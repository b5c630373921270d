"""What was loaded, as plain data."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from forge.emulate.runtime.image import Absent, Image

if TYPE_CHECKING:
    from collections.abc import Sequence


def describe(images: Sequence[Image]) -> dict[str, object]:
    """What a process loaded so far.

    Args:
        images: Its images in load order.

    Returns:
        A JSON object: ``images`` (``path``, ``install_name``, ``platform`` as ``PLATFORM_*``, ``minimum_os``, ``base``,
        and ``dependencies`` with ``install_name``, ``link``, ``kind``: ``image``, ``system`` or ``absent``, and the
        ``path`` of images), ``modules`` (Python modules in ``sys.modules`` that are an image: name to path),
        ``bindings`` (``image``, ``library``, ``symbol``, ``source``, ``entry``; `BoundSymbol` says what they mean),
        and ``traps`` and ``missing``, the bindings of these sources once more: imports that nobody provides, and
        weak ones that are null. A trap may be an import of data: the file does not say which it is.
    """
    paths = {image.path for image in images}
    bindings: list[dict[str, str | None]] = [
        {
            "image": image.path,
            "library": bound.library,
            "symbol": bound.symbol,
            "source": bound.source,
            "entry": bound.entry,
        }
        for image in images
        for bound in image.bound
    ]
    return {
        "images": [_image(image) for image in images],
        "modules": _modules(paths),
        "bindings": bindings,
        "traps": [binding for binding in bindings if binding["source"] == "trap"],
        "missing": [binding for binding in bindings if binding["source"] == "missing"],
    }


def _image(image: Image) -> dict[str, object]:
    dependencies = []
    for library, dependency in zip(image.dependencies, image.mach.dependencies, strict=True):
        row: dict[str, object] = {"install_name": dependency.install_name, "link": dependency.link.value}
        if isinstance(library, Image):
            row |= {"kind": "image", "path": library.path}
        else:
            row["kind"] = "absent" if isinstance(library, Absent) else "system"
        dependencies.append(row)
    return {
        "path": image.path,
        "install_name": image.mach.install_name,
        "platform": image.mach.platform,
        "minimum_os": image.mach.minimum_os,
        "base": image.base,
        "dependencies": dependencies,
    }


def _modules(paths: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if isinstance(origin, str) and (real := os.path.realpath(origin)) in paths:
            found[name] = real
    return found
