"""One ABI's tree: ``app_packages`` and ``Frameworks`` as they are in the app, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.frameworks.extension import highest_minimum, make_binary
from forge.frameworks.findings import Finding, app_finding, clash_finding, finding
from forge.frameworks.identifiers import bundle_identifier, bundle_version
from forge.frameworks.install import InstalledFile, installed_files
from forge.frameworks.layout import (
    FRAMEWORKS,
    PACKAGES,
    PRIVACY,
    framework_path,
    fwork_text,
    origin_text,
)
from forge.frameworks.plists import framework_plist
from forge.macho.model import Version
from forge.wheel.app_rules import AppPlan, AppProblem, fwork_path, identifier_problem
from forge.wheel.archived_code import archived_code
from forge.wheel.extension import SuffixKind, parse_extension, python_version, wheel_suffixes
from forge.wheel.framework_name import framework_name
from forge.wheel.privacy import manifest_path
from forge.wheel.record import format_record
from forge.wheel.startup import is_startup_file, startup_effects

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Abi, IOSVersion
    from forge.frameworks.options import Options
    from forge.frameworks.plan import Package, TreePlan

_INSTALLER = b"forge\n"


@dataclass(frozen=True)
class Tree:
    """A tree that was made.

    Args:
        plan: What was planned.
        frameworks: The frameworks' names, sorted.
    """

    plan: TreePlan
    frameworks: tuple[str, ...]


def make_tree(plan: TreePlan, root: Path, options: Options, report: list[Finding]) -> Tree:
    """Make a tree; a file that something is wrong with is left out and told.

    Args:
        plan: Which wheels.
        root: An empty directory, called after the ABI.
        options: What was chosen.
        report: Gets what is wrong or worth knowing.

    Raises:
        WheelError: A wheel cannot be read.
    """
    (root / PACKAGES).mkdir()
    (root / FRAMEWORKS).mkdir()
    builder = _Builder(plan, root, options, report, f"{plan.abi}/{PACKAGES}")
    for package in plan.packages:
        builder.add(package)
    return Tree(plan, tuple(sorted(builder.names)))


@dataclass
class _Builder:
    """A tree under way.

    Args:
        place: What findings call ``app_packages``.
        names: The frameworks made so far.
        given: Who has which framework and path.
    """

    plan: TreePlan
    root: Path
    options: Options
    report: list[Finding]
    place: str
    names: list[str] = field(default_factory=list)
    given: AppPlan = field(default_factory=AppPlan)

    def add(self, package: Package) -> None:
        """Install a package, its RECORD last."""
        limit = None if self._needs_more(package) else self.options.ios_version
        written: list[str] = []
        manifests: dict[str, bytes] = {}
        frameworks: dict[str, list[str]] = {}
        for file in installed_files(package, self.place, self.options, self.report):
            if file.path.endswith(".xcprivacy"):
                manifests[file.path] = file.data
            elif not file.path.endswith(".so"):
                self._tell(package, file)
                written += self._write(package, file.path, file.data)
            elif (name := self._frame(package, file, limit)) is not None:
                written.append(fwork_path(file.path))
                frameworks.setdefault(manifest_path(file.path), []).append(name)
        for path, data in manifests.items():
            for name in frameworks.get(path, ()):
                (self.root / framework_path(name) / PRIVACY).write_bytes(data)
            if path not in frameworks:
                self.report.append(finding("FW306", f"{self.place}/{path}", "no module beside it is called so"))
                written += self._write(package, path, data)
        # PEP 376: RECORD lists what is there rather than what was in the wheel.
        dist_info = package.wheels[0].contents.dist_info
        written += self._write(package, f"{dist_info}/INSTALLER", _INSTALLER)
        record, site = f"{dist_info}/RECORD", self.root / PACKAGES
        self._write(package, record, format_record(((p, (site / p).read_bytes()) for p in sorted(written)), record))

    def _tell(self, package: Package, file: InstalledFile) -> None:
        """Tell of a file that an app may do without: code in an archive, what Python reads at its start."""
        if (inner := archived_code(file.data)) is not None:
            self.report.append(finding("FW111", f"{self.place}/{file.path}", f"holds {inner}"))
        if not is_startup_file(file.path):
            return
        python = min(map(python_version, package.wheels[0].contents.name.pythons))
        effects = startup_effects(file.path, file.data, python)
        self.report += [finding("FW110", f"{self.place}/{file.path}", effect) for effect in effects]

    def _write(self, package: Package, path: str, data: bytes) -> list[str]:
        """Write a file, unless another package has it; gives its path where RECORD is to list it."""
        clash = self.given.place_file(path, package.name, data)
        if clash is not None:
            refused = clash_finding(self.place, package.name, clash)
            self.report.append(refused)
            return [] if refused.is_error else [path]
        self._put(path, data)
        return [path]

    def _put(self, path: str, data: bytes) -> None:
        target = self.root / PACKAGES / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def _frame(self, package: Package, file: InstalledFile, limit: IOSVersion | None) -> str | None:
        """Make a framework of an extension module; gives its name, or None where it is left out.

        Args:
            package: Whose it is.
            file: The module.
            limit: The app's minimum iOS version, where that is a question.
        """
        place = f"{self.place}/{file.path}"
        problem = self.given.place_module(file.path, package.name)
        if problem is not None:
            self.report.append(
                app_finding(place, problem)
                if isinstance(problem, AppProblem)
                else clash_finding(self.place, package.name, problem)
            )
            return None
        if (suffix := _suffix_problem(package, file.path, self.plan.abi)) is not None:
            self.report.append(finding("FW211", place, suffix))
        if (refused := identifier_problem(file.path)) is not None:
            self.report.append(app_finding(place, refused))
        name = framework_name(file.path) or ""
        # It is not known what a pure wheel's code is for: it is asked for as if it were for every CPU of the tree.
        parts = {arch: data for arch in self.plan.arches for key, data in file.parts.items() if key in (None, arch)}
        binary = make_binary(place, parts, name, self.plan.abi, limit, self.report)
        if binary is None:
            return None
        self._put(fwork_path(file.path), fwork_text(name).encode())
        self.names.append(name)
        minimum = max((binary.minimum_os, *(_version(one) for one in self._versions(package))))
        directory = self.root / framework_path(name)
        directory.mkdir()
        (directory / name).write_bytes(binary.data)
        (directory / name).chmod(0o755)
        (directory / f"{name}.origin").write_text(origin_text(file.path), encoding="utf-8")
        identifier = bundle_identifier(self.options.bundle_id, name)
        plist = framework_plist(name, identifier, bundle_version(package.version), self.plan.abi, str(minimum))
        (directory / "Info.plist").write_bytes(plist)
        return name

    def _versions(self, package: Package) -> list[IOSVersion]:
        """The minimum iOS versions that a package's frameworks must not promise less than."""
        asked = [self.options.ios_version] if self.options.ios_version else []
        return asked + [wheel.target.ios_version for wheel in package.wheels if wheel.target]

    def _needs_more(self, package: Package) -> bool:
        """Whether a wheel's tag says that it needs a higher iOS than the app's; told once, not for each module."""
        limit = self.options.ios_version
        found = False
        for wheel in package.wheels:
            target = wheel.target
            if target and limit and _version(target.ios_version) > highest_minimum(limit, target.arch, target.abi):
                said = f"for iOS {target.ios_version} and later; the app's minimum is {limit}"
                self.report.append(finding("FW209", wheel.contents.name.filename, said))
                found = True
        return found


def _suffix_problem(package: Package, module: str, abi: Abi) -> str | None:
    """Why a Python that installs the package does not look for the module; another ABI's is told by its framework."""
    name, extension = package.wheels[0].contents.name, parse_extension(module)
    if (
        extension is None
        or extension.kind in (SuffixKind.PLAIN, SuffixKind.FOREIGN)
        or extension.abi not in (None, abi)
    ):
        return None
    lowest = min(name.pythons, key=python_version)
    python = next((one for one in name.abis if one.startswith("cp")), lowest)
    due = wheel_suffixes(python, lowest, name.abis, abi)
    if "none" in name.abis or extension.suffix in due:
        return None
    said = f"{'.'.join(name.pythons)}-{'.'.join(name.abis)}"
    return f"the suffix is {extension.suffix}; a wheel for {said} needs {due[0] if due else '.so'}"


def _version(version: IOSVersion) -> Version:
    return Version(version.major, version.minor)
