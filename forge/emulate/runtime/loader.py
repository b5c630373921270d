"""The loader: a Mach-O file and what it depends on, mapped, bound, protected, initialised. dyld's work, on Linux.

All files of a load are read, checked, mapped and bound before any of their code runs; where one fails, none is left
behind. Images are never unloaded.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from forge.emulate.runtime import constants
from forge.emulate.runtime.binder import Binder
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.image import Absent, Image, connect_thread_locals, map_image, protect
from forge.emulate.runtime.model import Link
from forge.emulate.runtime.publish import image_entry
from forge.emulate.runtime.reader import read_image
from forge.emulate.runtime.report import describe
from forge.emulate.runtime.search import SYSTEM_PREFIXES, RunPaths
from forge.emulate.runtime.slices import find_slice
from forge.emulate.runtime.unwinding import unwind_section

if TYPE_CHECKING:
    from forge.emulate.runtime.config import LoaderConfig
    from forge.emulate.runtime.model import Dependency
    from forge.emulate.runtime.native import Native
    from forge.emulate.runtime.system_interface import System, SystemLibrary

LIBCXX: Final = frozenset({"/usr/lib/libc++.1.dylib", "/usr/lib/libc++abi.dylib"})
_ALWAYS: Final = ("@rpath/Python.framework/Python", "/usr/lib/libSystem.B.dylib")
"""Libraries that lookups without a library's name end in."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An image that a load has mapped.

    Args:
        image: The image.
        data: The slice it was mapped from.
    """

    image: Image
    data: bytes


class Loader:
    """Loads Mach-O files into this process.

    Args:
        config: What the runner says.
        native: The shim.
        system: Darwin's system libraries.

    Raises:
        MachOImportError: This is no Linux on x86_64 or aarch64.
    """

    def __init__(self, config: LoaderConfig, native: Native, system: System) -> None:
        self.cpu_type = constants.host_cpu()
        self._libcxx = config.libcxx
        self._native = native
        self._system = system
        self._libraries: dict[str, SystemLibrary | None] = {}  # kept, for the binder tells them apart by identity
        executable = config.executable_path or Path(sys.executable)
        # The executable's LC_RPATH, which counts for all that it brings in: Xcode gives every app this one.
        self._run_paths = RunPaths(executable.parent, executable.parent, (executable.parent / "Frameworks",))
        self._images: dict[str, Image] = {}
        self._order: list[Image] = []
        found = (self._system_library(name) for name in _ALWAYS)
        self._binder = Binder(native, self._order, [library for library in found if library is not None])
        self._lock = threading.RLock()
        os.register_at_fork(after_in_child=self._unlock)
        native.set_program(sys.orig_argv, [f"executable_path={executable}"])

    def _unlock(self) -> None:
        """A forked child has one thread, so nobody holds the lock."""
        self._lock = threading.RLock()

    @property
    def images(self) -> tuple[Image, ...]:
        """Every loaded image, in load order."""
        return tuple(self._order)

    def load(self, path: str | os.PathLike[str]) -> Image:
        """Load a file, or find it loaded.

        Args:
            path: The file, a dylib or bundle, thin or fat.

        Raises:
            MachOImportError: It, or what it depends on, is damaged, for another machine, or not there.
        """
        real = os.path.realpath(path)
        with self._lock:
            if real not in self._images:
                self._load_new(real)
            image = self._images[real]
            self._initialise(image)
            return image

    def report(self) -> dict[str, object]:
        """What was loaded and how each import was bound; `forge.emulate.runtime.report.describe` says its form."""
        with self._lock:
            return describe(self._order)

    def _load_new(self, path: str) -> None:
        steps: list[_Step] = []
        try:
            self._map(path, self._run_paths, steps)
            # Dependencies come last in the list and are bound first.
            for step in reversed(steps):
                self._bind(step)
            tables = [unwind_section(step.image, step.data) for step in steps]
        except BaseException:
            self._drop(steps)
            raise
        for step, table in zip(reversed(steps), reversed(tables), strict=True):
            if table:
                self._native.register_frames(table)
            entry, keep = image_entry(self._native, self._binder, step.image)
            step.image.handle = self._native.add_image(entry, *keep)

    def _map(self, path: str, paths: RunPaths, steps: list[_Step]) -> Image:
        try:
            content = Path(path).read_bytes()
            data = find_slice(content, self.cpu_type)
            mach = read_image(data, self.cpu_type)
            image = map_image(self._native, path, mach, data)
        except OSError as error:
            raise MachOImportError(f"cannot be read: {error.strerror or error}", path=path) from error
        except MachOImportError as error:
            raise error.at(path) from error
        self._images[path] = image
        self._order.append(image)
        steps.append(_Step(image, data))
        inside = paths.inside(path, mach.rpaths)
        for dependency in mach.dependencies:
            image.dependencies.append(self._dependency(image, dependency, inside, steps))
        return image

    def _dependency(
        self, image: Image, dependency: Dependency, paths: RunPaths, steps: list[_Step]
    ) -> Image | SystemLibrary | Absent:
        name = dependency.install_name
        if name in LIBCXX and self._libcxx is not None:
            return self._find_or_map(os.path.realpath(self._libcxx), paths, steps)
        system = self._system_library(name)
        if system is not None:
            return system
        weak = dependency.link is Link.WEAK
        if name.startswith(SYSTEM_PREFIXES):
            # It is there on a device. What is wanted of it here is a trap, and only if it is called.
            return Absent(name, weak)
        found, tried = paths.find(name)
        if found is not None:
            return self._find_or_map(found, paths, steps)
        for loaded in self._order:
            if loaded.mach.install_name == name:
                return loaded
        if weak:
            return Absent(name, weak=True)
        looked = ", ".join(f"'{path}' (no such file)" for path in tried) or "no LC_RPATH's found"
        raise MachOImportError(
            f"Library not loaded: {name}\n  Referenced from: {image.path}\n  Reason: tried: {looked}", path=image.path
        )

    def _system_library(self, name: str) -> SystemLibrary | None:
        if name not in self._libraries:
            self._libraries[name] = self._system.library(name)
        return self._libraries[name]

    def _find_or_map(self, path: str, paths: RunPaths, steps: list[_Step]) -> Image:
        return self._images.get(path) or self._map(path, paths, steps)

    def _bind(self, step: _Step) -> None:
        try:
            self._binder.apply(step.image)
            connect_thread_locals(self._native, step.image)
            protect(self._native, step.image)
        except MachOImportError as error:
            raise error.at(step.image.path) from error

    def _drop(self, steps: list[_Step]) -> None:
        """Undo a load that failed; nothing of it has run."""
        dropped = [step.image for step in steps]
        self._binder.forget(dropped)
        for image in dropped:
            del self._images[image.path]
            self._order.remove(image)
            self._native.release(image.base, image.mach.size)

    def _initialise(self, image: Image) -> None:
        """Run initialisers, those of what an image depends on first (dyld's ``runInitializersBottomUp``)."""
        if image.initialised:
            return
        image.initialised = True
        for library, dependency in zip(image.dependencies, image.mach.dependencies, strict=True):
            if isinstance(library, Image) and dependency.link is not Link.UPWARD:
                self._initialise(library)
        functions = [] if image.mach.routine is None else [image.base + image.mach.routine]
        functions += image.addresses(constants.S_MOD_INIT_FUNC_POINTERS)
        functions += image.addresses(constants.S_INIT_FUNC_OFFSETS)
        terminators = image.addresses(constants.S_MOD_TERM_FUNC_POINTERS)
        if terminators:
            self._native.add_terminators(terminators)
        if functions:
            self._native.run_initialisers(functions, image.base)
