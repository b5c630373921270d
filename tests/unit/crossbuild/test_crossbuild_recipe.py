"""Building a recipe, with a back end of a few lines in place of a compiler."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, RecipeError
from forge.crossbuild import recipe_build
from forge.crossbuild.backends import back_end
from forge.crossbuild.enter import write_enter_script
from forge.crossbuild.host_prefix import HostPackage
from forge.crossbuild.lock_check import check_lock
from forge.crossbuild.recipe_build import BuiltWheel, build_recipe
from forge.crossbuild.sources import source_of
from forge.macho.model import FileType
from forge.macho.reader import read_macho
from forge.recipe.evaluate import evaluate
from forge.recipe.lock import make_lock
from forge.recipe.model import Backend, GitPin, PathPin, SdistPin, UrlPin
from forge.recipe.read import read_recipe
from forge.source.model import GitSource, PathSource, SdistSource, UrlSource
from forge.wheel.contents import read_wheel
from tests.unit.crossbuild.fakes import MODULE, RECIPE, WHEEL, make_context, no_cross_environment, write_recipe
from tests.unit.ios_python.fakes import DEVICE, Recorder
from tests.unit.macho.builder import BUNDLE, macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.crossbuild.context import BuildContext
    from forge.recipe.model import EvaluatedRecipe, SourcePin

KEY = "0123456789abcdef" * 4


def recipe(directory: Path) -> EvaluatedRecipe:
    return evaluate(read_recipe(directory), DEVICE, "3.13")


def told(error: Exception, tmp_path: Path) -> str:
    return f"{error}\nhint: {getattr(error, 'hint', None)}".replace(str(tmp_path), "TMP")


class TestLock:
    def lock(self, directory: Path, *requires: str, version: str = "1.0") -> None:
        pins = [(re.split("[=>]", name)[0], version, ["ab" * 32]) for name in requires]
        (directory / "build-requirements.lock").write_text(make_lock(pins, requires).text())

    def test_missing(self, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
        directory = write_recipe(tmp_path, lock=False)
        with pytest.raises(RecipeError) as error:
            check_lock(recipe(directory), directory / "source")
        assert told(error.value, tmp_path) == snapshot

    def test_made_for_other_requirements(self, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
        directory = write_recipe(tmp_path, text=RECIPE.replace("setuptools\n", "setuptools\n  requires: [cython==3]\n"))
        self.lock(directory, "cython==2")
        with pytest.raises(RecipeError) as error:
            check_lock(recipe(directory), directory / "source")
        assert told(error.value, tmp_path) == snapshot

    def test_current(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path, text=RECIPE.replace("setuptools\n", "setuptools\n  requires: [Cython==3]\n"))
        self.lock(directory, "cython==3", version="3")
        assert check_lock(recipe(directory), directory / "source") == directory / "build-requirements.lock"

    def test_it_does_not_hold_for_this_python(self, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
        """It was made for an older one, for which another version is required."""
        text = RECIPE.replace("setuptools\n", "setuptools\n  requires: [Cython>=3]\n")
        directory = write_recipe(tmp_path, text=text)
        self.lock(directory, "cython>=3")
        with pytest.raises(RecipeError) as error:
            check_lock(recipe(directory), directory / "source")
        assert told(error.value, tmp_path) == snapshot

    def test_what_another_target_requires_besides_does_not_matter(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path)
        self.lock(directory, "pybind11==3")
        assert check_lock(recipe(directory), directory / "source") == directory / "build-requirements.lock"


def test_requirements_of_source_recipe_and_back_end(tmp_path: Path) -> None:
    directory = write_recipe(tmp_path, text=RECIPE.replace("setuptools\n", "meson-python\n  requires: [Cython==3]\n"))
    source = directory / "source"
    (source / "pyproject.toml").write_text('[build-system]\nrequires = ["meson-python>=0.18", "cython"]\n')
    found = recipe(directory)
    assert back_end(found).requires(found, source) == ("cython==3", "meson-python>=0.18")
    assert recipe(directory).backend is Backend.MESON_PYTHON


@pytest.mark.parametrize(
    ("pin", "source"),
    [
        (SdistPin("ab" * 32, "demo.tar.gz"), SdistSource("demo", "1.0", "ab" * 32, "demo.tar.gz")),
        (UrlPin(("https://example.org/x",), "ab" * 32), UrlSource(("https://example.org/x",), "ab" * 32)),
        (GitPin("https://example.org/x", "ab" * 20), GitSource("demo", "https://example.org/x", "ab" * 20)),
    ],
)
def test_sources(tmp_path: Path, pin: SourcePin, source: object) -> None:
    assert source_of(dataclasses.replace(recipe(write_recipe(tmp_path)), source=pin)) == source


def test_a_path_is_relative_to_the_recipe(tmp_path: Path) -> None:
    directory = write_recipe(tmp_path)
    evaluated = dataclasses.replace(recipe(directory), source=PathPin("source"))
    assert source_of(evaluated) == PathSource(directory / "source")


VALUES = {
    "PLAIN": "x",
    "SPACES": " two  words ",
    "QUOTES": 'it\'s "quoted"',
    "DOLLAR": "$HOME `id` $(id) \\ !",
    "EMPTY": "",
    "LINES": "one\ntwo",
    "UNICODE": "é…",
}


class TestEnter:
    @pytest.fixture
    def tree(self, tmp_path: Path) -> Path:
        tree = tmp_path / "work" / "it's a tree"
        tree.mkdir(parents=True)
        return tree

    def test_a_command_runs_as_in_the_build(self, tree: Path) -> None:
        env = {**VALUES, "PATH": os.defpath, "HOME": "/nowhere"}
        script = write_enter_script(tree.parent, tree, env)
        command = [str(script), "sh", "-c", 'pwd; printf "%s|" "$@"; env -0', "sh", "a b", "*", "$x"]
        said = subprocess.run(
            command, env={"PATH": os.defpath, "LEAKS": "in", "TERM": "xterm"}, check=True, capture_output=True, cwd="/"
        ).stdout.decode()
        assert said.startswith(f"{tree}\na b|*|$x|")
        entries = said.partition("$x|")[2].split("\0")
        seen = dict(entry.split("=", 1) for entry in entries if entry)
        for name in ("PWD", "OLDPWD", "SHLVL", "_"):  # the shell's own
            seen.pop(name, None)
        assert seen == {**env, "TERM": "xterm"}

    def test_its_exit_code_is_the_commands(self, tree: Path) -> None:
        script = write_enter_script(tree.parent, tree, {"PATH": os.defpath})
        assert subprocess.run([script, "sh", "-c", "exit 7"], check=False).returncode == 7

    def test_without_a_command_it_is_a_shell(self, tree: Path) -> None:
        script = write_enter_script(tree.parent, tree, {"PATH": os.defpath, "NAME": "value"})
        done = subprocess.run(
            [script], input="echo $NAME; pwd", check=True, capture_output=True, text=True, env={"PATH": os.defpath}
        )
        assert done.stdout == f"value\n{tree}\n"

    def test_a_tree_that_is_gone(self, tree: Path) -> None:
        script = write_enter_script(tree.parent, tree, {"PATH": os.defpath})
        tree.rmdir()
        done = subprocess.run([script, "echo", "ran"], check=False, capture_output=True, text=True)
        assert done.returncode != 0
        assert done.stdout == ""


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildContext:
    monkeypatch.setattr(recipe_build, "ensure_cross_environment", no_cross_environment)
    return make_context(tmp_path)


def build(directory: Path, context: BuildContext, progress: Recorder | None = None) -> BuiltWheel:
    out = directory.parent / "out"
    out.mkdir(exist_ok=True)
    return build_recipe(recipe(directory), context, key=KEY, out=out, progress=progress or Recorder(), subject="demo")


class TestBuild:
    def test_the_wheel_its_log_and_nothing_else(self, tmp_path: Path, context: BuildContext) -> None:
        progress = Recorder()
        built = build(write_recipe(tmp_path / "recipes"), context, progress)
        assert built == BuiltWheel(tmp_path / "recipes" / "out" / WHEEL, built.log)
        assert "the back end's first words" in built.log.read_text()
        assert list(context.home.work.iterdir()) == []
        assert progress.said == ["demo: unpack", "demo: environment", "demo: build", "demo: finish"]

    def test_an_epoch_is_in_the_wheels_name_and_in_no_path_of_the_build(
        self, tmp_path: Path, context: BuildContext
    ) -> None:
        text = RECIPE.replace('"1.0"', '"1!1.0"')
        directory = write_recipe(tmp_path / "recipes", text=text, version="1!1.0")
        built = build(directory, dataclasses.replace(context, keep_work=True))
        assert built.path.name.startswith("demo-1!1.0-")
        assert built.work is not None
        made = [built.log, built.work, *built.work.iterdir()]
        assert [path.name for path in made if "!" in path.name] == []
        assert (built.work / "demo-1.1.0").is_dir()

    def test_the_source_is_clean_each_time(self, tmp_path: Path, context: BuildContext) -> None:
        body = "assert not (HERE / 'made').exists(); (HERE / 'made').touch()"
        directory = write_recipe(tmp_path / "recipes", body)
        keeping = dataclasses.replace(context, keep_work=True)
        first = build(directory, keeping)
        assert first.work is not None
        assert (first.work / "demo-1.0" / "made").is_file()
        again = build(directory, keeping)
        assert again.log.read_text().count("first words") == 1, "a log is of one build"
        assert again.log != first.log
        assert not (directory / "source" / "made").exists(), "the user's own tree is copied"

    def test_the_environment_is_the_builds_own(
        self, tmp_path: Path, context: BuildContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("CFLAGS", "-march=native")
        monkeypatch.setenv("PYTHONPATH", "/somewhere")
        body = "print('asked:', *(f'{n}={os.environ.get(n)}' for n in ('CFLAGS', 'PYTHONPATH', 'OWN')))"
        text = RECIPE.replace("setuptools\n", 'setuptools\n  env: {OWN: "${arch}"}\n')
        log = build(write_recipe(tmp_path / "recipes", body, text=text), context).log.read_text()
        assert "asked: CFLAGS=None PYTHONPATH=None OWN=arm64\n" in log

    def test_places_of_this_machine_are_taken_out(self, tmp_path: Path, context: BuildContext) -> None:
        body = (
            "import zipfile; (w,) = HERE.glob('*.whl'); z = zipfile.ZipFile(w, 'a'); "
            "z.writestr('demo/config.py', repr(os.environ['PATH'])); "
            "z.writestr('demo/where.py', repr(str(HERE))); z.close()"
        )
        built = build(write_recipe(tmp_path / "recipes", body), context)
        with zipfile.ZipFile(built.path) as archive:
            assert archive.read("demo/where.py") == b"'/usr/src/demo-1.0'"
            path = archive.read("demo/config.py").decode().strip("'").split(":")
        # The fakes' wrappers are in no directory of the cache's that a build has.
        assert [each for each in path if each.startswith(str(tmp_path))] == [str(context.home.root / "wrappers")]

    def test_a_back_end_that_fails(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", "raise SystemExit('no such header: Python.h')")
        with pytest.raises(BuildError) as error:
            build(directory, context)
        assert error.value.tail[-1] == "no such header: Python.h"
        assert error.value.log == context.home.logs / f"demo-1.0-arm64-iphoneos-{KEY[:12]}.1.log"
        assert error.value.hint is not None
        enter = error.value.hint.rpartition(" ")[2]
        done = subprocess.run([enter, "cat", "backend.py"], check=True, capture_output=True, text=True)
        assert "no such header" in done.stdout, "the failed build can be entered"

    def test_a_bundle_is_made_a_dylib(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", files={MODULE: macho(file_type=BUNDLE, exports=("_PyInit__x",))})
        built = build(directory, context)
        with zipfile.ZipFile(built.path) as archive:
            (one,) = read_macho(archive.read(MODULE)).slices
        assert one.file_type is FileType.DYLIB
        assert "MH_BUNDLE -> MH_DYLIB" in built.log.read_text(encoding="utf-8")

    def test_carries_a_bill_of_materials(self, tmp_path: Path, context: BuildContext) -> None:
        with zipfile.ZipFile(build(write_recipe(tmp_path / "recipes"), context).path) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/sboms/forge.cdx.json")]
            text = archive.read(name).decode()
        document = json.loads(text)
        assert document["metadata"]["component"]["purl"].startswith("pkg:pypi/demo@")
        assert {"cpython", context.toolchain.kind} <= {component["name"] for component in document["components"]}
        assert str(tmp_path) not in text

    def test_host_requirements_are_laid_out(self, tmp_path: Path, context: BuildContext) -> None:
        files = {"opt/lib/pkgconfig/z.pc": b"prefix=${pcfiledir}/../..\n", "opt/include/z.h": b"#define Z 1\n"}
        library = make_wheel(tmp_path, files, name="libz", tag=f"py3-none-{DEVICE.platform_tag}")
        text = RECIPE.replace("setuptools\n", "setuptools\n  env: {Z_DIR: '${host_prefix}/opt'}\n")
        body = (
            "z = pathlib.Path(os.environ['Z_DIR']); print('read:', (z / 'include/z.h').read_text());"
            " libraries, python = os.environ['PKG_CONFIG_LIBDIR'].split(os.pathsep);"
            " print('same:', libraries == str(z / 'lib/pkgconfig'), python.endswith('/host/lib/pkgconfig'))"
        )
        evaluated = recipe(write_recipe(tmp_path / "recipes", body, text=text))
        built = build_recipe(
            evaluated, context, key=KEY, out=tmp_path, progress=Recorder(), subject="demo",
            host=[HostPackage("libz", "1.0", library, "ab" * 32)],
        )  # fmt: skip
        said = built.log.read_text()
        assert "read: #define Z 1" in said
        assert "same: True True" in said
        with zipfile.ZipFile(built.path) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(".cdx.json"))
            components = {c["name"]: c for c in json.loads(archive.read(name))["components"]}
        assert components["libz"]["version"] == "1.0"
        assert "scope" not in components["libz"]

    def test_run_requirements_are_declared(self, tmp_path: Path, context: BuildContext) -> None:
        text = RECIPE + "requirements: {run: ['x-y; sys_platform == \"ios\"']}\n"
        evaluated = recipe(write_recipe(tmp_path / "recipes", text=text))
        built = build_recipe(evaluated, context, key=KEY, out=tmp_path, progress=Recorder(), subject="demo")
        assert read_wheel(built.path).metadata.requires_dist == ('x-y; sys_platform == "ios"',)

    def test_meson_is_given_its_files(self, tmp_path: Path, context: BuildContext) -> None:
        body = (
            "s = config_settings; print('settings:', s['setup-args'], s['build-dir']); "
            "cross = s['setup-args'][0].partition('=')[2]; print('subsystem' in open(cross).read()); "
            "print('meson:', open(os.environ['MESON']).read())"
        )
        text = RECIPE.replace("setuptools\n", "meson-python\n  config_settings: {setup-args: [-Dblas=none]}\n")
        directory = write_recipe(tmp_path / "recipes", body, text=text)
        requires = ["ninja>=1.8.2"]
        lock = make_lock([("ninja", "1.11", ["ab" * 32])], requires)
        (directory / "build-requirements.lock").write_text(lock.text())
        log = build(directory, context).log.read_text()
        work = context.home.work / f"demo-1.0-arm64-iphoneos-{KEY[:12]}.1"
        assert f"settings: ['--cross-file={work}/forge-cross.ini', '-Dblas=none'] {work}/meson-build\nTrue\n" in log
        assert "meson: #!/bin/sh\n" in log
