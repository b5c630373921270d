from __future__ import annotations

import ast
import configparser
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.target import Target, select_targets
from forge.crossbuild.backends.meson import cross_file, meson_wrapper
from forge.crossbuild.cross_environment import CrossEnvironment
from forge.crossbuild.host_prefix import HostPrefix
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> CrossEnvironment:
    root = tmp_path / "cross"
    return CrossEnvironment(
        root, root / "cross" / "bin" / "python", root / "build" / "bin" / "python", tmp_path / "wrappers"
    )


@pytest.fixture
def prefix(tmp_path: Path) -> HostPrefix:
    return HostPrefix(tmp_path / "host", ())


def read(text: str) -> dict[str, dict[str, Any]]:
    """A machine file, as Meson reads it: sections of names and values that are spelled as Python's are."""
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    parser.read_string(text)
    booleans = {"true": "True", "false": "False"}
    return {
        name: {key: ast.literal_eval(booleans.get(value, value)) for key, value in parser[name].items()}
        for name in parser.sections()
    }


@pytest.mark.parametrize("target", select_targets(), ids=str)
def test_cross_file(target: Target, environment: CrossEnvironment, prefix: HostPrefix) -> None:
    file = read(cross_file(target, environment, prefix))
    assert set(file) == {"binaries", "host_machine", "properties"}
    arm = target.arch == "arm64"
    assert file["host_machine"] == {
        "system": "ios",
        "subsystem": "ios-simulator" if target.is_simulator else "ios",
        "kernel": "xnu",
        "cpu_family": "aarch64" if arm else "x86_64",
        "cpu": target.arch.value,
        "endian": "little",
    }
    assert file["properties"] == {
        "needs_exe_wrapper": True,
        "longdouble_format": "IEEE_DOUBLE_LE" if arm else "INTEL_EXTENDED_16_BYTES_LE",
    }
    binaries = file["binaries"]
    assert binaries["python"] == str(environment.cross_python)
    assert binaries["strip"] == ["xcrun", "--sdk", target.abi.value, "strip"]
    assert binaries["pkg-config"] == "pkg-config"
    assert "fortran" not in binaries
    wrappers = {"c": "clang", "cpp": "clang++", "objc": "clang", "objcpp": "clang++", "ar": "ar"}
    assert {name: binaries[name] for name in wrappers} == {
        name: f"{target.host_triple}-{tool}" for name, tool in wrappers.items()
    }


def test_fortran(environment: CrossEnvironment, prefix: HostPrefix) -> None:
    (target, *_) = select_targets()
    file = read(cross_file(target, environment, prefix, fortran=True))
    assert file["binaries"]["fortran"] == f"{target.host_triple}-flang"


def test_headers_are_the_targets(environment: CrossEnvironment, prefix: HostPrefix) -> None:
    (target, *_) = select_targets()
    numpy = prefix.site_packages / "numpy" / "_core" / "include"
    numpy.mkdir(parents=True)
    pythran = environment.root / "build" / "lib" / "python3.13" / "site-packages" / "pythran"
    pythran.mkdir(parents=True)
    properties = read(cross_file(target, environment, prefix))["properties"]
    assert properties["numpy-include-dir"] == str(numpy)
    assert properties["pythran-include-dir"] == str(pythran)


SAY = 'printf \'%s\\n\' "$0" "$@"'


def run(tmp_path: Path, text: str) -> list[str]:
    program = tmp_path / "meson"
    program.write_text(text)
    program.chmod(0o755)
    arguments = ["setup", "with space", "*", "$HOME"]
    said = subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout.splitlines()
    assert said[-4:] == arguments
    return said[:-4]


def test_a_packages_own_meson_runs_in_the_build_python(tmp_path: Path, environment: CrossEnvironment) -> None:
    write_program(environment.build_python, SAY)
    own = tmp_path / "a package" / "meson.py"
    assert run(tmp_path, meson_wrapper(environment, own)) == [str(environment.build_python), str(own)]


def test_the_build_requirements_meson_is_run(tmp_path: Path, environment: CrossEnvironment) -> None:
    meson = write_program(environment.build_bin / "meson", SAY)
    assert run(tmp_path, meson_wrapper(environment, None)) == [str(meson)]
