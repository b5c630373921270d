"""Building CPython for one target, from a source whose configure and Makefile say what they were asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError
from forge.base.progress import SilentProgress
from forge.base.target import IOSVersion, Target
from forge.ios_python.build_python import BuildPython
from forge.ios_python.cpython import NEWER_FUNCTIONS, PREFIX, REQUIRED_MODULES, build_cpython
from tests.unit.ios_python.fakes import CONFIGURE, DEVICE, MINOR, VERSION, X86_SIMULATOR, make_toolchain
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

LIBRARIES = ("libffi", "xz", "bzip2", "sqlite", "openssl")

ASKED = """
printf '%s\\n' "$@" > asked
env | sort > env
"""

MAKEFILE = """\
MODULES = {modules}
LIB = $(DESTDIR){prefix}/lib/python3.13
all:
\ttest -f asked
install:
\tmkdir -p $(LIB)/lib-dynload $(LIB)/__pycache__ $(DESTDIR){prefix}/bin
\tfor m in $(MODULES); do echo $$m > $(LIB)/lib-dynload/$$m.cpython-313-iphoneos.so; done
\tfor f in switched-off asked env; do cp $$f $(LIB)/$$f.so; done
\tfor f in data.py python.pc noext config.sh Makefile.in; do cp places $(LIB)/$$f; done
\tchmod 755 $(LIB)/config.sh
\tcp places $(LIB)/module.so
\tcp binary $(LIB)/binary
\ttouch $(LIB)/__pycache__/data.cpython-313.pyc
"""


class Case:
    """A made-up source tree, and what building it needs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = root / "work" / "python"
        self.libraries = {name: root / "libraries" / name for name in LIBRARIES}
        self.python = root / "bin" / "python3.13"
        self.tree.mkdir(parents=True)
        (self.tree / "configure").write_text(CONFIGURE.partition("cat >")[0] + ASKED)
        (self.tree / "configure").chmod(0o755)
        write_program(self.tree / "config.guess", "echo made-up-build")
        places = [self.tree, self.python, *self.libraries.values()]
        (self.tree / "places").write_text("".join(f"{place}/x {place}\n" for place in places))
        (self.tree / "binary").write_bytes(b"\xff" + str(self.tree).encode())
        self.makefile()

    def makefile(self, modules: tuple[str, ...] = REQUIRED_MODULES) -> None:
        text = MAKEFILE.format(modules=" ".join(modules), prefix=PREFIX)
        (self.tree / "Makefile").write_text(text)

    def build(self, target: Target = DEVICE) -> Path:
        return build_cpython(
            tree=self.tree,
            minor=MINOR,
            target=target,
            libraries=self.libraries,
            toolchain=make_toolchain(self.root / "toolchain"),
            build_python=BuildPython(self.python, VERSION),
            work=self.root / "work",
            staging=self.root / "staging",
            log=self.root / "python.log",
            progress=SilentProgress(),
            subject="Python",
        )


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def lib(installed: Path) -> Path:
    return installed / "lib" / f"python{MINOR}"


def test_is_installed_below_the_staging_directory(case: Case, tmp_path: Path) -> None:
    assert case.build() == Path(f"{tmp_path}/staging{PREFIX}")


def test_configure_is_told_target_and_libraries(case: Case, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    asked = (lib(case.build()) / "asked.so").read_text()
    assert asked.replace(str(tmp_path), "TMP") == snapshot


@pytest.mark.parametrize("version", [IOSVersion(12), *(IOSVersion(since) for since in NEWER_FUNCTIONS.values())])
def test_functions_that_the_minimum_lacks_are_not_used(case: Case, version: IOSVersion) -> None:
    asked = (lib(case.build(Target(DEVICE.abi, DEVICE.arch, version))) / "asked.so").read_text().splitlines()
    for name, since in NEWER_FUNCTIONS.items():
        assert (f"ac_cv_func_{name}=no" in asked) == (version.major < since)


def test_the_environment_is_the_targets_alone(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CFLAGS", "-march=native")
    monkeypatch.setenv("PKG_CONFIG_PATH", "/usr/lib/pkgconfig")
    installed = case.build(X86_SIMULATOR)
    env = dict(line.partition("=")[::2] for line in (lib(installed) / "env.so").read_text().splitlines())
    assert "CFLAGS" not in env
    assert env["IPHONEOS_DEPLOYMENT_TARGET"] == "12.0"
    assert env["PKG_CONFIG_PATH"] == ""
    assert set(env["PKG_CONFIG_LIBDIR"].split(":")) == {f"{path}/lib/pkgconfig" for path in case.libraries.values()}
    assert env["PATH"].split(":")[:2] == [f"{case.tree}/iOS/Resources/bin", f"{tmp_path}/toolchain/bin"]


def test_modules_for_multiprocessing_are_switched_on(case: Case) -> None:
    assert "_multiprocessing=n/a" in (case.tree / "configure").read_text()
    switched_off = (lib(case.build()) / "switched-off.so").read_text()
    assert "py_cv_module__tkinter" in switched_off
    assert "_multiprocessing" not in switched_off
    assert "_posixshmem" not in switched_off


def test_a_release_whose_configure_differs(case: Case, snapshot: SnapshotAssertion) -> None:
    (case.tree / "configure").write_text("#!/bin/sh\n")
    with pytest.raises(BuildError) as error:
        case.build()
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot


def test_no_place_of_this_machine_in_text_files(case: Case, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    directory = lib(case.build())
    for name in ("data.py", "python.pc", "noext", "config.sh", "Makefile.in"):
        assert (directory / name).read_text() == snapshot(name="places")
    assert (directory / "config.sh").stat().st_mode & 0o777 == 0o755
    assert (directory / "binary").read_bytes() == b"\xff" + str(case.tree).encode(), "no text, so left alone"
    assert str(tmp_path) in (directory / "module.so").read_text(), "a binary's paths are the compiler's business"
    assert not (directory / "__pycache__").exists()


@pytest.mark.parametrize("lost", [("_ssl",), ("_bz2", "zlib"), REQUIRED_MODULES], ids=len)
def test_a_module_that_was_left_out(case: Case, lost: tuple[str, ...]) -> None:
    case.makefile(tuple(name for name in REQUIRED_MODULES if name not in lost))
    with pytest.raises(BuildError) as error:
        case.build()
    assert str(error.value) == f"Python: the extension modules {', '.join(lost)} were not built"


def test_every_step_is_in_the_log(case: Case, tmp_path: Path) -> None:
    case.build()
    log = (tmp_path / "python.log").read_text()
    assert all(step in log for step in ("$ ./configure --host=arm64-apple-ios12.0 ", "$ make -j", "$ make install"))
