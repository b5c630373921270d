"""A Linux CPython whose internal structures are laid out as on Darwin, for CPython's own extension modules.

Modules that are compiled with ``Py_BUILD_CORE`` (``_datetime``, ``_pickle``, ``math``, ``_json``, …) have offsets into
``_PyRuntime`` and the interpreter's state built in. They differ between the two systems in a few members alone, whose
types are the C library's: padded to Darwin's size, every later member lies where those modules look for it. The patch
release must be the same. Wheels need none of this: they see CPython's public structures only.

    emulate/darwin-python/<version>-<fingerprint>/bin/python3.13
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.cpus import cpu_count
from forge.base.errors import SourceError
from forge.base.hashing import fingerprint
from forge.base.process import run
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import build_environment

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.ios_python.releases import Release


@dataclass(frozen=True)
class Edit:
    """A line of a header that is made another.

    Args:
        header: Its path below ``Include``.
        old: The text; it is there once.
        new: What takes its place.
    """

    header: str
    old: str
    new: str


EDITS = (
    # pthread_mutex_t: 64 bytes on Darwin (sys/_pthread/_pthread_types.h), 40 in glibc; pthread_cond_t is 48 on both.
    Edit("internal/pycore_gil.h", "PyMUTEX_T mutex;", "PyMUTEX_T mutex; char darwin_pad[64 - sizeof(PyMUTEX_T)];"),
    Edit(
        "internal/pycore_gil.h", "PyMUTEX_T switch_mutex;",
        "PyMUTEX_T switch_mutex; char darwin_switch_pad[64 - sizeof(PyMUTEX_T)];",
    ),
    # dev_t: int32_t there, 64 bits here. The numbers compared are cut alike.
    Edit("internal/pycore_pyhash.h", "dev_t st_dev;", "int st_dev;"),
    # pthread_key_t: unsigned long there, unsigned int here.
    Edit("cpython/pythread.h", "NATIVE_TSS_KEY_T _key;\n", "NATIVE_TSS_KEY_T _key;\n    long darwin_pad;\n"),
    # NSIG: 32 there; 65 here, with real-time signals, which no handler can then be set for.
    Edit("internal/pycore_signal.h", "#  define Py_NSIG NSIG\n", "#  define Py_NSIG 32\n"),
)  # fmt: skip
"""What makes CPython 3.13's layout Darwin's, with `UNDEFINED`."""

UNDEFINED = ("HAVE_PTHREAD_CONDATTR_SETCLOCK", "PY_HAVE_PERF_TRAMPOLINE")
"""Macros of ``pyconfig.h`` that configure defines on Linux alone, and that add members."""


def apply_edits(include: Path) -> None:
    """Change CPython's headers.

    Args:
        include: A source tree's ``Include``.

    Raises:
        SourceError: A line is not there, or more than once: this is another CPython.
    """
    for edit in EDITS:
        path = include / edit.header
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise SourceError(
                f"{edit.header} does not match CPython 3.13: it must contain {edit.old.strip()!r} exactly once"
            )
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def undefine(pyconfig: Path) -> None:
    """Leave `UNDEFINED` out of what configure found.

    Args:
        pyconfig: The ``pyconfig.h`` that it wrote.
    """
    text = pyconfig.read_text(encoding="utf-8")
    for name in UNDEFINED:
        text = text.replace(f"#define {name} 1\n", f"/* #undef {name} */\n")
    pyconfig.write_text(text, encoding="utf-8")


def ensure_darwin_python(home: ForgeHome, release: Release, progress: Progress) -> Path:
    """Such a Python: taken from the cache, or compiled (some three minutes), with CPython's tests.

    Args:
        home: The cache.
        release: The iOS Python's very release.
        progress: Receives progress updates.

    Returns:
        The executable.

    Raises:
        SourceError, NetworkError: The source cannot be had, or is not a CPython that this is known for.
        ToolchainError, BuildError: It cannot be compiled.
    """
    key = fingerprint(
        {
            "cpython": release.cpython.identity,
            "edits": [[edit.header, edit.old, edit.new] for edit in EDITS],
            "undefined": UNDEFINED,
        }
    )
    destination = home.root / "emulate" / "darwin-python" / f"{release.version}-{key[:12]}"
    with locked(home.locks, f"darwin-python-{destination.name}"):
        if not destination.is_dir():
            archive = fetch(release.cpython.source, home, progress)
            _build(home, release, archive, destination, progress)
    return destination / "bin" / f"python{release.minor}"


def _build(home: ForgeHome, release: Release, archive: Path, destination: Path, progress: Progress) -> None:
    subject = f"Python {release.version} with Darwin's layout"
    log = new_log(home.logs, f"darwin-python-{release.version}")
    work = new_attempt(home.work, f"darwin-python-{destination.name}")
    tree = work / "Python"
    prepare(archive, (), tree, progress)
    apply_edits(tree / "Include")
    env = build_environment(work)
    progress.phase(subject, "configure")
    # For its final place; staged below a root, and moved.
    run(["./configure", f"--prefix={destination}", "--without-ensurepip"], log=log, env=env, cwd=tree, what=subject)
    undefine(tree / "pyconfig.h")
    progress.phase(subject, "compile")
    run(["make", f"-j{cpu_count()}"], log=log, env=env, cwd=tree, what=subject)
    progress.phase(subject, "install")
    with atomic_directory(destination) as temporary:
        run(["make", "install", f"DESTDIR={temporary}/root"], log=log, env=env, cwd=tree, what=subject)
        for child in (temporary / "root" / destination.relative_to("/")).iterdir():
            child.rename(temporary / child.name)
        shutil.rmtree(temporary / "root")
    remove_tree(work)
