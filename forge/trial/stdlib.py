"""CPython's own tests, run over the extension modules of forge's iOS Python: a test of the toolchain on a large scale.

The modules are loaded into a Linux CPython of the same release that is laid out as on Darwin
(`forge.emulate.darwin_python`), and the same tests are run in it with its own modules. Python answers as Linux: where
``sys.platform`` is ``ios`` many tests do not run.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from forge.base.errors import TrialError
from forge.emulate.ctypes_test import ensure_ctypes_test
from forge.emulate.libcxx import ensure_libcxx
from forge.emulate.process import run_limited
from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.session import Case, describe_record
from forge.trial.comparison import compare
from forge.trial.emulator import ensure_linux, process_environment
from forge.trial.junit import read_case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.trial.comparison import Comparison

GROUPS: Mapping[str, tuple[str, ...]] = {
    "heapq": ("test_heapq",),
    "bisect": ("test_bisect",),
    "json": ("test_json",),
    "struct": ("test_struct",),
    "math, cmath": ("test_math", "test_cmath"),
    "decimal": ("test_decimal",),
    "datetime": ("test_datetime",),
    "pickle": ("test_pickle", "test_pickletools"),
    "hashlib": ("test_hashlib", "test_hmac"),
    "zlib, bz2, lzma": ("test_zlib", "test_bz2", "test_lzma"),
    "csv": ("test_csv",),
    "array": ("test_array",),
    "binascii": ("test_binascii",),
    "pyexpat": ("test_pyexpat",),
    "elementtree": ("test_xml_etree", "test_xml_etree_c"),
    "unicodedata": ("test_unicodedata",),
    "codecs": ("test_codecs", "test_multibytecodec", "test_codecencodings_jp", "test_codecencodings_kr"),
    "random": ("test_random",),
    "statistics": ("test_statistics",),
    "select": ("test_select", "test_selectors", "test_poll", "test_kqueue"),
    "socket": ("test_socket",),
    "mmap": ("test_mmap",),
    "sqlite3": ("test_sqlite3",),
    "ssl": ("test_ssl",),
    "ctypes": ("test_ctypes",),
    "fcntl, termios": ("test_fcntl", "test_termios"),
    "multiprocessing": ("test_multiprocessing_fork",),
}
"""Modules, and CPython's tests of them."""

NEEDS_CTYPES_TEST = "ctypes"
"""The group whose tests open ``_ctypes_test``, which an iOS Python does not have."""

PATTERNS: Mapping[str, tuple[str, ...]] = {
    "test_multiprocessing_fork": ("*Lock*", "*Semaphore*", "*Condition*", "*Event*", "*Barrier*", "*SemLock*"),
}
"""Of a test that is about more, what is about the extension module."""


@dataclass(frozen=True)
class GroupResult:
    """What became of a group of tests.

    Args:
        name: The group's.
        modules: Extension modules that were imported from Mach-O files.
        comparison: Beside the same tests with the Linux modules.
        notes: What happened to processes that did not end by themselves.
    """

    name: str
    modules: tuple[str, ...]
    comparison: Comparison
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Run:
    cases: tuple[Case, ...]
    modules: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float


def try_standard_library(
    python: Path, directory: Path, target: Target, context: BuildContext, names: Sequence[str], progress: Progress,
    *, tests: Path | None = None, seconds: float = 900,
) -> tuple[GroupResult, ...]:  # fmt: skip
    """Run groups of CPython's tests with Mach-O modules, and with the Linux ones.

    Args:
        python: A Linux CPython.
        directory: An iOS Python's ``lib-dynload``.
        target: What that is for; its CPU is this machine's.
        context: The cache and the toolchain.
        names: Keys of `GROUPS`.
        progress: Receives progress updates.
        tests: The directory that CPython's package ``test`` is in, where the Python has none.
        seconds: For each process.

    Raises:
        TrialError: A name is no group's.
        ForgeError: The shim or libc++ cannot be had.
    """
    if unknown := sorted(set(names) - set(GROUPS)):
        raise TrialError(f"unknown group {unknown[0]!r}", hint=f"known groups: {', '.join(GROUPS)}")
    loader = LoaderConfig(
        shim=ensure_linux(context, target.arch, progress).shim,
        libcxx=ensure_libcxx(context.home, context.toolchain, target, progress),
    )
    results = []
    context.home.work.mkdir(parents=True, exist_ok=True)
    for name in names:
        progress.phase(f"CPython's tests of {name}", "run")
        runs = []
        macho = [directory]
        if name == NEEDS_CTYPES_TEST:
            macho.append(ensure_ctypes_test(context, target, progress))
        for config, modules in ((loader, macho), (None, [])):
            with tempfile.TemporaryDirectory(prefix="stdlib-", dir=context.home.work) as work:
                parts = [_run_test(test, python, config, modules, tests, Path(work), seconds) for test in GROUPS[name]]
            runs.append(parts)
        emulated, host = runs
        comparison = compare(
            [case for part in emulated for case in part.cases], [case for part in host for case in part.cases], (),
            sum(part.seconds for part in host),
        )  # fmt: skip
        found = tuple(sorted({module for part in emulated for module in part.modules}))
        results.append(GroupResult(name, found, comparison, tuple(note for part in emulated for note in part.notes)))
    return tuple(results)


def _run_test(
    test: str, python: Path, loader: LoaderConfig | None, directories: Sequence[Path], tests: Path | None,
    root: Path, seconds: float,
) -> _Run:  # fmt: skip
    work = root / test
    work.mkdir()
    junit, report, records = work / "junit.xml", work / "report.json", work / "records.jsonl"
    arguments = [f"--junit-xml={junit}", "--timeout", str(int(seconds))]
    arguments += [part for pattern in PATTERNS.get(test, ()) for part in ("-m", pattern)]
    session = {
        "loader": None if loader is None else {**json.loads(loader.to_json()), "report": str(records)},
        "guise": None, "executable": None, "memory": 0, "paths": [] if tests is None else [str(tests)],
        "run": "regrtest",
        "directories": [str(one) for one in directories], "arguments": [*arguments, test], "report": str(report),
    }  # fmt: skip
    (work / "session.json").write_text(json.dumps(session), encoding="utf-8")
    output = work / "output.log"
    ended = run_limited(
        [python, "-s", "-m", "forge.emulate.runtime.main", work / "session.json"],
        env=process_environment(work), cwd=work, output=output, timeout=seconds,
    )  # fmt: skip
    cases = _cases(junit) if junit.is_file() else ()
    notes: list[str] = []
    if not cases and ended.normally and ended.code == 0:
        cases = (Case(test, "skipped", ended.seconds, "all of it"),)
    if not cases:
        rows = [json.loads(line) for line in records.read_text().splitlines()] if records.is_file() else []
        lines = output.read_text(encoding="utf-8", errors="replace").splitlines()
        said = describe_record(rows[0]) if rows else (ended.signal or f"code {ended.code}: {' / '.join(lines[-4:])}")
        notes.append(f"{test}: {'timed out' if ended.timed_out else said}")
        cases = (Case(test, "crashed", ended.seconds, notes[0]),)
    modules = json.loads(report.read_text())["modules"] if report.is_file() else {}
    return _Run(cases, tuple(modules), tuple(notes), ended.seconds)


_SUBTEST = "a subtest of a test that is absent"


def _cases(junit: Path) -> tuple[Case, ...]:
    """The tests of a JUnit file as regrtest writes it; one that is there several times (subtests) has the worst."""
    found: dict[str, Case] = {}
    for element in ET.parse(junit).iter("testcase"):  # noqa: S314 - the file of a process of ours
        name = element.get("name")
        if name is None:  # so regrtest writes a subtest that failed, and leaves the test out
            found[_SUBTEST] = Case(_SUBTEST, "failed", 0.0)
            continue
        earlier = found.get(name)
        if earlier is None or not earlier.is_bad:
            found[name] = read_case(element, name)
    return tuple(found.values())
