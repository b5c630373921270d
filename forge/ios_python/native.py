"""The libraries that CPython's extension modules need, compiled static for one target.

One function a library: it is given an unpacked source tree and fills a prefix (``include/``, ``lib/``). What each is
compiled with follows CPython's iOS builds (``iOS/README.rst``); where something differs, a comment says why.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.cpus import cpu_count
from forge.base.process import run
from forge.base.target import Abi, Arch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from forge.base.target import Target


@dataclass(frozen=True)
class Workshop:
    """What building one library takes.

    Args:
        tree: The unpacked source.
        prefix: Where headers and archives go.
        target: What is compiled for.
        env: The cross environment.
        log: The log file.
    """

    tree: Path
    prefix: Path
    target: Target
    env: Mapping[str, str]
    log: Path

    @property
    def cc(self) -> str:
        """The C compiler's command: the seam, the triple."""
        return f"xcrun --sdk {self.target.abi} clang -target {self.target.clang_triple}"

    @property
    def gnu_host(self) -> str:
        """A ``--host`` that every ``config.sub`` knows: older ones have no iOS, and Darwin's is the same ABI."""
        return f"{'aarch64' if self.target.arch is Arch.ARM64 else 'x86_64'}-apple-darwin"

    def run(self, *command: str | Path, cwd: Path | None = None) -> None:
        """Run one command of the build; see `forge.base.process.run`."""
        run(command, log=self.log, env=self.env, cwd=cwd or self.tree, what=f"{self.tree.name} for {self.target}")

    def configure(self, *options: str) -> None:
        """Run an autoconf ``configure`` for the target: static only, into the prefix."""
        self.run(
            "./configure",
            f"--host={self.gnu_host}",
            f"--prefix={self.prefix}",
            "--enable-static",
            "--disable-shared",
            f"CC={self.cc}",
            f"AR=xcrun --sdk {self.target.abi} ar",
            f"RANLIB=xcrun --sdk {self.target.abi} ranlib",
            "CFLAGS=-O2 -fPIC",
            *options,
        )

    def make(self, *arguments: str) -> None:
        """Run ``make`` on every core."""
        self.run("make", f"-j{cpu_count()}", *arguments)


def build_libffi(shop: Workshop) -> None:
    """libffi, for ``_ctypes``."""
    shop.configure("--disable-docs", "--disable-multi-os-directory")
    shop.make()
    shop.make("install")


def build_xz(shop: Workshop) -> None:
    """Liblzma alone, for ``_lzma``."""
    programs = ("xz", "xzdec", "lzmadec", "lzmainfo", "scripts", "doc", "nls")
    shop.configure(*(f"--disable-{program}" for program in programs))
    shop.make()
    shop.make("install")


def build_bzip2(shop: Workshop) -> None:
    """libbz2, for ``_bz2``. It has no configure; its Makefile's own flags but for the position independence."""
    shop.make(
        f"CC={shop.cc}",
        f"AR=xcrun --sdk {shop.target.abi} ar",
        f"RANLIB=xcrun --sdk {shop.target.abi} ranlib",
        "CFLAGS=-O2 -fPIC -D_FILE_OFFSET_BITS=64",
        "libbz2.a",
    )
    _install(shop, archives=["libbz2.a"], headers=["bzlib.h"])


def build_sqlite(shop: Workshop) -> None:
    """SQLite as one compilation unit, for ``_sqlite3``, with the options that Apple's own has."""
    # The amalgamation is made by programs of the build machine (tclsh, and helpers in C); no CC of the target's here.
    # Its Tcl extension is not built, and the machine's Tcl development files are not looked at.
    shop.run("./configure", "--disable-readline", "--disable-tcl")
    shop.make("sqlite3.c")
    options = (
        "SQLITE_THREADSAFE=1", "SQLITE_ENABLE_COLUMN_METADATA", "SQLITE_ENABLE_FTS3", "SQLITE_ENABLE_FTS3_PARENTHESIS",
        "SQLITE_ENABLE_FTS4", "SQLITE_ENABLE_FTS5", "SQLITE_ENABLE_RTREE", "SQLITE_ENABLE_GEOPOLY",
        "SQLITE_ENABLE_MATH_FUNCTIONS", "HAVE_USLEEP=1",
    )  # fmt: skip
    # gethostuuid() does not exist on iOS; SQLite says so with a warning each time.
    flags = ["-O2", "-fPIC", "-Wno-#warnings", *(f"-D{option}" for option in options)]
    shop.run(*shop.cc.split(), *flags, "-c", "sqlite3.c", "-o", "sqlite3.o")
    shop.run("xcrun", "--sdk", shop.target.abi, "ar", "rcs", "libsqlite3.a", "sqlite3.o")
    _install(shop, archives=["libsqlite3.a"], headers=["sqlite3.h", "src/sqlite3ext.h"])


def build_openssl(shop: Workshop) -> None:
    """OpenSSL's two libraries, for ``_ssl`` and ``_hashlib``, through its own iOS targets."""
    name = "ios64-xcrun" if shop.target.abi is Abi.IPHONEOS else f"iossimulator-{shop.target.arch}-xcrun"
    staging = shop.tree / "staging"
    shop.run(
        "./Configure",
        name,
        "no-shared", "no-tests", "no-apps", "no-docs", "no-engine",
        "no-dso", "no-module",  # nothing is loaded from files at run time: an app may not bring such files
        # The library records these. Nothing of the build machine is to be in it, and nothing is ever loaded from there:
        # apps bring their own certificates (certifi).
        "--prefix=/usr",
        "--libdir=lib",
        "--openssldir=/etc/ssl",
    )  # fmt: skip
    shop.make("build_libs")
    shop.make("install_dev", f"DESTDIR={staging}")
    shutil.copytree(staging / "usr", shop.prefix, dirs_exist_ok=True)


BUILDERS: dict[str, Callable[[Workshop], None]] = {
    "libffi": build_libffi,
    "xz": build_xz,
    "bzip2": build_bzip2,
    "sqlite": build_sqlite,
    "openssl": build_openssl,
}
"""Each library of ``data/releases.yaml``, by name."""


def _install(shop: Workshop, *, archives: list[str], headers: list[str]) -> None:
    for directory, names in (("lib", archives), ("include", headers)):
        (shop.prefix / directory).mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copy(shop.tree / name, shop.prefix / directory)
