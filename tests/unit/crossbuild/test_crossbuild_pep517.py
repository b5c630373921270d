from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, ToolchainError
from forge.crossbuild.backends.meson import vendored_meson
from forge.crossbuild.backends.pep517 import build_wheel, declared_requires
from tests.unit.crossbuild.fakes import PYPROJECT, WHEEL, write_source

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

DEFAULT = ("setuptools >= 40.8.0",)


def pyproject(tree: Path, text: str | bytes) -> Path:
    (tree / "pyproject.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    return tree


class TestRequires:
    def test_listed(self, tmp_path: Path) -> None:
        pyproject(tmp_path, '[build-system]\nrequires = ["hatchling>=1.27", "Cython ; python_version > \'3\'"]\n')
        assert declared_requires(tmp_path) == ("hatchling>=1.27", "Cython ; python_version > '3'")

    def test_setuptools_where_nothing_is_said(self, tmp_path: Path) -> None:
        assert declared_requires(tmp_path) == DEFAULT
        assert declared_requires(pyproject(tmp_path, "")) == DEFAULT
        assert declared_requires(pyproject(tmp_path, "[project]\nname = 'x'\n")) == DEFAULT

    def test_none(self, tmp_path: Path) -> None:
        assert declared_requires(pyproject(tmp_path, "[build-system]\nrequires = []\n")) == ()

    @pytest.mark.parametrize(
        "text",
        [
            "[build-system\n",
            b"\xff\xfe",
            "[build-system]\nrequires = 'setuptools'\n",
            "[build-system]\nrequires = ['a', 3]\n",
            "build-system = 3\n",
            "build-system = ['setuptools']\n",
        ],
        ids=["no TOML", "no text", "a string", "a number in it", "a number", "a list"],
    )
    def test_malformed(self, tmp_path: Path, text: str | bytes, snapshot: SnapshotAssertion) -> None:
        with pytest.raises(BuildError) as error:
            declared_requires(pyproject(tmp_path, text))
        assert str(error.value) == snapshot


class TestVendoredMeson:
    def test_named(self, tmp_path: Path) -> None:
        pyproject(tmp_path, "[tool.meson-python]\nmeson = 'vendored/meson/meson.py'\n")
        assert vendored_meson(tmp_path) == tmp_path / "vendored/meson/meson.py"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[tool.other]\nmeson = 'meson.py'\n",
            "[tool.meson-python]\n",
            "[tool.meson-python]\nmeson = 'meson'\n",
            "[tool.meson-python]\nmeson = 3\n",
            "[tool]\nmeson-python = 3\n",
            "[tool]\nmeson-python = 'meson.py'\n",
            "tool = 'x'\n",
            "tool = []\n",
        ],
    )
    def test_none(self, tmp_path: Path, text: str) -> None:
        assert vendored_meson(tmp_path) is None
        assert vendored_meson(pyproject(tmp_path, text)) is None


def build(tree: Path, tmp_path: Path, python: Path = Path(sys.executable), **settings: tuple[str, ...]) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    return build_wheel(
        tree=tree,
        python=python,
        env={"PATH": os.defpath, "GREETING": "from the environment"},
        config_settings=settings,
        out=out,
        log=tmp_path / "build.log",
        subject="demo for a target",
    )


class TestBuild:
    def test_the_wheel_and_the_log(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LEAKS", "in")
        body = "print(os.environ['GREETING'], os.environ.get('LEAKS'), os.getcwd())"
        tree = write_source(tmp_path / "demo", body)
        assert build(tree, tmp_path) == tmp_path / "out" / WHEEL
        log = (tmp_path / "build.log").read_text()
        assert f"the back end's first words\nfrom the environment None {tree}\n" in log

    def test_config_settings(self, tmp_path: Path) -> None:
        tree = write_source(tmp_path / "demo", "print('settings:', sorted(config_settings.items()))")
        build(tree, tmp_path, one=("x",), many=("a", "b c"))
        log = (tmp_path / "build.log").read_text()
        assert "settings: [('many', ['a', 'b c']), ('one', 'x')]\n" in log

    def test_warnings_of_the_back_end_are_in_the_log_alone(self, tmp_path: Path) -> None:
        # Were one handed on, it would be an error here (pytest's filterwarnings).
        body = "import warnings; warnings.warn('License classifiers are deprecated.')"
        assert build(write_source(tmp_path / "demo", body), tmp_path).is_file()
        assert "License classifiers are deprecated." in (tmp_path / "build.log").read_text()

    def test_a_failure_shows_the_logs_end(self, tmp_path: Path) -> None:
        body = "[print('line', n) for n in range(100)]; raise SystemExit('ninja: build stopped')"
        tree = write_source(tmp_path / "demo", body)
        with pytest.raises(BuildError) as error:
            build(tree, tmp_path)
        assert str(error.value) == "demo for a target: the back end exited with code 1"
        assert error.value.log == tmp_path / "build.log"
        assert error.value.tail[-1] == "ninja: build stopped"
        assert error.value.tail[-2] == "line 99"
        assert "line 0\n" in (tmp_path / "build.log").read_text()

    def test_an_exception_shows_its_end(self, tmp_path: Path) -> None:
        tree = write_source(tmp_path / "demo", "raise RuntimeError('no such compiler')")
        with pytest.raises(BuildError) as error:
            build(tree, tmp_path)
        assert error.value.tail[-1] == "RuntimeError: no such compiler"
        assert error.value.__cause__ is None, "pypa/build's own wrapping tells the user nothing"

    def test_a_missing_back_end(self, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
        tree = pyproject(write_source(tmp_path / "demo"), PYPROJECT.replace('"backend"', '"no_such.backend"'))
        with pytest.raises(BuildError) as error:
            build(tree, tmp_path)
        assert str(error.value) == snapshot
        assert error.value.log == tmp_path / "build.log"

    @pytest.mark.parametrize(
        "text",
        ["[build-system]\n", PYPROJECT.replace('"."', '".."')],
        ids=["no requires", "backend-path leaves the tree"],
    )
    def test_a_build_system_table_that_is_not_as_pep_518_says(
        self, tmp_path: Path, text: str, snapshot: SnapshotAssertion
    ) -> None:
        tree = pyproject(write_source(tmp_path / "demo"), text)
        with pytest.raises(BuildError) as error:
            build(tree, tmp_path)
        assert str(error.value).replace(str(tmp_path), "TMP") == snapshot

    def test_no_source(self, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        with pytest.raises(BuildError, match="does not appear to be a Python project"):
            build(tmp_path / "empty", tmp_path)

    def test_a_python_that_does_not_start(self, tmp_path: Path) -> None:
        tree = write_source(tmp_path / "demo")
        with pytest.raises((ToolchainError, BuildError), match="no-python"):
            build(tree, tmp_path, tmp_path / "no-python")
