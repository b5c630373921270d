"""``forge init``, and the workflows that it and forge's own repository have in common."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import StorageError
from forge.pipeline.scaffold import WORKFLOWS, scaffold_files, workflow, write_scaffold

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

ROOT = Path(__file__).parents[3]
ACTIONLINT = shutil.which("actionlint", path=str(Path(sys.executable).parent))


def test_a_repository(forge: Forge, snapshot: SnapshotAssertion) -> None:
    said = forge("init", "mine", "--name", "My wheels")
    assert (said.code, said.out, said.err) == snapshot
    root = forge.root / "mine"
    assert (root / "README.md").read_text().startswith("# My wheels\n")
    assert tomllib.loads((root / "forge.toml").read_text()) == {}
    assert (root / "recipes").is_dir()
    assert root.stat().st_mode & 0o777 == 0o777 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.skipif(ACTIONLINT is None, reason="actionlint is not installed")
def test_the_workflows_pass_actionlint(forge: Forge) -> None:
    assert forge("init", "mine").code == 0
    subprocess.run(["git", "init", "--quiet", "mine"], check=True)
    done = subprocess.run([str(ACTIONLINT)], check=False, capture_output=True, text=True, cwd=forge.root / "mine")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.skipif(ACTIONLINT is None, reason="actionlint is not installed")
def test_actionlint_would_say_something(forge: Forge) -> None:
    assert forge("init", "mine").code == 0
    subprocess.run(["git", "init", "--quiet", "mine"], check=True)
    file = forge.root / "mine" / ".github" / "workflows" / "wheels.yml"
    file.write_text(file.read_text().replace("matrix.abi }}", "matrix.api }}", 1))
    done = subprocess.run([str(ACTIONLINT)], check=False, capture_output=True, text=True, cwd=forge.root / "mine")
    assert done.returncode == 1
    assert 'property "api" is not defined' in done.stdout


@pytest.mark.parametrize("name", WORKFLOWS)
def test_this_repository_has_the_same(name: str) -> None:
    assert (ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8") == workflow(name)


def steps(text: str) -> list[tuple[str, dict[str, Any]]]:
    data = yaml.safe_load(text)
    return [(job, step) for job, said in data["jobs"].items() for step in said["steps"]]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_expression_is_pasted_into_a_script(name: str) -> None:
    """A branch's name or a title would be code there: they come as variables."""
    assert [step["run"] for _, step in steps(workflow(name)) if "${{" in step.get("run", "")] == []


def test_what_runs_a_pull_requests_code_has_no_secret() -> None:
    text = workflow("pull-request.yml")
    data = yaml.safe_load(text)
    assert "secrets." not in text
    assert "github.token" not in text
    assert data["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in data["jobs"].values())
    checkouts = [step for _, step in steps(text) if step.get("uses", "").startswith("actions/checkout")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)
    assert True in data, "the key 'on' is YAML's true"
    assert list(data[True]) == ["pull_request"], "not pull_request_target, which has secrets"


def test_what_may_write_runs_no_code_of_a_pull_request() -> None:
    text = workflow("comment.yml")
    uses = [step["uses"] for _, step in steps(text) if "uses" in step]
    assert [use.partition("@")[0] for use in uses] == ["actions/download-artifact"]
    assert "forge " not in re.sub(r"<!-- forge report -->", "", "".join(step.get("run", "") for _, step in steps(text)))


@pytest.mark.parametrize("there", ["file", "directory"])
def test_what_is_there_stays(forge: Forge, there: str, snapshot: SnapshotAssertion) -> None:
    place = forge.root / "mine"
    if there == "directory":
        place.mkdir()
        place = place / "notes"
    place.write_text("mine\n")
    said = forge("init", "mine")
    assert (said.code, said.out, said.err) == snapshot
    assert place.read_text() == "mine\n"
    assert sorted(path.name for path in forge.root.iterdir()) == ["mine"]


def test_an_empty_directory_will_do(forge: Forge) -> None:
    (forge.root / "mine").mkdir()
    assert forge("init", "mine").code == 0


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        write_scaffold(tmp_path / "mine", {"a": "x", "a/b": "a file is in the way"})
    assert list(tmp_path.iterdir()) == []


def test_what_forge_is_installed_from(forge: Forge, snapshot: SnapshotAssertion) -> None:
    bad = forge("init", "mine", "--forge", "not a requirement")
    assert (bad.code, bad.err) == snapshot
    assert forge("init", "mine", "--forge", "forge-ios @ git+https://example.org/it's.git").code == 0
    action = yaml.safe_load((forge.root / "mine/.github/actions/setup-forge/action.yml").read_text())
    env = action["runs"]["steps"][1]["env"]
    assert env == {"FORGE": "forge-ios @ git+https://example.org/it's.git"}


@given(st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))))
def test_any_requirement_is_a_string_of_yaml(text: str) -> None:
    action = yaml.safe_load(scaffold_files("x", text)[".github/actions/setup-forge/action.yml"])
    assert action["runs"]["steps"][1]["env"] == {"FORGE": text}
