"""What checks look at: a wheel, read once, with its Mach-O files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.audit.classes import own_classes
from forge.audit.content import Leak, find_leaks, foreign_program, guess_leaks
from forge.audit.instructions import NewInstructions, new_instructions
from forge.macho.checkout import layout_problem
from forge.macho.errors import MachOError
from forge.macho.fixups import bound_names, fixed_up_segments
from forge.macho.formats import describe_format, looks_like_macho
from forge.macho.layout import read_layout
from forge.macho.load_code import LoadCode, read_load_code
from forge.macho.model import FileType, SignatureKind
from forge.macho.reader import read_macho
from forge.macho.sign import SignatureCheck, SignatureStatus, verify_signature
from forge.wheel.archived_code import archived_code
from forge.wheel.contents import WheelContents, read_wheel
from forge.wheel.framework_name import installed_path
from forge.wheel.metadata_problems import metadata_problems, missing_licenses
from forge.wheel.opened import OpenedLibraries
from forge.wheel.openssl import openssl_version
from forge.wheel.privacy import SUFFIX as PRIVACY_SUFFIX
from forge.wheel.privacy import manifest_problems
from forge.wheel.sbom_read import WheelSbom, is_sbom, read_sbom
from forge.wheel.startup import is_startup_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from forge.base.target import Target
    from forge.macho.model import MachOFile, MachOSlice

_WRITE = 2
"""``VM_PROT_WRITE`` (``mach/vm_prot.h``)."""

_STATIC_ARCHIVE = b"!<arch>\n"


@dataclass(frozen=True)
class Promise:
    """What a recipe, or a file name, says that a wheel will be.

    Args:
        name: The project's name, in any spelling that PEP 503 holds for the same.
        version: Its version.
        target: What it is built for.
        python: The Python tag, e.g. ``cp313``.
        native: Whether it holds code for the target.
        extensions: Dotted names of the extension modules it must have.
        libraries: Patterns (fnmatch) of the dotted names of files that are libraries, not modules.
        forbidden_prefixes: Directories of the build machine that must not be named in it, e.g. the build's.
        source: Who promises, for messages.
    """

    name: str
    version: str
    target: Target
    python: str
    native: bool
    extensions: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    forbidden_prefixes: tuple[str, ...] = ()
    source: str = "the recipe"


@dataclass(frozen=True)
class Subject:
    """A wheel, read.

    Args:
        contents: The wheel.
        binaries: Its Mach-O files that can be read, by path.
        broken: Why the other Mach-O files cannot, by path.
        formats: What the ``.so`` and ``.dylib`` files that are no Mach-O are instead, by path.
        archives: Paths of static archives.
        leaks: Paths of the build machine.
        programs: Which other systems' programs and libraries the rest holds, by path.
        signatures: Of each Mach-O file, what a look at each slice's signature gave.
        openssl: The OpenSSL that a Mach-O file contains, by path.
        classes: The C++ classes that a Mach-O file has for itself (`forge.audit.classes.own_classes`), by path.
        load_code: Of each Mach-O file that a dynamic linker loads, what runs in each slice when it does.
        fixed_up_read_only: The read-only segments that dyld would have to write to, by path.
        sboms: The bills of materials in it.
        opened: Compiled files that the package opens by path with ctypes or cffi rather than imports.
        manifests: What is wrong with each privacy manifest, by path.
        metadata_problems: What is wrong with METADATA and entry_points.txt: path, text, whether installers refuse it.
        provided: Frameworks that the app has besides.
        archived_code: Of each zip archive with code in it, the first file that is code.
        new_instructions: Of each binary, what not every CPU of iOS 12 to 18 can run.
        startup: The files that Python reads at its start in site directories, by path.
        layouts: Why Apple's tools would refuse to sign a Mach-O file, by path.
    """

    contents: WheelContents
    binaries: Mapping[str, MachOFile]
    broken: Mapping[str, str]
    formats: Mapping[str, str]
    archives: tuple[str, ...]
    leaks: tuple[Leak, ...]
    programs: Mapping[str, str] = field(default_factory=dict)
    signatures: Mapping[str, tuple[SignatureCheck, ...]] = field(default_factory=dict)
    openssl: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    load_code: Mapping[str, tuple[LoadCode, ...]] = field(default_factory=dict)
    fixed_up_read_only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sboms: tuple[WheelSbom, ...] = ()
    layouts: Mapping[str, str] = field(default_factory=dict)
    opened: frozenset[str] = frozenset()
    manifests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metadata_problems: tuple[tuple[str, str, bool], ...] = ()
    provided: frozenset[str] = frozenset()
    startup: Mapping[str, bytes] = field(default_factory=dict)
    archived_code: Mapping[str, str] = field(default_factory=dict)
    new_instructions: Mapping[str, NewInstructions] = field(default_factory=dict)

    @property
    def is_native(self) -> bool:
        """Whether it holds anything compiled."""
        return bool(self.binaries or self.broken or self.formats or self.archives)

    def slices(self) -> Iterator[tuple[str, MachOSlice]]:
        """Every slice of every Mach-O file, with the file's path, sorted by path."""
        for member, binary in sorted(self.binaries.items()):
            for one in binary.slices:
                yield member, one


def read_subject(wheel: Path, forbidden_prefixes: tuple[str, ...] = (), *, guess: bool = False) -> Subject:
    """Read a wheel and every Mach-O file in it.

    Args:
        wheel: The wheel.
        forbidden_prefixes: Directories to look for in each file.
        guess: Whether to look for what looks like a directory of a build machine, too.

    Raises:
        WheelError: The wheel cannot be read; a broken Mach-O file in it is no error here.
    """
    contents = read_wheel(wheel)
    return read_files(contents, contents.read_all(), forbidden_prefixes, guess=guess)


def read_files(
    contents: WheelContents,
    files: Iterable[tuple[str, bytes]],
    forbidden_prefixes: tuple[str, ...] = (),
    *,
    guess: bool = False,
) -> Subject:
    """Read a wheel's files, as `read_subject` does.

    Args:
        contents: The wheel.
        files: Every member's path and bytes.
        forbidden_prefixes: Directories to look for in each file.
        guess: Whether to look for what looks like a directory of a build machine, too.
    """
    reading = _Reading()
    opened = OpenedLibraries({extension.member: extension.module for extension in contents.extensions})
    for member, data in files:
        reading.take(member, data)
        opened.look_at(member, data)
        binary = reading.binaries.get(member)
        reading.leaks += find_leaks(member, data, forbidden_prefixes, binary)
        if guess and binary:
            reading.leaks += guess_leaks(member, data, binary)
    members = [member.path for member in contents.members]
    problems = [
        (path, f"License-File names {name}, which the wheel lacks", False)
        for path, data in reading.metadata.items()
        for name in missing_licenses(data, contents.dist_info, members)
    ]
    return Subject(
        contents=contents,
        binaries=reading.binaries,
        broken=reading.broken,
        formats=reading.formats,
        archives=tuple(reading.archives),
        leaks=tuple(reading.leaks),
        programs=reading.programs,
        signatures=reading.signatures,
        openssl=reading.openssl,
        classes=reading.classes,
        load_code=reading.load_code,
        fixed_up_read_only=reading.fixed_up_read_only,
        sboms=tuple(reading.sboms),
        layouts=reading.layouts,
        opened=opened.found(),
        manifests=reading.manifests,
        metadata_problems=(*reading.metadata_problems, *problems),
        startup=reading.startup,
        archived_code=reading.archived_code,
        new_instructions=reading.new_instructions,
    )


@dataclass
class _Reading:
    """A `Subject` in the making."""

    binaries: dict[str, MachOFile] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    formats: dict[str, str] = field(default_factory=dict)
    archives: list[str] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    programs: dict[str, str] = field(default_factory=dict)
    signatures: dict[str, tuple[SignatureCheck, ...]] = field(default_factory=dict)
    openssl: dict[str, str] = field(default_factory=dict)
    classes: dict[str, frozenset[str]] = field(default_factory=dict)
    load_code: dict[str, tuple[LoadCode, ...]] = field(default_factory=dict)
    fixed_up_read_only: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sboms: list[WheelSbom] = field(default_factory=list)
    layouts: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    metadata_problems: list[tuple[str, str, bool]] = field(default_factory=list)
    startup: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, bytes] = field(default_factory=dict)
    archived_code: dict[str, str] = field(default_factory=dict)
    new_instructions: dict[str, NewInstructions] = field(default_factory=dict)

    def take(self, member: str, data: bytes) -> None:
        """Sort one file."""
        if looks_like_macho(data[:8]):
            try:
                binary = read_macho(data)
                self._look_into(member, data, binary)
            except MachOError as error:
                self.broken[member] = error.problem
                return
            self.binaries[member] = binary
            self.signatures[member] = tuple(
                _verify(data[one.offset : one.offset + one.size] if binary.is_fat else data) for one in binary.slices
            )
            if version := openssl_version(data):
                self.openssl[member] = version
        elif member.endswith((".so", ".dylib")):
            self.formats[member] = describe_format(data[:8])
        elif data.startswith(_STATIC_ARCHIVE):
            self.archives.append(member)
        elif member.endswith(PRIVACY_SUFFIX):
            self.manifests[member] = manifest_problems(data)
        elif member.endswith((".dist-info/METADATA", ".dist-info/entry_points.txt")) and member.count("/") == 1:
            self.metadata_problems += [(member, *problem) for problem in metadata_problems(member, data)]
            if member.endswith("/METADATA"):
                self.metadata[member] = data
        elif is_startup_file(installed_path(member) or "/"):
            self.startup[member] = data
        elif is_sbom(member):
            self.sboms.append(read_sbom(member, data))
        elif inner := archived_code(data):
            self.archived_code[member] = inner
        elif what := foreign_program(data):
            self.programs[member] = what

    def _look_into(self, member: str, data: bytes, binary: MachOFile) -> None:
        """What dyld does with the file: where it writes, what it runs; and whose classes are in it."""
        frames = read_layout(data)[1]
        parts = [(data[f.offset : f.offset + f.size], f, s) for f, s in zip(frames, binary.slices, strict=True)]
        problems = [problem for frame in frames if (problem := layout_problem(frame)) is not None]
        if problems:
            self.layouts[member] = problems[0]
        for body, frame, one in parts:
            # dyld goes by its opcodes; every check of symbols goes by the symbol table.
            known = {i.name for i in one.imports} | {export.name for export in one.exports}
            if other := sorted(bound_names(body, frame) - known):
                raise MachOError(f"dyld looks up {other[0]}, which the symbol table does not have")
        images = [part for part in parts if part[2].file_type is not FileType.OBJECT]
        self.load_code[member] = tuple(read_load_code(*part) for part in images)
        self.classes[member] = frozenset(name for body, _, one in images for name in own_classes(body, one))
        for body, _, one in images:
            if (found := new_instructions(body, one)) is not None:
                self.new_instructions[member] = found
        read_only = {
            one.segments[index].name
            for body, frame, one in images
            for index in fixed_up_segments(body, frame)
            if not one.segments[index].protection & _WRITE
        }
        if read_only:
            self.fixed_up_read_only[member] = tuple(sorted(read_only))


def _verify(data: bytes) -> SignatureCheck:
    try:
        return verify_signature(data)
    except MachOError as error:
        return SignatureCheck(SignatureStatus.INVALID, SignatureKind.UNKNOWN, error.problem)
