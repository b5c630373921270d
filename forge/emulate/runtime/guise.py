"""Answering as iOS does: what Python code asks to find out where it runs.

The rules are CPython's: ``Lib/platform.py`` (``ios_ver``, ``uname``), ``Lib/sysconfig/__init__.py``
(``get_platform``), ``Lib/_ios_support.py``, and PEP 730. Only answers change; what the machine can do, such as starting
processes, stays, but for what the standard library itself takes away where ``sys.platform`` is ``ios``.
"""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass

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
    """

    ios_version: str
    minimum: str
    multiarch: str
    model: str = "iPhone"

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
