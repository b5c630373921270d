"""What may be in an app, and under which name: one set of rules for ``forge check`` and ``forge frameworks``.

App builds make a framework of every ``.so`` and leave all else where it is (CPython's ``Doc/using/ios.rst``, and the
build script of its ``iOS/testbed``); the App Store rejects an app with code anywhere else (ITMS-90171).
"""

from __future__ import annotations

import enum
import re
import struct
from dataclasses import dataclass, field

from forge.macho.errors import MachOError
from forge.macho.formats import looks_like_macho
from forge.macho.model import FileType
from forge.macho.reader import read_macho
from forge.wheel.claims import Claims, Clash, ClashKind, same_name_key
from forge.wheel.framework_name import framework_name, has_dotted_directory
from forge.wheel.native import NATIVE_TREE

FILE_NAME_BYTES = 255
"""The longest name of a file or directory on Apple's file systems."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", flags=re.ASCII)
_CODE_SUFFIXES = (".so", ".dylib", ".a")
_ARCHIVE = b"!<arch>\n"


class AppRule(enum.Enum):
    """What an app cannot have."""

    DOTTED_DIRECTORY = "dotted directory"
    NAME = "name"
    IDENTIFIER = "identifier"
    """CPython's build script makes an identifier of the name that the App Store rejects."""
    NAME_CLASH = "name clash"
    CODE = "code"
    PROGRAM = "program"
    STATIC = "static"
    """A static library or an object file, which is for builds and can be left out."""


@dataclass(frozen=True)
class AppProblem:
    """One file that an app cannot have.

    Args:
        rule: Why.
        text: What is wrong, in words that follow the file's name.
    """

    rule: AppRule
    text: str


@dataclass(frozen=True)
class FileLook:
    """What a file is, by its bytes.

    Args:
        file_types: Of a Mach-O file, its slices' types.
        unreadable: Why a Mach-O file cannot be read.
        is_archive: Whether it is a static library.
        foreign: Which other system's program or library it is.
    """

    file_types: frozenset[FileType] = frozenset()
    unreadable: str | None = None
    is_archive: bool = False
    foreign: str | None = None

    @property
    def is_static(self) -> bool:
        """Whether it is a static library or an object file (``ar.h``; ``MH_OBJECT``)."""
        return self.is_archive or self.file_types == {FileType.OBJECT}


def look_at(data: bytes) -> FileLook:
    """What a file is."""
    if looks_like_macho(data[:8]):
        try:
            return FileLook(frozenset(one.file_type for one in read_macho(data).slices))
        except MachOError as error:
            return FileLook(unreadable=error.problem)
    return FileLook(is_archive=data.startswith(_ARCHIVE), foreign=foreign_program(data))


def foreign_program(data: bytes) -> str | None:
    """Which other system's program or library a file is, or None.

    Two letters (``MZ``) are not enough: text may start with them.
    """
    if data.startswith(b"\x7fELF") and data[4:5] in (b"\1", b"\2"):
        return "ELF, for Linux and the like"
    if data.startswith(b"MZ") and len(data) >= 64:
        header: int = struct.unpack_from("<I", data, 0x3C)[0]
        if data[header : header + 4] == b"PE\0\0":
            return "PE, for Windows"
    return None


def file_problem(path: str, look: FileLook) -> AppProblem | None:
    """Why a file that is no extension module cannot be in an app; None if it can.

    Static libraries below ``opt/``, where wheels of native libraries keep what is for builds, are nothing to report:
    they are left out.

    Args:
        path: Where it would be installed.
        look: What it is.
    """
    inside = _xcframework_note(path)
    if look.is_static:
        if path.startswith(f"{NATIVE_TREE}/"):
            return None
        return AppProblem(AppRule.STATIC, ("a static library" if look.is_archive else "an object file") + inside)
    if look.unreadable is not None:
        return AppProblem(AppRule.CODE, f"a Mach-O file that cannot be read: {look.unreadable}")
    if FileType.EXECUTE in look.file_types:
        return AppProblem(AppRule.PROGRAM, "a program")
    if look.file_types:
        kinds = ", ".join(sorted(_KINDS.get(kind, kind.macro) for kind in look.file_types))
        return AppProblem(AppRule.CODE, f"{kinds}{inside}")
    if look.foreign is not None:
        return AppProblem(AppRule.CODE, f"another system's program or library: {look.foreign}")
    if path.endswith(_CODE_SUFFIXES):
        return AppProblem(AppRule.CODE, "a file with the name of a library")
    return None


_KINDS = {
    FileType.DYLIB: "a dynamic library that is not a .so",
    FileType.BUNDLE: "a bundle that is not a .so",
    FileType.DSYM: "debug symbols (a .dSYM)",
    FileType.OBJECT: "an object file",
}


def _xcframework_note(path: str) -> str:
    part = next((part for part in path.split("/") if part.endswith(".xcframework")), None)
    return f" in {part}, which the app has to embed itself (--provided)" if part else ""


def name_problem(module: str) -> AppProblem | None:
    """Why no framework can be made of a module; None if one can.

    Args:
        module: The ``.so``'s path.
    """
    name = framework_name(module) or ""
    if has_dotted_directory(module):
        said = f"a directory above it has a dot in its name, where the framework's name would end ({name!r})"
        return AppProblem(AppRule.DOTTED_DIRECTORY, said)
    if not name or name.endswith("."):
        return AppProblem(AppRule.NAME, "it has no name before the first dot")
    if len(f"{name}.framework".encode()) > FILE_NAME_BYTES:
        return AppProblem(AppRule.NAME, f"its framework's name takes more than {FILE_NAME_BYTES} bytes")
    if same_name_key(name) == "python":
        return AppProblem(AppRule.NAME, "Python.framework is Python's own")
    return None


def identifier_problem(module: str) -> AppProblem | None:
    """Why the identifier that CPython's build script makes of a module's name is refused; None if it is not.

    It puts ``-`` for ``_`` and keeps every other character; ITMS-90049 allows letters, digits, hyphens and dots.

    Args:
        module: The ``.so``'s path; its name is one that `name_problem` allows.
    """
    name = framework_name(module) or ""
    if is_bundle_identifier(name.replace("_", "-")):
        return None
    return AppProblem(AppRule.IDENTIFIER, f"{name!r} has characters that a bundle identifier cannot have")


def is_bundle_identifier(text: str) -> bool:
    """Whether *text* can be a CFBundleIdentifier (ITMS-90049): letters, digits, hyphens; dots between them."""
    return _IDENTIFIER.fullmatch(text) is not None


def fwork_path(module: str) -> str:
    """What stands in place of a ``.so``; a path in the same directory."""
    return f"{module.removesuffix('.so')}.fwork"


@dataclass
class AppPlan:
    """Who has which framework and which path in an app, as they are given away."""

    _names: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    _claims: Claims = field(default_factory=Claims)

    def place_module(self, module: str, owner: str) -> AppProblem | Clash | None:
        """Ask for a module's framework, and for the place of its ``.fwork`` file.

        Args:
            module: The ``.so``'s path.
            owner: Who asks, in words.

        Returns:
            None if both are the owner's now; else why they are not.
        """
        if (problem := name_problem(module)) is not None:
            return problem
        name = framework_name(module) or ""
        if (other := self._names.get(same_name_key(name))) is not None:
            if other[1:] == (owner, module):
                return Clash(ClashKind.TAKEN, module, module, owner)
            whose = f"{other[1]}, {other[2]}" if other[1] else other[2]
            return AppProblem(AppRule.NAME_CLASH, f"{other[0]}.framework is there already, of {whose}")
        clash = self._claims.claim(fwork_path(module), owner)
        if clash is None:
            self._names[same_name_key(name)] = name, owner, module
        return clash

    def place_file(self, path: str, owner: str, data: bytes | None = None) -> Clash | None:
        """Ask for any other file's path, as `Claims.claim` does."""
        return self._claims.claim(path, owner, data)
