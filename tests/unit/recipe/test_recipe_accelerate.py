"""The stub that the recipe ``accelerate`` makes of its list of routines."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml

from forge.recipe.data import data_directory

STUB = data_directory("recipes") / "accelerate" / "stub"
LINES = (STUB / "routines.txt").read_text(encoding="utf-8").splitlines()
ROUTINES = [name for line in LINES if not line.startswith("#") for name in line.split()]


def test_each_routine_once() -> None:
    assert len(set(ROUTINES)) == len(ROUTINES)
    assert [name for name in ROUTINES if not re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", name)] == []


def test_the_list_has_as_many_as_it_says() -> None:
    said = [int(number) for line in LINES for number in re.findall(r"^# \w+: (\d+)$", line)]
    cblas = sum(name.startswith("cblas_") for name in ROUTINES)
    assert (len(said), said[0], sum(said)) == (3, cblas, len(ROUTINES))


@pytest.mark.parametrize("routine", ["xerbla", "lsame", "dcabs1", "cdotu", "zladiv", "dgelst", "dgeqp3rk", "dlaqz0"])
def test_what_ios_16_4_does_not_have_is_not_there(routine: str) -> None:
    assert routine not in ROUTINES


@pytest.mark.skipif(shutil.which("awk") is None, reason="the recipe's build needs awk")
def test_the_stub_is_yaml_with_every_routine_in_both_sizes() -> None:
    command = ["awk", "-v", "target=arm64-ios", "-f", str(STUB / "stub.awk"), str(STUB / "routines.txt")]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    header, _, body = text.partition("\n")
    assert header == "--- !tapi-tbd"
    stub = yaml.safe_load(body.removesuffix("...\n"))
    assert (stub["tbd-version"], stub["targets"]) == (4, ["arm64-ios"])
    assert stub["install-name"] == "/System/Library/Frameworks/Accelerate.framework/Accelerate"
    (exports,) = stub["exports"]
    assert exports["targets"] == ["arm64-ios"]
    suffixes = ("$NEWLAPACK", "$NEWLAPACK$ILP64")
    assert exports["symbols"] == [f"_{name}{suffix}" for name in ROUTINES for suffix in suffixes]


@pytest.mark.skipif(shutil.which("awk") is None, reason="the recipe's build needs awk")
def test_an_empty_list_is_no_stub() -> None:
    command = ["awk", "-v", "target=arm64-ios", "-f", str(STUB / "stub.awk")]
    assert subprocess.run(command, check=False, input="# nothing\n", capture_output=True, text=True).returncode == 1
