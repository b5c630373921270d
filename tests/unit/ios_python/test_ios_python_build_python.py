"""Finding the build Python, and building one from a source that is a few lines of shell."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, IOSPythonError, ToolchainError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.ios_python.build_python import (
    NEEDED_MODULES,
    BuildPython,
    ensure_build_python,
    ensure_exact_python,
    find_build_python,
    find_exact_python,
    probe,
)
from forge.ios_python.releases import Release
from tests.unit.ios_python.fakes import CONFIGURE, MINOR, VERSION, Recorder, answering, make_release, pinned, tarball
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No Python on PATH, none of pyenv's."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.delenv("PYENV_ROOT", raising=False)
    monkeypatch.delenv("FORGE_BUILD_PYTHON", raising=False)


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    return ForgeHome(tmp_path / "home")


def fake(path: Path, version: str = VERSION, *missing: str) -> Path:
    return write_program(path, answering(version, *missing))


def told(error: Exception, tmp_path: Path) -> str:
    return f"{error}\nhint: {getattr(error, 'hint', None)}".replace(str(tmp_path), "TMP")


class TestProbe:
    def test_a_real_python(self) -> None:
        found = probe(Path(sys.executable))
        assert found is not None
        assert found[0] == platform.python_version()
        assert set(found[1]) <= set(NEEDED_MODULES)

    def test_missing_modules(self, tmp_path: Path) -> None:
        assert probe(fake(tmp_path / "python", VERSION, "ssl", "lzma")) == (VERSION, ("ssl", "lzma"))

    @pytest.mark.parametrize(
        "script",
        [
            'echo \'["PyPy", "3.13.5", []]\'',
            "echo 'pyenv: python3.13: command not found' >&2; exit 127",
            "echo 'not JSON'",
            "echo '{\"version\": 3}'",
            "echo '[]'",
            "echo 3",
            "echo null",
            "true",
        ],
    )
    def test_no_working_cpython(self, tmp_path: Path, script: str) -> None:
        assert probe(write_program(tmp_path / "python", script)) is None

    def test_no_program(self, tmp_path: Path) -> None:
        assert probe(tmp_path / "python") is None


class TestFind:
    def test_nothing(self, home: ForgeHome) -> None:
        assert find_exact_python(home, VERSION) is None

    def test_on_path(self, tmp_path: Path, home: ForgeHome) -> None:
        python = fake(tmp_path / "bin" / "python3.13")
        assert find_exact_python(home, VERSION) == BuildPython(python, VERSION)

    @pytest.mark.parametrize("version", ["3.13.0", "3.13.50", "3.14.5"])
    def test_another_release_will_not_do(self, tmp_path: Path, home: ForgeHome, version: str) -> None:
        fake(tmp_path / "bin" / "python3.13", version)
        assert find_exact_python(home, VERSION) is None

    def test_one_without_a_needed_module_will_not_do(self, tmp_path: Path, home: ForgeHome) -> None:
        fake(tmp_path / "bin" / "python3.13", VERSION, "ssl")
        assert find_exact_python(home, VERSION) is None

    def test_goes_on_after_one_that_will_not_do(
        self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = write_program(tmp_path / "broken" / "python3.13", "echo 'no such version' >&2; exit 127")
        good = fake(tmp_path / "bin" / "python3.13")
        monkeypatch.setenv("PATH", f"{broken.parent}:{good.parent}")
        assert find_exact_python(home, VERSION) == BuildPython(good, VERSION)

    def test_a_file_that_is_no_program_is_passed_over(self, tmp_path: Path, home: ForgeHome) -> None:
        fake(tmp_path / "bin" / "python3.13").chmod(0o644)
        assert find_exact_python(home, VERSION) is None

    def test_the_named_one_comes_first(self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
        fake(tmp_path / "bin" / "python3.13")
        named = fake(tmp_path / "mine" / "py")
        monkeypatch.setenv("FORGE_BUILD_PYTHON", str(named))
        assert find_exact_python(home, VERSION) == BuildPython(named, VERSION)

    @pytest.mark.parametrize("relative", ["mine/py", "./mine/py"])
    def test_a_relative_name_is_of_this_directory(
        self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch, relative: str
    ) -> None:
        """Builds run in directories of their own: the path that they are given must hold there too."""
        named = fake(tmp_path / "mine" / "py")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FORGE_BUILD_PYTHON", relative)
        assert find_exact_python(home, VERSION) == BuildPython(named, VERSION)

    def test_a_relative_directory_on_path(
        self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        python = fake(tmp_path / "bin" / "python3.13")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PATH", "bin")
        assert find_exact_python(home, VERSION) == BuildPython(python, VERSION)

    @pytest.mark.parametrize("variable", [True, False])
    def test_pyenvs(self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch, variable: bool) -> None:
        root = tmp_path / "elsewhere" if variable else tmp_path / "user" / ".pyenv"
        if variable:
            monkeypatch.setenv("PYENV_ROOT", str(root))
        fake(root / "versions" / "3.13.0" / "bin" / "python3.13", "3.13.0")
        python = fake(root / "versions" / VERSION / "bin" / "python3.13")
        assert find_exact_python(home, VERSION) == BuildPython(python, VERSION)

    def test_pyenvs_shims_are_not_asked(self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
        """What one starts depends on the directory and the environment, which a build has of its own."""
        shim = fake(tmp_path / "user" / ".pyenv" / "shims" / "python3.13")
        monkeypatch.setenv("PATH", str(shim.parent))
        assert find_exact_python(home, VERSION) is None
        python = fake(tmp_path / "user" / ".pyenv" / "versions" / VERSION / "bin" / "python3.13")
        assert find_exact_python(home, VERSION) == BuildPython(python, VERSION)

    def test_one_that_forge_made(self, home: ForgeHome) -> None:
        python = fake(home.build_pythons / f"{VERSION}-0123" / "bin" / "python3.13")
        assert find_exact_python(home, VERSION) == BuildPython(python, VERSION)


class TestFindForWheels:
    """Any patch release of the minor version will do."""

    @pytest.mark.parametrize("version", ["3.13.0", "3.13.5", "3.13.99", "3.13.0rc1"])
    def test_whatever_patch_release(self, tmp_path: Path, home: ForgeHome, version: str) -> None:
        python = fake(tmp_path / "bin" / "python3.13", version)
        assert find_build_python(home, "3.13") == BuildPython(python, version)

    def test_another_minor_version_or_one_that_lacks_modules_will_not(self, tmp_path: Path, home: ForgeHome) -> None:
        fake(tmp_path / "bin" / "python3.13", "3.14.0")
        assert find_build_python(home, "3.13") is None
        fake(tmp_path / "bin" / "python3.13", "3.13.1", "ssl")
        assert find_build_python(home, "3.13") is None

    def test_the_named_one_comes_first(self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
        fake(tmp_path / "bin" / "python3.13", "3.13.7")
        named = fake(tmp_path / "elsewhere" / "python", "3.13.2")
        monkeypatch.setenv("FORGE_BUILD_PYTHON", str(named))
        assert ensure_build_python(home, "3.13", SilentProgress()) == BuildPython(named, "3.13.2")

    def test_of_several_that_are_named_each_is_for_its_own_version(
        self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A build for several versions needs one of each."""
        elsewhere = fake(tmp_path / "bin" / "python3.13", "3.13.7")
        first, second = fake(tmp_path / "a" / "py", "3.15.1"), fake(tmp_path / "b" / "py", "3.14.2")
        monkeypatch.setenv("FORGE_BUILD_PYTHON", f"{first}{os.pathsep}{second}")
        found = [ensure_build_python(home, minor, SilentProgress()) for minor in ("3.13", "3.14", "3.15")]
        assert found == [
            BuildPython(elsewhere, "3.13.7"), BuildPython(second, "3.14.2"), BuildPython(first, "3.15.1"),
        ]  # fmt: skip

    def test_uv_s(self, tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
        installed = tmp_path / "uv" / "cpython-3.13.9-linux-x86_64-gnu" / "bin" / "python3.13"
        python = fake(installed, "3.13.9")
        monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
        assert find_build_python(home, "3.13") == BuildPython(python, "3.13.9")


class TestEnsure:
    def compilers(self, tmp_path: Path, *tools: str) -> None:
        for tool in tools:
            write_program(tmp_path / "bin" / tool, "exit 1")

    @pytest.mark.parametrize("there", [(), ("cc",), ("make",)], ids=str)
    def test_without_a_compiler(
        self, tmp_path: Path, home: ForgeHome, there: tuple[str, ...], snapshot: SnapshotAssertion
    ) -> None:
        self.compilers(tmp_path, *there)
        with pytest.raises(ToolchainError) as error:
            ensure_exact_python(home, make_release(tmp_path / "sources"), SilentProgress())
        assert told(error.value, tmp_path) == snapshot

    def test_one_that_is_there_is_not_built(self, tmp_path: Path, home: ForgeHome) -> None:
        python = fake(tmp_path / "bin" / "python3.13")
        progress = Recorder()
        made = ensure_exact_python(home, make_release(tmp_path / "sources"), progress)
        assert made == BuildPython(python, VERSION)
        assert progress.said == []
        assert not home.root.exists()

    def test_built_once_and_put_in_its_place(self, tmp_path: Path, home: ForgeHome) -> None:
        self.compilers(tmp_path, "cc", "make")
        release = make_release(tmp_path / "sources")
        made = ensure_exact_python(home, release, SilentProgress())
        assert made.version == VERSION
        assert made.executable.is_relative_to(home.build_pythons)
        assert [path.name for path in made.executable.parents[1].iterdir()] == ["bin"]
        assert list(home.work.iterdir()) == []
        again = Recorder()
        assert ensure_exact_python(home, release, again) == made
        assert again.said == []

    def test_a_development_package_is_missing(
        self, tmp_path: Path, home: ForgeHome, snapshot: SnapshotAssertion
    ) -> None:
        self.compilers(tmp_path, "cc", "make")
        release = make_release(tmp_path / "sources", python=answering(VERSION, "bz2", "ssl"))
        with pytest.raises(IOSPythonError) as error:
            ensure_exact_python(home, release, SilentProgress())
        assert told(error.value, tmp_path) == snapshot
        assert list(home.build_pythons.iterdir()) == [], "the next try must build it again"

    @pytest.mark.parametrize(
        ("configure", "last"),
        [
            ("#!/bin/sh\necho 'configure: error: no acceptable C compiler'\nexit 77\n", "no acceptable C compiler"),
            (CONFIGURE.replace("all:\n\ttrue", "all:\n\t@echo boom; false"), "boom"),
            (CONFIGURE.replace("mkdir -p", "false"), "Error"),
        ],
        ids=["configure", "make", "install"],
    )
    def test_a_build_that_fails(self, tmp_path: Path, home: ForgeHome, configure: str, last: str) -> None:
        self.compilers(tmp_path, "cc", "make")
        files = {"configure": configure, "python.sh": answering()}
        archive = tarball(tmp_path / "broken.tar", files, ("configure", "python.sh"))
        with pytest.raises(BuildError) as error:
            ensure_exact_python(home, Release(MINOR, pinned("cpython", archive, VERSION), ()), SilentProgress())
        assert error.value.log == home.logs / f"build-python-{VERSION}.1.log"
        assert last in "\n".join(error.value.tail)
        assert not home.build_pythons.exists() or list(home.build_pythons.iterdir()) == []


@pytest.mark.parametrize("said", ['["CPython", "3.13.5", ["ssl"]]', "nothing"])
def test_a_named_python_that_will_not_do_is_refused(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    named = tmp_path / "named"
    named.write_text(f"#!/bin/sh\necho '{said}'\n")
    named.chmod(0o755)
    monkeypatch.setenv("FORGE_BUILD_PYTHON", str(named))
    with pytest.raises(IOSPythonError) as error:
        ensure_build_python(ForgeHome(Path("/cache")), "3.13", SilentProgress())
    assert error.value.message.replace(str(tmp_path), "<tmp>") == snapshot
