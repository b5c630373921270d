"""Checks of how a binary is put together: signature, protection of memory, what runs at load, debug information."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.audit.rules import rule
from forge.audit.symbol_checks import few
from forge.base.target import Arch
from forge.macho.model import FileType, HeaderFlag
from forge.macho.sign import SignatureStatus
from forge.wheel.flat_lookups import PYTHON_API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.audit.finding import Finding
    from forge.audit.subject import Promise, Subject
    from forge.macho.model import MachOSlice

# mach/vm_prot.h
_WRITE = 2
_EXECUTE = 4

# mach-o/loader.h: a section's attributes
_RELOCATED = 0x300
"""``S_ATTR_EXT_RELOC`` and ``S_ATTR_LOC_RELOC``."""

_BEFORE_PYTHON = (
    "_PyMem_Raw", "_PyConfig_", "_PyPreConfig_", "_PyStatus_", "_PyWideStringList_", "_PyImport_AppendInittab",
    "_PyImport_ExtendInittab", "_PyObject_CallFinalizer", "_PyMem_SetAllocator", "_PyMem_SetupDebugHooks",
    "_PyObject_SetArenaAllocator", "_Py_DecodeLocale", "_Py_EncodeLocale", "_Py_Get", "_Py_Is", "_Py_PreInitialize",
    "_Py_SetPath", "_Py_SetProgramName", "_Py_SetPythonHome", "_PyOS_", "_PyEval_ThreadsInitialized",
    "_PyInitFrozenExtensions", "_PyMutex_",
)  # fmt: skip
"""What may be called before Python is there (CPython's documentation, "Before Python Initialization"), by its start."""


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
    for member, names in sorted(subject.fixed_up_read_only.items()):
        yield rule("text-relocations").finding(f"dyld has to write to {', '.join(names)}, which is read-only", member)


def check_load_code(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """What runs before the module's init function does, and that it leaves Python alone."""
    for member, codes in sorted(subject.load_code.items()):
        reached = sorted({name for code in codes for name in code.reached if _needs_python(name)})
        count = sum(code.functions for code in codes)
        functions = "1 function" if count == 1 else f"{count} functions"
        if reached:
            names = few([name[1:] for name in reached])
            yield rule("python-at-load").finding(f"runs {functions} when it is loaded; reached is {names}", member)
        elif count:
            yield rule("runs-code-at-load").finding(f"runs {functions} when it is loaded", member)


def _needs_python(symbol: str) -> bool:
    return PYTHON_API.fullmatch(symbol) is not None and not symbol.startswith(_BEFORE_PYTHON)


def check_debug_information(subject: Subject, _promise: Promise) -> Iterator[Finding]:
    """There is none."""
    for member, one in _images(subject):
        what = [
            *(["DWARF"] if one.has_dwarf else []),
            *(["names of the build's source and object files"] if one.has_debug_map else []),
        ]
        if what:
            yield rule("debug-information").finding(f"holds {' and '.join(what)}", member)


def _images(subject: Subject) -> Iterator[tuple[str, MachOSlice]]:
    """Everything that a dynamic linker loads: object files have all of this, rightly."""
    return ((member, one) for member, one in subject.slices() if one.file_type is not FileType.OBJECT)
