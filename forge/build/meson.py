"""What Meson must be told of a target: a cross file, and to run in the build Python.

meson-python writes a cross file of its own for iOS, with CPython's compiler wrappers and the host machine; the one made
here adds what it leaves out. Format: Meson's "Cross compilation" and "Machine files" pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.base.target import Arch

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.build.cross_environment import CrossEnvironment
    from forge.build.host_prefix import HostPrefix

LONG_DOUBLE = {Arch.ARM64: "IEEE_DOUBLE_LE", Arch.X86_64: "INTEL_EXTENDED_16_BYTES_LE"}
"""The formats of ``long double`` by numpy's names: Apple's arm64 ABI makes it a double, x86_64 has 80 bits in 16 bytes.

numpy takes it from the cross file, because finding out would take running a program of the target's.
"""


def cross_file(target: Target, environment: CrossEnvironment, host_prefix: HostPrefix, *, fortran: bool = False) -> str:
    """The text of a Meson cross file for a target.

    Args:
        target: What is built for.
        environment: The cross environment.
        host_prefix: Where host requirements are.
        fortran: Whether the build takes a Fortran compiler.
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
        # An unknown system name would fall through to the rules of other systems (-bundle, undefined symbols allowed).
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
    """Headers by the properties that scipy's and scikit-learn's builds read when they are compiled across.

    Without them they import the package and ask: numpy would name the build side's headers, and Pythran cannot be
    imported where the Python says that it is iOS.
    """
    build_side = environment.build_bin.parent.glob("lib/python3.*/site-packages/pythran")
    numpy = host_prefix.site_packages / "numpy" / "_core" / "include"
    found = {"pythran-include-dir": list(build_side), "numpy-include-dir": [numpy] if numpy.is_dir() else []}
    return {name: places[0] for name, places in found.items() if places}


_COMPILERS = {"c": "clang", "cpp": "clang++", "objc": "clang", "objcpp": "clang++"}


def meson_wrapper(environment: CrossEnvironment, vendored: Path | None) -> str:
    """A program that runs Meson in the build Python, for the variable ``MESON`` (meson-python).

    meson-python runs a Meson that a package carries (``tool.meson-python.meson``) in the Python that it runs in itself,
    the cross Python; Meson would then take the build machine for an iPhone, and compile ``native: true`` targets wrong.

    Args:
        environment: Whose build side is used.
        vendored: The package's own ``meson.py``, or None for the Meson of the build requirements.
    """
    command = f"'{environment.build_python}' '{vendored}'" if vendored else f"'{environment.build_bin}/meson'"
    return f'#!/bin/sh\nexec {command} "$@"\n'
