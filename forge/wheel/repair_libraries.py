"""Which library of a wheel each load means, and how vendored libraries become reachable in an app.

An app build makes a framework of each ``.so`` and leaves every other file where it is. So a vendored library
(delocate's ``pkg/.dylibs/libx.1.dylib``) is found in an app only if it is a ``.so`` in a directory without a dot,
and is loaded by its framework's name.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.macho.model import Binding, FileType, LoadKind
from forge.wheel.framework_name import (
    framework_install_name,
    framework_name,
    has_dotted_directory,
    installed_path,
)
from forge.wheel.repair_model import Unmendable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forge.macho.model import MachOSlice

PYTHON = "@rpath/Python.framework/Python"
_SYSTEM = ("/usr/lib/", "/System/Library/")
_LIBRARY = re.compile(r"\.dylib|\.so(\.[0-9]+)*")


@dataclass(frozen=True)
class Libraries:
    """How a wheel's libraries are to be called.

    Args:
        paths: Members that move, and where to.
        loads: By member, what it loads and what to call that instead.
        targets: By member and name, the member of the wheel that is meant.
        unmendable: Loads that nothing in the wheel answers, libraries that cannot be made frameworks.
    """

    paths: Mapping[str, str]
    loads: Mapping[str, Mapping[str, str]]
    targets: Mapping[tuple[str, str], str]
    unmendable: tuple[Unmendable, ...]


def plan_libraries(
    binaries: Mapping[str, MachOSlice],
    members: Iterable[str],
    named_in_code: frozenset[str],
    blocked: frozenset[str] = frozenset(),
) -> Libraries:
    """Find what each load means and what must be renamed for it.

    Args:
        binaries: The wheel's dylibs and bundles, by path.
        members: Every path in the wheel.
        named_in_code: File names of libraries that Python code of the wheel mentions, and so may open.
        blocked: Libraries whose framework's name does not fit into one that loads them; they keep their names.
    """
    problems: list[Unmendable] = []
    targets: dict[tuple[str, str], str] = {}
    loads = _system_loads(binaries)
    for member, one in binaries.items():
        for dylib in one.dylibs:
            if _system_name(dylib.name) is not None:
                continue
            found = _find(dylib.name, member, binaries)
            if isinstance(found, str):
                targets[member, dylib.name] = found
            else:
                problems.append(Unmendable(member, "load", f"{dylib.name}: {found.why}"))
    paths, more = _new_paths(binaries, frozenset(targets.values()), frozenset(members), named_in_code, blocked)
    problems += more
    for (member, name), target in targets.items():
        framework = framework_name(paths.get(target, target))
        if target in blocked:
            problems.append(Unmendable(member, "load", f"{name}: no room for the name of {target}'s framework"))
        elif _is_out_of_reach(target) and target not in paths:
            problems.append(Unmendable(member, "load", f"{name}: {target} cannot be made a framework"))
        elif framework and framework_install_name(framework) != name:
            loads.setdefault(member, {})[name] = framework_install_name(framework)
    return Libraries(paths, loads, targets, tuple(problems))


def plan_native_library(binaries: Mapping[str, MachOSlice]) -> Libraries:
    """The same for the wheel of a native library, which is no app's: builds link with its libraries and bundle them.

    There they stay under the names that host requirements' loads have, wherever the one or the other lies.

    Args:
        binaries: The wheel's dylibs and bundles, by path.
    """
    return Libraries({}, _system_loads(binaries), {}, ())


def library_names(members: Iterable[str]) -> dict[str, tuple[bytes, ...]]:
    """The file names of members that look like vendored libraries, for a search in the wheel's code.

    Returns:
        Names, and what code says that opens such a file: the name itself, the directory that it looks into
        (``.dylibs``), or a pattern for all of its kind (``*.dylib``).
    """
    found: dict[str, tuple[bytes, ...]] = {}
    for member in members:
        directory, _, name = member.rpartition("/")
        if _LIBRARY.search(name):
            above = directory.rpartition("/")[2]
            texts = (name, f"*{posixpath.splitext(name)[1]}", *((above,) if "." in above else ()))
            found[name] = tuple({*found.get(name, ()), *(text.encode() for text in texts)})
    return found


def _system_loads(binaries: Mapping[str, MachOSlice]) -> dict[str, dict[str, str]]:
    """By member, what it loads of the system or of Python by another name, and what to call that instead."""
    loads: dict[str, dict[str, str]] = {}
    for member, one in binaries.items():
        for dylib in one.dylibs:
            new = _system_name(dylib.name)
            if new is not None and new != dylib.name:
                loads.setdefault(member, {})[dylib.name] = new
    return loads


def _system_name(name: str) -> str | None:
    """What a library that every app has is called; None for others."""
    if name.startswith(_SYSTEM) and posixpath.normpath(name) == name:
        return name
    # A Python.xcframework of the build machine, linked by its path.
    return PYTHON if name == PYTHON or name.endswith("/Python.framework/Python") else None


@dataclass(frozen=True)
class _NotFound:
    why: str


def _find(name: str, member: str, binaries: Mapping[str, MachOSlice]) -> str | _NotFound:
    """The member that *member* means by *name*: where dyld looks, else by install name, else by file name."""
    one = binaries[member]
    for path in _resolved(name, member, one.rpaths):
        if path in binaries:
            return path
    others = {m: b for m, b in binaries.items() if m != member and b.cpu is one.cpu and b.platform is one.platform}
    for candidates in (
        [m for m, b in others.items() if b.install_name is not None and b.install_name.name == name],
        [m for m in others if framework_install_name(framework_name(m) or "") == name],
        [m for m in others if posixpath.basename(m) == posixpath.basename(name)],
    ):
        if len(candidates) > 1:
            return _NotFound(f"may be {' or '.join(sorted(candidates))}")
        if candidates:
            lacking = _lacking(one, name, others[candidates[0]])
            if lacking:
                return _NotFound(f"{candidates[0]} is no substitute, it lacks {lacking}")
            return candidates[0]
    return _NotFound("it is not in the wheel; link that library statically")


def _lacking(one: MachOSlice, name: str, library: MachOSlice) -> str | None:
    """A symbol that *one* binds to the library *name* and that *library* does not export."""
    if any(dylib.kind is LoadKind.REEXPORT for dylib in library.dylibs):
        return None
    exported = {export.name for export in library.exports}
    return next(
        (i.name for i in one.imports if i.binding is Binding.LIBRARY and i.library == name and i.name not in exported),
        None,
    )


def _resolved(name: str, member: str, rpaths: tuple[str, ...]) -> list[str]:
    """Where dyld looks for *name*, as paths in the wheel."""
    rest = name.removeprefix("@rpath/")
    candidates = [f"{rpath.rstrip('/')}/{rest}" for rpath in rpaths] if rest != name else [name]
    here = posixpath.dirname(member)
    return [
        posixpath.normpath(posixpath.join(here, candidate.removeprefix("@loader_path/")))
        for candidate in candidates
        if candidate.startswith("@loader_path/")
    ]


def _is_out_of_reach(member: str) -> bool:
    """Whether an app build makes no framework of it, or one of a wrong name."""
    return not member.endswith(".so") or has_dotted_directory(member)


def _new_paths(
    binaries: Mapping[str, MachOSlice],
    loaded: frozenset[str],
    members: frozenset[str],
    named_in_code: frozenset[str],
    blocked: frozenset[str],
) -> tuple[dict[str, str], list[Unmendable]]:
    paths: dict[str, str] = {}
    problems: list[Unmendable] = []
    taken = {name.casefold() for name in map(framework_name, binaries) if name}
    for member in sorted(binaries):
        file_name = posixpath.basename(member)
        if not _LIBRARY.search(file_name) or installed_path(member) is None or not _is_out_of_reach(member):
            continue
        why = None
        if any(export.name.startswith("_PyInit") for export in binaries[member].exports):
            why = "it is an extension module, which code imports by its path"
        elif binaries[member].file_type is not FileType.DYLIB:
            why = "it is a bundle, which cannot be linked with"
        elif file_name in named_in_code:
            why = "Python code names it, and would not find it by another name"
        elif member not in loaded:
            why = "nothing in the wheel loads it, so that what opens it by name is not known"
        elif member in blocked:
            why = "its new name does not fit into the load commands of what loads it"
        if why is not None:
            problems.append(Unmendable(member, "path", f"no app build makes a framework of it, and {why}"))
            continue
        paths[member] = _new_path(member, members, taken)
        taken.add((framework_name(paths[member]) or "").casefold())
    return paths, problems


def _new_path(member: str, members: frozenset[str], taken: set[str]) -> str:
    """A free path for a library, e.g. ``pkg/_dylibs/libx_1.so`` for ``pkg/.dylibs/libx.1.dylib``."""
    path = installed_path(member) or member
    prefix = member.removesuffix(path)
    directory, _, file_name = path.rpartition("/")
    found = _LIBRARY.search(file_name)
    stem = (file_name[: found.start()] if found else file_name).replace(".", "_") or "library"
    directory = f"{directory.replace('.', '_')}/" if directory else ""
    for number in range(2, len(members) + 4):
        made = f"{prefix}{directory}{stem}.so"
        # Apps are built on file systems that take letters of both cases for the same.
        if made not in members and (framework_name(made) or "").casefold() not in taken:
            break
        stem = f"{stem.removesuffix(f'_{number - 1}')}_{number}"
    return made
