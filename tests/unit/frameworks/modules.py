"""Wheels with native code for all three targets, sound by default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forge.base.target import Target, select_targets
from forge.frameworks.make import Made, make_frameworks
from forge.frameworks.options import Options
from tests.unit.macho import builder
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DEVICE, ARM, INTEL = select_targets()


def module(target: Target = DEVICE, name: str = "_x", **fields: Any) -> bytes:
    """An extension module as setuptools leaves it: its install name is a path of the build."""
    simulator = {"platform": builder.SIMULATOR} if target.is_simulator else {}
    minos = (target.effective_ios_version.major, target.effective_ios_version.minor)
    cpu = builder.X86_64 if target == INTEL else builder.ARM64
    defaults = {"install_name": f"build/{name}.so", "exports": (f"_PyInit_{name}",), "cpu": cpu, "minos": minos}
    return macho(builder.Spec(**{**defaults, **simulator, **fields}))


def suffix(target: Target) -> str:
    return f".cpython-313-{target.abi}.so"


def wheel(
    directory: Path,
    target: Target | None = DEVICE,
    files: Mapping[str, bytes] | None = None,
    *,
    name: str = "pkg",
    **fields: Any,
) -> Path:
    """A wheel with ``pkg/__init__.py`` and ``pkg/_x``, or with *files*."""
    if files is None:
        files = {f"{name}/__init__.py": b""}
        if target:
            files = {**files, f"{name}/_x{suffix(target)}": module(target)}
    tag = f"cp313-cp313-{target.platform_tag}" if target else "py3-none-any"
    return make_wheel(directory, files, name=name, tag=fields.pop("tag", tag), **fields)


def wheels(directory: Path, **fields: Any) -> list[Path]:
    """One wheel for each target."""
    return [wheel(directory, target, **fields) for target in (DEVICE, ARM, INTEL)]


def make(tmp_path: Path, given: Sequence[Path], **options: Any) -> Made:
    return make_frameworks(given, tmp_path / "out", Options(**options))


def told(made: Made) -> list[str]:
    """The findings' ids and places."""
    return [f"{one.rule.id} {one.place}" for one in made.findings]


def listing(directory: Path) -> list[str]:
    """Every file below a directory."""
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
