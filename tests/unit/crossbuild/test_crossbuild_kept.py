"""A build that is prepared, kept and gone on with, with a back end of a few lines in place of a compiler."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError
from forge.base.jobserver import JobServer
from forge.crossbuild import recipe_build
from forge.crossbuild.edits import has_edits
from forge.crossbuild.host_prefix import HostPackage
from forge.crossbuild.kept import kept_builds, read_files
from forge.crossbuild.recipe_build import PreparedBuild, build_recipe, prepare_build, run_build
from forge.recipe.evaluate import evaluate
from forge.recipe.read import read_recipe
from forge.wheel.contents import read_wheel
from tests.unit.crossbuild.fakes import PURE, RECIPE, WHEEL, make_context, no_cross_environment, write_recipe
from tests.unit.ios_python.fakes import DEVICE, Recorder
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from forge.crossbuild.context import BuildContext
    from forge.crossbuild.kept import KeptBuild

KEY = "0123456789abcdef" * 4
FAILS = "(HERE / 'made.h').write_text('made'); assert (HERE / 'fixed').exists(), 'not yet'"
"""The body of a back end that fails until a person has made a file."""


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildContext:
    monkeypatch.setattr(recipe_build, "ensure_cross_environment", no_cross_environment)
    return make_context(tmp_path)


def prepared(
    directory: Path, context: BuildContext, kept: KeptBuild | None = None, progress: Recorder | None = None
) -> PreparedBuild:
    recipe = evaluate(read_recipe(directory), DEVICE, "3.13")
    return prepare_build(recipe, context, key=KEY, progress=progress or Recorder(), subject="demo", kept=kept)


def fail(directory: Path, context: BuildContext) -> KeptBuild:
    """Build what fails, and return what was kept."""
    recipe = evaluate(read_recipe(directory), DEVICE, "3.13")
    with pytest.raises(BuildError):
        build_recipe(recipe, context, key=KEY, out=directory, progress=Recorder(), subject="demo")
    (kept,) = kept_builds(context.home, "demo")
    return kept


class TestPrepared:
    def test_can_be_entered_before_anything_was_built(self, tmp_path: Path, context: BuildContext) -> None:
        made = prepared(write_recipe(tmp_path / "recipes"), context)
        done = subprocess.run([made.kept.enter, "ls"], check=True, capture_output=True, text=True)
        assert "backend.py" in done.stdout.split()
        assert made.build.log.read_text() == ""
        assert kept_builds(context.home, "demo") == (made.kept,)

    def test_the_shell_has_the_back_ends_environment(self, tmp_path: Path, context: BuildContext) -> None:
        made = prepared(write_recipe(tmp_path / "recipes"), context)
        env = subprocess.run([made.kept.enter, "env", "-0"], check=True, capture_output=True, text=True).stdout
        seen = dict(each.split("=", 1) for each in env.split("\0") if each)
        assert {name: seen.get(name) for name in made.env} == made.env

    def test_a_shells_make_does_without_the_server_of_the_run(self, tmp_path: Path, context: BuildContext) -> None:
        with JobServer(3) as server:
            made = prepared(write_recipe(tmp_path / "recipes"), dataclasses.replace(context, jobs=server))
        assert "fifo" in made.env["MAKEFLAGS"]
        done = subprocess.run([made.kept.enter, "sh", "-c", "echo $MAKEFLAGS"], check=True, capture_output=True)
        assert done.stdout == b"-j3\n"

    def test_its_command_builds(self, tmp_path: Path, context: BuildContext) -> None:
        text = RECIPE.replace("setuptools\n", "setuptools\n  config_settings: {way: [a, b], one: c}\n")
        made = prepared(write_recipe(tmp_path / "recipes", "print(config_settings)", text=text), context)
        (command,) = made.kept.commands
        done = subprocess.run([made.kept.enter, "sh", "-c", command], check=True, capture_output=True, text=True)
        assert "{'way': ['a', 'b'], 'one': 'c'}" in done.stdout
        assert (made.raw / WHEEL).is_file()

    def test_runs(self, tmp_path: Path, context: BuildContext) -> None:
        made = prepared(write_recipe(tmp_path / "recipes"), context)
        assert run_build(made, tmp_path, Recorder()).path == tmp_path / WHEEL
        assert list(context.home.work.iterdir()) == []


class TestKept:
    def test_what_failed_says_which_build_it_is(self, tmp_path: Path, context: BuildContext) -> None:
        kept = fail(write_recipe(tmp_path / "recipes", FAILS), context)
        assert (kept.key, kept.name, kept.version, kept.target, kept.python) == (KEY, "demo", "1.0", DEVICE, "3.13")
        assert kept.tree == kept.work / "demo-1.0"
        files = read_files(kept)
        assert "backend.py" in files.prepared
        assert set(files.built) == {"made.h"}, "what the build wrote is not taken for a person's"
        assert not has_edits(kept)
        (kept.tree / "backend.py").write_text("edited")
        assert has_edits(kept)

    @pytest.mark.parametrize("damage", ["{", "[]", '{"name": "demo"}', "null"])
    def test_a_record_that_is_damaged_is_none(self, tmp_path: Path, context: BuildContext, damage: str) -> None:
        kept = fail(write_recipe(tmp_path / "recipes", FAILS), context)
        (kept.work / "build.json").write_text(damage)
        assert kept_builds(context.home, "demo") == ()

    @pytest.mark.parametrize("damage", [None, "{", "[]", '{"prepared": 1}'])
    def test_what_is_known_of_its_files_is_lost(
        self, tmp_path: Path, context: BuildContext, damage: str | None
    ) -> None:
        kept = fail(write_recipe(tmp_path / "recipes", FAILS), context)
        (kept.work / "files.json").unlink()
        if damage is not None:
            (kept.work / "files.json").write_text(damage)
        assert not has_edits(kept)
        with pytest.raises(BuildError, match=r"is damaged: files\.json cannot be read") as error:
            prepared(tmp_path / "recipes" / "demo", context, kept)
        assert error.value.hint == "start again with 'forge build demo'"

    def test_one_that_failed_before_it_was_prepared_cannot_be_entered(
        self, tmp_path: Path, context: BuildContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(*_: object) -> None:
            raise BuildError("pip failed")

        monkeypatch.setattr(recipe_build, "ensure_cross_environment", failing)
        with pytest.raises(BuildError):
            prepared(write_recipe(tmp_path / "recipes"), context)
        assert kept_builds(context.home, "demo") == ()

    def test_the_newest_is_first(self, tmp_path: Path, context: BuildContext) -> None:
        first = prepared(write_recipe(tmp_path / "recipes"), context).kept
        other = first.work.with_name("demo-1.0-other.1")
        first.work.rename(other)
        second = prepared(tmp_path / "recipes" / "demo", context).kept
        assert [each.work for each in kept_builds(context.home, "demo")] == [second.work, other]

    def test_a_new_build_leaves_an_edited_tree_alone(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", FAILS)
        first = fail(directory, context)
        (first.tree / "pyproject.toml").write_text("edited")
        progress = Recorder()
        second = prepared(directory, context, progress=progress).kept
        assert second.work != first.work
        assert "build-system" in (second.tree / "pyproject.toml").read_text(), "it starts from a clean tree"
        assert (first.tree / "pyproject.toml").read_text() == "edited"
        assert f"demo: the source tree that you edited stays, but is not built: {first.tree}" in progress.said
        third = prepared(directory, context).kept
        assert not second.work.exists(), "nobody had edited it"
        assert {each.work for each in kept_builds(context.home, "demo")} == {first.work, third.work}


class TestContinued:
    def test_in_the_tree_as_it_is(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", FAILS)
        kept = fail(directory, context)
        (kept.tree / "fixed").touch()
        made = prepared(directory, dataclasses.replace(context, keep_work=True), kept)
        assert (made.build.tree, made.build.log != kept.log) == (kept.tree, True)
        built = run_build(made, tmp_path, Recorder())
        assert (built.path.name, built.work) == (WHEEL, kept.work)
        assert (kept.tree / "fixed").exists()

    def test_in_the_recipes_environment_as_it_is_now(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", "assert os.environ.get('OWN') == '1'")
        kept = fail(directory, context)
        (directory / "recipe.yaml").write_text(RECIPE.replace("setuptools\n", "setuptools\n  env: {OWN: '1'}\n"))
        run_build(prepared(directory, context, kept), tmp_path, Recorder())

    def test_what_a_person_did_stays_a_persons(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", FAILS)
        kept = fail(directory, context)
        (kept.tree / "backend.py").write_text((kept.tree / "backend.py").read_text() + "# edited\n")
        with pytest.raises(BuildError):
            run_build(prepared(directory, context, kept), tmp_path, Recorder())
        (again,) = kept_builds(context.home, "demo")
        assert set(read_files(again).built) == {"made.h"}
        assert read_files(again).prepared == read_files(kept).prepared
        assert has_edits(again)

    def test_what_the_tree_is_of_is_not_forgotten(self, tmp_path: Path, context: BuildContext) -> None:
        directory = write_recipe(tmp_path / "recipes", FAILS)
        kept = fail(directory, context)
        (directory / "source" / "new").touch()
        assert prepared(directory, context, kept).kept.source == kept.source
        assert json.loads((kept.work / "build.json").read_text())["source"] == kept.source

    def test_what_a_script_installed_before_goes(self, tmp_path: Path, context: BuildContext) -> None:
        text = PURE.replace(
            "setuptools\n",
            "script\n  script:\n    - mkdir -p $DESTDIR$PREFIX && touch $DESTDIR$PREFIX/$(cat name)\n    - cat ready\n",
        )
        directory = write_recipe(tmp_path / "recipes", text=text)
        (directory / "source" / "name").write_text("wrong")
        kept = fail(directory, context)
        for name, content in (("name", "right"), ("ready", "")):
            (kept.tree / name).write_text(content)
        built = run_build(prepared(directory, context, kept), tmp_path, Recorder())
        names = [member.path for member in read_wheel(built.path).members]
        assert [name for name in names if name.startswith("opt/")] == ["opt/right"]

    @pytest.mark.parametrize("same", [True, False])
    def test_host_requirements(self, tmp_path: Path, context: BuildContext, same: bool) -> None:
        def package(number: str) -> HostPackage:
            files = {"opt/include/z.h": number.encode()}
            wheel = make_wheel(tmp_path / number, files, name="libz", tag="py3-none-any")
            return HostPackage("libz", "1.0", wheel, number)

        for number in ("1", "2"):
            (tmp_path / number).mkdir()
        directory = write_recipe(tmp_path / "recipes")
        recipe = evaluate(read_recipe(directory), DEVICE, "3.13")
        host = [package("1")]
        first = prepare_build(recipe, context, key=KEY, progress=Recorder(), subject="demo", host=host)
        header = first.build.host.opt / "include" / "z.h"
        before = header.stat().st_mtime_ns
        host = host if same else [package("2")]
        again = prepare_build(recipe, context, key=KEY, progress=Recorder(), subject="demo", host=host, kept=first.kept)
        assert again.build.host == first.build.host
        assert header.read_text() == ("1" if same else "2")
        assert (header.stat().st_mtime_ns == before) is same, "make goes by times"
