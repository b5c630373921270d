"""What a wheel build reads, laid out from headers and forge's data."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import IOSPythonError
from forge.ios_python.headers_release import read_release
from forge.ios_python.interface import TARGETS, read_interface
from forge.ios_python.model import IOSPython
from forge.ios_python.tree import write_tree
from tests.unit.ios_python.fakes import DEVICE, patchlevel
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target


def headers(directory: Path, release: str) -> Path:
    (directory / "cpython").mkdir(parents=True)
    (directory / "Python.h").write_text('#include "patchlevel.h"\n')
    (directory / "cpython" / "code.h").write_text("/* of the release */\n")
    (directory / "patchlevel.h").write_text(patchlevel(release))
    (directory / "pyconfig.h").write_text("#error another machine's\n")
    (directory / "pyconfig-64.h").write_text("#error another machine's\n")
    return directory


@pytest.fixture
def python(tmp_path: Path) -> IOSPython:
    write_tree(read_interface("3.13"), headers(tmp_path / "Include", "3.13.7"), tmp_path / "tree")
    return IOSPython(tmp_path / "tree", "3.13.7", TARGETS)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_everything_is_where_the_model_says(python: IOSPython, target: Target) -> None:
    assert (python.headers(target) / "cpython" / "code.h").is_file()
    assert "not there for this architecture" in (python.headers(target) / "pyconfig.h").read_text()
    assert not (python.headers(target) / "pyconfig-64.h").exists()
    assert (python.slice(target) / "include" / "python3.13" / "Python.h").is_file()
    assert python.sysconfigdata(target).is_file()
    assert python.stub(target).is_file()


@pytest.mark.parametrize("release", ["3.13.0", "3.13.15", "3.13.2+", "3.13.0rc2"])
def test_builds_are_told_no_patch_release(tmp_path: Path, release: str) -> None:
    """A wheel runs on all of them, and is to be the same from all of them."""
    write_tree(read_interface("3.13"), headers(tmp_path / "Include", release), tmp_path / "tree")
    found = (tmp_path / "tree" / "ios-arm64" / "Python.framework" / "Headers" / "patchlevel.h").read_text()
    assert found == patchlevel("3.13.0")
    assert read_release(tmp_path / "Include") == release


@pytest.mark.parametrize("release", ["3.12.9", "3.14.0"])
def test_headers_of_another_version_are_refused(tmp_path: Path, release: str) -> None:
    with pytest.raises(IOSPythonError, match=rf"has the headers of Python {release}, not of 3\.13"):
        write_tree(read_interface("3.13"), headers(tmp_path / "Include", release), tmp_path / "tree")


@pytest.mark.parametrize("content", [None, "", '#define PY_VERSION "three"\n'])
def test_what_is_not_cpython_s_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "patchlevel.h").write_text(content)
    with pytest.raises(IOSPythonError, match=r"patchlevel\.h"):
        read_release(tmp_path)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_wrappers_ask_xcrun(python: IOSPython, target: Target, tmp_path: Path) -> None:
    write_program(tmp_path / "bin" / "xcrun", 'printf "%s\\n" "$@"')
    tools = f"{target.arch}-apple-ios" + ("-simulator" if target.is_simulator else "")
    triple = f"{target.arch}-apple-ios14.2" + ("-simulator" if target.is_simulator else "")
    env = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin", "IPHONEOS_DEPLOYMENT_TARGET": "14.2"}

    def said(tool: str) -> list[str]:
        command = (str(python.wrappers(target) / f"{tools}-{tool}"), "-c", "a file.c")
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout.splitlines()

    assert said("clang") == ["--sdk", target.abi, "clang", "-target", triple, "-c", "a file.c"]
    assert said("clang++") == ["--sdk", target.abi, "clang++", "-target", triple, "-c", "a file.c"]
    assert said("cpp") == ["--sdk", target.abi, "clang", "-target", triple, "-E", "-c", "a file.c"]
    assert said("ar") == ["--sdk", target.abi, "ar", "-c", "a file.c"]


def test_an_assembled_one_cannot_run_in_an_app(python: IOSPython) -> None:
    with pytest.raises(IOSPythonError, match="cannot run in an app"):
        python.require_product()
    with pytest.raises(IOSPythonError, match="does not contain"):
        python.fingerprint(DEVICE)
