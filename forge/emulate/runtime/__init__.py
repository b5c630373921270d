"""What runs inside the emulating Python: a loader for Mach-O files, and Darwin's system libraries for their code.

Only the standard library is imported, and nothing of forge outside this package: no third-party package of forge's is
installed there.
"""

from __future__ import annotations

from forge.emulate.runtime.config import LoaderConfig
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.install import install, installed

__all__ = ["LoaderConfig", "MachOImportError", "install", "installed"]
