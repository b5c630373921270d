"""What a build with Rust finds on PATH."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.crossbuild.rust import link_objcopy
from forge.toolchain.llvm import LLVM, LLVMToolchain
from forge.toolchain.rust import Rust
from tests.unit.ios_python.fakes import make_toolchain

if TYPE_CHECKING:
    from pathlib import Path

HOST = "x86_64-unknown-linux-gnu"


@pytest.fixture
def rust(tmp_path: Path) -> Rust:
    return Rust(tmp_path / "rustc", tmp_path / "cargo", "1.96.0", "ac68faa20", HOST, tmp_path / "sysroot")


@pytest.fixture
def toolchain(tmp_path: Path) -> LLVMToolchain:
    return LLVMToolchain(tmp_path / "sdk", "1", LLVM(tmp_path / "llvm" / "bin", "19", 19, tmp_path, tmp_path))


def test_debians_compiler_strips_with_llvms_program(tmp_path: Path, rust: Rust, toolchain: LLVMToolchain) -> None:
    for _ in range(2):  # a build that is gone on with has it already
        link_objcopy(rust, toolchain, tmp_path)
    assert (tmp_path / "rust-objcopy").readlink() == toolchain.llvm.bin / "llvm-objcopy"


def test_rustups_has_its_own(tmp_path: Path, rust: Rust, toolchain: LLVMToolchain) -> None:
    own = rust.sysroot / "lib" / "rustlib" / HOST / "bin" / "rust-objcopy"
    own.parent.mkdir(parents=True)
    own.touch()
    link_objcopy(rust, toolchain, tmp_path)
    assert not (tmp_path / "rust-objcopy").is_symlink()


def test_xcode_has_none(tmp_path: Path, rust: Rust) -> None:
    link_objcopy(rust, make_toolchain(tmp_path / "xcode"), tmp_path)
    assert not (tmp_path / "rust-objcopy").is_symlink()
