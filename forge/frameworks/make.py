"""``forge frameworks``: wheels made what an app build makes of them.

Nothing is written unless all of it is right; the same wheels and options give the same bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory
from forge.base.errors import StorageError
from forge.base.hashing import file_sha256
from forge.base.target import Target
from forge.frameworks.binaries import binary_findings
from forge.frameworks.findings import finding
from forge.frameworks.identifiers import check_bundle_id
from forge.frameworks.layout import MANIFEST
from forge.frameworks.plan import plan_trees
from forge.frameworks.tree import Tree, make_tree
from forge.frameworks.verify import verify_frameworks
from forge.frameworks.xcframework import make_xcframeworks
from forge.wheel.requirements import unmet_requirements

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.frameworks.findings import Finding
    from forge.frameworks.options import Options
    from forge.frameworks.plan import TreePlan

_VERSIONED = re.compile(r"cp3(\d+)t?", flags=re.ASCII)
_FORMAT = 1
"""Goes up when a field of the manifest changes its meaning or goes away."""


@dataclass(frozen=True)
class Made:
    """What came of it.

    Args:
        directory: The output's root; None where errors kept it from being written.
        trees: What was made, or would have been.
        findings: What is wrong or worth knowing.
    """

    directory: Path | None
    trees: tuple[Tree, ...]
    findings: tuple[Finding, ...]


class _Refused(Exception):  # noqa: N818 - unwinds atomic_directory, so that nothing is kept; never leaves this module
    """The findings have errors."""


def make_frameworks(wheels: Sequence[Path], directory: Path, options: Options) -> Made:
    """Make trees of frameworks, re-read them from disk, and keep them if nothing is wrong.

    Args:
        wheels: For devices and simulators, and pure ones.
        directory: The output's root. One that forge made before is replaced.
        options: What was chosen.

    Raises:
        FrameworksError: The wheels do not go together.
        WheelError: One cannot be read or is for no iOS target.
        StorageError: *directory* has something that forge did not make.
    """
    check_bundle_id(options.bundle_id)
    destination = directory.absolute()
    _check_destination(destination)
    plans = plan_trees(wheels, options.abis)
    report: list[Finding] = []
    trees: list[Tree] = []
    try:
        with atomic_directory(destination) as root:
            for plan in plans:
                report += _unmet(plan)
                for package in plan.packages:
                    for wheel in package.wheels:
                        report += binary_findings(wheel, options)
                (root / plan.abi).mkdir()
                trees.append(make_tree(plan, root / plan.abi, options, report))
            if options.xcframeworks:
                make_xcframeworks(root, trees, report)
            (root / MANIFEST).write_text(_manifest(trees, options, _listing(root)), encoding="utf-8")
            report += verify_frameworks(root, options.provided)
            _open_to_all(root)
            _keep(report)
    except _Refused:
        return Made(None, tuple(trees), tuple(dict.fromkeys(report)))
    return Made(directory, tuple(trees), tuple(dict.fromkeys(report)))


def _unmet(plan: TreePlan) -> list[Finding]:
    """The requirements of a tree's wheels that no wheel of the tree meets."""
    wheels = [wheel.contents for package in plan.packages for wheel in package.wheels]
    pythons = {found[1] for one in wheels for tag in one.name.abis if (found := _VERSIONED.fullmatch(tag))}
    version = f"3.{min(map(int, pythons), default=13)}"
    told: dict[Finding, None] = {}
    for arch in plan.arches:
        for one in unmet_requirements(wheels, Target(plan.abi, arch), version):
            told[finding("FW109", one.wheel, one.text)] = None
    return list(told)


def _keep(report: Sequence[Finding]) -> None:
    if any(one.is_error for one in report):
        raise _Refused


def _check_destination(directory: Path) -> None:
    """Refuse to replace what forge did not make: every file must be one that the manifest there lists."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise StorageError(f"{directory}: is a file", hint="--out names a directory")
    listed = _listed(directory / MANIFEST)
    own = {*listed, MANIFEST} if listed else frozenset[str]()
    foreign = [path for path in _listing(directory) if path not in own]
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise StorageError(
            f"{directory}: has files that forge frameworks did not make: {', '.join(foreign[:_SHOWN])}{more}",
            hint="name an empty or a new directory, or move these files away",
        )


_SHOWN = 5


def _listed(manifest: Path) -> list[str]:
    """The files that a manifest lists; none where it is not one of forge's, or is of a forge that listed none."""
    try:
        body = json.loads(manifest.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    files = body.get("files") if isinstance(body, dict) and body.get("version") == _FORMAT else None
    return [path for path in files if isinstance(path, str)] if isinstance(files, list) else []


def _listing(directory: Path) -> list[str]:
    """Everything below a directory that is not a directory itself, and directories with nothing in them; sorted."""
    return sorted(
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_symlink() or not path.is_dir() or not any(path.iterdir())
    )


def _open_to_all(directory: Path) -> None:
    """Give files and directories the modes that an app has, whatever the umask is."""
    for path in (directory, *directory.rglob("*")):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)


def _manifest(trees: Sequence[Tree], options: Options, files: Sequence[str]) -> str:
    wheels = {w.contents.path for tree in trees for package in tree.plan.packages for w in package.wheels}
    body = {
        "version": _FORMAT,
        "bundle_id": options.bundle_id,
        "ios_version": None if options.ios_version is None else str(options.ios_version),
        "trees": {
            tree.plan.abi.value: {"architectures": list(tree.plan.arches), "frameworks": list(tree.frameworks)}
            for tree in trees
        },
        "wheels": {path.name: file_sha256(path) for path in sorted(wheels, key=lambda path: path.name)},
        "files": list(files),
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
