"""``forge changed`` in repositories of recipes; forge's own is in tests/integration/cli/test_cli_changed.py."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from forge.base.paths import ForgeHome
from forge.plan.cache import LatestBuild, write_latest
from forge.recipe.lock import make_lock
from tests.unit.crossbuild.fakes import RECIPE

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

pytestmark = pytest.mark.usefixtures("no_toolchain")

ONE = ("--abi", "iphoneos")
SCHEMAS = Path(__file__).parents[3] / "schemas"
LIBRARY = RECIPE.replace("demo", "libdemo").replace("setuptools", "script\n  script: ['true']").partition("wheel:")[0]
PATCH = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"


class Repository:
    """libdemo; demo, which links it; user, which needs demo to run; other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("libdemo/recipe.yaml", LIBRARY.replace("source\n", "source\n  patches: [one.patch]\n", 1))
        self.write("libdemo/one.patch", PATCH)
        self.write("demo/recipe.yaml", RECIPE + "requirements: {host: [libdemo]}\n")
        self.write("user/recipe.yaml", RECIPE.replace("demo", "user") + "requirements: {run: [demo>=1]}\n")
        self.write("other/recipe.yaml", RECIPE.replace("demo", "other"))
        self.write("demo/extension-modules.txt", "demo._x all\n")
        for name in ("libdemo", "demo", "user", "other"):
            self.write(f"{name}/source/pyproject.toml", "")
            self.write(f"{name}/build-requirements.lock", make_lock([], []).text())
        self.commit()
        self.git("checkout", "--quiet", "-b", "branch")

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        command = ["git", "-C", str(self.root), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self) -> None:
        self.git("add", "recipes")
        self.git("commit", "--quiet", "--message=x")

    def write(self, name: str, text: str) -> None:
        file = self.root / "recipes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / "recipes" / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))


@pytest.fixture
def repository(forge: Forge) -> Repository:
    return Repository(forge.root)


def told(forge: Forge, *arguments: str) -> list[str]:
    """What is said between the first line, which names a commit, and the last."""
    said = forge("changed", "--base", "main", *ONE, *arguments)
    assert (said.code, said.err) == (0, "")
    first, *lines = said.out.splitlines()
    assert first.startswith("compared with ")
    assert first.endswith(", the merge base of main and HEAD; uncommitted changes count")
    return lines


def test_a_patch_changes_what_links_the_library(forge: Forge, repository: Repository) -> None:
    repository.edit("libdemo/one.patch", "+b", "+c")
    expected = [
        "libdemo 1.0: 1 wheel",
        "    its patch one.patch has changed",
        "demo 1.0: 1 wheel",
        "    its host requirement libdemo has changed",
        "user: the same wheels, but it needs demo to run or to be tested",
        "2 of 4 recipes, 2 wheels, 2 of them to build; about 2 min (2 of them never built before: a minute each)",
    ]
    assert told(forge) == expected
    repository.commit()
    assert told(forge) == expected, "committed or not"


def test_a_comment_changes_nothing(forge: Forge, repository: Repository) -> None:
    repository.edit("libdemo/recipe.yaml", "package:", "# A library\npackage:")
    repository.edit(
        "demo/recipe.yaml", "requirements: {host: [libdemo]}", "requirements:\n  host: [libdemo] # links it"
    )
    assert told(forge) == ["no wheel of 4 recipes differs"]
    assert json.loads(forge("changed", "--base", "main", *ONE, "--json").out)["recipes"] == []
    matrix = json.loads(forge("changed", "--base", "main", *ONE, "--matrix").out)
    assert matrix == {"version": 1, "stages": [], "last": "", "minutes": 0}


def test_locks(forge: Forge, repository: Repository) -> None:
    pins = [("cython", "3.1", ["ab" * 32]), ("old", "1", ["ab" * 32]), ("same", "1", ["ab" * 32])]
    repository.write("demo/build-requirements.lock", make_lock(pins, []).text())
    repository.commit()
    repository.git("branch", "--force", "main")
    pins = [("cython", "3.2", ["ab" * 32]), ("new", "1", ["ab" * 32]), ("same", "1", ["cd" * 32])]
    repository.write("demo/build-requirements.lock", make_lock(pins, []).text())
    assert told(forge)[1] == (
        "    its lock has changed: cython 3.1 -> 3.2, new is new, old is gone, other files of same"
    )


def test_each_reason(forge: Forge, repository: Repository) -> None:
    repository.edit("demo/recipe.yaml", "setuptools", "setuptools\n  env: {A: b}\n  requires: []")
    repository.write("demo/extension-modules.txt", "demo._y all\ndemo._z arm64-iphoneos\n")
    repository.write("demo/source/new.c", "")
    repository.edit("libdemo/recipe.yaml", "[one.patch]", "[two.patch]")
    repository.write("libdemo/two.patch", PATCH)
    repository.edit("user/recipe.yaml", '"1.0"', '"1.1"')
    assert [line for line in told(forge) if line.startswith(" ")] == [
        "    its patch one.patch is gone",
        "    its patch two.patch is new",
        '    recipe.version: "1.0" -> "1.1"',
        "    its host requirement libdemo has changed",
        '    recipe.env.A is new: "b"',
        '    recipe.extensions: "demo._y" is new, "demo._z" is new, "demo._x" is gone',
        "    its source has changed",
    ]


def test_recipes_come_and_go(forge: Forge, repository: Repository) -> None:
    repository.git("mv", "recipes/other", "recipes/fresh")
    repository.edit("fresh/recipe.yaml", "other", "fresh")
    assert told(forge)[:-1] == ["fresh 1.0: 1 wheel", "    there was no such wheel", "other: it is not built any more"]


def test_what_main_did_meanwhile_is_not_the_branchs(forge: Forge, repository: Repository) -> None:
    repository.git("checkout", "--quiet", "main")
    repository.edit("other/recipe.yaml", '"1.0"', '"2.0"')
    repository.commit()
    repository.git("checkout", "--quiet", "branch")
    assert told(forge) == ["no wheel of 4 recipes differs"]


def test_times_and_the_cache(forge: Forge, repository: Repository) -> None:
    write_latest(ForgeHome(forge.root / "home"), "libdemo-arm64-iphoneos", LatestBuild("ab" * 32, 600.0))
    repository.edit("libdemo/one.patch", "+b", "+c")
    lines = told(forge, "--jobs", "2")
    assert lines[0] == "libdemo 1.0: 1 wheel, about 10 min"
    assert lines[-1].endswith(
        "2 wheels, 2 of them to build; about 11 min (1 of them never built before: a minute each)"
    )


def test_json(forge: Forge, repository: Repository) -> None:
    repository.edit("libdemo/one.patch", "+b", "+c")
    data = json.loads(forge("changed", "--base", "main", *ONE, "--json").out)
    Draft202012Validator(json.loads((SCHEMAS / "changed.schema.json").read_text())).validate(data)
    assert data["base"] == {"ref": "main", "commit": repository.git("rev-parse", "main")}
    assert [(r["name"], [c["kind"] for c in r["causes"]]) for r in data["recipes"]] == [
        ("libdemo", ["recipe"]), ("demo", ["host"]),
    ]  # fmt: skip
    assert data["recipes"][1]["causes"][0]["recipe"] == "libdemo"
    assert data["dependents"] == [{"name": "user", "needs": ["demo"]}]


def test_a_matrix(forge: Forge, repository: Repository) -> None:
    repository.edit("libdemo/one.patch", "+b", "+c")
    data = json.loads(forge("changed", "--base", "main", *ONE, "--matrix").out)
    Draft202012Validator(json.loads((SCHEMAS / "matrix.schema.json").read_text())).validate(data)
    assert [[job["recipe"] for job in stage["include"]] for stage in data["stages"]] == [["libdemo"], ["demo"]]
    assert data["last"] == "forge build libdemo demo --abi iphoneos --cache write"


def test_a_base_that_cannot_be_planned(forge: Forge, repository: Repository) -> None:
    repository.edit("demo/recipe.yaml", "host: [libdemo]", "host: [gone]")
    repository.commit()
    repository.git("branch", "--force", "main")
    repository.edit("demo/recipe.yaml", "host: [gone]", "host: [libdemo]")
    assert told(forge)[0].startswith("all 4 recipes: everything counts as changed: the merge base cannot be planned: ")


def test_a_base_without_recipes(forge: Forge, repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "empty")
    repository.git("rm", "--quiet", "-r", "--cached", "recipes")
    repository.git("commit", "--quiet", "--allow-empty", "--message=nothing")
    repository.git("branch", "--force", "main")
    assert told(forge)[0] == "all 4 recipes: there was no such wheel"


def test_the_checkout_stays_as_it_is(forge: Forge, repository: Repository) -> None:
    repository.edit("libdemo/one.patch", "+b", "+c")
    repository.git("add", "recipes")
    repository.edit("libdemo/one.patch", "+c", "+d")
    index = (forge.root / ".git" / "index").read_bytes()
    told(forge)
    assert (forge.root / ".git" / "index").read_bytes() == index
    assert repository.git("status", "--porcelain", "recipes") == "MM recipes/libdemo/one.patch"
    assert len(repository.git("worktree", "list").splitlines()) == 1


class TestErrors:
    @staticmethod
    def said(forge: Forge, ref: str, code: int = 17, *arguments: str) -> str:
        said = forge("changed", "--base", ref, *ONE, *arguments)
        assert (said.code, said.out) == (code, "")
        return forge.plain(said.err)

    def test_unknown(self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion) -> None:
        assert self.said(forge, "mian") == snapshot
        assert "there is no commit '--all'" in self.said(forge, "--all")

    def test_only_a_remotes(self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion) -> None:
        repository.git("update-ref", "refs/remotes/origin/next", "main")
        assert self.said(forge, "next") == snapshot

    def test_shallow(self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion) -> None:
        repository.edit("other/recipe.yaml", '"1.0"', '"1.1"')
        repository.commit()
        repository.git("checkout", "--quiet", "main")
        repository.edit("other/recipe.yaml", '"1.0"', '"1.2"')
        repository.commit()
        clone = forge.root / "clone"
        url = f"file://{forge.root}"
        repository.git("clone", "--quiet", "--depth=1", "--no-single-branch", "--branch=branch", url, str(clone))
        recipes = ("--recipes", str(clone / "recipes"))
        assert self.said(forge, "origin/main", 17, *recipes) == snapshot(name="no common ancestor")
        assert self.said(forge, "v1", 17, *recipes) == snapshot(name="no such commit")

    def test_strangers(self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion) -> None:
        repository.git("checkout", "--quiet", "--orphan", "stranger")
        repository.edit("other/recipe.yaml", '"1.0"', '"1.1"')
        repository.commit()
        assert self.said(forge, "main") == snapshot

    def test_nothing_committed(self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion) -> None:
        repository.git("checkout", "--quiet", "--orphan", "fresh")
        assert self.said(forge, "main") == snapshot

    def test_no_repository(self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion) -> None:
        (forge.root / ".git").rename(forge.root / "elsewhere")
        assert self.said(forge, "main") == snapshot

    def test_no_git(
        self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(forge.root))
        assert self.said(forge, "main", 6) == snapshot

    def test_another_forge_than_the_repositorys(
        self, forge: Forge, repository: Repository, snapshot: SnapshotAssertion
    ) -> None:
        (forge.root / "forge" / "plan").mkdir(parents=True)
        (forge.root / "forge" / "plan" / "fingerprint.py").touch()
        text = self.said(forge, "main").replace(str(Path(__file__).parents[3]), "CHECKOUT")
        assert text == snapshot


def test_variables_of_a_hook(forge: Forge, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", os.devnull)
    monkeypatch.setenv("GIT_INDEX_FILE", os.devnull)
    assert told(forge) == ["no wheel of 4 recipes differs"]
