"""The output, re-read from disk: what an app, its Python and the App Store would see.

Nothing that made the output is asked: findings come from the files alone.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.frameworks.findings import Finding, FrameworksError, app_finding, finding
from forge.frameworks.layout import (
    FRAMEWORKS,
    PACKAGES,
    XCFRAMEWORKS,
    framework_path,
)
from forge.frameworks.verify_bundle import Bundle, read_bundle
from forge.frameworks.verify_xcframework import verify_xcframeworks
from forge.wheel.app_rules import AppRule, file_problem, fwork_path, look_at, name_problem
from forge.wheel.claims import same_name_key
from forge.wheel.extension import parse_extension
from forge.wheel.flat_lookups import flat_lookups
from forge.wheel.framework_name import framework_install_name, framework_name
from forge.wheel.opened import opened_libraries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from forge.macho.model import Cpu


def verify_frameworks(root: Path, provided: Collection[str] = ()) -> tuple[Finding, ...]:
    """Re-read what `forge.frameworks.make.make_frameworks` made.

    Args:
        root: The output's root: trees called after ABIs, and XCframeworks where there are any.
        provided: Names of frameworks that the app has besides, e.g. ``SDL3``.

    Returns:
        What is wrong, sorted by place.

    Raises:
        FrameworksError: There is no tree.
    """
    trees = [abi for abi in Abi if (root / abi).is_dir()]
    if not trees:
        raise FrameworksError(f"{root}: no tree of frameworks", hint="forge frameworks makes one")
    report: list[Finding] = []
    for abi in trees:
        report += _verify_tree(root / abi, abi, provided)
    if (root / XCFRAMEWORKS).is_dir():
        report += verify_xcframeworks(root, trees, provided)
    return tuple(sorted(dict.fromkeys(report), key=lambda one: (one.place, one.rule.id, one.message)))


def _verify_tree(tree: Path, abi: Abi, provided: Collection[str]) -> list[Finding]:
    report: list[Finding] = []
    modules = _verify_packages(tree, abi, report)
    opened = _opened(tree / PACKAGES, modules)
    bundles: list[Bundle] = []
    names = [path.name.removesuffix(".framework") for path in _entries(tree / FRAMEWORKS)] + list(provided)
    for path in _entries(tree / FRAMEWORKS):
        place = f"{abi}/{FRAMEWORKS}/{path.name}"
        if not path.name.endswith(".framework") or not path.is_dir() or path.is_symlink():
            report.append(finding("FW307", place, "is not a framework"))
            continue
        bundle = read_bundle(path, place, abi, names)
        bundles.append(bundle)
        report += [
            one
            for one in bundle.findings
            # A library that the package opens by path has no init function.
            if one.rule.id != "FW210" or bundle.module not in opened
        ]
        if bundle.module is not None and bundle.module not in modules:
            report.append(
                finding("FW302", f"{place}/{bundle.name}.origin", f"{fwork_path(bundle.module)} is not there")
            )
    report += _flat_lookups(abi, bundles)
    report += _collisions(abi, bundles)
    report += _other_cpus(abi, bundles)
    return report


def _opened(site: Path, modules: frozenset[str]) -> frozenset[str]:
    """The modules that packages open by path with ctypes or cffi."""
    found = {path: extension.module for path in modules if (extension := parse_extension(path)) is not None}
    files = (path for path in sorted(site.rglob("*.py")) if path.is_file() and not path.is_symlink())
    return opened_libraries(found, ((path.relative_to(site).as_posix(), path.read_bytes()) for path in files))


def _flat_lookups(abi: Abi, bundles: Sequence[Bundle]) -> list[Finding]:
    """Symbols that a binary looks up in no library in particular, and that nothing in the app has."""
    exported = {export.name for bundle in bundles for one in bundle.slices for export in one.exports}
    answered = [framework_install_name(bundle.name) for bundle in bundles]
    report: list[Finding] = []
    for bundle in bundles:
        place = f"{abi}/{framework_path(bundle.name)}/{bundle.name}"
        for one in bundle.slices:
            arch = next((arch for arch in Arch if arch.value == one.cpu), None)
            if arch is None or not one.builds or (abi is Abi.IPHONEOS and arch is Arch.X86_64):
                continue
            minos = one.builds[0].minos
            version = IOSVersion(minos.major, min(minos.minor, 9)) if minos.major >= 12 else IOSVersion(12)
            flat = flat_lookups(one, exported, answered, Target(abi, arch, version))
            for what, names in (
                ("what neither Python, nor a library that it loads, nor a framework here has", flat.missing),
                ("what iOS does not have", flat.unavailable),
                (f"what is newer than iOS {version}", tuple(name for name, _ in flat.newer)),
            ):
                if names:
                    report.append(finding("FW213", place, f"{one.cpu}: looks up {what}: {', '.join(names)}"))
    return report


def _verify_packages(tree: Path, abi: Abi, report: list[Finding]) -> frozenset[str]:
    """Look at every file of ``app_packages``; gives the modules whose ``.fwork`` files are right."""
    modules: set[str] = set()
    seen: dict[str, str] = {}
    site = tree / PACKAGES
    for path in sorted(site.rglob("*")) if site.is_dir() else ():
        relative = path.relative_to(site).as_posix()
        place = f"{abi}/{PACKAGES}/{relative}"
        other = seen.setdefault(same_name_key(relative), relative)
        if other != relative:
            report.append(finding("FW103", place, f"beside {other}"))
        if path.is_symlink():
            report.append(finding("FW307", place, "is a symbolic link"))
        elif path.is_file() and path.suffix == ".fwork":
            module = f"{relative.removesuffix('.fwork')}.so"
            problem = _fwork_problem(tree, path.read_bytes(), module)
            if problem:
                report.append(finding("FW301", place, problem))
            else:
                modules.add(module)
        elif path.is_file():
            report += _code(path, relative, place)
    return frozenset(modules)


def _fwork_problem(tree: Path, data: bytes, module: str) -> str | None:
    """What is wrong with a ``.fwork`` file, if anything is."""
    name = framework_name(module) or ""
    if (problem := name_problem(module)) is not None:
        return problem.text
    # AppleFrameworkLoader decodes UTF-8 and strips white space.
    said = data.decode("utf-8", errors="replace").strip()
    due = f"{framework_path(name)}/{name}"
    if said != due:
        return f"says {said[:200]!r} instead of {due!r}"
    if not (tree / due).is_file():
        return f"{due} is not there"
    origin = tree / f"{due}.origin"
    if not origin.is_file() or origin.read_bytes().decode("utf-8", errors="replace").strip() != (
        f"{PACKAGES}/{fwork_path(module)}"
    ):
        return f"{due}.origin does not point back"
    return None


def _code(path: Path, relative: str, place: str) -> list[Finding]:
    """What is wrong with a file outside of Frameworks, by its contents and its name."""
    data = path.read_bytes()
    problem = file_problem(relative, look_at(data))
    if problem is None:
        return []
    # Static libraries were to be left out: one that is there after all is code like any other.
    return [app_finding(place, dataclasses.replace(problem, rule=_LEFT_OUT.get(problem.rule, problem.rule)))]


_LEFT_OUT = {AppRule.STATIC: AppRule.CODE}


def _collisions(abi: Abi, bundles: Iterable[Bundle]) -> list[Finding]:
    """Frameworks whose names, or whose identifiers, are the same but for letters' case."""
    names: dict[str, str] = {}
    identifiers: dict[str, str] = {}
    report: list[Finding] = []
    for bundle in bundles:
        place = f"{abi}/{framework_path(bundle.name)}"
        if (other := names.setdefault(same_name_key(bundle.name), bundle.name)) != bundle.name:
            report.append(finding("FW202", place, f"beside {other}.framework"))
        if bundle.identifier is None:
            continue
        if (other := identifiers.setdefault(bundle.identifier.casefold(), bundle.name)) != bundle.name:
            report.append(finding("FW304", place, f"{bundle.identifier} is {other}.framework's too"))
    return report


def _other_cpus(abi: Abi, bundles: Sequence[Bundle]) -> list[Finding]:
    """Frameworks that lack a CPU that others of the tree have."""
    every: set[Cpu] = {cpu for bundle in bundles for cpu in bundle.cpus}
    by_lack: dict[str, list[str]] = defaultdict(list)
    for bundle in bundles:
        if bundle.cpus and (lack := every - set(bundle.cpus)):
            by_lack[", ".join(sorted(lack))].append(bundle.name)
    return [
        finding("FW205", f"{abi}/{framework_path(name)}/{name}", f"has no code for {lack}, which others have")
        for lack, names in by_lack.items()
        for name in names
    ]


def _entries(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []
