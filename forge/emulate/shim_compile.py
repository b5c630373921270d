"""Compiling the shim: its sources, the compiler's arguments, its name. Standard library alone.

``hatch_build.py`` loads this file while forge itself is being built, when nothing of forge can be imported.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
from pathlib import Path

NATIVE = Path(__file__).parent / "native"
FLAGS = ("-std=gnu17", "-O2", "-g0", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra")
# What no library has is an error here, not when the shim is loaded.
LIBRARIES = ("-Wl,--no-undefined", "-lm", "-ldl", "-lpthread")


def host_arch() -> str:
    """This machine's CPU by Apple's name: ``x86_64`` or ``arm64``; another name where forge emulates nothing."""
    return {"aarch64": "arm64", "AMD64": "x86_64"}.get(platform.machine(), platform.machine())


def sources(native: Path = NATIVE) -> tuple[Path, ...]:
    """The C files, in a fixed order."""
    return tuple(sorted(native.glob("*.c")))


def sources_sha256(native: Path = NATIVE) -> str:
    """The sha256 over the C files, their headers and the compiler's arguments, as 64 hex digits."""
    digest = hashlib.sha256(" ".join((*FLAGS, *LIBRARIES)).encode())
    for path in sorted((*native.glob("*.c"), *native.glob("*.h"))):
        digest.update(f"\n{path.name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def file_name(arch: str, native: Path = NATIVE) -> str:
    """What the shim for a CPU is called: it names its sources, so that one of other sources is never taken for it."""
    return f"forge-shim-{arch}-{sources_sha256(native)[:16]}.so"


def compiler() -> list[str]:
    """The build machine's C compiler: ``CC``, which may carry arguments, or ``cc``."""
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def command(compile_with: list[str], output: Path, native: Path = NATIVE) -> list[str]:
    """The command that compiles and links the shim."""
    return [*compile_with, *FLAGS, "-shared", "-o", str(output), *map(str, sources(native)), *LIBRARIES]


def compile_for_host(output: Path, native: Path = NATIVE) -> None:
    """Compile the shim for this machine.

    Raises:
        OSError: There is no compiler.
        subprocess.CalledProcessError: It failed; ``stderr`` says why.
    """
    subprocess.run(command(compiler(), output, native), check=True, capture_output=True, text=True)
