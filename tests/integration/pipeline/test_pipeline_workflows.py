"""The pull request's workflows, run here: their own steps, with the environment that they would have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forge.recipe.data import data_directory
from tests.integration.targets import SIMULATOR, runs_here

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

pytestmark = pytest.mark.toolchain

FORGE = Path(sys.executable).parent / "forge"
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass
class Repository:
    """A repository of recipes, and what GitHub would tell its steps.

    Args:
        root: Its checkout.
        outside: Where GitHub's own files are.
        values: What expressions stand for.
    """

    root: Path
    outside: Path
    values: dict[str, str] = field(default_factory=dict)

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], check=True, capture_output=True, text=True, cwd=self.root)
        return done.stdout

    def workflow(self, name: str) -> dict[str, Any]:
        data: dict[str, Any] = yaml.safe_load((self.root / ".github" / "workflows" / name).read_text())
        return data

    def expanded(self, text: object) -> str:
        return EXPRESSION.sub(lambda found: self.values[found[1]], str(text))

    def run(self, workflow: str, job: str, step: str, cwd: Path | None = None) -> str:
        """Run a step as GitHub does: ``bash -e``, its environment from the workflow, the job and the step."""
        data = self.workflow(workflow)
        said = next(each for each in data["jobs"][job]["steps"] if each.get("name") == step)
        output, summary = self.outside / "output", self.outside / "summary.md"
        for file in (output, summary):
            file.touch()
        levels = (data.get("env", {}), data["jobs"][job].get("env", {}), said.get("env", {}))
        given = {key: self.expanded(value) for level in levels for key, value in level.items()}
        env = {
            **os.environ, **given, "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_ACTIONS": "true", "CI": "true", "PATH": f"{self.outside / 'bin'}:{os.environ['PATH']}",
            "PYTHONS": "3.13",
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-e", "-c", said["run"]], check=False, capture_output=True, text=True, cwd=cwd or self.root,
            env=env, timeout=1500,
        )  # fmt: skip
        assert done.returncode == 0, f"{step}: {done.stdout}\n{done.stderr}"
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            self.values[f"needs.{job}.outputs.{key}"] = value
        output.unlink()
        return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """What ``forge init`` makes, with two recipes on its main branch."""
    root, outside = tmp_path / "wheels", tmp_path / "github"
    subprocess.run([str(FORGE), "init", str(root), "--name", "Test"], check=True, capture_output=True)
    for name in ("libyaml", "pyyaml", "markupsafe"):
        shutil.copytree(data_directory("recipes") / name, root / "recipes" / name)
    (outside / "bin").mkdir(parents=True)
    (outside / "bin" / "forge").symlink_to(FORGE)
    found = Repository(root, outside)
    found.git("init", "--quiet", "--initial-branch", "main")
    found.git("config", "user.name", "Ada")
    found.git("config", "user.email", "ada@example.org")
    found.git("add", "--all")
    found.git("commit", "--quiet", "--message", "Recipes")
    found.git("update-ref", "refs/remotes/origin/main", "HEAD")
    found.git("switch", "--quiet", "--create", "change")
    found.values = {
        "github.workspace": str(root), "github.base_ref": "main", "github.event.pull_request.number": "7",
        "vars.FORGE_INDEX": "", "github.token": "token", "github.repository": "ada/wheels",
    }  # fmt: skip
    return found


def change(repository: Repository, name: str, old: str, new: str) -> None:
    file = repository.root / "recipes" / name / "recipe.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    repository.git("commit", "--quiet", "--all", "--message", "A change")


def test_a_comment_changes_nothing(repository: Repository) -> None:
    change(repository, "libyaml", "# The archive has", "# Its archive has")
    repository.run("pull-request.yml", "plan", "Lint")
    repository.run("pull-request.yml", "plan", "Changed")
    assert repository.values["needs.plan.outputs.recipes"] == "", "so no build is started"
    repository.run("pull-request.yml", "report", "Report")
    assert "This change makes no wheel differ." in (repository.root / "comment" / "comment.md").read_text()


@runs_here
def test_a_changed_library(repository: Repository, snapshot: SnapshotAssertion) -> None:
    """libyaml and pyyaml are built, checked and tested, and the comment says so."""
    # A macro that no run before this one defined: what they built may still be in the cache.
    change(repository, "libyaml", "$CC -O2 -fPIC", f"$CC -O2 -fPIC -DRUN_{uuid.uuid4().hex}")
    repository.run("pull-request.yml", "plan", "Lint")
    repository.run("pull-request.yml", "plan", "Changed")
    assert repository.values["needs.plan.outputs.recipes"] == "libyaml pyyaml"
    targets = ({"abi": "iphoneos", "arch": "arm64"}, {"abi": "iphonesimulator", "arch": str(SIMULATOR.arch)})
    for target in targets:
        assert target in repository.workflow("pull-request.yml")["jobs"]["build"]["strategy"]["matrix"]["include"]
        repository.values |= {f"matrix.{key}": value for key, value in target.items()}
        repository.run("pull-request.yml", "build", "Build")
        if target["abi"] == "iphonesimulator":
            repository.run("pull-request.yml", "build", "Test")
    repository.run("pull-request.yml", "report", "Report")
    comment = (repository.root / "comment" / "comment.md").read_text()
    shown = re.sub(r"\| [\d.]+ (B|kB|MB) \|", "| SIZE |", comment.replace(str(SIMULATOR.arch), "ARCH"))
    assert shown == snapshot
    assert (repository.outside / "summary.md").read_text().endswith(comment)


@runs_here
def test_a_change_that_breaks_the_build(repository: Repository) -> None:
    change(repository, "libyaml", "$CC -O2 -fPIC", "$CC -O2 -fPIC -include nothing_there.h")
    repository.values |= {"matrix.abi": "iphoneos", "matrix.arch": "arm64"}
    repository.run("pull-request.yml", "plan", "Changed")
    with pytest.raises(AssertionError, match="Build"):
        repository.run("pull-request.yml", "build", "Build")
    repository.run("pull-request.yml", "build", "Explain")
    repository.run("pull-request.yml", "report", "Report")
    comment = (repository.root / "comment" / "comment.md").read_text()
    assert "1 failed, 1 skipped" in comment
    assert "nothing_there.h" in comment, "the first error"


GH = """\
#!/bin/sh
# Answers as GitHub's program would, and notes what it was asked.
echo "$@" >> "$GH_LOG"
case "$*" in
    *"pulls/7 "*) echo "$GH_HEAD" ;;
    *"comments --jq"*) printf '%s' "$GH_COMMENTS" ;;
esac
"""


@pytest.mark.parametrize(
    ("comments", "expected"),
    [("", "issues/7/comments --field"), ("41\n", "--method PATCH repos/ada/wheels/issues/comments/41")],
)
def test_the_comment_is_put_or_replaced(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, comments: str, expected: str
) -> None:
    log = gh(repository, monkeypatch, head="abc", comments=comments)
    artefact = repository.outside / "artefact"
    artefact.mkdir()
    (artefact / "number").write_text("7\n")
    (artefact / "comment.md").write_text("<!-- forge report -->\n")
    repository.values["github.event.workflow_run.head_sha"] = "abc"
    repository.run("comment.yml", "comment", "Comment", artefact)
    assert expected in log.read_text().splitlines()[-1]


@pytest.mark.parametrize("number", ["7", "7; rm -rf /", "../../7", ""])
def test_a_number_that_is_not_that_pull_requests(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    log = gh(repository, monkeypatch, head="another", comments="")
    artefact = repository.outside / "artefact"
    artefact.mkdir()
    (artefact / "number").write_text(number)
    (artefact / "comment.md").write_text("x")
    repository.values["github.event.workflow_run.head_sha"] = "abc"
    said = repository.run("comment.yml", "comment", "Comment", artefact)
    assert "nothing to say" in said
    assert all("comments" not in line for line in log.read_text().splitlines())


def gh(repository: Repository, monkeypatch: pytest.MonkeyPatch, *, head: str, comments: str) -> Path:
    log = repository.outside / "gh.log"
    program = repository.outside / "bin" / "gh"
    program.write_text(GH)
    program.chmod(0o755)
    for key, value in {"GH_LOG": str(log), "GH_HEAD": head, "GH_COMMENTS": comments}.items():
        monkeypatch.setenv(key, value)
    return log
