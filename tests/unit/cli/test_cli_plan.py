from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.crossbuild.fakes import RECIPE, write_recipe

if TYPE_CHECKING:
    from tests.unit.cli.runner import Forge

ONE = ("--abi", "iphoneos")

pytestmark = pytest.mark.usefixtures("no_toolchain")


def test_before_and_after_a_build(forge: Forge) -> None:
    write_recipe(forge.root / "recipes")
    said = forge("plan", "demo", *ONE)
    assert (said.code, said.out) == (
        0,
        "demo 1.0 arm64-iphoneos  build\n    it has not been built yet\n"
        "1 to build, 0 in the cache; about 60 s (1 of them never built before: a minute each)\n",
    )
    assert list((forge.root / "home").rglob("*.whl")) == [], "nothing was built"
    assert forge("build", "demo", *ONE).code == 0
    assert forge("plan", "demo", *ONE).out == "demo 1.0 arm64-iphoneos  cached\n0 to build, 1 in the cache\n"


def test_why(forge: Forge) -> None:
    directory = write_recipe(forge.root / "recipes")
    assert forge("build", "demo", *ONE).code == 0
    recipe = directory / "recipe.yaml"
    recipe.write_text(RECIPE.replace("setuptools\n", "setuptools\n  env: {FAST: '1'}\n"))
    said = forge("plan", "--all", *ONE, "--why", "Demo")
    assert (said.code, said.out) == (0, 'demo 1.0 arm64-iphoneos: build\n    recipe.env.FAST is new: "1"\n')
    recipe.write_text("# A comment\n" + RECIPE)
    assert forge("plan", "demo", *ONE, "--why", "demo").out == "demo 1.0 arm64-iphoneos: cached\n"
    said = forge("plan", "demo", *ONE, "--why", "numpy")
    assert (said.code, said.out) == (2, "")
    assert "the plan has no build of 'numpy'" in said.err


@pytest.mark.parametrize(("shape", "start"), [("--tree", "demo 1.0"), ("--dot", "digraph"), ("--mermaid", "flowchart")])
def test_shapes(forge: Forge, shape: str, start: str) -> None:
    write_recipe(forge.root / "recipes")
    said = forge("plan", "demo", *ONE, shape)
    assert said.code == 0
    assert said.out.startswith(start)


def test_json(forge: Forge) -> None:
    write_recipe(forge.root / "recipes")
    (build,) = json.loads(forge("plan", "demo", *ONE, "--json").out)["builds"]
    assert (build["name"], build["doing"], build["seconds"]) == ("demo 1.0 arm64-iphoneos", "build", None)


@pytest.mark.parametrize("command", ["plan", "build"])
def test_names_or_all(forge: Forge, command: str) -> None:
    write_recipe(forge.root / "recipes")
    assert (forge(command, *ONE).code, forge(command, "demo", "--all", *ONE).code) == (2, 2)
    assert forge(command, "--all", *ONE).code == 0


def test_what_ran_when(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(forge.root / "recipes")
    summary = forge.root / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    assert forge("build", "demo", *ONE, "--timeline", "run.html").code == 0
    assert "<title>demo 1.0 arm64-iphoneos: built, " in (forge.root / "run.html").read_text()
    assert "| demo 1.0 arm64-iphoneos | built | " in summary.read_text()
    assert forge("build", "demo", *ONE).code == 0
    assert "| demo 1.0 arm64-iphoneos | cached | " in summary.read_text()
    write_recipe(forge.root / "failing", "raise SystemExit(3)")
    assert forge("build", "demo", *ONE, "--recipes", "failing", "--timeline", "run.html").code == 8
    assert "<title>demo 1.0 arm64-iphoneos: failed, " in (forge.root / "run.html").read_text()


def test_a_build_as_json(forge: Forge) -> None:
    recipes = forge.root / "recipes"
    body = "import sys; print('x.c:1:1: error: gone'); print(*range(99), sep='\\n'); sys.exit(3)"
    text = RECIPE.replace("demo", "bad").replace("[bad._x]", "[demo._x]")
    write_recipe(recipes, body, text=text).rename(recipes / "bad")
    write_recipe(recipes)
    said = forge("build", "demo", "bad", *ONE, "--json", "--keep-going")
    events = [json.loads(line) for line in said.out.splitlines()]
    assert said.code == 8
    kinds = {kind: [event for event in events if event["event"] == kind] for kind in ("ended", "wheel", "error")}
    assert sorted((event["name"], event["state"]) for event in kinds["ended"]) == [
        ("bad 1.0 arm64-iphoneos", "failed"), ("demo 1.0 arm64-iphoneos", "built"),
    ]  # fmt: skip
    assert [event["subject"] for event in kinds["wheel"]] == ["demo 1.0 arm64-iphoneos"]
    assert [event["exit_code"] for event in kinds["error"]] == [8]
    assert {"event": "whole", "done": 2, "total": 2, "seconds_left": 0.0} in [
        {name: value for name, value in event.items() if name != "time"} for event in events
    ]
    plain = forge("build", "bad", *ONE)
    assert "the first error in the log:\n  x.c:1:1: error: gone\n" in plain.err
