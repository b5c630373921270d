"""``_ctypes_test`` as a Mach-O image: the C functions that CPython's tests of ctypes call.

An iOS Python is built without test modules. This one is compiled from the same source archive with forge's toolchain,
and linked as CPython's iOS build links extension modules (``BLDSHARED`` in its ``configure.ac``).

    emulate/ctypes-test/<version>-<multiarch>-<fingerprint>/_ctypes_test.cpython-313-iphonesimulator.so
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.atomic import atomic_directory, locked
from forge.base.attempts import new_attempt, new_log, remove_tree
from forge.base.errors import SourceError
from forge.base.hashing import file_sha256, fingerprint
from forge.base.process import run
from forge.ios_python.releases import find_release
from forge.source.fetch import fetch, prepare
from forge.toolchain.environment import cross_environment

if TYPE_CHECKING:
    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext

SOURCE = Path("Modules", "_ctypes", "_ctypes_test.c")
"""The module's path in CPython's source tree, next to its header."""

FLAGS = ("-O2", "-DNDEBUG", "-fno-strict-aliasing", "-fwrapv", "-dynamiclib")
"""Those of CPython's ``OPT`` and ``BASECFLAGS`` that change the compiled code."""


def ensure_ctypes_test(context: BuildContext, target: Target, progress: Progress) -> Path:
    """The directory with ``_ctypes_test`` for a target: taken from the cache, or compiled (a few seconds).

    Args:
        context: The cache, the toolchain, and the iOS Python, whose release's source is compiled.
        target: The ABI and CPU.
        progress: Receives progress updates.

    Raises:
        SourceError, NetworkError: CPython's source is not available, or does not contain the module.
        BuildError: The module cannot be compiled.
    """
    release = find_release(context.python.minor)
    key = fingerprint(
        {
            "cpython": release.cpython.identity,
            "python": context.python.fingerprint(target),
            "toolchain": context.toolchain.id,
            "code": file_sha256(Path(__file__)),
        }
    )
    home = context.home
    entry = f"{release.version}-{target.multiarch}-{key[:12]}"
    destination = home.root / "emulate" / "ctypes-test" / entry
    with locked(home.locks, f"ctypes-test-{entry}"):
        if not destination.is_dir():
            archive = fetch(release.cpython.source, home, progress)
            progress.phase(f"_ctypes_test {target}", "compile")
            work = new_attempt(home.work, f"ctypes-test-{entry}")
            prepare(archive, (), work / "Python", progress)
            with atomic_directory(destination) as temporary:
                _compile(context, target, work, temporary)
            remove_tree(work)
    return destination


def _compile(context: BuildContext, target: Target, work: Path, into: Path) -> None:
    source = work / "Python" / SOURCE
    if not source.is_file():
        raise SourceError(f"the source of CPython {context.python.minor} does not contain {SOURCE.as_posix()}")
    name = f"_ctypes_test.cpython-{context.python.python_tag.removeprefix('cp')}-{target.abi}.so"
    log = new_log(context.home.logs, f"ctypes-test-{target.multiarch}")
    run(
        [
            context.toolchain.path[0] / "xcrun", "--sdk", str(target.abi), "clang", "-target", target.clang_triple,
            *FLAGS, f"-I{context.python.headers(target)}", "-F", context.python.slice(target), "-framework", "Python",
            source, "-o", into / name,
        ],
        log=log, env=cross_environment(context.toolchain, target, work), cwd=work, what="compiling _ctypes_test",
    )  # fmt: skip
