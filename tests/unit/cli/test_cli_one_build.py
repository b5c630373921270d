"""``forge shell``, ``forge build --continue``, ``forge patch``: a build is entered, gone on with, its edits kept."""

from __future__ import annotations

import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from forge.base.hashing import file_sha256
from forge.base.paths import ForgeHome
from forge.crossbuild.kept import KeptBuild, kept_builds
from tests.unit.crossbuild.fakes import RECIPE, VARIANT, WHEEL, write_recipe

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

ONE = ("--abi", "iphoneos")
FAILS = "(HERE / 'made.h').write_text('x'); (HERE / 'value.txt').read_text() == 'right\\n' or sys.exit('it is wrong')"

pytestmark = pytest.mark.usefixtures("no_toolchain")


def kept(forge: Forge) -> KeptBuild:
    """The newest build that was kept."""
    return kept_builds(ForgeHome(forge.root / "home"), "demo")[0]


def write_failing(forge: Forge, text: str = RECIPE, body: str = FAILS) -> Path:
    """A recipe whose build fails until ``value.txt`` is edited, built once; the recipe's directory."""
    directory = write_recipe(forge.root / "recipes", body, text=text)
    (directory / "source" / "value.txt").write_text("wrong\n")
    assert forge("build", "demo", *ONE).code == 8
    return directory


def edit(forge: Forge, name: str = "value.txt", text: str = "right\n") -> None:
    (kept(forge).tree / name).write_text(text)


def run(forge: Forge, *arguments: str) -> str:
    """What a command prints on standard output; it must succeed."""
    said = forge(*arguments)
    assert said.code == 0, said.err
    return said.out


@pytest.fixture
def shell(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's shell, which says where it runs; what it said."""
    program, said = forge.root / "shell", forge.root / "said"
    program.write_text(f'#!/bin/sh\npwd > "{said}"\necho "$PS1" >> "{said}"\nexit 5\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("SHELL", str(program))
    return said


class TestShell:
    def test_of_a_build_that_failed(self, forge: Forge, shell: Path, snapshot: SnapshotAssertion) -> None:
        write_failing(forge)
        edit(forge)
        before = kept(forge)
        said = forge("shell", "demo")
        assert (said.code, said.out) == (5, ""), "the exit code is the shell's"
        assert shell.read_text() == f"{before.tree}\n[demo 1.0 arm64-iphoneos] $ \n"
        assert kept(forge) == before
        assert (before.tree / "value.txt").read_text() == "right\n"
        assert forge.plain(said.err.replace(before.commands[0], "COMMAND")) == snapshot

    def test_of_a_build_that_never_ran(self, forge: Forge, shell: Path) -> None:
        write_recipe(forge.root / "recipes", FAILS)
        said = forge("shell", "Demo", "--target", "arm64-iphoneos")
        assert said.code == 5
        assert "demo 1.0 arm64-iphoneos, Python 3.13: prepared, its back end has not run\n" in said.err
        assert shell.read_text().startswith(f"{kept(forge).tree}\n")
        assert "build\n" not in said.err.replace("forge build", ""), "nothing was built"
        tree = kept(forge).tree
        assert forge("shell", "demo").code == 5
        assert kept(forge).tree == tree, "it is entered again"

    def test_a_command(self, forge: Forge) -> None:
        text = RECIPE.replace("setuptools\n", "setuptools\n  env: {OWN: '1'}\n")
        write_recipe(forge.root / "recipes", text=text)
        said = forge("shell", "demo", *ONE, "--", "sh", "-c", 'echo "$OWN $LEAKS"; exit 7')
        assert said.code == 7
        assert "source tree" not in said.err, "only a shell is introduced"
        (forge.root / "seen").touch()
        assert forge("shell", "demo", "--", "sh", "-c", f'echo "$OWN" > {forge.root}/seen').code == 0
        assert (forge.root / "seen").read_text() == "1\n"

    def test_a_command_that_is_killed(self, forge: Forge) -> None:
        write_recipe(forge.root / "recipes")
        assert forge("shell", "demo", *ONE, "--", "sh", "-c", "kill -TERM $$").code == 128 + 15

    def test_a_recipe_that_has_changed_since_is_prepared_anew(self, forge: Forge) -> None:
        directory = write_failing(forge)
        edit(forge)
        old = kept(forge)
        (directory / "recipe.yaml").write_text(RECIPE.replace("setuptools\n", "setuptools\n  env: {OWN: '1'}\n"))
        said = forge("shell", "demo", "--", "sh", "-c", 'test "$OWN" = 1 && grep wrong value.txt > ../found')
        assert said.code == 0
        assert f"is not entered: {old.enter}\n" in said.err
        assert (old.tree / "value.txt").read_text() == "right\n", "edits stay"

    def test_with_what_it_links(self, forge: Forge) -> None:
        library = forge.root / "recipes" / "headers"
        (library / "source").mkdir(parents=True)
        (library / "source" / "h.h").touch()
        (library / "recipe.yaml").write_text(
            "schema: 2\npackage: {name: headers, version: '1.0'}\nsource: {path: source}\nwheel: {native: false}\n"
            "build:\n  backend: script\n  script:\n"
            "    - mkdir -p $DESTDIR$PREFIX/include && cp h.h $DESTDIR$PREFIX/include\n"
        )
        write_recipe(forge.root / "recipes", text=RECIPE + "requirements: {host: [headers]}\n")
        said = forge("shell", "demo", *ONE, "--", "test", "-f", "../host/opt/include/h.h")
        assert said.code == 0, said.err
        assert "headers 1.0: build\n" in said.err
        assert not (forge.root / "dist").exists(), "nothing was asked for"

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("shell", "dmeo"), 3),
            (("shell", "demo", "--target", "arm64-watchos"), 2),
            (("shell", "demo", "--target", "arm64-iphoneos", "--arch", "arm64"), 2),
            (("shell", "demo", "--abi", "iphoneos", "--arch", "x86_64"), 2),
            (("shell", "demo", "--python", "3.99"), 7),
            (("shell", "demo", *ONE, "--variant", "fats"), 3),
        ],
        ids=str,
    )
    def test_wrong(self, forge: Forge, arguments: tuple[str, ...], code: int, snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes", text=VARIANT)
        said = forge(*arguments)
        assert (said.code, said.out) == (code, "")
        assert forge.plain(said.err) == snapshot
        assert not (forge.root / "home" / "builds").exists()


class TestContinue:
    def test_after_an_edit(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        write_failing(forge)
        edit(forge)
        said = forge("build", "demo", "--continue")
        assert (said.code, said.out) == (0, f"dist/{WHEEL}\n")
        assert forge.plain(said.err) == snapshot
        assert (forge.root / "dist" / WHEEL).is_file()
        assert list((forge.root / "home" / "wheels").glob("*/*/*.whl")) == [], "it is not the recipe's"
        assert forge("build", "demo", *ONE).code == 8, "the next build starts from a clean tree"

    def test_again_and_again(self, forge: Forge) -> None:
        write_failing(forge)
        again = forge("build", "demo", "--continue", *ONE)
        assert again.code == 8
        assert "forge build demo --continue" in again.err
        edit(forge)
        for out in ("dist", "elsewhere"):
            assert run(forge, "build", "demo", "--continue", "--out", out) == f"{out}/{WHEEL}\n"

    def test_with_other_settings(self, forge: Forge) -> None:
        directory = write_failing(forge, body="os.environ.get('OWN') == '1' or sys.exit(1)")
        edit(forge, "own.txt")
        (directory / "recipe.yaml").write_text(RECIPE.replace("setuptools\n", "setuptools\n  env: {OWN: '1'}\n"))
        tree = kept(forge).tree
        run(forge, "build", "demo", "--continue")
        assert kept(forge).tree == tree
        assert (tree / "own.txt").exists(), "the edited tree is kept"

    def test_a_variant(self, forge: Forge) -> None:
        text = VARIANT.replace(">=16.4", ">=12")
        write_recipe(forge.root / "recipes", "os.environ.get('WAY') != 'fast' or sys.exit(1)", text=text)
        assert forge("build", "demo", *ONE, "--variant", "fast").code == 8
        assert kept(forge).variants == ("fast",)
        assert forge("build", "demo", "--continue").code == 8, "what was not said is as it was"

    def test_a_wheel_that_is_not_what_the_recipe_says(self, forge: Forge) -> None:
        directory = write_failing(forge)
        (directory / "extension-modules.txt").write_text("demo._other all\n")
        edit(forge)
        said = forge("build", "demo", "--continue")
        assert said.code == 9
        assert not (forge.root / "dist").exists()

    def test_another_source(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        directory = write_failing(forge)
        (directory / "source" / "value.txt").write_text("right\n")
        said = forge("build", "demo", "--continue")
        assert (said.code, said.out) == (8, "")
        assert forge.plain(said.err) == snapshot
        assert forge("build", "demo", *ONE).code == 0

    @pytest.mark.parametrize("arguments", [(), ("--arch", "x86_64"), ("--python", "3.14"), ("--ios-version", "13.0")])
    def test_none_that_fits(self, forge: Forge, arguments: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        if arguments:
            write_failing(forge)
        else:
            write_recipe(forge.root / "recipes")
        said = forge("build", "demo", "--continue", *arguments)
        assert (said.code, said.out) == (8, "")
        assert said.err == snapshot

    @pytest.mark.parametrize(
        "arguments", ["demo other", "--all", "demo --test", "demo --python 3.13,3.14", "demo --keep-going", ""]
    )
    def test_it_is_about_one_build(self, forge: Forge, arguments: str) -> None:
        write_recipe(forge.root / "recipes")
        said = forge("build", "--continue", *arguments.split())
        assert said.code == 2
        assert "Error: --continue " in said.err


class TestPatch:
    def test_of_an_edit(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        directory = write_failing(forge)
        edit(forge)
        edit(forge, "notes.txt")
        said = forge("patch", "demo", "--reason", "It was wrong: iOS has another.", "--name", "fix-value.patch")
        assert (said.code, said.out) == (0, "recipes/demo/patches/fix-value.patch\n")
        assert forge.plain(said.err) == snapshot(name="said")
        assert (directory / "patches" / "fix-value.patch").read_text() == snapshot(name="patch")
        assert (directory / "recipe.yaml").read_text() == snapshot(name="recipe")
        assert run(forge, "build", "demo", *ONE) == f"dist/{WHEEL}\n", "the recipe builds from nothing"
        assert not [p for p in (forge.root / "home" / "builds").iterdir() if p.name.startswith("patch-")]

    def test_without_a_reason_it_reminds(self, forge: Forge) -> None:
        write_failing(forge)
        edit(forge)
        said = forge("patch", "demo")
        assert said.out == "recipes/demo/patches/0001-value-txt.patch\n"
        assert "write the reason for the patch into its first line: recipes/demo/patches/0001-" in said.err

    def test_each_has_what_the_ones_before_it_have_not(self, forge: Forge) -> None:
        directory = write_failing(forge)
        edit(forge)
        assert run(forge, "patch", "demo", "--reason", "First").endswith("0001-first.patch\n")
        edit(forge, "backend.py", (kept(forge).tree / "backend.py").read_text() + "# end\n")
        assert run(forge, "patch", "demo", "--reason", "Don't").endswith("0002-dont.patch\n")
        second = (directory / "patches" / "0002-dont.patch").read_text()
        assert "+# end\n" in second
        assert "/value.txt" not in second
        assert run(forge, "build", "demo", *ONE) == f"dist/{WHEEL}\n"
        said = forge("patch", "demo")
        assert (said.code, said.out) == (8, ""), "nothing is left"

    def test_what_has_to_be_named(self, forge: Forge) -> None:
        directory = write_failing(forge, body=FAILS + "; (HERE / 'new' / 'x.h').exists() or sys.exit(1)")
        tree = kept(forge).tree
        edit(forge)
        (tree / "new").mkdir()
        (tree / "new" / "x.h").write_text("new\n")
        (tree / "new" / "x.o").write_text("made\n")
        absolute = str(tree / "made.h")
        run(forge, "patch", "demo", "--reason", "New files", "--add", "new", "--add", absolute)
        text = (directory / "patches" / "0001-new-files.patch").read_text()
        assert [line for line in text.splitlines() if line.startswith("+++ ")] == [
            "+++ b/made.h", "+++ b/new/x.h", "+++ b/value.txt",
        ]  # fmt: skip
        assert run(forge, "build", "demo", *ONE) == f"dist/{WHEEL}\n"

    def test_a_file_that_was_deleted(self, forge: Forge) -> None:
        directory = write_failing(forge, body="not (HERE / 'value.txt').exists() or sys.exit(1)")
        (kept(forge).tree / "value.txt").unlink()
        said = forge("patch", "demo")
        assert said.code == 8
        assert "--add PATH; there is: value.txt" in said.err
        run(forge, "patch", "demo", "--add", "value.txt", "--reason", "Not on iOS")
        assert "+++ /dev/null" in (directory / "patches" / "0001-not-on-ios.patch").read_text()
        assert run(forge, "build", "demo", *ONE) == f"dist/{WHEEL}\n"

    def test_after_the_build_went_well(self, forge: Forge) -> None:
        write_failing(forge)
        edit(forge)
        run(forge, "build", "demo", "--continue")
        run(forge, "patch", "demo", "--reason", "Right")
        assert run(forge, "build", "demo", *ONE) == f"dist/{WHEEL}\n"

    def test_an_archive(self, forge: Forge) -> None:
        """Of a pinned archive, it is unpacked again from the cache."""
        source = write_recipe(forge.root / "made", FAILS) / "source"
        (source / "value.txt").write_text("wrong\n")
        archive = forge.root / "demo-1.0.tar.gz"
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(source, "demo-1.0")
        pin = f"url: [{archive.as_uri()}]\n  sha256: {file_sha256(archive)}"
        write_recipe(forge.root / "recipes", text=RECIPE.replace("path: source", pin))
        assert forge("build", "demo", *ONE).code == 8
        archive.unlink()
        edit(forge)
        run(forge, "patch", "demo", "--reason", "Right")
        assert run(forge, "build", "demo", *ONE) == f"dist/{WHEEL}\n"

    def test_the_edited_one_of_several(self, forge: Forge) -> None:
        write_failing(forge)
        edit(forge)
        assert forge("build", "demo", *ONE).code == 8
        assert (kept(forge).tree / "value.txt").read_text() == "wrong\n", "a newer one, which nobody edited"
        run(forge, "patch", "demo", "--reason", "Right")

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--name", "../x.patch"),
            ("--name", "0001-there.patch"),
            ("--add", "nowhere.c"),
            ("--add", "../../enter"),
            ("--reason", "--- a/x", "--name", "x"),
            ("--reason", "a\x1b[31mb"),
        ],
        ids=repr,
    )
    def test_wrong(self, forge: Forge, arguments: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        directory = write_failing(forge)
        edit(forge)
        (directory / "patches").mkdir()
        (directory / "patches" / "0001-there.patch").write_text("there")
        before = (directory / "recipe.yaml").read_bytes()
        said = forge("patch", "demo", *arguments)
        assert said.code in (2, 3, 4)
        assert said.out == ""
        assert forge.plain(said.err) == snapshot
        assert (directory / "recipe.yaml").read_bytes() == before
        assert [file.name for file in (directory / "patches").iterdir()] == ["0001-there.patch"]

    def test_what_a_patch_cannot_say(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        directory = write_failing(forge)
        edit(forge, text="\0")
        said = forge("patch", "demo")
        assert (said.code, said.out) == (4, "")
        assert forge.plain(said.err) == snapshot
        assert not (directory / "patches").exists()

    def test_a_recipe_that_it_cannot_be_added_to(self, forge: Forge) -> None:
        text = RECIPE.replace("  path: source\n", "  path: source\n  patches: *p\n")
        text = text.replace("source:\n", "test: {files: &p [patches/0001-old.patch]}\nsource:\n")
        directory = write_recipe(forge.root / "recipes", FAILS, text=text)
        (directory / "source" / "value.txt").write_text("wrong\n")
        (directory / "source" / "other.txt").write_text("a\n")
        (directory / "patches").mkdir()
        (directory / "patches" / "0001-old.patch").write_text("--- a/other.txt\n+++ b/other.txt\n@@ -1 +1 @@\n-a\n+b\n")
        assert forge("build", "demo", *ONE).code == 8
        edit(forge)
        said = forge("patch", "demo", "--name", "new")
        assert said.code == 3
        assert "add 'patches/new.patch' to the list 'patches' under 'source' yourself" in said.err
        assert (directory / "recipe.yaml").read_text() == text
        assert [file.name for file in (directory / "patches").iterdir()] == ["0001-old.patch"]

    def test_other_patches_since(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        directory = write_failing(forge)
        edit(forge)
        run(forge, "patch", "demo", "--name", "x")
        assert forge("build", "demo", *ONE).code == 0
        assert forge("shell", "demo", *ONE, "--", "true").code == 0
        edit(forge, text="of a tree that has the patch already\n")
        (directory / "patches" / "x.patch").write_text("Another.\n" + (directory / "patches" / "x.patch").read_text())
        said = forge("patch", "demo")
        assert said.code == 8
        assert forge.plain(said.err) == snapshot

    def test_no_build(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes")
        assert forge("patch", "dmeo").code == 3
        said = forge("patch", "demo")
        assert (said.code, said.out) == (8, "")
        assert said.err == snapshot
