"""The C half by itself: compiled here where there is a C compiler, and run without Python."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

import forge.emulate

NATIVE = Path(forge.emulate.__file__).parent / "native"
HERE = Path(__file__).parent
on_linux = pytest.mark.skipif(
    platform.system() != "Linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)


def compiled(source: str, made: Path, *flags: str) -> Path:
    command = ["cc", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O2", *flags, "-o", str(made)]
    natives = sorted(str(path) for path in NATIVE.glob("loader*.c"))
    done = subprocess.run(
        [*command, str(HERE / source), *natives, "-lpthread"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return made


@on_linux
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the test's assembly is x86_64's")
def test_the_thread_local_thunk_keeps_every_register(tmp_path: Path) -> None:
    """Also at first use in a thread, when it allocates; and contents, alignment and destructors are right."""
    program = compiled("registers.c", tmp_path / "registers")
    done = subprocess.run([str(program)], check=False, capture_output=True, text=True, timeout=60)
    if done.returncode == 77:
        pytest.skip("the CPU has no AVX")
    assert (done.stdout, done.returncode) == ("", 0)


@on_linux
def test_images_symbols_and_lookups(tmp_path: Path) -> None:
    program = compiled("images.c", tmp_path / "images")
    done = subprocess.run([str(program)], check=False, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("", 0)
