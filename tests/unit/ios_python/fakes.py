"""A toolchain, iOS Pythons and releases that are small, made up, and built in no time."""

from __future__ import annotations

import hashlib
import io
import plistlib
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.base.target import Target, select_targets
from forge.ios_python.releases import PinnedSource, Release
from forge.source.model import UrlSource
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forge.base.target import Abi

VERSION = "3.13.5"
MINOR = "3.13"
DEVICE, ARM_SIMULATOR, X86_SIMULATOR = select_targets()

LIPO = """
[ "$3" = lipo ] && [ "$4 $5" = '-create -output' ] || { echo "not expected: $*" >&2; exit 64; }
out=$6
shift 6
cat "$@" > "$out"
"""


@dataclass(frozen=True)
class FakeToolchain:
    """A toolchain of which only ``bin/xcrun`` exists, which joins files by putting one after the other."""

    root: Path
    id: str = "toolchain 1"
    kind: str = "fake"
    description: str = "no toolchain"

    @property
    def path(self) -> tuple[Path, ...]:
        return (self.root / "bin",)

    def sdk_path(self, abi: Abi) -> Path:
        return self.root / f"{abi}.sdk"


def make_toolchain(root: Path) -> FakeToolchain:
    write_program(root / "bin" / "xcrun", LIPO)
    return FakeToolchain(root)


@dataclass
class Recorder:
    """A `Progress` that remembers."""

    said: list[str] = field(default_factory=list)

    def phase(self, subject: str, phase: str) -> None:
        self.said.append(f"{subject}: {phase}")

    def whole(self, done: int, total: int, seconds: float) -> None:
        pass

    def note(self, subject: str, text: str) -> None:
        self.said.append(f"{subject}: {text}")


def sysconfigdata(target: Target, prefix: str = "/forge/Python") -> str:
    """What CPython writes about a build for *target*: the variables that depend on place and version."""
    cc = f"{target.host_triple}-clang"
    variables = {
        "CC": cc,
        "EXT_SUFFIX": f".cpython-313-{target.abi}.so",
        "CFLAGS": f"-target {target.clang_triple} -O3",
        "HOST_GNU_TYPE": f"{target.arch}-apple-ios{target.ios_version}{'-simulator' if target.is_simulator else ''}",
        "IPHONEOS_DEPLOYMENT_TARGET": str(target.ios_version),
        "LDSHARED": f"{cc} -dynamiclib -F . -framework Python",
        "LINKFORSHARED": "-F .",
        "MACHDEP": "ios",
        "_PYTHON_HOST_PLATFORM": f"ios-{target.ios_version}-{target.multiarch}",
        "PY_CFLAGS": f"-mios{'-simulator' if target.is_simulator else ''}-version-min={target.ios_version} -Wall",
        "PYTHONFRAMEWORKPREFIX": prefix,
        "prefix": prefix,
        "srcdir": "/usr/src/python",
    }
    return "# system configuration generated and used by the sysconfig module\nbuild_time_vars = " + repr(variables)


def patchlevel(version: str) -> str:
    """What CPython's ``patchlevel.h`` says of a release."""
    major, minor, micro = (version.rstrip("+").split("rc")[0].split("a")[0] + ".0.0").split(".")[:3]
    return (
        f"#define PY_MAJOR_VERSION        {major}\n#define PY_MINOR_VERSION        {minor}\n"
        f"#define PY_MICRO_VERSION        {micro}\n#define PY_RELEASE_LEVEL        PY_RELEASE_LEVEL_FINAL\n"
        f'#define PY_RELEASE_SERIAL       0\n\n/* Version as a string */\n#define PY_VERSION              "{version}"\n'
    )


def write_framework(directory: Path, target: Target, version: str = VERSION) -> Path:
    framework = directory / "Python.framework"
    (framework / "Headers").mkdir(parents=True)
    (framework / "Python").write_text(f"binary of {target}\n")
    (framework / "Headers" / "Python.h").write_text('#include "pyconfig.h"\n')
    (framework / "Headers" / "patchlevel.h").write_text(patchlevel(version))
    (framework / "Headers" / "pyconfig.h").write_text(f"/* pyconfig.h of {target} */\n")
    info = {"CFBundleName": "Python", "MinimumOSVersion": str(target.ios_version)}
    (framework / "Info.plist").write_bytes(plistlib.dumps(info))
    return framework


def write_platform_lib(directory: Path, target: Target, modules: Iterable[str] = ("_ssl", "zlib")) -> None:
    (directory / "lib-dynload").mkdir(parents=True)
    for name in modules:
        (directory / "lib-dynload" / f"{name}.cpython-313-{target.abi}.so").write_text(f"{name} of {target}\n")
    (directory / f"_sysconfigdata__ios_{target.multiarch}.py").write_text(sysconfigdata(target))


def write_thin(root: Path, target: Target) -> Path:
    """What ``make install`` of CPython for one target leaves."""
    write_framework(root, target)
    for each in select_targets():  # install puts the wrappers of every target there
        for tool in ("clang", "clang++", "cpp", "ar"):
            write_program(root / "bin" / f"{each.host_triple}-{tool}", f"xcrun --sdk {each.abi} {tool}")
    (root / "bin" / "python3.13-config").write_text("of the target's own\n")
    stdlib = root / "lib" / f"python{MINOR}"
    write_platform_lib(stdlib, target)
    (stdlib / f"_sysconfig_vars__ios_{target.multiarch}.json").write_text("{}")
    (stdlib / "build-details.json").write_text("{}")
    config = stdlib / f"config-{MINOR}-{target.multiarch}"
    config.mkdir()
    (config / "Makefile").write_text(f"# of {target}\n")
    (stdlib / "os.py").write_text("name = 'posix'\n")
    (stdlib / "email").mkdir()
    (stdlib / "email" / "__init__.py").write_text("")
    # Not one of the target's own, though it is called as they are.
    (stdlib / "email" / "build-details.json").write_text("{}")
    for cache in (stdlib / "__pycache__", stdlib / "email" / "__pycache__"):
        cache.mkdir()
        (cache / "os.cpython-313.pyc").write_bytes(b"\0")
    return root


def write_ios_python(root: Path, targets: Iterable[Target] = select_targets(), version: str = VERSION) -> Path:
    """A ``Python.xcframework`` with the files that forge reads."""
    minor = ".".join(version.split(".")[:2])
    for target in targets:
        directory = root / target.slice_name
        if not directory.is_dir():
            write_framework(directory, target, version)
            (directory / "include").mkdir()
            (directory / "include" / f"python{minor}").symlink_to("../Python.framework/Headers")
        write_program(directory / "bin" / f"{target.host_triple}-clang", "exit 64")
        write_platform_lib(directory / f"lib-{target.arch}" / f"python{minor}", target)
    (root / "lib" / f"python{minor}").mkdir(parents=True)
    return root


def tarball(path: Path, files: Mapping[str, str], executable: Iterable[str] = ()) -> Path:
    """An archive with one directory, ``source``, in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"source/{name}")
            entry.size = len(text.encode())
            entry.mode = 0o755 if name in executable else 0o644
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def pinned(name: str, archive: Path, version: str = "1.0") -> PinnedSource:
    return PinnedSource(name, version, UrlSource((archive.as_uri(),), hashlib.sha256(archive.read_bytes()).hexdigest()))


CONFIGURE = """#!/bin/sh
    py_cv_module__multiprocessing=n/a
    py_cv_module__posixshmem=n/a
    py_cv_module__tkinter=n/a
for option; do case $option in --prefix=*) prefix=${option#*=} ;; esac; done
set | grep '^py_cv_module' > switched-off
cat > Makefile <<END
all:
\ttrue
install:
\tmkdir -p \\$(DESTDIR)$prefix/bin
\tcp python.sh \\$(DESTDIR)$prefix/bin/python3.13
END
"""
"""A ``configure`` whose Python is the file ``python.sh``."""

ANSWERS = '#!/bin/sh\necho \'["CPython", "{version}", {missing}]\'\n'
"""A Python that answers forge's question for version and missing modules and can do nothing else."""


def answering(version: str = VERSION, *missing: str) -> str:
    lacks = "[" + ", ".join(f'"{name}"' for name in missing) + "]"
    return ANSWERS.format(version=version, missing=lacks)


def make_release(directory: Path, libraries: Iterable[str] = (), python: str = answering()) -> Release:
    """A release whose sources are small archives of this machine."""
    cpython = tarball(
        directory / "Python.tar", {"configure": CONFIGURE, "python.sh": python}, ("configure", "python.sh")
    )
    sources = tuple(pinned(name, tarball(directory / f"{name}.tar", {"README": name})) for name in libraries)
    return Release(MINOR, pinned("cpython", cpython, VERSION), sources)
