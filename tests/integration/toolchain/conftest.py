from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from forge.macho.reader import read_macho
from forge.toolchain.environment import cross_environment

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.macho.model import MachOSlice
    from forge.toolchain.llvm import LLVMToolchain


@dataclass(frozen=True)
class Compiled:
    """What one run of the compiler gave."""

    ok: bool
    output: str
    file: Path

    @property
    def slice(self) -> MachOSlice:
        assert self.ok, self.output
        return read_macho(self.file).slices[0]

    @property
    def imports(self) -> dict[str, bool]:
        """Imported symbols, to whether each is weak."""
        return {symbol.name: symbol.weak for symbol in self.slice.imports}


@dataclass(frozen=True)
class Bench:
    """Compiles snippets with the toolchain, in the environment that builds get."""

    toolchain: LLVMToolchain
    directory: Path

    def compile(
        self,
        source: str,
        target: Target,
        *flags: str,
        name: str = "snippet.c",
        directory: Path | None = None,
        prefix_map: dict[Path, str] | None = None,
    ) -> Compiled:
        directory = directory or self.directory
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(source)
        env = cross_environment(self.toolchain, target, directory, prefix_map=prefix_map)
        driver = "clang++" if name.endswith("pp") else "clang"
        command = [
            "xcrun",
            "--sdk",
            target.abi.value,
            driver,
            "-target",
            target.clang_triple,
            name,
            "-o",
            "out",
            *flags,
        ]
        (directory / "out").unlink(missing_ok=True)
        done = subprocess.run(command, cwd=directory, env=env, capture_output=True, text=True, check=False)
        return Compiled(done.returncode == 0, done.stdout + done.stderr, directory / "out")


@pytest.fixture
def bench(toolchain: LLVMToolchain, tmp_path: Path) -> Bench:
    return Bench(toolchain, tmp_path)
