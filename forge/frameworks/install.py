"""A package's files where ``pip install --target`` puts them, one wheel or two simulators' wheels joined.

purelib and platlib are the same directory; files of the data scheme go to its top, as with pip. What an app cannot
use stays out: scripts, headers, static libraries.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.frameworks.findings import Finding, app_finding, finding
from forge.wheel.app_rules import file_problem, look_at
from forge.wheel.archive import open_archive, read_member
from forge.wheel.pack import rewrite_tags
from forge.wheel.record import SIGNATURES

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator

    from forge.base.target import Arch
    from forge.frameworks.options import Options
    from forge.frameworks.plan import Package, PlannedWheel

_INSTALLED = frozenset({"purelib", "platlib", "data"})


@dataclass(frozen=True)
class InstalledFile:
    """A file of a package.

    Args:
        path: Below site-packages.
        parts: Its bytes: one for a file that every wheel of the package has the same, else one for each architecture.
            An extension module of a native wheel always has the latter.
    """

    path: str
    parts: dict[Arch | None, bytes]

    @property
    def data(self) -> bytes:
        """The bytes of a file that is the same for all."""
        return next(iter(self.parts.values()))


def installed_files(package: Package, place: str, options: Options, report: list[Finding]) -> Iterator[InstalledFile]:
    """A package's files, sorted by path; RECORD and what an installer writes are left out.

    Args:
        package: Its wheels.
        place: What findings call the directory that the files go into.
        options: What to leave out, and which simulator's file to prefer.
        report: Gets what is left out and what does not go together.

    Raises:
        WheelError: A wheel cannot be read.
    """
    with contextlib.ExitStack() as stack:
        readers = [
            _Reader(wheel, *stack.enter_context(_opened(wheel, place, options, report))) for wheel in package.wheels
        ]
        for path in sorted({path for reader in readers for path in reader.members}):
            having = [reader for reader in readers if path in reader.members]
            file = InstalledFile(path, {reader.arch: reader.read(path) for reader in having})
            yield from _told(file, readers, place, options, report)


@dataclass(frozen=True)
class _Reader:
    """An open wheel: *members* has the installed paths' members."""

    wheel: PlannedWheel
    archive: zipfile.ZipFile
    members: dict[str, str]

    @property
    def arch(self) -> Arch | None:
        return self.wheel.target.arch if self.wheel.target else None

    def read(self, path: str) -> bytes:
        return read_member(self.archive, self.members[path], self.wheel.contents.name.filename)


@contextlib.contextmanager
def _opened(
    wheel: PlannedWheel, place: str, options: Options, report: list[Finding]
) -> Iterator[tuple[zipfile.ZipFile, dict[str, str]]]:
    contents = wheel.contents
    own = {f"{contents.dist_info}/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED", *SIGNATURES)}
    left: Counter[str] = Counter()
    found: dict[str, str] = {}
    for member in contents.members:
        scheme, path = _placed(member.path)
        if path is None:
            left[scheme] += 1
        elif path not in own and not options.excludes(path):
            if path in found:
                report.append(finding("FW101", f"{place}/{path}", f"{contents.name.filename} has it twice"))
            found[path] = member.path
    report += [
        finding("FW108", contents.name.filename, f"{problem.member} {problem.text}")
        for problem in contents.record_problems
    ]
    report += [
        finding("FW107", contents.name.filename, f"{count} file{'s' if count > 1 else ''} of the scheme {scheme!r}")
        for scheme, count in sorted(left.items())
    ]
    with open_archive(contents.path) as (archive, _):
        yield archive, found


def _placed(member: str) -> tuple[str, str | None]:
    """A member's scheme, and where it is installed; None for what stays out."""
    top, _, rest = member.partition("/")
    if not top.endswith(".data") or not rest:
        return "", member
    scheme, _, path = rest.partition("/")
    return scheme, path if scheme in _INSTALLED and path else None


def _told(
    file: InstalledFile, readers: list[_Reader], place: str, options: Options, report: list[Finding]
) -> Iterator[InstalledFile]:
    """The file as it goes into the tree: nothing, itself, or one architecture's."""
    if not file.path.endswith(".so"):
        look = look_at(file.data)
        if look.is_static:
            if (problem := file_problem(file.path, look)) is not None:
                report.append(app_finding(f"{place}/{file.path}", problem))
            return
        if look.foreign is not None and file.path.endswith(".exe"):
            report.append(finding("FW112", f"{place}/{file.path}", "left out"))
            return
    if file.path.endswith(".so") and None not in file.parts and len(file.parts) == len(readers):
        yield file
        return
    if len(file.parts) == len(readers) and len(set(file.parts.values())) == 1:
        yield InstalledFile(file.path, {None: file.data})
        return
    yield from _joined(file, readers, place, options, report)


def _joined(
    file: InstalledFile, readers: list[_Reader], place: str, options: Options, report: list[Finding]
) -> Iterator[InstalledFile]:
    """What becomes of a file that the simulators' wheels disagree on."""
    dist_info = readers[0].wheel.contents.dist_info
    if file.path == f"{dist_info}/WHEEL":
        tags = {tag for reader in readers for tag in reader.wheel.contents.wheel.tags}
        rewritten = {rewrite_tags(data, tags) for data in file.parts.values()}
        if len(rewritten) == 1:
            yield InstalledFile(file.path, {None: rewritten.pop()})
            return
    if file.path.startswith(f"{dist_info}/sboms/"):
        # Each is about one wheel's binaries, and both are in the tree (PEP 770 lets any number be there).
        directory, _, last = file.path.rpartition("/")
        for arch, data in sorted(file.parts.items(), key=lambda one: str(one[0])):
            yield InstalledFile(f"{directory}/{arch}-{last}", {None: data})
        return
    missing = [str(reader.arch) for reader in readers if reader.arch not in file.parts]
    said = f"not in the {', '.join(missing)} wheel" if missing else "differs between the simulators' wheels"
    if options.prefer is None:
        report.append(finding("FW104", f"{place}/{file.path}", said))
    elif options.prefer in file.parts:
        report.append(finding("FW105", f"{place}/{file.path}", f"{said}; {options.prefer}'s is taken"))
        code = file.path.endswith(".so")
        yield InstalledFile(file.path, {options.prefer if code else None: file.parts[options.prefer]})
    else:
        report.append(finding("FW105", f"{place}/{file.path}", f"{said}; left out"))
