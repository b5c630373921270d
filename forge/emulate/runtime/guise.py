"""Answering as iOS does: what Python code asks to find out where it runs.

The rules are CPython's: ``Lib/platform.py`` (``ios_ver``, ``uname``), ``Lib/sysconfig/__init__.py``
(``get_platform``), ``Lib/_ios_support.py``, and PEP 730. Only answers change, and modules that the iOS Python
lacks are not found; what the machine can do, such as starting processes, stays, but for what the standard library
itself takes away where ``sys.platform`` is ``ios``.
"""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec

_DARWIN_RELEASES = {12: "18.0.0", 13: "19.0.0", 14: "20.0.0", 15: "21.0.0", 16: "22.0.0", 17: "23.0.0", 18: "24.0.0"}
"""The Darwin kernel's release by iOS's major version."""


@dataclass(frozen=True)
class Guise:
    """A device or simulator to answer as.

    Args:
        ios_version: What ``platform.ios_ver()`` says, e.g. ``17.0``.
        minimum: The deployment target, e.g. ``12.0``, which ``sysconfig.get_platform()`` names.
        multiarch: e.g. ``x86_64-iphonesimulator`` (PEP 730).
        model: The device's.
        absent: Modules of Linux's standard library that the iOS Python lacks.
    """

    ios_version: str
    minimum: str
    multiarch: str
    model: str = "iPhone"
    absent: tuple[str, ...] = ()

    @property
    def is_simulator(self) -> bool:
        """Whether it is a simulator."""
        return self.multiarch.endswith("iphonesimulator")


def put_on(guise: Guise) -> None:
    """Answer as *guise* from here on; to be called before anything else is imported that asks.

    What was decided by ``sys.platform`` in modules that are imported already (``os``, ``site``) stays as it was.
    """
    import sysconfig  # noqa: PLC0415 - the emulating Python's start is short, and this is one of its larger modules

    # Read while the platform is still Linux: the name of the file with the variables depends on it.
    variables = sysconfig.get_config_vars()
    absent = _Absent(guise.absent)
    sys.platform = "ios"
    arch, _, abi = guise.multiarch.partition("-")
    vars(sys.implementation)["_multiarch"] = guise.multiarch  # PEP 730 puts it there
    support = types.ModuleType("_ios_support")
    # The real module asks UIKit through Objective-C; platform.ios_ver() takes these four values from it.
    answer = ("iOS", guise.ios_version, guise.model, guise.is_simulator)
    support.get_platform_ios = lambda: answer  # type: ignore[attr-defined]  # a module made here has what is put there
    sys.modules["_ios_support"] = support
    machine = arch
    release = _DARWIN_RELEASES.get(int(guise.ios_version.partition(".")[0]), "25.0.0")
    node = os.uname().nodename
    os.uname = lambda: os.uname_result(("Darwin", node, release, f"Darwin Kernel Version {release}", machine))
    suffix = f".cpython-{sys.version_info.major}{sys.version_info.minor}-{abi}.so"
    variables.update(
        MULTIARCH=guise.multiarch,
        EXT_SUFFIX=suffix,
        SOABI=suffix.removeprefix(".").removesuffix(".so"),
        IPHONEOS_DEPLOYMENT_TARGET=guise.minimum,
        MACHDEP="ios",
    )
    _have_macholib()
    sys.meta_path.insert(0, absent)
    for name in guise.absent:
        sys.modules.pop(name, None)


def _have_macholib() -> None:
    """Give ctypes.util the module that it imports on iOS, where a Linux distribution has left it out (Debian does).

    Apple's libraries lie in the shared cache, of which there is none here: nothing is found, as with CPython's own.
    """
    from importlib.util import find_spec  # noqa: PLC0415 - as above

    try:
        if find_spec("ctypes.macholib.dyld") is not None:
            return
    except ModuleNotFoundError:
        pass

    def dyld_find(name: str, *_: object, **__: object) -> str:
        if os.path.isfile(name):  # noqa: PTH113 - as CPython's own
            return name
        raise ValueError(f"dylib {name} could not be found")

    package, module = types.ModuleType("ctypes.macholib"), types.ModuleType("ctypes.macholib.dyld")
    module.dyld_find = dyld_find  # type: ignore[attr-defined]  # as above
    package.dyld = module  # type: ignore[attr-defined]  # as above
    package.__path__ = []
    sys.modules.update({"ctypes.macholib": package, "ctypes.macholib.dyld": module})


class _Absent(MetaPathFinder):
    """Finds modules that the iOS Python lacks only where the app has them, in packages of its own."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._linux = {os.path.realpath(directory) for directory in _standard_library()}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The app's module; None for any other name.

        Raises:
            ModuleNotFoundError: The iOS Python would not find it.
        """
        if path is not None or name not in self._names:
            return None
        own = [entry for entry in sys.path if os.path.realpath(entry) not in self._linux]
        spec = PathFinder.find_spec(name, own, target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec


def _standard_library() -> tuple[str, ...]:
    """The directories of this Python's own modules."""
    import sysconfig  # noqa: PLC0415 - as above

    return tuple(
        os.path.join(sysconfig.get_path(name), part)  # noqa: PTH118 - as the import system has it
        for name in ("stdlib", "platstdlib")
        for part in ("", "lib-dynload")
    )
