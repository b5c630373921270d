"""One Mach-O file of a wheel, mended: type, names, search paths, debug information, signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.macho.checkout import layout_problem
from forge.macho.edit import Edit, apply_edit
from forge.macho.edit_commands import NoRoomError
from forge.macho.edit_linkedit import mend_layout
from forge.macho.edit_strip import strip_debug
from forge.macho.errors import MachOError
from forge.macho.layout import read_layout
from forge.macho.model import Cpu, FileType, MachOSlice, Platform, SignatureKind
from forge.macho.reader import read_macho
from forge.macho.sign import SignatureStatus, remove_signature, sign_ad_hoc, verify_signature
from forge.wheel.framework_name import framework_install_name
from forge.wheel.repair_model import Change, Unmendable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SIMULATORS = frozenset({Platform.IOS_SIMULATOR, Platform.TVOS_SIMULATOR, Platform.WATCHOS_SIMULATOR})


@dataclass(frozen=True)
class MendedBinary:
    """A file after its repair.

    Args:
        data: Its bytes.
        changes: What was fixed.
        unmendable: What was not.
        refused: Libraries whose new name there was no room for; nothing in the file calls them by it.
    """

    data: bytes
    changes: tuple[Change, ...]
    unmendable: tuple[Unmendable, ...]
    refused: frozenset[str] = frozenset()


def mend_binary(
    member: str, data: bytes, one: MachOSlice, framework: str | None, loads: Mapping[str, str]
) -> MendedBinary:
    """Mend one thin dylib or bundle.

    Args:
        member: Its path in the wheel.
        data: Its bytes.
        one: What they say.
        framework: The framework that an app build makes of it; None leaves the install name.
        loads: Libraries it loads, and what to call them instead.

    Returns:
        The file as it is after the repair: with *data* itself where nothing changed, or where what came out does
        not say what it said before.
    """
    try:
        edited, left, refused = _edit(member, data, one, framework, loads)
        made, more = _finish(member, edited, one, changed=edited is not data)
    except MachOError as error:
        return MendedBinary(data, (), (Unmendable(member, "load commands", error.problem),), frozenset(loads))
    left += more
    if made == data:
        return MendedBinary(data, (), tuple(left), refused)
    after = read_macho(made).slices[0]
    if not _same_symbols(one, after):
        # The last line of defence against a file laid out in a way that nobody has met yet.
        return MendedBinary(
            data,
            (),
            (Unmendable(member, "load commands", "its symbols would not be what they were"),),
            frozenset(loads),
        )
    return MendedBinary(made, tuple(_changes(member, one, after, data, made)), tuple(left), refused)


def clean_rpaths(rpaths: tuple[str, ...]) -> tuple[str, ...]:
    """Search paths without those of the build machine and without repetitions, which new releases of dyld refuse."""
    return tuple(dict.fromkeys(path for path in rpaths if path.startswith(("@", "/usr/lib/", "/System/Library/"))))


def _edit(
    member: str, data: bytes, one: MachOSlice, framework: str | None, loads: Mapping[str, str]
) -> tuple[bytes, list[Unmendable], frozenset[str]]:
    """Change the load commands, as far as there is room: what is given up first matters least."""
    is_bundle = one.file_type is FileType.BUNDLE
    names = list(_names(framework, is_bundle=is_bundle)) or [None]
    rpaths = clean_rpaths(one.rpaths)
    problem: NoRoomError | None = None
    for new_loads in (loads, {}) if loads else ({},):
        for name in names:
            try:
                made = apply_edit(data, Edit(name, name is not None, new_loads, rpaths))
            except NoRoomError as error:
                problem = problem or error
                continue
            left: list[Unmendable] = []
            if problem is not None and name != names[0]:
                left.append(Unmendable(member, "install name", f"{names[0]}: {problem.problem}"))
            refused = frozenset(loads) - frozenset(new_loads)
            left += [Unmendable(member, "load", f"{old}: no room for {loads[old]}") for old in sorted(refused)]
            return made, left, refused
    why = problem.problem if problem else "no room"
    made = apply_edit(data, Edit(rpaths=rpaths))
    return made, [Unmendable(member, "file type", f"no room for an install name: {why}")], frozenset(loads)


def _finish(member: str, data: bytes, one: MachOSlice, *, changed: bool) -> tuple[bytes, list[Unmendable]]:
    """Strip and sign.

    Raises:
        MachOError: The old signature would not hold any more, and cannot be renewed.
    """
    left: list[Unmendable] = []
    made = data
    try:
        made = strip_debug(data)
    except MachOError as error:
        left.append(Unmendable(member, "debug information", error.problem))
    try:
        if layout_problem(read_layout(made)[1][0]) is not None:
            unsigned = remove_signature(made)
            mended = mend_layout(unsigned)
            made = made if mended is unsigned else mended
    except MachOError as error:
        left.append(Unmendable(member, "layout", error.problem))
    if (problem := layout_problem(read_layout(made)[1][0])) is not None and not left:
        left.append(Unmendable(member, "layout", f"Apple's tools cannot sign it: {problem}"))
    try:
        made = _signed(made, one, changed=changed or made is not data)
    except MachOError as error:
        if one.signature is not SignatureKind.NONE:
            raise
        left.append(Unmendable(member, "signature", error.problem))
    return made, left


def _names(framework: str | None, *, is_bundle: bool) -> Iterator[str | None]:
    """Install names, the right one first."""
    if not framework:
        return
    yield framework_install_name(framework)
    if not is_bundle:
        yield None
        return
    # A dylib must have some name. dyld finds a module by its path, so that any does; 7 letters fit into the 32
    # bytes that linkers leave at the least.
    last = framework.rpartition(".")[2]
    yield f"@rpath/{framework}"
    yield last
    yield last.encode("utf-8")[:7].decode("utf-8", errors="ignore") or "module"


def _signed(data: bytes, one: MachOSlice, *, changed: bool) -> bytes:
    """The file with the signature that its platform asks for.

    Apple's linkers sign what is for arm64 simulators, and nothing else for iOS: app builds sign what is for
    devices. A person's signature is kept where nothing else changed.
    """
    had = one.signature
    if one.platform is Platform.IOS and had is SignatureKind.SIGNED and not changed:
        # A certificate's signature that does not hold is as useless as none; the app build makes another.
        return data if verify_signature(data).status is SignatureStatus.VALID else remove_signature(data)
    if one.platform is Platform.IOS and had not in (SignatureKind.NONE, SignatureKind.SIGNED):
        return remove_signature(data)
    due = had is not SignatureKind.NONE or (one.platform in _SIMULATORS and one.cpu is Cpu.ARM64)
    if one.platform is Platform.IOS and changed:
        return remove_signature(data)
    if not due or (not changed and verify_signature(data).status is SignatureStatus.VALID):
        return data
    return sign_ad_hoc(data)


def _same_symbols(before: MachOSlice, after: MachOSlice) -> bool:
    """Whether two files export and import the same, from libraries of the same ordinals."""
    imports = [[(i.name, i.binding, i.ordinal, i.weak) for i in one.imports] for one in (before, after)]
    segments = [[s for s in one.segments if s.name not in ("__LINKEDIT", "__DWARF")] for one in (before, after)]
    return before.exports == after.exports and imports[0] == imports[1] and segments[0] == segments[1]


def _changes(member: str, before: MachOSlice, after: MachOSlice, old: bytes, new: bytes) -> Iterator[Change]:
    if before.file_type is not after.file_type:
        yield Change(member, "file type", before.file_type.macro, after.file_type.macro)
    names = [one.install_name.name if one.install_name else "" for one in (before, after)]
    if names[0] != names[1]:
        yield Change(member, "install name", *names)
    for one, other in zip(before.dylibs, after.dylibs, strict=True):
        if one.name != other.name:
            yield Change(member, "load", one.name, other.name)
    if before.rpaths != after.rpaths:
        yield Change(member, "rpath", ", ".join(before.rpaths), ", ".join(after.rpaths))
    if before.has_debug_map and not after.has_debug_map:
        yield Change(member, "debug map", "names files of the build machine", "")
    if before.has_dwarf and not after.has_dwarf:
        yield Change(member, "DWARF", "in the file", "")
    problem = layout_problem(read_layout(old)[1][0])
    if problem is not None and layout_problem(read_layout(new)[1][0]) is None:
        yield Change(member, "layout", problem, "as Apple's tools ask for it")
    signatures = [f"{check.kind}, {check.status}" for check in map(verify_signature, (old, new))]
    if signatures[0] != signatures[1] or before.signature is not after.signature:
        yield Change(member, "signature", *("" if text.startswith("none") else text for text in signatures))
