"""What a plan says: the state of each build, the reasons, the estimate; as text, JSON and graphs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forge.plan.builds import plan_requests
from forge.plan.cache import LatestBuild, write_latest
from forge.plan.explain import Doing, Plan, changed, explain_plan
from forge.plan.plan_report import render_text, render_tree, to_dot, to_json, to_mermaid
from tests.unit.ios_python.fakes import DEVICE
from tests.unit.plan.test_plan_builds import Yard

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    made = Yard(tmp_path, monkeypatch)
    made.add("lapack", library=True)
    made.add("blas", "lapack", library=True)
    made.add("num", "blas", "lapack")
    made.add("sci", "num")
    return made


def planned(yard: Yard, *names: str) -> Plan:
    return explain_plan(plan_requests([yard.request("3.13", DEVICE, *names)], yard.store))


def text(yard: Yard, *names: str) -> str:
    return render_text(planned(yard, *names), jobs=2)


def test_nothing_is_known_yet(yard: Yard, snapshot: SnapshotAssertion) -> None:
    assert text(yard, "sci") == snapshot
    assert yard.built == []


def test_what_is_there_and_what_has_changed(yard: Yard, snapshot: SnapshotAssertion) -> None:
    yard.build(yard.request("3.13", DEVICE, "sci"))
    assert text(yard, "sci").endswith("0 to build, 4 in the cache\n")
    home = yard.request("3.13", DEVICE, "sci").context.home
    for build in planned(yard, "sci").builds:
        name, _, target = build.name.split()[:3]
        known = f"{name}-{target}" + ("" if name in ("lapack", "blas") else "-3.13")
        write_latest(home, known, LatestBuild(build.fingerprint, {"blas": 700.0, "num": 500.0}.get(name, 20.0)))
    recipe = yard.root / "recipes" / "blas" / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("script: ['true']", "script: ['true']\n  env: {CORE: ARMV8}"))
    found = planned(yard, "sci")
    assert [build.doing for build in found.builds] == [Doing.CACHED, Doing.BUILD, Doing.BUILD, Doing.BUILD]
    assert [name.split()[0] for name in found.critical_path] == ["blas", "num", "sci"]
    assert found.seconds == found.work == 1220.0
    assert render_text(found, jobs=2) == snapshot
    assert render_tree(found) == snapshot
    assert to_dot(found) == snapshot
    assert to_mermaid(found) == snapshot


def test_what_was_never_built_takes_as_long_as_for_another_target_or_python(yard: Yard) -> None:
    home = yard.request("3.13", DEVICE, "sci").context.home
    built = {"blas-x86_64-iphonesimulator": 700.0, "num-arm64-iphonesimulator-3.14": 500.0, "sci-kit-any-3.13": 20.0}
    for number, (name, seconds) in enumerate(built.items()):
        write_latest(home, name, LatestBuild("ab" * 32, seconds, 1000 + number))
    found = planned(yard, "sci")
    known = {build.name.split()[0]: (build.seconds, build.memory, build.is_new) for build in found.builds}
    assert known == {
        "blas": (700.0, 1000, True), "num": (500.0, 1001, True),
        "lapack": (None, None, True), "sci": (None, None, True),
    }  # fmt: skip
    assert found.unknown == 2


def test_json(yard: Yard) -> None:
    data = json.loads(to_json(planned(yard, "sci")))
    Draft202012Validator(SCHEMA).validate(data)
    assert [build["name"].split()[0] for build in data["builds"]] == ["lapack", "blas", "num", "sci"]
    assert sorted(data["builds"][2]["needs"]) == [f"blas 1.0 {DEVICE}", f"lapack 1.0 {DEVICE}"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
def test_any_two_values(before: object, now: object) -> None:
    assert list(changed(before, before)) == []
    if before != now:
        assert list(changed(before, now))
