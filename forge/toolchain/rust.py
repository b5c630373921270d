"""Rust for iOS: a compiler of this machine, and the standard library for a target.

The standard library comes from rustup, where a rustup manages the compiler and can be reached. Else it is built once
from the compiler's own source (cargo's ``-Zbuild-std``), which must match the compiler exactly: rustup's component
``rust-src`` and Debian's ``rust-src`` packages put it where the compiler looks. The feature is unstable, so the
compiler is told to allow it (``RUSTC_BOOTSTRAP``) for this one build; packages are compiled as stable Rust does it.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.errors import BuildError, ToolchainError
from forge.base.hashing import fingerprint
from forge.base.process import output, run
from forge.base.target import Arch, Target
from forge.toolchain.data import data_path
from forge.toolchain.environment import build_environment, prefix_map_variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.toolchain.base import Toolchain

MINIMUM_VERSION = (1, 83)
"""Below that, packages that people want (cryptography) do not compile."""

_VERBOSE = re.compile(r"^(release|host|commit-hash): (.+)$", flags=re.MULTILINE)
_DUMMY = '[package]\nname = "forge-std"\nversion = "0.0.0"\nedition = "2021"\n\n[lib]\npath = "lib.rs"\n'


@dataclass(frozen=True)
class Rust:
    """A Rust compiler and cargo.

    Args:
        rustc: The compiler itself, not rustup's proxy.
        cargo: Of the same release.
        version: e.g. ``1.96.0``.
        commit: The compiler's commit, or ``unknown``.
        host: The build machine's triple.
        sysroot: Where its libraries are.
        rustup: The rustup that manages it, and the toolchain's name; None for others.
    """

    rustc: Path
    cargo: Path
    version: str
    commit: str
    host: str
    sysroot: Path
    rustup: tuple[Path, str] | None = None

    @property
    def id(self) -> str:
        """What tells one compiler from another, for fingerprints."""
        return f"{self.version} {self.commit} {self.host}"

    @property
    def source(self) -> Path:
        """Where the source of the standard library is, if it is there (rustc's own convention)."""
        return self.sysroot / "lib" / "rustlib" / "src" / "rust" / "library"

    def has_std(self, triple: str) -> bool:
        """Whether the standard library of a target is installed."""
        return any((self.sysroot / "lib" / "rustlib" / triple / "lib").glob("libstd-*.rlib"))


def rust_triple(target: Target) -> str:
    """Rust's name of a target (rustc's platform support list)."""
    if target.arch is Arch.X86_64:
        return "x86_64-apple-ios"  # the simulator: no device has that CPU
    return "aarch64-apple-ios-sim" if target.is_simulator else "aarch64-apple-ios"


def find_rust() -> Rust:
    """The Rust to compile with: ``FORGE_RUSTC``'s, else the first on PATH that is new enough and can serve iOS.

    Raises:
        ToolchainError: There is none; says how to get one.
    """
    found = list(_candidates())
    for rust in found:
        if rust.rustup is not None or rust.source.is_dir() or rust.has_std("aarch64-apple-ios"):
            return rust
    said = "; ".join(
        f"{rust.rustc} ({rust.version}) has neither iOS's standard library nor its source" for rust in found
    )
    raise ToolchainError(
        f"Rust {'.'.join(map(str, MINIMUM_VERSION))} or newer that can compile for iOS not found"
        + (f": {said}" if said else ""),
        hint="install rustup, or Debian's rustc, cargo and rust-src (rustc-web, cargo-web, rust-web-src on Debian 12)",
    )


def _candidates() -> Iterator[Rust]:
    named = os.environ.get("FORGE_RUSTC")
    seen: set[Path] = set()
    for directory in [] if named else map(Path, [*os.get_exec_path(), "/usr/bin"]):
        path = directory / "rustc"
        if os.access(path, os.X_OK) and path.is_file() and path.resolve() not in seen:
            seen.add(path.resolve())
            yield from _probed(path)
    if named:
        yield from _probed(Path(named).absolute())


def _probed(proxy: Path) -> Iterator[Rust]:
    """A compiler if it works and is new enough."""
    try:
        said = dict(_VERBOSE.findall(output([proxy, "-vV"])))
        sysroot = Path(output([proxy, "--print", "sysroot"]).strip())
        version = said["release"]
    except (ToolchainError, KeyError):
        return
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MINIMUM_VERSION:
        return
    rustc, cargo = sysroot / "bin" / "rustc", sysroot / "bin" / "cargo"
    rustup = None
    if rustc.is_file() and sysroot.parent.name == "toolchains" and (program := shutil.which("rustup")):
        rustup = (Path(program), sysroot.name)
    if not cargo.is_file():
        found = shutil.which("cargo", path=str(proxy.parent)) or shutil.which("cargo")
        if found is None:
            return
        cargo = Path(found)
    yield Rust(
        rustc if rustc.is_file() else proxy,
        cargo,
        version,
        said.get("commit-hash", "unknown"),
        said["host"],
        sysroot,
        rustup,
    )


def ensure_std(
    home: ForgeHome, rust: Rust, toolchain: Toolchain, target: Target, wrappers: Path, progress: Progress
) -> Path | None:
    """The standard library for a target, fetched by rustup or built if it is not there yet.

    Args:
        home: The cache.
        rust: The compiler.
        toolchain: What links.
        target: What is compiled for.
        wrappers: The directory of CPython's compiler wrappers.
        progress: Receives progress updates.

    Returns:
        The sysroot to name to the compiler; None where its own has the library.

    Raises:
        ToolchainError: rustup cannot install it and its source was not found.
        BuildError: Building it failed.
    """
    triple = rust_triple(target)
    if rust.has_std(triple):
        return None
    if _by_rustup(home, rust, ["target", "add", triple], progress) and rust.has_std(triple):
        name = rust.rustup[1] if rust.rustup else ""
        undo = f"rustup target remove {triple} --toolchain {name}"
        progress.note(f"Rust {rust.version}", f"added {triple} to your toolchain {name} (to undo: {undo})")
        return None
    if not rust.source.is_dir() and not _by_rustup(home, rust, ["component", "add", "rust-src"], progress):
        raise ToolchainError(
            f"rustup cannot install the standard library for {triple}, "
            f"and the source of Rust {rust.version} was not found",
            hint=f"run 'rustup target add {triple}' or 'rustup component add rust-src'",
        )
    sysroot = _sysroot(home, rust, toolchain, triple)
    with locked(home.locks, sysroot.name):
        if not sysroot.is_dir():
            _build_std(home, rust, toolchain, target, wrappers, sysroot, progress)
    return sysroot


def has_std(home: ForgeHome, rust: Rust, toolchain: Toolchain, target: Target) -> bool:
    """Whether the standard library for a target is there: the compiler's own, or one that forge built.

    Args:
        home: The cache.
        rust: The compiler.
        toolchain: What links.
        target: What is compiled for.
    """
    triple = rust_triple(target)
    return rust.has_std(triple) or _sysroot(home, rust, toolchain, triple).is_dir()


def _sysroot(home: ForgeHome, rust: Rust, toolchain: Toolchain, triple: str) -> Path:
    wrapper = data_path(_WRAPPER).read_text(encoding="utf-8")
    key = fingerprint({"rust": rust.id, "toolchain": toolchain.id, "triple": triple, "code": _CODE, "wrapper": wrapper})
    return home.toolchains / f"rust-{rust.version}-{triple}-{key[:12]}"


_CODE = 4
"""Goes up when what `_build_std` does changes."""

_WRAPPER = "rustc.sh"


def _by_rustup(home: ForgeHome, rust: Rust, words: Sequence[str], progress: Progress) -> bool:
    """Have rustup add something to the compiler; False where there is no rustup, or it cannot get it."""
    if rust.rustup is None:
        return False
    program, name = rust.rustup
    what = f"rustup {' '.join(words)}"
    progress.phase(f"Rust {rust.version}", what)
    log = new_log(home.logs, "rustup")
    try:
        # The user's own environment: where rustup keeps its files, and how it reaches its server.
        run([program, *words, "--toolchain", name], log=log, env=os.environ, cwd=rust.sysroot, what=what)
    except (BuildError, ToolchainError):
        return False
    return True


def _build_std(
    home: ForgeHome, rust: Rust, toolchain: Toolchain, target: Target, wrappers: Path, sysroot: Path, progress: Progress
) -> None:
    triple = rust_triple(target)
    subject = f"Rust {rust.version} standard library for {triple}"
    progress.phase(subject, "compile")
    work = new_attempt(home.work, sysroot.name)
    crate = work / "crate"
    crate.mkdir(parents=True)
    (crate / "Cargo.toml").write_text(_DUMMY, encoding="utf-8")
    (crate / "lib.rs").touch()
    log = new_log(home.logs, sysroot.name)
    names = {cargo_home(home): "/usr/src/cargo", rust.source: "/usr/src/rust/library", work: "/usr/src/build"}
    # Crates that are linked with link-time optimisation want the library's bitcode, which cargo would leave out.
    flags = ["-Cembed-bitcode=yes", *(f"--remap-path-prefix={place}={name}" for place, name in names.items())]
    variables = rust_environment(rust, target, None, home, flags)
    env = build_environment(work, [wrappers, *toolchain.path]) | variables
    env |= {
        "RUSTC_WRAPPER": str(write_rustc_wrapper(work)),
        **prefix_map_variable(names),
        "RUSTC_BOOTSTRAP": "1",
        "IPHONEOS_DEPLOYMENT_TARGET": str(target.ios_version),
    }
    run(
        [rust.cargo, "build", "--release", "-Zbuild-std=std,panic_unwind", "--target", triple],
        log=log, env=env, cwd=crate, what=subject,
    )  # fmt: skip
    with atomic_directory(sysroot) as temporary:
        rustlib = temporary / "lib" / "rustlib"
        libraries = rustlib / triple / "lib"
        libraries.mkdir(parents=True)
        for file in sorted((crate / "target" / triple / "release" / "deps").glob("*.rlib")):
            if not file.name.startswith("libforge_std-"):
                shutil.copy(file, libraries)
        # The compiler looks for the build machine's libraries in the same sysroot, for procedural macros.
        (rustlib / rust.host).symlink_to(rust.sysroot / "lib" / "rustlib" / rust.host)
    remove_tree(work)


def write_rustc_wrapper(directory: Path) -> Path:
    """Write the program that cargo runs in the compiler's place (``RUSTC_WRAPPER``).

    With it no crate's symbols depend on where the crate is.

    Args:
        directory: An existing directory.
    """
    wrapper = directory / "rustc-wrapper"
    shutil.copyfile(data_path(_WRAPPER), wrapper)
    wrapper.chmod(0o755)
    return wrapper


def link_programs(rust: Rust, directory: Path) -> Path:
    """Make a directory for PATH with the compiler and cargo in it: variables name them, but not every tool reads those.

    maturin and setuptools-rust look for ``cargo`` on PATH, build scripts for ``rustc``. rustup's own proxies will not
    do: they choose a toolchain by files of the source tree and of the user's home.

    Args:
        rust: The compiler.
        directory: Made, with links in it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    programs = {"rustc": rust.rustc, "cargo": rust.cargo, "rustdoc": rust.rustc.with_name("rustdoc")}
    for name, program in programs.items():
        if program.is_file() and not (directory / name).is_symlink():
            (directory / name).symlink_to(program)
    return directory


def cargo_home(home: ForgeHome) -> Path:
    """Where cargo keeps the crates that it fetched."""
    return home.sources / "cargo"


def rust_environment(
    rust: Rust, target: Target, sysroot: Path | None, home: ForgeHome, flags: Sequence[str] = ()
) -> dict[str, str]:
    """What cargo and crates' build scripts find in the environment of a cross build.

    Variables are cargo's (``CARGO_BUILD_TARGET``, ``CARGO_TARGET_<TRIPLE>_*``) and the ``cc`` crate's (``CC_<triple>``,
    ``HOST_CC``); crates are kept in the cache's sources.

    Args:
        rust: The compiler.
        target: What is compiled for.
        sysroot: What `ensure_std` gave.
        home: The cache.
        flags: Further options of the compiler's for the target, none with white space in it.
    """
    triple = rust_triple(target)
    upper, lower = triple.upper().replace("-", "_"), triple.replace("-", "_")
    wrapper = target.host_triple
    variables = {
        "RUSTC": str(rust.rustc),
        "CARGO": str(rust.cargo),
        "CARGO_HOME": str(cargo_home(home)),
        "CARGO_BUILD_TARGET": triple,
        "CARGO_INCREMENTAL": "0",
        "CARGO_NET_RETRY": "5",
        f"CARGO_TARGET_{upper}_LINKER": f"{wrapper}-clang",
        f"CARGO_TARGET_{upper}_AR": f"{wrapper}-ar",
        f"CC_{lower}": f"{wrapper}-clang",
        f"CXX_{lower}": f"{wrapper}-clang++",
        f"AR_{lower}": f"{wrapper}-ar",
        "HOST_CC": "cc",
        "HOST_CXX": "c++",
        "HOST_AR": "ar",
    }
    all_flags = [*([] if sysroot is None else [f"--sysroot={sysroot}"]), *flags]
    if all_flags:
        variables[f"CARGO_TARGET_{upper}_RUSTFLAGS"] = " ".join(all_flags)
    return variables
