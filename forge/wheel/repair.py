"""``forge repair``: what can be mended in a wheel for iOS is, however the wheel was built.

METADATA and every other file that is not named in the changes stay as they are, to the byte; a wheel with nothing
to mend is copied. The same wheel always gives the same bytes, and a repaired wheel repaired again itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from forge.base.atomic import atomic_file
from forge.base.errors import WheelError
from forge.macho.errors import MachOError
from forge.macho.fat import split_fat
from forge.macho.formats import looks_like_macho
from forge.macho.model import FileType, MachOSlice
from forge.macho.reader import read_macho
from forge.toolchain.environment import SOURCE_DATE_EPOCH
from forge.wheel.contents import WheelContents, holds_native_library, read_wheel
from forge.wheel.framework_name import framework_name, has_dotted_directory
from forge.wheel.name import compress_tags
from forge.wheel.pack import pack_wheel, unpack_wheel
from forge.wheel.privacy import manifest_path
from forge.wheel.repair_binary import MendedBinary, mend_binary
from forge.wheel.repair_libraries import Libraries, library_names, plan_libraries, plan_native_library
from forge.wheel.repair_model import Change, RepairResult, Unmendable
from forge.wheel.repair_tags import MendedTags, mend_tags
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_EDITED = frozenset({FileType.DYLIB, FileType.BUNDLE})
_PURELIB = re.compile(rb"^(Root-Is-Purelib:[ \t]*)true", flags=re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True)
class _Binaries:
    """What a wheel's dylibs and bundles (of a fat file the slice that is due) say, by path.

    Their bytes are read again where they are needed, one file at a time: all of them may be larger than the memory.
    """

    slices: Mapping[str, MachOSlice]
    named_in_code: frozenset[str]
    thinned: tuple[Change, ...]
    unmendable: tuple[Unmendable, ...]


def repair_wheel(
    wheel: Path,
    out_dir: Path,
    *,
    dry_run: bool = False,
    source_date_epoch: int = SOURCE_DATE_EPOCH,
    taken: Collection[Path] = (),
) -> RepairResult:
    """Mend what can be mended in a wheel.

    Args:
        wheel: The wheel; it stays as it is unless *out_dir* is its own directory. There the new one takes its place.
        out_dir: Where the new one goes; made if need be.
        dry_run: Only tell what would be done.
        source_date_epoch: The new one's time stamp, seconds of the Unix epoch.
        taken: Wheels that were written before, which must not be written again.

    Raises:
        WheelError: The wheel cannot be read, or is not safe. What is wrong inside it is no error but in the result.
    """
    contents = read_wheel(wheel)
    binaries = _read_binaries(contents)
    wheel_path = f"{contents.dist_info}/WHEEL"
    tags = mend_tags(contents.name.tags, contents.wheel.tags, binaries.slices.values(), wheel_path)
    destination = out_dir / _file_name(contents, tags)
    obstacle = _obstacle(wheel, destination, taken)
    output = None if dry_run or obstacle else destination
    with _Workshop(output) as work:
        libraries, mended = _mend_binaries(contents, binaries, work)
        changes = [*binaries.thinned, *tags.changes]
        changes += [Change(old, "path", old, new) for old, new in libraries.paths.items()]
        members = {member.path for member in contents.members}
        manifests = {(manifest_path(old), manifest_path(new)) for old, new in libraries.paths.items()}
        changes += [Change(old, "path", old, new) for old, new in sorted(manifests) if old in members]
        changes += [change for one in mended.values() for change in one.changes]
        if contents.wheel.root_is_purelib and binaries.slices and contents.name.platforms != ("any",):
            changes.append(Change(wheel_path, "Root-Is-Purelib", "true", "false"))
        if contents.record_problems:
            said = "; ".join(f"{problem.member} {problem.text}" for problem in contents.record_problems[:3])
            changes.append(Change(f"{contents.dist_info}/RECORD", "RECORD", said, "made anew"))
        unmendable = [*binaries.unmendable, *libraries.unmendable, *tags.unmendable, *_collisions(binaries, libraries)]
        unmendable += [rest for one in mended.values() for rest in one.unmendable]
        if obstacle is not None:
            unmendable.append(obstacle)
        if output is None:
            pass
        elif changes:
            _write(contents, work, binaries, libraries.paths, tags, source_date_epoch).replace(output)
            if output != wheel and wheel.parent.samefile(output.parent):
                wheel.unlink()  # repaired in place, under the name that its tags give it
        elif not output.exists() or not output.samefile(wheel):
            with wheel.open("rb") as source, atomic_file(output) as copy:
                shutil.copyfileobj(source, copy)
    return RepairResult(
        wheel,
        output,
        tuple(sorted(changes, key=lambda change: change.member or "")),
        tuple(sorted(dict.fromkeys(unmendable), key=lambda rest: rest.member or "")),
    )


class _Workshop:
    """A directory beside the new wheel, made when the first file goes into it, and removed at the end.

    Args:
        output: The new wheel; None where none is written, and nothing is kept.
    """

    def __init__(self, output: Path | None) -> None:
        self._output = output
        self._stack = contextlib.ExitStack()
        self._path: Path | None = None
        self.kept: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def path(self) -> Path:
        """The directory."""
        if self._path is None:
            assert self._output is not None  # noqa: S101 - nothing is made where no wheel is written
            self._output.parent.mkdir(parents=True, exist_ok=True)
            made = tempfile.TemporaryDirectory(prefix=".repair.", dir=self._output.parent)
            self._path = Path(self._stack.enter_context(made))
        return self._path

    def keep(self, member: str, data: bytes) -> None:
        """Keep a binary that has changed, in place of an earlier state of it."""
        if self._output is not None:
            file = self.kept.setdefault(member, self.path / f"{len(self.kept)}.macho")
            file.write_bytes(data)


def _obstacle(wheel: Path, destination: Path, taken: Collection[Path]) -> Unmendable | None:
    """Why the new wheel cannot be written, if so."""
    if destination in taken:
        return Unmendable(None, "file name", f"another wheel was repaired to {destination.name} already")
    if destination == wheel or not destination.exists() or destination.samefile(wheel):
        return None
    if not wheel.parent.samefile(destination.parent):
        return None
    said = f"its tags are those of {destination.name}, which is there already: remove one of the two"
    return Unmendable(None, "file name", said)


def _read_binaries(contents: WheelContents) -> _Binaries:
    slices: dict[str, MachOSlice] = {}
    thinned: list[Change] = []
    unmendable: list[Unmendable] = []
    names = library_names(member.path for member in contents.members)
    in_code: set[str] = set()
    for member, body in contents.read_all():
        if member.endswith(".py"):
            in_code |= {name for name, wanted in names.items() if any(text in body for text in wanted)}
        if not looks_like_macho(body[:8]):
            continue
        try:
            binary = read_macho(body)
            if binary.slices[0].file_type not in _EDITED:
                continue
            one = _due_slice(contents, body)[0] if binary.is_fat else binary.slices[0]
        except MachOError as error:
            unmendable.append(Unmendable(member, "Mach-O", error.problem))
            continue
        slices[member] = one
        if binary.is_fat:
            thinned.append(Change(member, "slices", ", ".join(one.cpu for one in binary.slices), one.cpu))
    return _Binaries(slices, frozenset(in_code), tuple(thinned), tuple(unmendable))


def _due_slice(contents: WheelContents, body: bytes) -> tuple[MachOSlice, bytes]:
    """The slice of a fat file that the wheel's platform tag asks for."""
    try:
        arches = {parse_platform_tag(platform).arch.value for platform in contents.name.platforms}
    except WheelError as error:
        raise MachOError(f"a fat file, and the wheel's tag names no target: {error.message}") from error
    found = [(one, part) for part in split_fat(body) if (one := read_macho(part).slices[0]).cpu.value in arches]
    if len(found) != 1:
        raise MachOError(f"a fat file with {len(found)} slices for the wheel's platform tag")
    return found[0]


def _mend_binaries(
    contents: WheelContents, binaries: _Binaries, work: _Workshop
) -> tuple[Libraries, dict[str, MendedBinary]]:
    """Mend every binary; a library whose new name does not fit somewhere keeps its old one everywhere.

    Args:
        contents: The wheel.
        binaries: What its binaries say.
        work: Keeps the binaries that change.

    Returns:
        The libraries' names, and of each binary what was done, without its bytes.
    """
    blocked: frozenset[str] = frozenset()
    members = [member.path for member in contents.members]
    fat = {change.member for change in binaries.thinned}
    while True:
        libraries = (
            plan_native_library(binaries.slices)
            if holds_native_library(members, contents.dist_info)
            else plan_libraries(binaries.slices, members, binaries.named_in_code, blocked)
        )
        frameworks = _frameworks(binaries, libraries, members)
        mended: dict[str, MendedBinary] = {}
        refused: set[str] = set()
        for member, body in contents.read_all():
            if member not in binaries.slices:
                continue
            data = _due_slice(contents, body)[1] if member in fat else body
            loads = libraries.loads.get(member, {})
            one = mend_binary(member, data, binaries.slices[member], frameworks.get(member), loads)
            mended[member] = dataclasses.replace(one, data=b"")
            refused |= {libraries.targets[member, name] for name in one.refused if (member, name) in libraries.targets}
            if one.data != body or member in work.kept:
                work.keep(member, one.data)
        if refused <= blocked:
            return libraries, mended
        blocked |= refused


def _frameworks(binaries: _Binaries, libraries: Libraries, members: list[str]) -> dict[str, str]:
    """The framework of each binary; none where two files would have the same, or it has no valid name."""
    names = {member: framework_name(libraries.paths.get(member, member)) or "" for member in members}
    # Apps are built on file systems that take letters of both cases for the same.
    count = Counter(name.casefold() for name in names.values())
    return {
        member: names[member] for member in binaries.slices if names[member] and count[names[member].casefold()] == 1
    }


def _collisions(binaries: _Binaries, libraries: Libraries) -> list[Unmendable]:
    members = [libraries.paths.get(member, member) for member in binaries.slices]
    count = Counter((framework_name(member) or "").casefold() for member in members)
    return [
        Unmendable(member, "framework", f"another file's is called {name} too")
        for member in members
        if (name := framework_name(member)) and count[name.casefold()] > 1 and not has_dotted_directory(member)
    ]


def _file_name(contents: WheelContents, tags: MendedTags) -> str:
    if tags.name == contents.name.tags:
        return contents.name.filename
    fields = contents.name.filename.removesuffix(".whl").split("-")
    return "-".join([*fields[:-3], compress_tags(tags.name)]) + ".whl"


def _write(
    contents: WheelContents,
    work: _Workshop,
    binaries: _Binaries,
    paths: Mapping[str, str],
    tags: MendedTags,
    source_date_epoch: int,
) -> Path:
    """Make the new wheel in *work*, of the old one and of the binaries kept there."""
    tree = work.path / "tree"
    unpack_wheel(contents.path, tree)
    for member in binaries.slices:
        file = tree / member
        if (made := work.kept.get(member)) is not None:
            made.chmod(file.stat().st_mode)
            made.replace(file)
        if member in paths:
            new = tree / paths[member]
            new.parent.mkdir(parents=True, exist_ok=True)
            file.rename(new)
    # The privacy manifest beside a library goes along, to where app builds look for it.
    left = set()
    for old, now in paths.items():
        manifest = tree / manifest_path(old)
        if manifest.is_file():
            shutil.copyfile(manifest, tree / manifest_path(now))
            left.add(manifest)
    for manifest in left:
        manifest.unlink()
    if binaries.slices and contents.name.platforms != ("any",):
        wheel_file = tree / contents.dist_info / "WHEEL"
        wheel_file.write_bytes(_PURELIB.sub(rb"\1false", wheel_file.read_bytes()))
    new_tags = tags.wheel if tags.wheel != contents.wheel.tags else None
    return pack_wheel(tree, work.path, source_date_epoch=source_date_epoch, tags=new_tags)
