"""What the runner tells the runtime, as data: it goes from one process to another as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class LoaderConfig:
    """How to run Mach-O code in this process.

    Args:
        shim: The shared object that is built from ``forge/emulate/native``.
        libcxx: The Mach-O libc++, which serves as ``/usr/lib/libc++.1.dylib`` and ``libc++abi.dylib``; None where there
            is none, and C++ code then finds no library.
        report: A file that traps and faults append a JSON object a line to; None for none.
        executable_path: The app's executable, in whose directory ``.fwork`` paths and ``@executable_path`` begin;
            None for the running Python's.
        fault_handler: Report crashes of the process.
        openblas32: A Linux BLAS and LAPACK with 32-bit integers to stand in for Accelerate's
            (`forge.emulate.runtime.accelerate`); None for none, and each call is a trap.
        openblas64: The same with 64-bit integers.
    """

    shim: Path
    libcxx: Path | None = None
    report: Path | None = None
    executable_path: Path | None = None
    fault_handler: bool = True
    openblas32: Path | None = None
    openblas64: Path | None = None

    def to_json(self) -> str:
        """The configuration as a JSON object."""
        return json.dumps({key: str(v) if isinstance(v, Path) else v for key, v in vars(self).items()})

    @classmethod
    def from_json(cls, text: str) -> LoaderConfig:
        """The configuration that `to_json` wrote.

        Raises:
            ValueError: It is no JSON, or not an object.
            TypeError: A key is unknown or missing.
        """
        values: dict[str, Any] = json.loads(text)
        for key in ("shim", "libcxx", "report", "executable_path", "openblas32", "openblas64"):
            if values.get(key) is not None:
                values[key] = Path(values[key])
        return cls(**values)
