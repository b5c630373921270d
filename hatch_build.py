"""The part of forge's wheel that is compiled: the emulation's shim, for the Linux machine that builds the wheel.

On other systems, or where no C compiler is, the wheel is pure and `forge.emulate.shim` compiles the shim when it is
wanted. In an editable install the shim lies beside its sources.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType


class ShimBuildHook(BuildHookInterface):
    """Compiles ``forge/emulate/native`` into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the result packed and the wheel tagged for this platform.

        Args:
            version: ``standard`` or ``editable``.
            build_data: hatchling's; changed.
        """
        if self.target_name != "wheel" or not sys.platform.startswith("linux"):
            return
        recipe = self._recipe()
        if recipe.host_arch() not in {"x86_64", "arm64"}:
            return
        name = recipe.file_name(recipe.host_arch())
        if version == "editable":
            directory = Path(self.root) / "forge" / "emulate" / "native"
            for stale in directory.glob("forge-shim-*.so"):
                stale.unlink()
        else:
            self._temporary = tempfile.TemporaryDirectory()
            directory = Path(self._temporary.name)
        made = directory / name
        try:
            recipe.compile_for_host(made)
        except OSError as error:
            self.app.display_warning(f"no C compiler ({error}): the emulation's shim is compiled when it is wanted")
            return
        except subprocess.CalledProcessError as error:
            self.app.display_warning(f"the emulation's shim cannot be compiled here:\n{error.stderr}")
            return
        if version != "editable":
            build_data["force_include"][str(made)] = f"forge/emulate/native/{name}"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's signature
        """Remove what was compiled; it is in the wheel."""
        temporary = getattr(self, "_temporary", None)
        if temporary is not None:
            temporary.cleanup()

    def _recipe(self) -> ModuleType:
        """``forge/emulate/shim_compile.py``, loaded by its path: forge is not importable while it is being built."""
        path = os.path.join(self.root, "forge", "emulate", "shim_compile.py")  # noqa: PTH118 - root is a string
        spec = importlib.util.spec_from_file_location("shim_compile", path)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
