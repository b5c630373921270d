"""``forge frameworks``: wheels made what an app build makes of them.

Nothing is written unless all of it is right; the same wheels and options give the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory
from forge.base.errors import StorageError
from forge.base.hashing import file_sha256
from forge.frameworks.identifiers import check_bundle_id
from forge.frameworks.layout import MANIFEST
from forge.frameworks.plan import plan_trees
from forge.frameworks.tree import Tree, make_tree
from forge.frameworks.verify import verify_frameworks
from forge.frameworks.xcframework import make_xcframeworks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.frameworks.findings import Finding
    from forge.frameworks.options import Options

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
                (root / plan.abi).mkdir()
                trees.append(make_tree(plan, root / plan.abi, options, report))
            if options.xcframeworks:
                make_xcframeworks(root, trees, report)
            (root / MANIFEST).write_text(_manifest(trees, options), encoding="utf-8")
            report += verify_frameworks(root)
            _keep(report)
    except _Refused:
        return Made(None, tuple(trees), tuple(dict.fromkeys(report)))
    return Made(directory, tuple(trees), tuple(dict.fromkeys(report)))


def _keep(report: Sequence[Finding]) -> None:
    if any(one.is_error for one in report):
        raise _Refused


def _check_destination(directory: Path) -> None:
    """Refuse to replace what forge did not make."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise StorageError(f"{directory}: a file", hint="--out names a directory")
    if (directory / MANIFEST).is_file() or not any(directory.iterdir()):
        return
    raise StorageError(
        f"{directory}: has files that forge frameworks did not make", hint="name an empty or a new directory"
    )


def _manifest(trees: Sequence[Tree], options: Options) -> str:
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
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"
