"""The programs of the build machine that a build may run: a directory of links to named tools, for PATH.

What happens to be installed in ``/usr/bin`` must not decide what a wheel is: with the whole directory on PATH, a
package's build finds cmake, git or a pkg-config here and not there. Links are made to a fixed list instead.
`UTILITIES` are what shell scripts take for granted and what does not change a result; `TOOLS` do, so each one's
identity counts in fingerprints. Anything else comes from the build requirements.

macOS's ``/usr/bin`` is part of the system's sealed volume: nobody installs anything there, and the Xcode tools in it
must be started by their own paths, so it is on PATH as it is.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.hashing import file_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator

SYSTEM_PATH = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
"""Where the build machine's own tools are (CPython's ``iOS/README.rst`` uses the same)."""

TOOLS = (
    "make", "perl", "pkg-config", "tclsh",
    # The build machine's own compiler, for programs that run during a build.
    "cc", "c++", "gcc", "g++", "cpp", "as", "ld", "ar", "ranlib", "nm", "strip", "objdump", "readelf",
)  # fmt: skip
"""What makes files: a build's fingerprint has the identity of each."""

UTILITIES = (
    # coreutils
    "[", "b2sum", "base32", "base64", "basename", "cat", "chgrp", "chmod", "chown", "cksum", "comm", "cp", "csplit",
    "cut", "date", "dd", "df", "dirname", "du", "echo", "env", "expand", "expr", "factor", "false", "fmt", "fold",
    "groups", "head", "hostname", "id", "install", "join", "link", "ln", "logname", "ls", "md5sum", "mkdir", "mkfifo",
    "mknod", "mktemp", "mv", "nice", "nl", "nohup", "nproc", "numfmt", "od", "paste", "pathchk", "pr", "printenv",
    "printf", "pwd", "readlink", "realpath", "rm", "rmdir", "seq", "sha1sum", "sha224sum", "sha256sum", "sha384sum",
    "sha512sum", "shuf", "sleep", "sort", "split", "stat", "stty", "sum", "sync", "tac", "tail", "tee", "test",
    "timeout", "touch", "tr", "true", "truncate", "tsort", "tty", "uname", "unexpand", "uniq", "unlink", "wc",
    "whoami", "yes",
    # shells, and what POSIX has beside coreutils
    "sh", "bash", "dash", "awk", "mawk", "gawk", "sed", "grep", "egrep", "fgrep", "find", "xargs", "ed", "m4",
    "cmp", "diff", "diff3", "sdiff", "file", "getconf", "getopt", "kill", "ps", "time", "which", "locale", "iconv",
    # archives
    "tar", "gzip", "gunzip", "zcat", "bzip2", "bunzip2", "xz", "unxz", "zstd", "unzip", "zip", "cpio",
    # what tells the machine, for config.guess
    "arch", "ldd", "lscpu", "lsb_release",
)  # fmt: skip
"""What scripts run besides; which release of them is there does not change what is built."""


def find_tool(name: str) -> Path | None:
    """A program of the build machine's system, whatever the user's PATH says; None if it is not there."""
    found = shutil.which(name, path=os.pathsep.join(SYSTEM_PATH))
    return None if found is None else Path(found)


def tools_identity() -> dict[str, str]:
    """What tells this machine's `TOOLS` from another's: the sha256 of each one's file, by name.

    Empty on a Mac, where they are Xcode's, which the toolchain's identity names.
    """
    return {} if _is_sealed() else dict(_identities())


@cache
def _identities() -> tuple[tuple[str, str], ...]:
    return tuple((name, file_sha256(path.resolve())) for name, path in _found(TOOLS))


def tools_path(directory: Path) -> tuple[Path, ...]:
    """The directories that a build's PATH ends with; the links are made where they are not there yet.

    Args:
        directory: Where to put the links: a directory of the build's own.
    """
    if _is_sealed():
        return tuple(map(Path, SYSTEM_PATH))
    directory.mkdir(parents=True, exist_ok=True)
    for name, path in _found((*TOOLS, *UTILITIES)):
        link = directory / name
        if not link.is_symlink():
            link.symlink_to(path)
    return (directory,)


@cache
def _located(name: str) -> Path | None:
    return find_tool(name)


def _found(names: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for name in names:
        if (path := _located(name)) is not None:
            yield name, path


def _is_sealed() -> bool:
    return sys.platform == "darwin"
