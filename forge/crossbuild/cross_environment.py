"""Cross environments: crossenv's pair of a build environment and a Python that behaves like the iOS Python.

Build requirements are installed on the build side only. crossenv makes them visible to the cross Python as well: a back
end runs there and sees iOS, while the programs that it starts (meson, ninja, cython) run in the build Python and see
the build machine. An environment depends only on what its key covers, so it is kept and reused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import locked
from forge.base.attempts import COMPLETE, complete_attempt, new_attempt, new_log
from forge.base.errors import IOSPythonError
from forge.base.hashing import file_sha256, fingerprint
from forge.base.process import run
from forge.crossbuild import build_side
from forge.crossbuild.build_side import hide_headers, lay_out_declarations, tell_headers
from forge.crossbuild.tools import TOOLS_LOCK, ensure_tools, install
from forge.toolchain.environment import cross_environment

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.target import Target
    from forge.ios_python.build_python import BuildPython
    from forge.ios_python.model import IOSPython
    from forge.toolchain.base import Toolchain


_STRING = r"""(?:'[^'\n]*'|"[^"\n]*")"""
"""A string in sysconfig data."""

_ZLIB_VERSION = re.compile(r'^#define ZLIB_VERSION "([\d.]+)', flags=re.MULTILINE)


@dataclass(frozen=True)
class CrossEnvironment:
    """A cross environment on disk.

    Args:
        root: The directory.
        cross_python: Runs on the build machine, but behaves like the target's Python.
        build_python: The build side's interpreter.
        wrappers: CPython's compiler wrappers, for PATH.
    """

    root: Path
    cross_python: Path
    build_python: Path
    wrappers: Path

    @property
    def build_bin(self) -> Path:
        """The build side's programs (meson, ninja, cython), for PATH."""
        return self.build_python.parent

    @property
    def host_view(self) -> Path:
        """The iOS Python in the layout of an installed Python: ``lib``, ``include``, ``Python.framework``."""
        return self.root / "host"

    @property
    def pkg_config(self) -> Path:
        """The directory of pkg-config's files for the iOS Python and the system's zlib."""
        return self.host_view / "lib" / "pkgconfig"


@dataclass(frozen=True)
class EnvironmentRequest:
    """What a cross environment is made from.

    Args:
        python: The iOS Python.
        target: The target.
        build_python: The build Python, of the iOS Python's minor version.
        toolchain: The toolchain, whose compiler crossenv runs.
        lock: The build requirements, pinned with hashes; None if there are none.
    """

    python: IOSPython
    target: Target
    build_python: BuildPython
    toolchain: Toolchain
    lock: Path | None

    @property
    def name(self) -> str:
        """Names the environment, the same for all builds that can share it."""
        key = fingerprint(
            {
                "build python": [str(self.build_python.executable), self.build_python.version],
                "ios python": [str(self.python.root), self.python.fingerprint(self.target)],
                "target": [self.target.multiarch, str(self.target.ios_version)],
                "lock": self.lock and file_sha256(self.lock),
                "tools": file_sha256(TOOLS_LOCK),
                "toolchain": [self.toolchain.id, *map(str, self.toolchain.path)],
                "code": [file_sha256(Path(__file__)), file_sha256(Path(build_side.__file__))],
            }
        )
        return f"cross-{self.target.multiarch}-{key[:16]}"

    def at(self, root: Path) -> CrossEnvironment:
        """The environment in a directory."""
        return CrossEnvironment(
            root=root,
            cross_python=root / "cross" / "bin" / "python",
            build_python=root / "build" / "bin" / "python",
            wrappers=self.python.wrappers(self.target),
        )


def find_cross_environment(home: ForgeHome, request: EnvironmentRequest) -> CrossEnvironment | None:
    """The cross environment that is wanted, if it was made before."""
    complete = complete_attempt(home.build_pythons, request.name)
    return None if complete is None else request.at(complete)


def ensure_cross_environment(home: ForgeHome, request: EnvironmentRequest) -> CrossEnvironment:
    """The cross environment for a target with the locked build requirements, created if necessary.

    Args:
        home: The cache.
        request: What it is made from.

    Raises:
        BuildError: crossenv or pip failed.
        IOSPythonError: The iOS Python's sysconfig data cannot be used.
    """
    name = request.name
    with locked(home.locks, name):
        if (found := find_cross_environment(home, request)) is not None:
            return found
        tools = ensure_tools(home, request.build_python)
        # Its files record its path, so it is made in place and counts once it is marked as complete.
        root = new_attempt(home.build_pythons, name)
        made = request.at(root)
        log = new_log(home.logs, name)
        host = _make_host_view(made.host_view, request.python, request.target)
        _write_pkg_config(made.pkg_config, request.python.minor, request.toolchain.sdk_path(request.target.abi))
        env = cross_environment(request.toolchain, request.target, root, path=[made.wrappers])
        run(
            [tools.python, "-m", "crossenv", "--without-pip", host, root],
            log=log, env=env, cwd=root, what=f"cross environment for {request.target}",
        )  # fmt: skip
        for site_packages in (root / "build" / "lib").glob("python3.*/site-packages"):
            tell_headers(site_packages, made.host_view / "include" / f"python{request.python.minor}")
        if request.lock is not None:
            install(tools, made.build_python, request.lock, log=log, cwd=root)
            for site_packages in (root / "build" / "lib").glob("python3.*/site-packages"):
                hide_headers(site_packages)
                if lay_out_declarations(site_packages, root / "declarations"):
                    cross = root / "cross" / site_packages.relative_to(root / "build")
                    (cross / "forge-declarations.pth").write_text(f"{root / 'declarations'}\n", encoding="utf-8")
        (root / COMPLETE).touch()
    return made


def _make_host_view(view: Path, python: IOSPython, target: Target) -> Path:
    """Make the directory that crossenv and build systems take for an installed Python; returns its "interpreter"."""
    lib = view / "lib" / f"python{python.minor}"
    lib.mkdir(parents=True)
    text = python.sysconfigdata(target).read_text(encoding="utf-8")
    (lib / python.sysconfigdata(target).name).write_text(relocated_sysconfig(text, view, target), encoding="utf-8")
    (view / "include").symlink_to(python.slice(target) / "include")
    (view / "Python.framework").symlink_to(python.slice(target) / "Python.framework")
    # By this name -lpython3.X finds it, as if it were a library of its own.
    (view / "lib" / f"libpython{python.minor}.tbd").symlink_to(python.stub(target))
    executable = view / "bin" / f"python{python.minor}"
    executable.parent.mkdir()
    executable.touch()  # crossenv requires the file, but nothing runs it
    return executable


def _write_pkg_config(directory: Path, minor: str, sdk: Path) -> None:
    """Describe the headers of the iOS Python, and iOS's zlib, to pkg-config.

    zlib is the one library of the system whose own build installs a file for pkg-config, and whose headers both
    toolchains' SDKs have: where a build asks for it, it is there, as it is on other systems.

    Meson's ``dependency('python3')``, with which it tries Cython's compiler too, takes the headers of the Python that
    runs Meson where pkg-config knows no other. Those of the build machine may be missing, or refuse another system, as
    Debian's ``pyconfig.h`` does.
    """
    directory.mkdir()
    text = f"Name: Python\nDescription: Headers of the iOS Python\nVersion: {minor}\nCflags: -I${{includedir}}\n"
    (directory / "python3.pc").write_text(f"includedir=${{pcfiledir}}/../../include/python{minor}\n{text}")
    header = sdk / "usr" / "include" / "zlib.h"
    version = _ZLIB_VERSION.search(header.read_text(encoding="utf-8", errors="replace")) if header.is_file() else None
    if version is not None:
        (directory / "zlib.pc").write_text(f"Name: zlib\nDescription: iOS's zlib\nVersion: {version[1]}\nLibs: -lz\n")


def relocated_sysconfig(text: str, prefix: Path, target: Target) -> str:
    """An iOS Python's sysconfig data, adapted to *prefix* and to *target*'s minimum iOS version.

    The data contains ``-F .`` for the framework's directory, which was right where Python was built, and the minimum
    iOS version that Python itself was built for, which may be lower than the target's. 3.15's names the platform that
    its suffixes have (``.abi3-iphoneos.so``). setuptools gives that one to every module for the stable ABI, also in
    wheels for 3.13, which does not look for it; so the platform is left out: all versions look for ``.abi3.so``.

    Raises:
        IOSPythonError: The data has no prefix or no deployment target.
    """
    found = re.search(r"""['"]prefix['"]:\s*['"]([^'"]+)['"]""", text)
    deployment = re.search(r"""['"]IPHONEOS_DEPLOYMENT_TARGET['"]:\s*['"]([0-9.]+)['"]""", text)
    if found is None or deployment is None:
        raise IOSPythonError(
            "the iOS Python's sysconfig data has no prefix or no IPHONEOS_DEPLOYMENT_TARGET",
            hint="CPython 3.13 or later is required, built as its iOS/README.rst describes",
        )
    version = re.escape(deployment[1])

    def adapted(part: str) -> str:
        part = re.sub(
            rf"-mios(-simulator)?-version-min={version}", rf"-mios\g<1>-version-min={target.ios_version}", part
        )
        part = re.sub(rf"(-apple-ios){version}", rf"\g<1>{target.ios_version}", part)
        part = re.sub(rf"(IPHONEOS_DEPLOYMENT_TARGET['\"]:\s*['\"]){version}", rf"\g<1>{target.ios_version}", part)
        part = re.sub(rf"\bios-{version}-", f"ios-{target.ios_version}-", part)
        part = re.sub(rf"(['\"]SOABI_PLATFORM['\"]:\s*){_STRING}", r"\g<1>''", part)
        return re.sub(r"(?<=-F )\.(?=[\s'\"])", lambda _: str(prefix), part)

    # Nothing is replaced in the prefixes themselves.
    return str(prefix).join(map(adapted, text.split(found[1])))
