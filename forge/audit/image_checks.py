"""Checks of how a binary is put together: signature, protection of memory, what runs at load, debug information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.rules import rule
from forge.base.target import Arch
from forge.macho.model import FileType, HeaderFlag
from forge.macho.sign import SignatureStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject
    from forge.macho.model import MachOSlice

# mach/vm_prot.h
_WRITE = 2
_EXECUTE = 4

# mach-o/loader.h: a section's type (the low byte of its flags) and attributes
_INIT_FUNCTIONS = {0x9: 8, 0x16: 4}
"""``S_MOD_INIT_FUNC_POINTERS`` and ``S_INIT_FUNC_OFFSETS``, with an entry's bytes."""
_RELOCATED = 0x300
"""``S_ATTR_EXT_RELOC`` and ``S_ATTR_LOC_RELOC``."""


def check_signatures(subject: Subject, promise: Promise) -> Iterator[Finding]:
    """What is signed is what was signed; arm64 code for the simulator is signed at all."""
    target = promise.target
    needed = target.is_simulator and target.arch is Arch.ARM64
    for member, checks in sorted(subject.signatures.items()):
        for one in checks:
            if one.status is SignatureStatus.INVALID:
                yield rule("invalid-signature").finding(f"its signature does not hold: {one.problem}", member)
            elif one.status is SignatureStatus.NONE and needed and _is_loaded(subject, member):
                yield rule("unsigned-simulator-binary").finding("it has no code signature", member)
            elif one.status is SignatureStatus.VALID and not needed:
                yield rule("signed-device-binary").finding(f"it is signed ({one.kind})", member)


def _is_loaded(subject: Subject, member: str) -> bool:
    return all(one.file_type is not FileType.OBJECT for one in subject.binaries[member].slices)


def check_memory(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """Code is not written to, data is not run."""
    for member, one in _images(subject):
        if HeaderFlag.ALLOW_STACK_EXECUTION in one.flags:
            yield rule("executable-stack").finding("asks for a stack that code can be run on", member)
        for segment in one.segments:
            if segment.protection & _WRITE and segment.protection & _EXECUTE:
                yield rule("writable-code").finding(f"{segment.name} is writable and executable", member)
            elif not segment.protection & _WRITE:
                for section in segment.sections:
                    if section.flags & _RELOCATED:
                        yield rule("text-relocations").finding(
                            f"{section.name} in {segment.name}, which is read-only, has relocations", member
                        )


def check_load_code(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """What runs before the module's init function does."""
    for member, one in _images(subject):
        sections = [s for segment in one.segments for s in segment.sections if s.kind in _INIT_FUNCTIONS]
        count = sum(section.size // _INIT_FUNCTIONS[section.kind] for section in sections)
        if count:
            functions = "1 function" if count == 1 else f"{count} functions"
            yield rule("runs-code-at-load").finding(f"runs {functions} when it is loaded", member)


def check_debug_information(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """There is none."""
    for member, one in _images(subject):
        what = [
            *(["DWARF"] if one.has_dwarf else []),
            *(["a list of the build's object files"] if one.has_debug_map else []),
        ]
        if what:
            yield rule("debug-information").finding(f"holds {' and '.join(what)}", member)


def _images(subject: Subject) -> Iterator[tuple[str, MachOSlice]]:
    """Everything that a dynamic linker loads: object files have all of this, rightly."""
    return ((member, one) for member, one in subject.slices() if one.file_type is not FileType.OBJECT)
