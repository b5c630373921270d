"""One ``.framework`` directory, re-read: what is in it, Info.plist, binary, signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.target import Abi
from forge.frameworks.extension import PLATFORMS
from forge.frameworks.findings import Finding, finding
from forge.frameworks.identifiers import is_bundle_version
from forge.frameworks.layout import PACKAGES, PRIVACY
from forge.frameworks.plists import SUPPORTED_PLATFORMS, read_plist
from forge.macho.checkout import layout_problem
from forge.macho.errors import MachOError
from forge.macho.fat import split_fat
from forge.macho.layout import read_layout
from forge.macho.model import Cpu, FileType, LoadKind, MachOFile, MachOSlice, SignatureKind, Version
from forge.macho.reader import read_macho
from forge.macho.sign import SignatureStatus, verify_signature
from forge.wheel.app_rules import is_bundle_identifier
from forge.wheel.extension import SuffixKind, parse_extension
from forge.wheel.framework_name import framework_install_name, framework_name
from forge.wheel.openssl import openssl_version
from forge.wheel.privacy import manifest_problems
from forge.wheel.provided import is_provided

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_CPUS = {Abi.IPHONEOS: frozenset({Cpu.ARM64}), Abi.IPHONESIMULATOR: frozenset({Cpu.ARM64, Cpu.X86_64})}
_SYSTEM = ("/usr/lib/", "/System/Library/Frameworks/")
_PYTHON = framework_install_name("Python")
_CONSTANTS = {
    "CFBundleDevelopmentRegion": "en",
    "CFBundleInfoDictionaryVersion": "6.0",
    "CFBundlePackageType": "APPL",
}


@dataclass(frozen=True)
class Bundle:
    """A framework as re-read; None or empty where it could not be.

    Args:
        name: The directory's name without ``.framework``.
        identifier: CFBundleIdentifier.
        cpus: The binary's CPUs.
        module: The ``.so`` that it was, below ``app_packages``.
        findings: What is wrong with it.
        slices: What the binary says of itself.
    """

    name: str
    identifier: str | None
    cpus: tuple[Cpu, ...]
    module: str | None
    findings: tuple[Finding, ...]
    slices: tuple[MachOSlice, ...] = ()


def read_bundle(directory: Path, place: str, abi: Abi, frameworks: Collection[str]) -> Bundle:
    """Re-read a framework.

    Args:
        directory: The ``.framework`` directory.
        place: What findings call it.
        abi: What it is to be for.
        frameworks: The names of all frameworks that are in the app with it, and patterns for others
            (`forge.wheel.provided.is_provided`).
    """
    name = directory.name.removesuffix(".framework")
    report: list[Finding] = []
    due = {name, "Info.plist", f"{name}.origin"}
    there = {path.name for path in directory.iterdir() if path.is_file() and not path.is_symlink()}
    report += [finding("FW307", f"{place}/{path}", "is missing") for path in sorted(due - there)]
    report += [
        finding("FW307", f"{place}/{path.name}", "has no place here")
        for path in sorted(directory.iterdir())
        if path.name not in due | {PRIVACY} or path.name not in there
    ]
    module = _module(directory / f"{name}.origin", name, place, report) if f"{name}.origin" in there else None
    binary = _binary(directory / name, place, report) if name in there else None
    for one in binary.slices if binary else ():
        _check_slice(one, name, f"{place}/{name}", abi, frameworks, report)
        _check_module(one, module, f"{place}/{name}", abi, report)
    plist = read_plist((directory / "Info.plist").read_bytes()) if "Info.plist" in there else None
    if "Info.plist" in there:
        _check_plist(plist, name, f"{place}/Info.plist", abi, binary, report)
    if PRIVACY in there:
        problems = manifest_problems((directory / PRIVACY).read_bytes())
        report += [finding("FW305", f"{place}/{PRIVACY}", problem) for problem in problems]
    elif name in there and (version := openssl_version((directory / name).read_bytes())):
        report.append(finding("FW310", place, f"contains {version}, and there is no {PRIVACY}"))
    identifier = (plist or {}).get("CFBundleIdentifier")
    return Bundle(
        name,
        identifier if isinstance(identifier, str) else None,
        tuple(sorted(one.cpu for one in binary.slices)) if binary else (),
        module,
        tuple(report),
        binary.slices if binary else (),
    )


def _module(file: Path, name: str, place: str, report: list[Finding]) -> str | None:
    """The ``.so`` that an ``.origin`` file stands for, below ``app_packages``."""
    text = file.read_bytes().decode("utf-8", errors="replace").strip()
    module = text.removeprefix(f"{PACKAGES}/").removesuffix(".fwork") + ".so"
    if not text.startswith(f"{PACKAGES}/") or not text.endswith(".fwork") or framework_name(module) != name:
        report.append(finding("FW302", f"{place}/{file.name}", f"says {text[:200]!r}"))
        return None
    return module


def _binary(file: Path, place: str, report: list[Finding]) -> MachOFile | None:
    """The binary, its signatures checked."""
    data = file.read_bytes()
    try:
        binary = read_macho(data)
        for one, thin in zip(binary.slices, split_fat(data), strict=True):
            if problem := layout_problem(read_layout(thin)[1][0]):
                report.append(finding("FW212", f"{place}/{file.name}", f"{one.cpu}: {problem}"))
            check = verify_signature(thin)
            if check.status is SignatureStatus.INVALID:
                report.append(finding("FW208", f"{place}/{file.name}", f"{one.cpu}: {check.problem}"))
    except MachOError as error:
        report.append(finding("FW205", f"{place}/{file.name}", error.problem))
        return None
    return binary


def _check_slice(
    one: MachOSlice, name: str, place: str, abi: Abi, frameworks: Collection[str], report: list[Finding]
) -> None:
    if one.file_type is not FileType.DYLIB:
        report.append(finding("FW205", place, f"{one.cpu}: its type is {one.file_type.macro}; MH_DYLIB is due"))
    if one.cpu not in _CPUS[abi]:
        report.append(finding("FW205", place, f"code for {one.cpu}, which no {abi} has"))
    if [build.platform for build in one.builds] != [PLATFORMS[abi]]:
        said = ", ".join(build.platform.label for build in one.builds) or "an unnamed platform"
        report.append(finding("FW205", place, f"{one.cpu}: built for {said}"))
    install_name = one.install_name.name if one.install_name else "none"
    if install_name != framework_install_name(name):
        report.append(finding("FW206", place, f"{one.cpu}: its install name is {install_name}"))
    report += [
        finding("FW205", place, f"{one.cpu}: looks for libraries in {rpath}, of the build machine")
        for rpath in one.rpaths
        if not rpath.startswith(("@", *_SYSTEM))
    ]
    report += [
        finding("FW207", place, f"{one.cpu}: loads {dylib.name}, which is not there")
        for dylib in one.dylibs
        # A library that is loaded weakly may be missing.
        if dylib.kind is not LoadKind.WEAK
        and not dylib.name.startswith(_SYSTEM)
        and dylib.name != _PYTHON
        and not is_provided(dylib.name, frameworks)
    ]
    if abi is Abi.IPHONESIMULATOR and one.cpu is Cpu.ARM64 and one.signature is SignatureKind.NONE:
        report.append(finding("FW208", place, f"{one.cpu}: has no signature"))


def _check_module(one: MachOSlice, module: str | None, place: str, abi: Abi, report: list[Finding]) -> None:
    extension = parse_extension(module) if module else None
    if extension is None or extension.kind is SuffixKind.PLAIN:
        return  # a plain .so may be a library that others load
    if extension.kind is SuffixKind.FOREIGN or extension.abi not in (None, abi):
        report.append(finding("FW211", place, f"was {module}"))
        return
    # Which Python the app has is not known; 3.15 is the first that knows every one of these names.
    entries = extension.entry_symbols("cp315")
    if not any(one.exports_symbol(name) for name in entries):
        report.append(finding("FW210", place, f"{one.cpu}: does not export {extension.init_symbol.removeprefix('_')}"))


def _check_plist(
    plist: dict[str, object] | None, name: str, place: str, abi: Abi, binary: MachOFile | None, report: list[Finding]
) -> None:
    if plist is None:
        report.append(finding("FW303", place, "is not a property list with a dictionary"))
        return
    due = {**_CONSTANTS, "CFBundleExecutable": name, "CFBundleSupportedPlatforms": [SUPPORTED_PLATFORMS[abi]]}
    report += [
        finding("FW303", place, f"{key} is {plist.get(key)!r} instead of {value!r}")
        for key, value in sorted(due.items())
        if plist.get(key) != value
    ]
    report += [
        finding("FW303", place, f"{key} is {plist.get(key)!r}; one to three integers are due")
        for key in ("CFBundleShortVersionString", "CFBundleVersion")
        if not is_bundle_version(str(plist.get(key, "")))
    ]
    identifier = plist.get("CFBundleIdentifier")
    if not isinstance(identifier, str) or not is_bundle_identifier(identifier):
        report.append(finding("FW304", place, f"CFBundleIdentifier is {identifier!r}"))
    minimum = plist.get("MinimumOSVersion")
    if not isinstance(minimum, str) or not is_bundle_version(minimum):
        report.append(finding("FW303", place, f"MinimumOSVersion is {minimum!r}"))
        return
    promised = Version(*map(int, minimum.split(".")))
    report += [
        finding("FW209", place, f"MinimumOSVersion is {minimum}, but {one.cpu} code needs {build.minos}")
        for one in (binary.slices if binary else ())
        for build in one.builds
        if promised < build.minos
    ]
