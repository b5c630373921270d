"""A Linux for arm64 on a machine of another CPU: Debian's packages unpacked in the cache, its programs run by qemu.

Nothing is installed: apt, with lists, a status and a cache of its own, chooses and checks the packages (it verifies
the archive's signature and each file's hash), ``dpkg-deb`` unpacks them, and ``qemu-aarch64`` (qemu's user mode) runs
the Python that is in them.

    emulate/guest/arm64-<fingerprint>/root/            the root directory
                                      packages.json    each package's file name and sha256
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_log
from forge.base.errors import BuildError, NetworkError, ToolchainError, TrialError
from forge.base.hashing import file_sha256, fingerprint
from forge.base.process import output, run
from forge.base.target import Arch
from forge.source.debian import debian_mirrors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress

SUITE = "trixie"
PYTHON_MINOR = "3.13"
"""The only Python that `SUITE` has."""
PACKAGES = (f"python{PYTHON_MINOR}", "libc6-dev", "libgcc-14-dev", "libsqlite3-0", "libbz2-1.0", "libffi8")
"""What a guest is made of, with all that apt adds: Python, what bindings resolve to, what the shim is compiled with."""
QEMU_MACHINES = {Arch.ARM64: "aarch64", Arch.X86_64: "x86_64"}
"""CPUs by qemu's name for them; its user mode is ``qemu-<name>`` or, linked statically, ``qemu-<name>-static``."""
QEMU_PACKAGE = "qemu-user"
"""Debian's and Ubuntu's package of qemu's user mode."""
GUEST_CPU = "max,pauth=off,sve=off,sme=off"
"""qemu's largest arm64 CPU without what Apple's lack (SVE, SME), and without pointer signatures.

iOS's ``arm64`` has none either, and Debian's own code, which has, takes twenty times as long where qemu checks them.
"""

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Where Ubuntu's package of Debian's keys puts them; Debian's own apt knows them anyway."""


@dataclass(frozen=True)
class Guest:
    """A Linux of another CPU.

    Args:
        root: Its root directory, which a compiler can have as sysroot.
        qemu: The program that runs its programs.
        python: Its Python.
        cpu: The CPU model, by qemu's name.
    """

    root: Path
    qemu: Path
    python: Path
    cpu: str = GUEST_CPU

    @property
    def command(self) -> tuple[str, ...]:
        """What starts its Python."""
        return (str(self.qemu), "-cpu", self.cpu, "-L", str(self.root), str(self.python))


def find_qemu(arch: Arch = Arch.ARM64) -> Path | None:
    """The qemu that runs Linux programs for a CPU, or None."""
    name = f"qemu-{QEMU_MACHINES[arch]}"
    found = shutil.which(name) or shutil.which(f"{name}-static")
    return None if found is None else Path(found)


def require_qemu(arch: Arch = Arch.ARM64, cpu: str | None = None) -> Path:
    """As `find_qemu`.

    Args:
        arch: The CPU of the programs that are to run.
        cpu: A model that qemu must know, by qemu's name, with features after it (``Haswell,-avx2``); None for any.

    Raises:
        TrialError: There is none, or it does not know the model.
    """
    qemu = find_qemu(arch)
    if qemu is None:
        raise TrialError(
            f"running {arch} wheels on another CPU needs qemu's user mode; qemu-{QEMU_MACHINES[arch]} is not installed",
            hint=f"install it: apt-get install {QEMU_PACKAGE}",
        )
    if cpu is not None and cpu.partition(",")[0] not in _models(qemu):
        raise TrialError(
            f"{qemu.name} does not know the CPU model {cpu.partition(',')[0]!r}", hint=f"see '{qemu.name} -cpu help'"
        )
    return qemu


def _models(qemu: Path) -> set[str]:
    """The CPU models that a qemu knows: the first word of each line but the headings, for x86 the second."""
    # Some releases exit with 1 after they printed the list.
    said = subprocess.run([qemu, "-cpu", "help"], capture_output=True, text=True, timeout=60, check=False)
    lines = said.stdout.splitlines()
    rows = [line.split() for line in lines if line.startswith((" ", "x86 "))]
    return {row[1] if row[0] == "x86" and len(row) > 1 else row[0] for row in rows if row}


def ensure_guest(home: ForgeHome, minor: str, progress: Progress, cpu: str | None = None) -> Guest:
    """The guest: taken from the cache, or fetched (40 MB) and unpacked.

    Args:
        home: The cache.
        minor: The Python that is needed, e.g. ``3.13``.
        progress: Receives progress updates.
        cpu: Which CPU model it has, by qemu's name; None for `GUEST_CPU`.

    Raises:
        TrialError: There is no qemu, or it does not know the CPU, or Debian's Python is another.
        ToolchainError: There is no apt, or it does not know Debian's archive.
        NetworkError: The packages cannot be fetched.
    """
    qemu = require_qemu(Arch.ARM64, cpu)
    if minor != PYTHON_MINOR:
        raise TrialError(
            f"arm64 wheels for Python {minor} cannot run on this CPU: Debian {SUITE} only has Python {PYTHON_MINOR}",
            hint=f"use --python {PYTHON_MINOR}, or run forge on arm64 Linux",
        )
    key = fingerprint({"suite": SUITE, "packages": PACKAGES, "code": file_sha256(Path(__file__))})
    destination = home.root / "emulate" / "guest" / f"arm64-{key[:16]}"
    root = destination / "root"
    with locked(home.locks, f"guest-{destination.name}"):
        if not destination.is_dir():
            progress.phase(f"Debian {SUITE} arm64", "fetch")
            with atomic_directory(destination) as temporary:
                log = new_log(home.logs, "emulate-guest")
                _make(temporary, log, progress)
                _compile_library(_guest(temporary / "root", qemu), root, log)
    guest = _guest(root, qemu)
    return guest if cpu is None else replace(guest, cpu=cpu)


def _guest(root: Path, qemu: Path) -> Guest:
    return Guest(root, qemu, root / "usr" / "bin" / f"python{PYTHON_MINOR}")


def apt_options(state: Path) -> tuple[str, ...]:
    """The options that make apt work for arm64 within a directory and leave the machine's state alone (apt.conf(5)).

    Args:
        state: The directory; ``sources.list`` in it says where the archive is.
    """
    settings = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # its own user could not write below a home directory
        "Debug::NoLocking": "true",  # forge holds a lock of its own
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::Etc::preferences": "-",
    }
    return tuple(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))


def sources_list(mirrors: Sequence[str], keyring: Path = _KEYRING) -> str:
    """The text of a ``sources.list``.

    Args:
        mirrors: Debian's archive, in the order of preference.
        keyring: Debian's keys, named where the file is there.
    """
    signed = f"signed-by={keyring} " if keyring.is_file() else ""
    return "".join(f"deb [{signed}arch=arm64] {mirror} {SUITE} main\n" for mirror in mirrors)


def _make(directory: Path, log: Path, progress: Progress) -> None:
    for program in ("apt-get", "dpkg-deb"):
        if shutil.which(program) is None:
            raise ToolchainError(
                f"the arm64 Python for qemu is made from Debian packages, but {program} was not found",
                hint="use Debian or Ubuntu, or arm64 Linux, where arm64 wheels run natively",
            )
    mirrors, reason = debian_mirrors()
    if not mirrors:
        raise ToolchainError(f"the arm64 Python for qemu is made from Debian packages: {reason}")
    state = directory / "state"
    archives = state / "cache" / "archives"
    for made in (state / "lists" / "partial", archives / "partial"):
        made.mkdir(parents=True)
    (state / "status").touch()
    (state / "sources.list").write_text(sources_list(mirrors), encoding="utf-8")
    apt = ["apt-get", "--quiet", "--assume-yes", *apt_options(state)]
    env = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        run([*apt, "--error-on=any", "update"], log=log, env=env, cwd=directory, what="updating Debian's package lists")
        run(
            [*apt, "install", "--download-only", *PACKAGES],
            log=log, env=env, cwd=directory, what="downloading Debian packages for arm64",
        )  # fmt: skip
    except BuildError as error:
        why = next((line for line in error.tail if line.startswith(("E: ", "W: "))), error.message)
        raise NetworkError(
            f"cannot download Debian packages for arm64: {why.removeprefix('E: ')}",
            hint=f"see apt's log: {log}; set FORGE_DEBIAN_MIRROR to use another mirror",
        ) from error
    root = directory / "root"
    (root / "usr" / "lib").mkdir(parents=True)
    # Debian's base-files has it (merged /usr); the dynamic linker's path goes through it.
    (root / "lib").symlink_to("usr/lib")
    packages = sorted(archives.glob("*.deb"))
    progress.phase(f"Debian {SUITE} arm64", "unpack")
    for package in packages:
        output(["dpkg-deb", "--extract", package, root], timeout=600)
    listing = {package.name: file_sha256(package) for package in packages}
    (directory / "packages.json").write_text(json.dumps(listing, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(state)


def _compile_library(guest: Guest, final: Path, log: Path) -> None:
    """Compile Python's library, which Debian does when a package is installed: or each start would do it anew."""
    library = f"usr/lib/python{PYTHON_MINOR}"
    run(
        [*guest.command, "-m", "compileall", "-q", "-s", guest.root, "-p", final, guest.root / library],
        log=log, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, cwd=guest.root, what="compiling Python's library",
    )  # fmt: skip
