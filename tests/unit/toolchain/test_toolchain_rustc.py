"""The program that cargo runs in rustc's place; one that prints its arguments stands for the compiler."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.toolchain.rust import write_rustc_wrapper
from tests.unit.toolchain.test_toolchain_rust import program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FEATURE = 'feature="full"'


@pytest.fixture
def rustc(tmp_path: Path) -> Callable[..., list[str]]:
    """Runs the wrapper as cargo does for a crate in a directory; the arguments that the compiler gets."""
    wrapper = write_rustc_wrapper(tmp_path)
    compiler = program(tmp_path / "rustc", "#!/bin/sh\nprintf '%s\\n' \"$@\"\n")

    def run(*arguments: str, place: str = "/build/src/dep", **more: str) -> list[str]:
        environment = {
            "CARGO_PKG_NAME": "dep", "CARGO_PKG_VERSION": "0.1.0", "CARGO_MANIFEST_DIR": place,
            "FORGE_PREFIX_MAP": "/build/src=/usr/src/demo:/build=/usr/src/build:/cache/sources=/forge/sources", **more,
        }  # fmt: skip
        ended = subprocess.run(
            [wrapper, compiler, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return ended.stdout.splitlines()

    return run


def crate(rustc: Callable[..., list[str]], *arguments: str, **more: str) -> str:
    """What tells a crate from others."""
    (said,) = rustc(*arguments, "-C", "metadata=0123456789abcdef", **more)[len(arguments) + 1 :]
    return said


def test_a_crate_is_told_by_what_is_the_same_everywhere(rustc: Callable[..., list[str]]) -> None:
    arguments = ["--crate-name", "dep", "--crate-type", "lib", "-C", "opt-level=3", "--cfg", FEATURE]
    more = ["-C", "extra-filename=-0123456789abcdef", "--target", "x86_64-apple-ios", "src/a file.rs"]
    told = f"metadata=dep 0.1.0 /usr/src/demo/dep lib {FEATURE} x86_64-apple-ios"
    assert rustc(*arguments, "-C", "metadata=0123456789abcdef", *more) == [*arguments, "-C", told, *more]


def test_places_have_the_names_that_compiled_files_have(rustc: Callable[..., list[str]]) -> None:
    def of(place: str) -> str:
        return crate(rustc, place=place)

    assert of("/build/src") == "metadata=dep 0.1.0 /usr/src/demo"
    assert of("/build/src2") == "metadata=dep 0.1.0 /usr/src/build/src2"
    assert of("/build/a b/dep") == "metadata=dep 0.1.0 /usr/src/build/a b/dep"
    assert of("/cache/sources/cargo/dep-1") == "metadata=dep 0.1.0 /forge/sources/cargo/dep-1"
    assert of("/usr/lib/rust/core") == "metadata=dep 0.1.0 /usr/lib/rust/core"
    assert crate(rustc, FORGE_PREFIX_MAP="") == "metadata=dep 0.1.0 /build/src/dep"


def test_other_crates_are_told_apart(rustc: Callable[..., list[str]]) -> None:
    told = [
        crate(rustc), crate(rustc, CARGO_PKG_NAME="other"), crate(rustc, CARGO_PKG_VERSION="0.2.0"),
        crate(rustc, place="/build/src/other"), crate(rustc, "--cfg", FEATURE),
        crate(rustc, "--target", "x86_64-apple-ios"), crate(rustc, "--crate-type", "proc-macro"),
    ]  # fmt: skip
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("arguments", [["-vV"], ["-", "--crate-name", "___", "--print=file-names"], []])
def test_questions_go_through(rustc: Callable[..., list[str]], arguments: list[str]) -> None:
    assert rustc(*arguments) == (arguments or [""])


def test_panic_abort_alone_aborts(rustc: Callable[..., list[str]]) -> None:
    assert rustc("--crate-name", "panic_abort", "x.rs") == ["--crate-name", "panic_abort", "-Cpanic=abort", "x.rs"]


def test_the_compilers_exit_code_is_its_own(tmp_path: Path) -> None:
    wrapper = write_rustc_wrapper(tmp_path)
    compiler = program(tmp_path / "rustc", "#!/bin/sh\nexit 101\n")
    assert subprocess.run([wrapper, compiler, "x.rs"], env={}, check=False).returncode == 101
