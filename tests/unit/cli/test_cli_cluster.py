"""``forge build --scheduler`` and ``--no-deps``, ``forge plan --matrix``, as a shell sees them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from forge.base.target import select_targets
from forge.plan import asked as asked_plan
from forge.plan.cluster import worker as worker_module
from tests.unit.crossbuild.fakes import RECIPE, WHEEL, make_context, write_recipe

if TYPE_CHECKING:
    from tests.unit.cli.runner import Forge

ONE = ("--abi", "iphoneos")
SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "matrix.schema.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.usefixtures("no_toolchain")


def test_a_build_on_a_cluster(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    write_recipe(forge.root / "recipes")
    forge("cache", "key", "--name", "ci-1", "--out", "k.pem")
    monkeypatch.setenv("FORGE_CACHE", str(forge.root / "shared"))
    monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", str(forge.root / "k.pem"))
    monkeypatch.setattr(worker_module, "plan_context", lambda *_: make_context(forge.root / "worker"))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, silence_logs=50,
        dashboard_address="127.0.0.1:0", worker_dashboard_address="127.0.0.1:0",
    ) as cluster:  # fmt: skip
        monkeypatch.setenv("FORGE_SCHEDULER", cluster.scheduler_address)
        said = forge("build", "demo", *ONE)
        assert (said.code, said.out) == (0, f"dist/{WHEEL}\n")
        assert "cluster: 1 worker\n" in said.err
        assert len(list((forge.root / "worker" / "home" / "wheels").glob("*/*/*.whl"))) == 1
        write_recipe(forge.root / "failing", "raise SystemExit(3)")
        said = forge("build", "demo", *ONE, "--recipes", "failing")
        assert said.code == 8
        assert " (on the worker 0)\n" in said.err
        (log,) = (forge.root / "home" / "logs").glob("demo-1.0-arm64-iphoneos-*.log")
        assert f"log: {log}\n" in said.err
        assert "the back end's first words" in log.read_text()


def test_dask_is_imported_for_a_cluster_only() -> None:
    code = (
        "import sys, forge.cli.build, forge.cli.plan; sys.exit('distributed' in sys.modules or 'dask' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_what_a_cluster_takes(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(forge.root / "recipes")
    said = forge("build", "demo", *ONE, "--scheduler", "tcp://127.0.0.1:1")
    assert said.code == 12
    assert "error[cache]: --scheduler takes a shared cache" in said.err
    forge("cache", "key", "--name", "ci-1", "--out", "k.pem")
    monkeypatch.setenv("FORGE_CACHE", str(forge.root / "shared"))
    monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", str(forge.root / "k.pem"))
    monkeypatch.setitem(sys.modules, "distributed", None)
    said = forge("build", "demo", *ONE, "--scheduler", "tcp://127.0.0.1:1")
    assert said.code == 14
    assert "hint: pip install 'forge-ios[cluster]'" in said.err


def write_user(recipes: Path) -> None:
    """A recipe that requires ``demo`` at run time."""
    text = RECIPE.replace("name: demo", "name: user").replace("demo._x", "user._x") + "requirements: {run: [demo]}\n"
    write_recipe(recipes)
    (recipes / "user").mkdir()
    for file in (recipes / "demo").iterdir():
        if file.is_file():
            (recipes / "user" / file.name).write_text(file.read_text())
    (recipes / "user" / "recipe.yaml").write_text(text.replace("path: source", "path: ../demo/source"))


def test_without_what_is_required_at_run_time(forge: Forge) -> None:
    write_user(forge.root / "recipes")
    matrix = json.loads(forge("plan", "user", *ONE, "--matrix").out)
    jsonschema.validate(matrix, SCHEMA)
    (stage,) = matrix["stages"]
    assert sorted(job["recipe"] for job in stage["include"]) == ["demo", "user"]
    (command,) = [job["command"] for job in stage["include"] if job["recipe"] == "demo"]
    assert "--no-deps" in command
    # 'user' cannot be built here: its source is that of 'demo'.
    said = forge("build", "user", *ONE, "--no-deps", "--keep-going", "--json")
    ended = [json.loads(line)["name"] for line in said.out.splitlines() if '"ended"' in line]
    assert [name.split()[0] for name in ended] == ["user"]
    said = forge("build", "user", *ONE, "--keep-going", "--json")
    ended = [json.loads(line)["name"] for line in said.out.splitlines() if '"ended"' in line]
    assert sorted(name.split()[0] for name in ended) == ["demo", "user"]


def test_a_matrix(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(forge.root / "recipes")
    context = make_context(forge.root)
    fingerprints = tuple((target.multiarch, "ios python 1") for target in select_targets())
    everywhere = replace(context, python=replace(context.python, fingerprints=fingerprints))
    monkeypatch.setattr(asked_plan, "plan_context", lambda *_: everywhere)
    options = ("--ios-version", "13.0", "--recipes", "recipes")
    said = forge("plan", "demo", *options, "--python", "3.13", "--matrix", "--runner", "self-hosted")
    assert said.code == 0
    data = json.loads(said.out)
    jsonschema.validate(data, SCHEMA)
    ((first, *others),) = [stage["include"] for stage in data["stages"]]
    assert len(others) == 2, "a job for each target"
    assert first["runner"] == "self-hosted"
    assert shlex.split(first["command"])[-7:] == [*options, "--no-deps", "--cache", "write"]
    assert data["last"] == f"forge build demo --python 3.13 {shlex.join(options)} --cache write"
    said = forge("plan", "demo", "--matrix", "--max-jobs", "2")
    assert said.code == 2
    assert "stage 1 has wheels for 3 targets and Pythons, and each of these takes a job" in said.err
    assert forge("plan", "demo", "--matrix", "--max-jobs", "257").code == 2
    assert forge("build", "demo", *ONE).code == 0
    assert json.loads(forge("plan", "--all", *ONE, "--matrix").out) == {
        "version": 1, "stages": [], "last": "forge build --all --abi iphoneos --cache write", "minutes": 0,
    }  # fmt: skip
