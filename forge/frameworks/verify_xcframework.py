"""XCframeworks, re-read: Info.plist against slices, slices against the trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.target import Abi, Arch
from forge.frameworks.findings import Finding, finding
from forge.frameworks.layout import FRAMEWORKS, XCFRAMEWORKS
from forge.frameworks.plists import Slice, read_plist, xcframework_plist
from forge.frameworks.verify_bundle import read_bundle

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

_ARCHES = {arch.value: arch for arch in Arch}


def verify_xcframeworks(root: Path, abis: Sequence[Abi], provided: Collection[str] = ()) -> list[Finding]:
    """Re-read every XCframework.

    Args:
        root: The output's root.
        abis: The ABIs that there are trees for.
        provided: Names of frameworks that the app has besides.
    """
    expected = {abi: _names(root / abi / FRAMEWORKS, ".framework") for abi in abis}
    found = _names(root / XCFRAMEWORKS, ".xcframework")
    report = [
        finding("FW308", f"{XCFRAMEWORKS}/{name}.xcframework", "is missing")
        for name in sorted(frozenset().union(*expected.values()) - found)
    ]
    for name in sorted(found):
        having = [abi for abi in abis if name in expected[abi]]
        report += _verify_one(root / XCFRAMEWORKS / f"{name}.xcframework", name, having, {*found, *provided})
    return report


def _verify_one(bundle: Path, name: str, abis: Sequence[Abi], frameworks: Collection[str]) -> list[Finding]:
    place = f"{XCFRAMEWORKS}/{bundle.name}"
    report: list[Finding] = []
    slices: list[Slice] = []
    for path in sorted(bundle.iterdir()) if bundle.is_dir() else ():
        if path.name == "Info.plist":
            continue
        abi = Abi.IPHONESIMULATOR if path.name.endswith("-simulator") else Abi.IPHONEOS
        framework = path / f"{name}.framework"
        if not framework.is_dir() or [child.name for child in path.iterdir()] != [framework.name]:
            report.append(finding("FW308", f"{place}/{path.name}", f"holds other things than {framework.name}"))
            continue
        read = read_bundle(framework, f"{place}/{path.name}/{framework.name}", abi, frameworks)
        # Whether the package opens it by path is known of the trees, which hold the same binary.
        report += [one for one in read.findings if one.rule.id != "FW210"]
        one = Slice(abi, tuple(_ARCHES[cpu] for cpu in read.cpus if cpu in _ARCHES))
        slices.append(one)
        if one.identifier != path.name:
            report.append(finding("FW308", f"{place}/{path.name}", f"its binary is what {one.identifier} holds"))
    if sorted(one.abi for one in slices) != sorted(abis):
        said = ", ".join(one.identifier for one in slices) or "none"
        report.append(finding("FW308", place, f"its slices ({said}) are not those of the trees ({', '.join(abis)})"))
    info = bundle / "Info.plist"
    due = read_plist(xcframework_plist(name, slices))
    if not info.is_file() or read_plist(info.read_bytes()) != due:
        report.append(finding("FW308", f"{place}/Info.plist", "is not what the slices ask for"))
    return report


def _names(directory: Path, suffix: str) -> frozenset[str]:
    if not directory.is_dir():
        return frozenset()
    return frozenset(path.name.removesuffix(suffix) for path in directory.iterdir() if path.name.endswith(suffix))
