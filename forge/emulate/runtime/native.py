"""The shim's ``forge_loader_*`` functions (``forge/emulate/native/loader.h`` and ``loader_private.h``) with types."""

from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING

from forge.emulate.runtime.errors import AddressTakenError, MachOImportError

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PROT_NONE, _PROT_READ, _PROT_WRITE = 0, 1, 2
_MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000
_FAILED = ctypes.c_void_p(-1).value

OpenFunction = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)


class ExportEntry(ctypes.Structure):
    """``struct forge_loader_export``."""

    _fields_ = (("name", ctypes.c_char_p), ("address", ctypes.c_void_p), ("kind", ctypes.c_size_t))


class ImageEntry(ctypes.Structure):
    """``struct forge_loader_image``."""

    _fields_ = (
        ("path", ctypes.c_char_p),
        ("install_name", ctypes.c_char_p),
        ("base", ctypes.c_size_t),
        ("size", ctypes.c_size_t),
        ("slide", ctypes.c_ssize_t),
        ("symbols", ctypes.c_void_p),
        ("symbol_count", ctypes.c_size_t),
        ("strings", ctypes.c_void_p),
        ("strings_size", ctypes.c_size_t),
        ("exports", ctypes.POINTER(ExportEntry)),
        ("export_count", ctypes.c_size_t),
        ("dependencies", ctypes.POINTER(ctypes.c_void_p)),
        ("dependency_count", ctypes.c_size_t),
        ("code_at", ctypes.c_size_t),
        ("code_size", ctypes.c_size_t),
    )


class _TrapRequest(ctypes.Structure):
    _fields_ = (("symbol", ctypes.c_char_p), ("library", ctypes.c_char_p), ("image", ctypes.c_char_p))


def encode(name: str) -> bytes:
    """A name as it stands on disk."""
    return name.encode("utf-8", "surrogateescape")


class Native:
    """The shim, loaded.

    Args:
        shim: The shared object.

    Raises:
        OSError: It cannot be loaded.
        MachOImportError: libgcc's unwinder cannot.
    """

    def __init__(self, shim: Path) -> None:
        # The one unwinder of the process, in reach of dlsym(RTLD_DEFAULT).
        try:
            ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise MachOImportError(f"no unwinder: {error}") from error
        self.shim = ctypes.CDLL(str(shim), mode=ctypes.RTLD_GLOBAL)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._keep: list[object] = []  # what C holds pointers to for the life of the process
        size, pointer = ctypes.c_size_t, ctypes.c_void_p
        self._declare(self._libc, "mmap", pointer, pointer, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, size)
        self._declare(self._libc, "munmap", ctypes.c_int, pointer, size)
        self._declare(self._libc, "mprotect", ctypes.c_int, pointer, size, ctypes.c_int)
        declared = (
            ("add_image", pointer, ctypes.POINTER(ImageEntry)),
            ("set_report_fd", None, ctypes.c_int),
            ("make_traps", ctypes.c_int, ctypes.POINTER(_TrapRequest), size, pointer),
            ("install_fault_handler", ctypes.c_int),
            ("commpage", ctypes.c_int),
            ("apply_slide", None, size, pointer, size, ctypes.c_uint64),
            ("store", None, size, pointer, pointer, size),
            ("register_frames", ctypes.c_int, pointer),
            ("tlv_register", ctypes.c_long, size, size, size, size, size),
            ("set_program", None, ctypes.c_int, pointer, pointer),
            ("run_initialisers", None, pointer, size, size),
            ("add_terminators", None, pointer, size),
            ("call_resolver", size, size),
            ("set_open", None, OpenFunction),
            ("interpose", ctypes.c_int, pointer),
        )
        for name, result, *arguments in declared:
            self._declare(self.shim, f"forge_loader_{name}", result, *arguments)

    @staticmethod
    def _declare(library: ctypes.CDLL, name: str, result: object, *arguments: object) -> None:
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments

    def address(self, name: str) -> int:
        """The address of one of the shim's functions."""
        found = ctypes.cast(getattr(self.shim, name), ctypes.c_void_p).value
        assert found is not None  # noqa: S101 - a function of a loaded library has an address
        return found

    # ---- memory ----

    def reserve(self, size: int) -> int:
        """Address space without access.

        Raises:
            MachOImportError: There is not as much.
        """
        flags = _MAP_PRIVATE_ANONYMOUS_NORESERVE
        address: int | None = self._libc.mmap(None, size, _PROT_NONE, flags, -1, 0)
        if address in (None, _FAILED):
            raise MachOImportError(f"no room for {size:#x} bytes")
        return address

    def release(self, address: int, size: int) -> None:
        """Give address space back."""
        self._libc.munmap(address, size)

    def protect(self, address: int, size: int, protection: int) -> None:
        """Change access to pages (``PROT_*`` are the same bits on Darwin and Linux).

        Raises:
            MachOImportError: The kernel refuses.
        """
        if self._libc.mprotect(address, size, protection):
            raise MachOImportError(f"mprotect of {size:#x} bytes failed, errno {ctypes.get_errno()}")

    def allow_writing(self, address: int, size: int) -> None:
        """Make pages readable and writable; errors as in `protect`."""
        self.protect(address, size, _PROT_READ | _PROT_WRITE)

    # ---- fixups ----

    def apply_slide(self, base: int, at: array[int], slide: int) -> None:
        """Add *slide* to the pointers at offsets from *base*."""
        if at:
            self.shim.forge_loader_apply_slide(base, at.buffer_info()[0], len(at), slide & (1 << 64) - 1)

    def store(self, base: int, at: array[int], values: array[int]) -> None:
        """Put *values* at offsets from *base*."""
        if at:
            self.shim.forge_loader_store(base, at.buffer_info()[0], values.buffer_info()[0], len(at))

    def make_traps(self, requests: Sequence[tuple[str, str | None]], image: str) -> list[int]:
        """Stubs that report and abort.

        Args:
            requests: Symbols, and the libraries they were wanted from.
            image: Who wants them.

        Raises:
            MachOImportError: There is no memory.
        """
        count = len(requests)
        rows = (_TrapRequest * count)(
            *(
                _TrapRequest(encode(symbol), None if library is None else encode(library), encode(image))
                for symbol, library in requests
            )
        )
        made = (ctypes.c_size_t * count)()
        if self.shim.forge_loader_make_traps(rows, count, made):
            raise MachOImportError("no memory for trap stubs")
        return list(made)

    # ---- the rest of a load ----

    def register_frames(self, frames: bytes) -> None:
        """Hand an ``.eh_frame`` to the unwinder.

        Raises:
            MachOImportError: There is no unwinder.
        """
        buffer = ctypes.create_string_buffer(frames, len(frames))
        self._keep.append(buffer)
        if self.shim.forge_loader_register_frames(ctypes.addressof(buffer)):
            raise MachOImportError("the process has no unwinder with __register_frame")

    def tlv_register(self, content: int, content_size: int, size: int, alignment: int) -> int:
        """Register an image's thread locals; the key for its descriptors.

        Raises:
            MachOImportError: There is no room for another image's.
        """
        key: int = self.shim.forge_loader_tlv_register(content, content_size, size, alignment, content % alignment)
        if key < 0:
            raise MachOImportError("too many images with thread locals")
        return key

    def add_image(self, entry: ImageEntry, *keep: object) -> int:
        """Put an image into the table; its handle.

        Args:
            entry: The image.
            *keep: What the entry points to.

        Raises:
            MachOImportError: The table is full.
        """
        self._keep.extend((entry, *keep))
        handle: int | None = self.shim.forge_loader_add_image(ctypes.byref(entry))
        if not handle:
            raise MachOImportError("too many images")
        return handle

    def run_initialisers(self, functions: Sequence[int], header: int) -> None:
        """Call functions with Darwin's five arguments."""
        self.shim.forge_loader_run_initialisers((ctypes.c_size_t * len(functions))(*functions), len(functions), header)

    def add_terminators(self, functions: Sequence[int]) -> None:
        """Have functions called at exit, last to first."""
        self.shim.forge_loader_add_terminators((ctypes.c_size_t * len(functions))(*functions), len(functions))

    def call_resolver(self, function: int) -> int:
        """What a resolver function answers."""
        result: int = self.shim.forge_loader_call_resolver(function)
        return result

    def set_program(self, arguments: Sequence[str], apple: Sequence[str]) -> None:
        """What initialisers are told of the process."""
        argv = (ctypes.c_char_p * (len(arguments) + 1))(*map(encode, arguments), None)
        strings = (ctypes.c_char_p * (len(apple) + 1))(*map(encode, apple), None)
        self._keep.extend((argv, strings))
        self.shim.forge_loader_set_program(len(arguments), argv, strings)

    def set_report_fd(self, fd: int) -> None:
        """Where records of traps and faults go."""
        self.shim.forge_loader_set_report_fd(fd)

    def check_commpage(self) -> None:
        """Check that Darwin's commpage is at its address, which nothing else may have taken.

        Raises:
            AddressTakenError: It is not.
        """
        if reason := self.shim.forge_loader_commpage():
            raise AddressTakenError(f"Darwin's commpage cannot be mapped at its address: {os.strerror(reason)}")

    def install_fault_handler(self) -> None:
        """Report crashes.

        Raises:
            MachOImportError: The kernel refuses.
        """
        if self.shim.forge_loader_install_fault_handler():
            raise MachOImportError("the fault handler cannot be installed")

    def interpose(self, open_image: Callable[[bytes, int, int], int | None]) -> None:
        """Have CPython's ``dlopen`` give Mach-O files to *open_image* (path, where errors go, bytes there).

        Raises:
            MachOImportError: This Python's calls cannot be redirected.
        """
        callback = OpenFunction(open_image)
        self._keep.append(callback)
        self.shim.forge_loader_set_open(callback)
        anywhere = ctypes.cast(ctypes.pythonapi.PyImport_ImportModule, ctypes.c_void_p)
        if self.shim.forge_loader_interpose(anywhere):
            raise MachOImportError("this Python's calls of dlopen cannot be redirected")

    def stop_opening(self) -> None:
        """Refuse Mach-O files from now on: Python ends."""
        self.shim.forge_loader_set_open(OpenFunction())
