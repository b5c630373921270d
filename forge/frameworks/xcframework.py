"""XCframeworks: one for each module, with its frameworks for devices and simulators."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from forge.frameworks.findings import Finding, finding
from forge.frameworks.layout import XCFRAMEWORKS, framework_path
from forge.frameworks.plists import Slice, xcframework_plist

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from forge.frameworks.tree import Tree


def make_xcframeworks(root: Path, trees: Sequence[Tree], report: list[Finding]) -> None:
    """Join trees' frameworks of the same name.

    Args:
        root: The output's root, with the trees; the XCframeworks go beside them.
        trees: At most one for each ABI.
        report: Gets what lacks a slice.
    """
    (root / XCFRAMEWORKS).mkdir()
    for name in sorted({name for tree in trees for name in tree.frameworks}):
        having = [tree for tree in trees if name in tree.frameworks]
        bundle = root / XCFRAMEWORKS / f"{name}.xcframework"
        slices = [Slice(tree.plan.abi, tree.plan.arches) for tree in having]
        for one in slices:
            shutil.copytree(root / one.abi / framework_path(name), bundle / one.identifier / f"{name}.framework")
        (bundle / "Info.plist").write_bytes(xcframework_plist(name, slices))
        if len(having) < len(trees):
            lacking = ", ".join(tree.plan.abi for tree in trees if tree not in having)
            report.append(finding("FW309", f"{XCFRAMEWORKS}/{bundle.name}", f"no slice for {lacking}"))
