"""``forge update`` with an index on the loopback address; requirements are not resolved."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from forge.authoring import prepare as prepare_module
from forge.authoring import update as update_module
from forge.base.hashing import tree_sha256
from forge.ios_python.build_python import BuildPython
from forge.plan import lock as lock_module
from forge.recipe.lock import make_lock
from forge.recipe.schema import FORMAT
from tests.unit.cli.updates import PATCH, SOURCE, WITH_PATCH, Index, plain, recipe, sdist, write
from tests.unit.source.conftest import server  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

    from forge.base.paths import ForgeHome
    from forge.recipe.lock import BuildLock
    from tests.unit.cli.runner import Forge
    from tests.unit.source.conftest import Server

SCHEMA = Path(__file__).parents[3] / "schemas" / "update.schema.json"


@pytest.fixture
def index(forge: Forge, server: Server, monkeypatch: pytest.MonkeyPatch) -> Index:  # noqa: F811 - the fixture
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "FORGE_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")

    def resolve(_home: ForgeHome, requires: Sequence[str], *_: object, **__: object) -> BuildLock:
        pins = [re.split("[=<>]", text)[0] for text in requires]
        return make_lock([(name, "2", ["ab" * 32]) for name in pins], requires)

    monkeypatch.setattr(lock_module, "resolve_lock", resolve)
    monkeypatch.setattr(lock_module, "hook_requires", lambda *_, **__: ())
    python = BuildPython(Path(sys.executable), "3.13.5")
    monkeypatch.setattr(prepare_module, "find_lock_python", lambda *_: python)
    return Index(server)


def test_a_newer_version(forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
    old = index.release("demo", "1.0", modules=["demo._a", "demo._gone", "demo._mac"])
    new = index.release("demo", "1.1", {"x.c": "one\ntwo\n" + SOURCE}, modules=["demo._a", "demo._new", "demo._mac"])
    text = recipe("1.0", old, more=WITH_PATCH)
    table = "demo._a all\ndemo._gone all\ndemo._ios all # of ours\ndemo._mac none # no such thing\n"
    directory = write(forge, text, {"patches/one.patch": PATCH, "extension-modules.txt": table, "note.txt": "mine\n"})
    said = forge("update", "demo")
    assert said.code == 0, said
    assert plain(forge, said) == snapshot(name="said")
    assert (directory / "recipe.yaml").read_text() == text.replace("1.0", "1.1").replace(old, new)
    assert (directory / "extension-modules.txt").read_text() == snapshot(name="table")
    assert "setuptools" in (directory / "build-requirements.lock").read_text()
    assert (directory / "note.txt").read_text() == "mine\n"
    assert sorted(path.name for path in (forge.root / "recipes").iterdir()) == ["demo"]
    again = forge("update", "--all")
    assert (again.code, again.out) == (0, "1 up to date\n")


def test_a_patch_that_no_longer_applies(forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
    old = index.release("demo", "1.0")
    index.release("demo", "1.1", {"x.c": "first\n" + SOURCE.replace("line 10\n", "line 10, in other words\n")})
    other = index.release("other", "1.0")
    index.release("other", "1.1")
    directory = write(forge, recipe("1.0", old, more=WITH_PATCH), {"patches/one.patch": PATCH})
    updated = write(forge, recipe("1.0", other, "other"))
    before = tree_sha256(directory)
    said = forge("update", "--all")
    assert said.code == 18
    assert plain(forge, said) == snapshot
    assert tree_sha256(directory) == before
    assert "'1.1'" in (updated / "recipe.yaml").read_text(), "the others are updated"


def test_a_patch_that_the_project_took(forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
    old = index.release("demo", "1.0")
    index.release("demo", "1.1", {"x.c": SOURCE.replace("line 10\n", "mended\n")})
    write(forge, recipe("1.0", old, more=WITH_PATCH), {"patches/one.patch": PATCH})
    said = forge("update", "demo")
    assert said.code == 18
    assert plain(forge, said) == snapshot


def test_check(forge: Forge, index: Index) -> None:
    old = index.release("demo", "1.0")
    write(forge, recipe("1.0", old))
    assert forge("update", "--check", "--all").code == 0
    index.release("demo", "1.1", days=1.5)
    index.release("demo", "1.2rc1")
    before = tree_sha256(forge.root / "recipes")
    said = forge("update", "--check", "--all")
    assert (said.code, said.out) == (18, "demo 1.0 -> 1.1\n1 can be updated\n")
    said = forge("update", "--check", "--all", "--min-age", "2d")
    assert (said.code, said.out) == (
        0, "demo 1.0: up to date\n    1.1 is not taken: it was uploaded 36 hours ago\n1 up to date\n"
    )  # fmt: skip
    assert forge("update", "--check", "demo", "--pre").out.startswith("demo 1.0 -> 1.2rc1\n")
    assert tree_sha256(forge.root / "recipes") == before
    assert not any("files" in path for path in index.server.asked), "nothing was downloaded"


def test_a_version_that_is_named(forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
    for version in ("1.0", "1.1", "1.2"):
        sha256 = index.release("demo", version)
    directory = write(forge, recipe("1.2", sha256))
    assert forge("update", "Demo==1.1").code == 0
    assert "'1.1'" in (directory / "recipe.yaml").read_text()
    said = forge("update", "demo==3.0")
    assert said.code == 4
    assert plain(forge, said) == snapshot


class TestPins:
    """user is compiled against demo, and pins it."""

    @staticmethod
    def write(forge: Forge, index: Index, host: str = "demo==1.0", more: str = "") -> tuple[Path, Path]:
        demo = write(forge, recipe("1.0", index.release("demo", "1.0")))
        index.release("demo", "1.1")
        text = recipe("1.0", index.release("user", "1.0"), "user", more=more)
        lock = make_lock([("demo", "1.0", ["ab" * 32])], ["demo==1.0", "setuptools>=40.8.0"]).text()
        text += f"  requires: [demo==1.0] # the headers'\nrequirements:\n  host:\n    - {host} # as well\n"
        return demo, write(forge, text, {"build-requirements.lock": lock, "patches/one.patch": PATCH})

    def test_they_follow(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        _, user = self.write(forge, index)
        before = (user / "recipe.yaml").read_text()
        said = forge("update", "demo")
        assert said.code == 0
        assert plain(forge, said) == snapshot
        assert (user / "recipe.yaml").read_text() == before.replace("demo==1.0", "demo==1.1")
        assert "# requires: demo==1.1\n" in (user / "build-requirements.lock").read_text()
        assert forge("plan", "--all", "--abi", "iphoneos").code != 3, "what is there holds together"

    def test_both_are_updated(self, forge: Forge, index: Index) -> None:
        _, user = self.write(forge, index)
        new = index.release("user", "2.0")
        said = forge("update", "--all")
        assert said.code == 0
        assert "user 1.0 -> 2.0\n    its requirements follow demo 1.1\n" in said.out
        text = (user / "recipe.yaml").read_text()
        assert "demo==1.1]" in text
        assert "- demo==1.1 #" in text
        assert new in text

    def test_only_the_pin_follows_where_the_update_fails(self, forge: Forge, index: Index) -> None:
        _, user = self.write(forge, index, more=WITH_PATCH)
        index.release("user", "2.0", {"x.c": "nothing\n"})
        said = forge("update", "--all")
        assert said.code == 18
        assert "user 1.0 -> 2.0: failed, and was left as it is\n" in said.out
        text = (user / "recipe.yaml").read_text()
        assert "version: '1.0'" in text
        assert "- demo==1.1 #" in text

    def test_what_does_not_admit_it_keeps_it(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        self.write(forge, index, "demo<1.1,>=1.0")
        before = tree_sha256(forge.root / "recipes")
        said = forge("update", "demo")
        assert said.code == 18
        assert plain(forge, said) == snapshot
        assert tree_sha256(forge.root / "recipes") == before

    def test_what_cannot_follow_keeps_it(
        self, forge: Forge, index: Index, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.write(forge, index)
        index.server.answers = {path: each for path, each in index.server.answers.items() if "user-1.0" not in path}
        before = tree_sha256(forge.root / "recipes")
        said = forge("update", "demo")
        assert said.code == 18
        assert re.sub(r"\n        .*", "", plain(forge, said)) == snapshot
        assert tree_sha256(forge.root / "recipes") == before


class TestOtherSources:
    @staticmethod
    def library(forge: Forge, source: str) -> Path:
        text = f"schema: {FORMAT}\npackage: {{version: 1.0.0, name: lib}}\nabout: {{license: MIT}}\nsource:\n{source}"
        directory = forge.root / "recipes" / "lib"
        directory.mkdir(parents=True)
        text += "build: {backend: script, script: ['true']}\nwheel: {license_files: [LICENSE]}\n"
        (directory / "recipe.yaml").write_text(text)
        return directory

    def test_urls(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        content = sdist("lib", "1.1.0", {})
        index.server.put("/lib-1.1.0.tar.gz", content)
        urls = f"['{index.server.url}/none/${{version}}', '{index.server.url}/lib-1.0.0.tar.gz']"
        directory = self.library(forge, f"  url: {urls}\n  sha256: {'ab' * 32}\n")
        said = forge("update", "--all")
        assert said.code == 0
        assert plain(forge, said) == snapshot(name="unknown")
        said = forge("update", "lib==1.1.0")
        assert said.code == 0
        assert plain(forge, said) == snapshot(name="named")
        text = (directory / "recipe.yaml").read_text()
        assert hashlib.sha256(content).hexdigest() in text
        assert "/none/${version}', '" in text
        assert "/lib-1.1.0.tar.gz" in text
        said = forge("update", "lib==9")
        assert said.code == 5
        assert plain(forge, said) == snapshot(name="nowhere")

    def test_a_url_without_the_version(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        self.library(forge, f"  url: [https://example.org/lib.tar.gz]\n  sha256: {'ab' * 32}\n")
        said = forge("update", "lib==1.1.0")
        assert said.code == 18
        assert plain(forge, said) == snapshot

    def test_git(self, forge: Forge, index: Index) -> None:
        repository = forge.root / "upstream"
        repository.mkdir()

        def git(*arguments: str) -> str:
            command = ["git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

        git("init", "--quiet")
        for version in ("1.0.0", "1.1.0", "2.0.0rc1"):
            git("commit", "--quiet", "--allow-empty", f"--message={version}")
            git("tag", "--annotate", "--message=x", f"lib-{version}")
        revision = git("rev-parse", "lib-1.0.0^{commit}")
        directory = self.library(forge, f"  git: {{url: '{repository.as_uri()}', revision: {revision}}}\n")
        assert forge("update", "lib", "--check").out.startswith("lib 1.0.0 -> 1.1.0\n")
        assert forge("update", "lib").code == 0
        text = (directory / "recipe.yaml").read_text()
        assert git("rev-parse", "lib-1.1.0^{commit}") in text
        assert "version: 1.1.0," in text
        said = forge("update", "lib", "--check", "--min-age", "1d", "--pre")
        assert "2.0.0rc1 is not taken: tags do not tell how old it is, and --min-age was given" in said.out

    def test_a_directory(self, forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
        (self.library(forge, "  path: src\n") / "src").mkdir()
        assert forge("update", "--all").out == "1 up to date\n"
        said = forge("update", "lib==2.0")
        assert said.code == 18
        assert plain(forge, said) == snapshot


class TestBranches:
    @staticmethod
    def git(forge: Forge, *arguments: str) -> str:
        command = ["git", "-C", str(forge.root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    @pytest.fixture
    def committed(self, forge: Forge, index: Index, monkeypatch: pytest.MonkeyPatch) -> Path:
        for who in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{who}_NAME", "A")
            monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")
        _, user = TestPins.write(forge, index)
        write(forge, recipe("1.0", index.release("other", "1.0"), "other"))
        index.release("other", "1.5")
        self.git(forge, "init", "--quiet", "--initial-branch=main")
        self.git(forge, "add", "recipes")
        self.git(forge, "commit", "--quiet", "--message=x")
        return user

    def test_a_commit_for_each(self, forge: Forge, committed: Path, snapshot: SnapshotAssertion) -> None:
        (committed / "recipe.yaml").write_text("in the middle of something\n")
        before = tree_sha256(forge.root / "recipes"), (forge.root / ".git" / "index").read_bytes()
        said = forge("update", "demo", "other", "--branch")
        assert said.code == 0
        assert plain(forge, said) == snapshot(name="said")
        assert (tree_sha256(forge.root / "recipes"), (forge.root / ".git" / "index").read_bytes()) == before
        assert self.git(forge, "symbolic-ref", "HEAD") == "refs/heads/main"
        changed = ("diff", "--name-only", "main")
        assert self.git(forge, *changed, "update/demo-1.1").splitlines() == [
            "recipes/demo/build-requirements.lock", "recipes/demo/recipe.yaml",
            "recipes/user/build-requirements.lock", "recipes/user/recipe.yaml",
        ]  # fmt: skip
        assert self.git(forge, "log", "--format=%B", "main..update/demo-1.1") == snapshot(name="message")
        assert len(self.git(forge, *changed, "update/other-1.5").splitlines()) == 2
        assert self.git(forge, "rev-list", "--count", "main..update/other-1.5") == "1"
        again = forge("update", "other", "--branch")
        assert again.code == 0, "the branch has it already"

    def test_a_branch_that_is_there(self, forge: Forge, committed: Path, snapshot: SnapshotAssertion) -> None:
        self.git(forge, "branch", "update/other-1.5")
        said = forge("update", "other", "--branch")
        assert said.code == 17
        assert plain(forge, said) == snapshot
        assert self.git(forge, "rev-parse", "update/other-1.5") == self.git(forge, "rev-parse", "main")

    def test_no_repository(self, forge: Forge, index: Index) -> None:
        write(forge, recipe("1.0", index.release("demo", "1.0")))
        assert forge("update", "demo", "--branch").code == 17


def test_json(forge: Forge, index: Index) -> None:
    old = index.release("demo", "1.0")
    index.release("demo", "1.1", {"x.c": "other\n"})
    write(forge, recipe("1.0", old, more=WITH_PATCH), {"patches/one.patch": PATCH})
    write(forge, recipe("1.0", index.release("other", "1.0"), "other"))
    index.release("other", "1.1")
    said = forge("update", "--all", "--json")
    assert said.code == 18
    data = json.loads(said.out)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(data)
    demo, other = data["recipes"]
    assert (demo["status"], demo["error"]["class"], demo["patches"][0]["fit"]) == ("failed", "update", "fails")
    assert demo["patches"][0]["failed"][0]["expected"] == ["line 9", "line 10", "line 11"]
    assert (other["status"], other["before"], other["after"]) == ("updated", "1.0", "1.1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(forge: Forge, index: Index, monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """Wherever: while the last lock is made, everything before it is ready, and nothing of it is in place."""
    for name in ("a", "b"):
        write(forge, recipe("1.0", index.release(name, "1.0"), name))
        index.release(name, "1.1")
    before = tree_sha256(forge.root / "recipes")
    made: list[str] = []
    real = lock_module.lock_recipe

    def lock(*arguments: object) -> object:
        made.append("")
        if len(made) == 2:
            signal.raise_signal(number)
        return real(*arguments)  # type: ignore[arg-type]  # what it was called with

    monkeypatch.setattr(prepare_module, "lock_recipe", lock)
    assert forge("update", "--all").code == 130
    assert tree_sha256(forge.root / "recipes") == before
    assert list((forge.root / "home").rglob("update-*")) == []


def test_an_edit_meanwhile_is_not_lost(
    forge: Forge, index: Index, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    directory = write(forge, recipe("1.0", index.release("demo", "1.0")))
    index.release("demo", "1.1")
    real = update_module.prepare_all

    def prepare(*arguments: object) -> object:
        made = real(*arguments)  # type: ignore[arg-type]  # what it was called with
        (directory / "recipe.yaml").write_text("# mine\n")
        return made

    monkeypatch.setattr(update_module, "prepare_all", prepare)
    said = forge("update", "demo")
    assert said.code == 18
    assert forge.plain(said.err).splitlines()[-2:] == snapshot
    assert (directory / "recipe.yaml").read_text() == "# mine\n"


def test_usage(forge: Forge, index: Index, snapshot: SnapshotAssertion) -> None:
    write(forge, recipe("1.0", "ab" * 32))
    for arguments in (
        ["demo>=1"], ["demo==1.*"], ["demo[x]"], ["/"], ["demo", "--all"], [], ["demo", "--min-age", "soon"],
        ["demo", "--check", "--branch"], ["demon"],
    ):  # fmt: skip
        said = forge("update", *arguments)
        assert (said.code, said.err.splitlines()[-1 if "hint" not in said.err else -2]) == snapshot(
            name=" ".join(arguments)
        )
