"""Meson's cross file for a target, and a script that runs Meson in the build Python.

meson-python writes a cross file for iOS, with CPython's compiler wrappers and the host machine; the one made here adds
what is missing there. Meson's pages "Cross compilation" and "Machine files" describe the format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.target import Arch
from forge.crossbuild.backends.base import Prepared
from forge.crossbuild.backends.pep517 import Pep517, pyproject
from forge.recipe.model import Language

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import Build
    from forge.crossbuild.cross_environment import CrossEnvironment
    from forge.crossbuild.host_prefix import HostPrefix


class MesonPython(Pep517):
    """meson-python: PEP 517 with a cross file, a build directory of ours, and a Meson that runs in the build Python."""

    def prepare(self, build: Build) -> Prepared:
        """Add the cross file and the build directory to the settings, and Meson's command to the environment."""
        cross = build.work / "forge-cross.ini"
        fortran = Language.FORTRAN in build.recipe.languages
        cross.write_text(cross_file(build.target, build.environment, build.host, fortran=fortran), encoding="utf-8")
        meson = build.work / "meson"
        meson.write_text(meson_wrapper(build.environment, vendored_meson(build.tree)), encoding="utf-8")
        meson.chmod(0o755)
        settings = super().prepare(build).config_settings
        extended = {
            **settings,
            "setup-args": (f"--cross-file={cross}", *settings.get("setup-args", ())),
            "build-dir": (str(build.work / "meson-build"),),
        }
        return Prepared(extended, {"MESON": str(meson)})


LONG_DOUBLE = {Arch.ARM64: "IEEE_DOUBLE_LE", Arch.X86_64: "INTEL_EXTENDED_16_BYTES_LE"}
"""numpy's names for the formats of ``long double``: a double in Apple's arm64 ABI, 80 bits in 16 bytes on x86_64.

numpy reads it from the cross file, because a program of the target cannot be run to find out.
"""


def cross_file(target: Target, environment: CrossEnvironment, host_prefix: HostPrefix, *, fortran: bool = False) -> str:
    """The text of a Meson cross file for a target.

    Args:
        target: The target.
        environment: The cross environment.
        host_prefix: The host requirements.
        fortran: Whether the build uses Fortran.
    """
    triple = target.host_triple
    lines = [
        "[binaries]",
        *(f"{language} = '{triple}-{tool}'" for language, tool in _COMPILERS.items()),
        *([f"fortran = '{triple}-flang'"] if fortran else []),
        f"ar = '{triple}-ar'",
        f"strip = ['xcrun', '--sdk', '{target.abi}', 'strip']",
        f"python = '{environment.cross_python}'",
        "pkg-config = 'pkg-config'",
        "",
        "[host_machine]",
        # With an unknown name, Meson would apply other systems' rules (-bundle, undefined symbols allowed).
        "system = 'ios'",
        f"subsystem = '{'ios-simulator' if target.is_simulator else 'ios'}'",
        "kernel = 'xnu'",
        f"cpu_family = '{'aarch64' if target.arch is Arch.ARM64 else 'x86_64'}'",
        f"cpu = '{target.arch}'",
        "endian = 'little'",
        "",
        "[properties]",
        "needs_exe_wrapper = true",
        f"longdouble_format = '{LONG_DOUBLE[target.arch]}'",
        *(f"{name} = '{place}'" for name, place in _headers(environment, host_prefix).items()),
        "",
    ]
    return "\n".join(lines)


def _headers(environment: CrossEnvironment, host_prefix: HostPrefix) -> dict[str, Path]:
    """The properties that scipy's and scikit-learn's cross builds read, with the directories of headers.

    Without them the builds import the package to ask: numpy would name the build side's headers, and Pythran cannot be
    imported in the cross Python.
    """
    build_side = environment.build_bin.parent.glob("lib/python3.*/site-packages/pythran")
    numpy = host_prefix.site_packages / "numpy" / "_core" / "include"
    found = {"pythran-include-dir": list(build_side), "numpy-include-dir": [numpy] if numpy.is_dir() else []}
    return {name: places[0] for name, places in found.items() if places}


_COMPILERS = {"c": "clang", "cpp": "clang++", "objc": "clang", "objcpp": "clang++"}


def meson_wrapper(environment: CrossEnvironment, vendored: Path | None) -> str:
    """A script that runs Meson in the build Python, for meson-python's variable ``MESON``.

    meson-python runs a package's own Meson (``tool.meson-python.meson``) in its own interpreter, which is the cross
    Python. Meson would then take the build machine for an iPhone and compile ``native: true`` targets wrongly.

    Args:
        environment: The cross environment.
        vendored: The package's own ``meson.py``, or None for the Meson of the build requirements.
    """
    command = f"'{environment.build_python}' '{vendored}'" if vendored else f"'{environment.build_bin}/meson'"
    return f'#!/bin/sh\nexec {command} "$@"\n'


def vendored_meson(tree: Path) -> Path | None:
    """A package's own Meson, which it must be built with (``tool.meson-python.meson``), or None."""
    tool = pyproject(tree).get("tool")
    own = tool.get("meson-python") if isinstance(tool, dict) else None
    named = own.get("meson") if isinstance(own, dict) else None
    return tree / named if isinstance(named, str) and named.endswith(".py") else None
