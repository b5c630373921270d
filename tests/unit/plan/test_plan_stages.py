"""A plan as stages of jobs for a CI system."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forge.base.paths import ForgeHome
from forge.plan.builds import plan_requests
from forge.plan.cache import LatestBuild, write_latest
from forge.plan.stages import StageJob, _merged, make_stages, to_matrix
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE
from tests.unit.plan.test_plan_builds import Yard

if TYPE_CHECKING:
    from forge.plan.request import Request
    from forge.plan.shared.cache import SharedCache
    from forge.plan.stages import Stage

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "matrix.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    made = Yard(tmp_path, monkeypatch)
    made.add("lapack", library=True)
    made.add("blas", "lapack", library=True)
    made.add("num", "blas", "lapack")
    made.add("other")
    return made


def stages(yard: Yard, *requests: Request, most: int = 256, cache: SharedCache | None = None) -> tuple[Stage, ...]:
    return make_stages(plan_requests(requests, yard.store), cache, most)


def names(found: tuple[Stage, ...]) -> list[list[str]]:
    return [sorted(" ".join(job.recipes) for job in stage) for stage in found]


def test_each_stage_comes_after_what_it_links(yard: Yard) -> None:
    found = stages(yard, yard.request("3.13", DEVICE, "num", "other"))
    assert names(found) == [["lapack", "other"], ["blas"], ["num"]]


def test_what_is_cached_is_no_job(yard: Yard) -> None:
    yard.build(yard.request("3.13", DEVICE, "blas"))
    assert names(stages(yard, yard.request("3.13", DEVICE, "num", "other"))) == [["num", "other"]]
    yard.build(yard.request("3.13", DEVICE, "num", "other"))
    assert stages(yard, yard.request("3.13", DEVICE, "num", "other")) == ()


def test_where_there_is_a_shared_cache_that_counts(yard: Yard) -> None:
    yard.build(yard.request("3.13", DEVICE, "num"))

    class Shared:
        def has(self, _: str) -> bool:
            return False

    shared: Any = Shared()
    found = stages(yard, yard.request("3.13", DEVICE, "num"), cache=shared)
    assert names(found) == [["lapack"], ["blas"], ["num"]]


def test_all_targets_and_pythons(yard: Yard) -> None:
    found = stages(yard, *(yard.request(m, t, "other") for m in ("3.13", "3.14") for t in (DEVICE, ARM_SIMULATOR)))
    assert sorted((str(job.target), job.python) for job in found[0]) == [
        ("arm64-iphoneos", "3.13"), ("arm64-iphoneos", "3.14"),
        ("arm64-iphonesimulator", "3.13"), ("arm64-iphonesimulator", "3.14"),
    ]  # fmt: skip


def test_json(yard: Yard) -> None:
    home = ForgeHome(yard.root / "home")
    write_latest(home, "lapack-arm64-iphoneos", LatestBuild("ab" * 32, 301.0))
    text = to_matrix(stages(yard, yard.request("3.13", DEVICE, "num", "other")), ["--x", "a b"], ["--all"])
    assert text.count("\n") == 1
    data = json.loads(text)
    Draft202012Validator(SCHEMA).validate(data)
    first, second = data["stages"][0]["include"]
    assert first == {
        "name": "lapack 1.0 arm64-iphoneos", "recipe": "lapack", "abi": "iphoneos", "arch": "arm64", "python": "3.13",
        "runner": "ubuntu-24.04", "minutes": 6,
        "command": "forge build lapack --abi iphoneos --arch arm64 --python 3.13 --x 'a b' --no-deps --cache write",
    }  # fmt: skip
    assert second["recipe"] == "other"
    assert data["last"] == "forge build --all --x 'a b' --cache write"
    assert data["minutes"] == 6 + 1 + 1


def test_the_smallest_are_put_together(yard: Yard) -> None:
    for number in range(6):
        yard.add(f"p{number}")
    home = ForgeHome(yard.root / "home")
    write_latest(home, "p3-arm64-iphoneos-3.13", LatestBuild("ab" * 32, 9000.0))
    (stage,) = stages(yard, yard.request("3.13", DEVICE, *(f"p{number}" for number in range(6))), most=3)
    assert len(stage) == 3
    assert stage[0].recipes == ("p3",)
    assert sorted(name for job in stage for name in job.recipes) == [f"p{number}" for number in range(6)]
    several = next(job for job in stage if len(job.recipes) > 1)
    assert several.name.startswith(f"{len(several.recipes)} wheels for arm64-iphoneos Python 3.13: ")
    assert several.minutes == len(several.recipes)
    (include, *_) = json.loads(to_matrix([(several,)], [], []))["stages"][0]["include"]
    assert shlex.split(include["command"])[2:4] == list(several.recipes)[:2]


def test_but_not_of_several_targets(yard: Yard) -> None:
    requests = [yard.request("3.13", target, "other", "lapack") for target in (DEVICE, ARM_SIMULATOR)]
    (stage,) = stages(yard, *requests, most=1)
    assert [job.recipes for job in stage] == [("lapack", "other"), ("lapack", "other")]


@given(st.lists(st.tuples(st.sampled_from(["3.13", "3.14"]), st.floats(0, 1e4)), max_size=30), st.integers(1, 40))
def test_nothing_is_lost(seconds: list[tuple[str, float]], most: int) -> None:
    jobs = [StageJob(f"p{n}", (f"p{n}",), DEVICE, python, s) for n, (python, s) in enumerate(seconds)]
    merged = _merged(jobs, most)
    assert sorted(name for job in merged for name in job.recipes) == sorted(job.name for job in jobs)
    assert len(merged) <= max(most, len({job.python for job in jobs}))
    assert len(jobs) > most or sorted(job.name for job in merged) == sorted(job.name for job in jobs)
    assert all({replace(job).python} == {jobs[int(name[1:])].python for name in job.recipes} for job in merged)
