"""Putting the LLVM toolchain together: SDKs, compiler runtime, ``xcrun``; whole, once, identified by a hash."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forge.base.atomic import atomic_directory, locked
from forge.base.errors import ToolchainError
from forge.base.hashing import file_sha256, fingerprint, tree_sha256
from forge.base.process import output
from forge.base.target import IOSVersion, select_targets
from forge.toolchain.data import data_path, load_yaml
from forge.toolchain.llvm import LLVM, LLVMToolchain, find_llvm
from forge.toolchain.sdk.headers import write_headers
from forge.toolchain.sdk.tbd import render_stub
from forge.toolchain.symbols import libraries

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome

PLATFORMS = {"iPhoneOS": "iphoneos", "iPhoneSimulator": "iphonesimulator"}
TOOL_NAMES = (
    "clang", "clang++", "cc", "c++", "cpp", "ld", "ar", "ranlib", "nm", "strip", "lipo", "otool", "libtool",
    "install_name_tool", "size", "strings", "dsymutil",
)  # fmt: skip
# On a Mac these are on PATH, and build systems call them without asking xcrun. LLVM's read ELF as well as Mach-O, so a
# helper program that a build makes for the build machine comes to no harm.
PATH_TOOLS = ("ar", "ranlib", "nm", "strip", "lipo", "otool", "install_name_tool", "dsymutil")
_MANIFEST = "toolchain.json"


def describe_toolchain(home: ForgeHome, llvm: LLVM) -> LLVMToolchain:
    """The toolchain for an LLVM, known before it is assembled.

    What it holds follows from forge's code and data, which pin the headers, and from LLVM's release and packaging
    revision; where it is, from where LLVM is as well.

    Args:
        home: The cache.
        llvm: The installation.
    """
    identity = fingerprint({"toolchain room": _room_digest(), "llvm": llvm.version})
    place = fingerprint(
        {"id": identity, "bin": str(llvm.bin), "resource": str(llvm.resource), "libcxx": str(llvm.libcxx)}
    )
    return LLVMToolchain(home.toolchains / place[:32], identity, llvm)


@cache
def _room_digest() -> str:
    return tree_sha256(Path(__file__).parent.parent)


def is_assembled(toolchain: LLVMToolchain) -> bool:
    """Whether a toolchain is there."""
    return (toolchain.root / _MANIFEST).is_file()


def assemble_toolchain(home: ForgeHome, ziglang_wheel: Path, llvm: LLVM | None = None) -> LLVMToolchain:
    """The toolchain for an LLVM, assembled if it is not there yet.

    Args:
        home: The cache.
        ziglang_wheel: The pinned wheel with the Darwin headers (``data/sdk.yaml``).
        llvm: The installation; None takes the newest of this machine.

    Raises:
        ToolchainError: LLVM is missing, the wheel is another one, or the compiler cannot make the runtime.
    """
    made = describe_toolchain(home, llvm or find_llvm())
    with locked(home.locks, f"toolchain-{made.root.name}"):
        if not is_assembled(made):
            with atomic_directory(made.root) as temporary:
                _assemble(temporary, made, ziglang_wheel)
    return made


def _assemble(temporary: Path, toolchain: LLVMToolchain, ziglang_wheel: Path) -> None:
    llvm = toolchain.llvm
    settings: dict[str, Any] = load_yaml("sdk.yaml")
    if file_sha256(ziglang_wheel) != settings["ziglang"]["sha256"]:
        raise ToolchainError(f"{ziglang_wheel.name} is not the pinned wheel", hint="its sha256 is in sdk.yaml")
    device = _write_sdk(temporary, "iPhoneOS", settings["sdk_version"])
    _write_contents(device, llvm, ziglang_wheel)
    simulator = _write_sdk(temporary, "iPhoneSimulator", settings["sdk_version"])
    for name in ("usr", "System"):
        (simulator / name).symlink_to(os.path.relpath(device / name, simulator))
    _write_xcrun(temporary, toolchain.root, llvm, settings["sdk_version"])
    _write_runtime(temporary, llvm)
    manifest = {"id": toolchain.id, "llvm": llvm.version, "sdk_version": settings["sdk_version"]}
    (temporary / _MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _write_sdk(root: Path, platform: str, version: str) -> Path:
    """An SDK's directory and what it says of itself, in the form that clang reads (``SDKSettings.json``)."""
    sdk = root / "Platforms" / f"{platform}.platform" / "Developer" / "SDKs" / f"{platform}.sdk"
    sdk.mkdir(parents=True)
    major = version.partition(".")[0]
    settings = {
        "CanonicalName": f"{PLATFORMS[platform]}{version}",
        "DisplayName": f"{platform} {version} (assembled by forge)",
        "MaximumDeploymentTarget": f"{major}.99",
        "Version": version,
        "DefaultProperties": {"PLATFORM_NAME": PLATFORMS[platform]},
    }
    (sdk / "SDKSettings.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return sdk


def _write_contents(sdk: Path, llvm: LLVM, ziglang_wheel: Path) -> None:
    include = sdk / "usr" / "include"
    write_headers(ziglang_wheel, include)
    shutil.copytree(data_path("include"), include, dirs_exist_ok=True)
    shutil.copytree(llvm.libcxx, include / "c++" / "v1")
    site = include / "c++" / "v1" / "__config_site"
    site.write_text(vendor_availability_on(site.read_text(encoding="utf-8")), encoding="utf-8")
    for library in libraries():
        stub = sdk / library.file
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(render_stub(library), encoding="utf-8")
        for alias in library.aliases:
            (stub.parent / f"{alias}.tbd").symlink_to(stub.name)
        for version in known_versions():
            if stub.parent.name == "lib":
                strict = sdk / "usr" / "lib" / "versions" / str(version) / stub.name
                strict.parent.mkdir(parents=True, exist_ok=True)
                strict.write_text(render_stub(library, version), encoding="utf-8")
                for alias in library.aliases:
                    (strict.parent / f"{alias}.tbd").symlink_to(strict.name)
    frameworks = sdk / "System" / "Library" / "Frameworks"
    for headers in sorted(data_path("frameworks").iterdir()):
        shutil.copytree(headers, frameworks / f"{headers.name}.framework" / "Headers")


def known_versions() -> tuple[IOSVersion, ...]:
    """12.0 and every later iOS version that introduced a symbol of a library below ``usr/lib``, in order."""
    plain = (library for library in libraries() if not library.is_framework)
    introduced = {s.since for library in plain for s in library.symbols if s.since is not None}
    return tuple(sorted({IOSVersion(12, 0), *introduced}))


def vendor_availability_on(config_site: str) -> str:
    """libc++'s ``__config_site`` with the vendor's availability annotations switched on.

    Debian builds libc++ for Linux, where every function is there; on Apple's systems the annotations keep a program
    from importing a libc++ function that its minimum iOS does not have. LLVM 19 spells the switch as a macro that is
    defined or not, later releases as 0 or 1.

    Raises:
        ToolchainError: Neither spelling is there.
    """
    changed, count = re.subn(
        r"^#define _LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS\b.*$", "", config_site, flags=re.MULTILINE
    )
    if count == 0:
        changed, count = re.subn(
            r"^#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS[ \t]+[01][ \t]*$",
            "#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 1",
            config_site,
            flags=re.MULTILINE,
        )
    if count == 0:
        raise ToolchainError(
            "libc++'s __config_site does not say whether availability annotations are on",
            hint="this release of libc++ is not known to forge yet; install LLVM 19",
        )
    return changed


def _write_xcrun(temporary: Path, root: Path, llvm: LLVM, sdk_version: str) -> None:
    text = data_path("xcrun.sh").read_text(encoding="utf-8")
    values = {
        "ROOT": str(root),
        "LLVM": str(llvm.bin),
        "SDK_VERSION": sdk_version,
        "KNOWN_VERSIONS": " ".join(map(str, known_versions())),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value.replace("'", "'\\''"))
    _write_program(temporary / "bin" / "xcrun", text)
    xcrun = shlex.quote(str(root / "bin" / "xcrun"))
    for tool in PATH_TOOLS:
        _write_program(temporary / "bin" / tool, f'#!/bin/sh\nexec {xcrun} --sdk iphoneos {tool} "$@"\n')
    for abi in PLATFORMS.values():
        for tool in TOOL_NAMES:
            _write_program(temporary / "tools" / abi / tool, f'#!/bin/sh\nexec {xcrun} --sdk {abi} {tool} "$@"\n')


def _write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _write_runtime(root: Path, llvm: LLVM) -> None:
    """The resource directory: clang's own headers, and the compiler runtime for iOS that Debian does not build."""
    library = root / "resource" / "lib" / "darwin"
    library.mkdir(parents=True)
    (root / "resource" / "include").symlink_to(llvm.resource / "include")
    archives: dict[str, list[Path]] = {}
    for target in select_targets():
        work = library / target.multiarch
        work.mkdir()
        sdk = root / "Platforms/iPhoneOS.platform/Developer/SDKs/iPhoneOS.sdk"  # both SDKs have the same headers
        flags = ["-Os", "-fPIC", "-Wall", "-Wextra", "-Werror", "-fvisibility=hidden", "-ffile-prefix-map=.=."]
        where: list[str | Path] = ["-target", target.clang_triple, "-isysroot", sdk, "-resource-dir", root / "resource"]
        source = data_path("runtime") / "platform_version.c"
        output([llvm.bin / "clang", *where, *flags, "-c", source, "-o", work / "platform_version.o"])
        archive = work / "runtime.a"
        output([llvm.bin / "llvm-ar", "rcsD", archive, work / "platform_version.o"])
        archives.setdefault("iossim" if target.is_simulator else "ios", []).append(archive)
    for name, parts in archives.items():
        output([llvm.bin / "llvm-lipo", "-create", *parts, "-output", library / f"libclang_rt.{name}.a"])
    for target in select_targets():
        shutil.rmtree(library / target.multiarch)
