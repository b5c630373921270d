"""Putting single-target Pythons together as a ``Python.xcframework`` (layout: `forge.ios_python.model`).

Follows ``create_xcframework`` of CPython's ``Apple/__main__.py`` and the README beside it, with lief's job of joining
architectures done by the toolchain's ``lipo``. Nothing in it names a place on disk, so it can be moved anywhere.
"""

from __future__ import annotations

import plistlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.process import output
from forge.base.target import Abi, Arch, Target
from forge.toolchain.environment import build_environment
from forge.wheel.privacy import manifest_path, openssl_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forge.toolchain.base import Toolchain

_OWN_FILES = ("_sysconfigdata_", "_sysconfig_vars_", "build-details.json")
"""Files of the standard library that differ by target."""


_WITH_OPENSSL = ("_hashlib", "_ssl")


def assemble_xcframework(thin: Mapping[Target, Path], minor: str, toolchain: Toolchain, destination: Path) -> None:
    """Fill *destination* with the XCframework of one or more targets.

    Args:
        thin: Each target's installed tree (``Python.framework``, ``bin``, ``include``, ``lib``), all of one release.
        minor: The minor version, e.g. ``3.13``.
        toolchain: Whose ``lipo`` joins architectures.
        destination: An empty directory.
    """
    first = next(iter(thin.values()))
    _copy_stdlib(first / "lib" / f"python{minor}", destination / "lib" / f"python{minor}")
    slices: dict[str, dict[Target, Path]] = {}
    for target, tree in thin.items():
        slices.setdefault(target.slice_name, {})[target] = tree
    for name, parts in slices.items():
        _make_slice(destination / name, parts, minor, toolchain)
    (destination / "Info.plist").write_bytes(plistlib.dumps(_info(slices)))


def _make_slice(directory: Path, parts: Mapping[Target, Path], minor: str, toolchain: Toolchain) -> None:
    target, first = next(iter(parts.items()))
    shutil.copytree(first / "Python.framework", directory / "Python.framework", symlinks=True)
    framework = directory / "Python.framework"
    if len(parts) > 1:
        binaries = [tree / "Python.framework" / "Python" for tree in parts.values()]
        (framework / "Python").unlink()
        with tempfile.TemporaryDirectory() as home:
            output(
                ["xcrun", "--sdk", target.abi, "lipo", "-create", "-output", framework / "Python", *binaries],
                env=build_environment(Path(home), toolchain.path),
            )
    _set_platform(framework / "Info.plist", target)
    # Only the wrappers of this ABI: install puts those of all targets there.
    (directory / "bin").mkdir()
    for part in parts:
        for wrapper in sorted((first / "bin").glob(f"{part.host_triple}-*")):
            if part.is_simulator or not wrapper.name.startswith(f"{part.host_triple}-simulator-"):
                shutil.copy(wrapper, directory / "bin")
    (directory / "include").mkdir()
    (directory / "include" / f"python{minor}").symlink_to("../Python.framework/Headers")
    (directory / "lib").mkdir()
    (directory / "lib" / f"libpython{minor}.dylib").symlink_to("../Python.framework/Python")
    for part, tree in parts.items():
        own = directory / f"lib-{part.arch}" / f"python{minor}"
        own.mkdir(parents=True)
        for path in sorted((tree / "lib" / f"python{minor}").iterdir()):
            if path.name == "lib-dynload":
                shutil.copytree(path, own / path.name, symlinks=True)
                _write_privacy_manifests(own / path.name)
            elif path.name.startswith(_OWN_FILES) or path.name == f"config-{minor}-{part.multiarch}":
                (shutil.copytree if path.is_dir() else shutil.copy)(path, own / path.name)
        headers = tree / "Python.framework" / "Headers"
        shutil.copy(headers / "pyconfig.h", framework / "Headers" / f"pyconfig-{part.arch}.h")
    (framework / "Headers" / "pyconfig.h").write_text(_pyconfig_switch(parts), encoding="utf-8")


def _write_privacy_manifests(modules: Path) -> None:
    """Put a privacy manifest beside each module that OpenSSL is linked into."""
    for name in _WITH_OPENSSL:
        if any(modules.glob(f"{name}.cpython-*.so")):
            (modules / manifest_path(name)).write_bytes(openssl_manifest())


def _copy_stdlib(source: Path, destination: Path) -> None:
    def skip(directory: str, names: list[str]) -> set[str]:
        if directory != str(source):
            return {"__pycache__"} & set(names)
        own = {n for n in names if n.startswith(_OWN_FILES) or n.startswith("config-")}
        return own | ({"lib-dynload", "__pycache__"} & set(names))

    shutil.copytree(source, destination, symlinks=True, ignore=skip)


def _pyconfig_switch(parts: Mapping[Target, Path]) -> str:
    """One ``pyconfig.h`` for the slice's architectures: it includes the one of the architecture compiled for."""
    macro = {Arch.ARM64: "__arm64__", Arch.X86_64: "__x86_64__"}
    lines: list[str] = []
    for number, part in enumerate(parts):
        lines += [f"#{'el' if number else ''}if defined({macro[part.arch]})", f'#include "pyconfig-{part.arch}.h"']
    lines += ["#else", '#error "this Python was not built for this architecture"', "#endif"]
    return "\n".join(lines) + "\n"


def _set_platform(plist: Path, target: Target) -> None:
    data: dict[str, Any] = plistlib.loads(plist.read_bytes())
    data["CFBundleSupportedPlatforms"] = ["iPhoneSimulator" if target.is_simulator else "iPhoneOS"]
    data["MinimumOSVersion"] = str(target.ios_version)
    plist.write_bytes(plistlib.dumps(data))


def _info(slices: Mapping[str, Mapping[Target, Path]]) -> dict[str, Any]:
    """The XCframework's Info.plist, as ``xcodebuild -create-xcframework`` writes it."""
    libraries: list[dict[str, Any]] = []
    for name, parts in slices.items():
        entry: dict[str, Any] = {
            "BinaryPath": "Python.framework/Python",
            "LibraryIdentifier": name,
            "LibraryPath": "Python.framework",
            "SupportedArchitectures": [str(part.arch) for part in parts],
            "SupportedPlatform": "ios",
        }
        if next(iter(parts)).abi is Abi.IPHONESIMULATOR:
            entry["SupportedPlatformVariant"] = "simulator"
        libraries.append(entry)
    return {"AvailableLibraries": libraries, "CFBundlePackageType": "XFWK", "XCFrameworkFormatVersion": "1.0"}
