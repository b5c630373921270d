"""What a cluster's worker is sent, and what it sends back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.audit.finding import Finding
from forge.base.errors import RecipeError
from forge.base.severity import Severity
from forge.crossbuild.host_prefix import HostPackage
from forge.plan.cluster.job import FORMAT, from_data, make_job, to_data, unpack_recipe
from forge.plan.executor import Order, Report
from forge.plan.shared.cache import Wanted
from forge.recipe.digest import digest_input
from forge.recipe.evaluate import evaluate
from forge.recipe.model import PathPin
from forge.recipe.read import read_recipe
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe
from tests.unit.ios_python.fakes import DEVICE

if TYPE_CHECKING:
    from forge.recipe.model import EvaluatedRecipe

LOCAL = RECIPE.replace("path: source", "path: ../../trees/demo").replace("[demo._x]\n", "[demo._x]\n  ")


class TestJob:
    @staticmethod
    def order(recipe: EvaluatedRecipe, root: Path, *host: HostPackage) -> Order:
        return Order(Wanted("demo 1.0", "demo-arm64", "ab" * 32), recipe, make_context(root), host, {"a": 1})

    def test_a_recipe_and_a_source_beside_it(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path / "recipes", text=LOCAL)
        tree = tmp_path / "trees" / "demo"
        tree.parent.mkdir()
        (directory / "source").rename(tree)
        (tree / "configure").write_text("#!/bin/sh\n")
        (tree / "configure").chmod(0o755)
        (tree / "link").symlink_to("configure")
        recipe = evaluate(read_recipe(directory / "recipe.yaml"), DEVICE, "3.13")
        job = make_job(self.order(recipe, tmp_path), lambda _: True)
        there = from_data(to_data(job))
        assert there == job
        unpacked = unpack_recipe(job, tmp_path / "there")
        assert digest_input(unpacked) == digest_input(recipe)
        assert isinstance(unpacked.source, PathPin)
        assert Path(unpacked.source.path).is_relative_to(tmp_path / "there")
        copied = Path(unpacked.source.path) / "configure"
        assert copied.stat().st_mtime_ns == (tree / "configure").stat().st_mtime_ns

    def test_a_source_in_the_recipe_s_directory_travels_once(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path / "recipes")
        recipe = evaluate(read_recipe(directory / "recipe.yaml"), DEVICE, "3.13")
        job = make_job(self.order(recipe, tmp_path), lambda _: True)
        names = ["build-requirements.lock", "extension-modules.txt", "recipe.yaml"]
        assert [file.name for file in job.recipe] == names
        assert digest_input(unpack_recipe(job, tmp_path / "there")) == digest_input(recipe)

    def test_an_archive(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path / "recipes", text=RECIPE.replace("path: source", "path: demo-1.0.tar.gz"))
        (directory / "demo-1.0.tar.gz").write_bytes(b"archive")
        recipe = evaluate(read_recipe(directory / "recipe.yaml"), DEVICE, "3.13")
        unpacked = unpack_recipe(make_job(self.order(recipe, tmp_path), lambda _: True), tmp_path / "there")
        assert isinstance(unpacked.source, PathPin)
        assert unpacked.source.path.endswith("demo-1.0.tar.gz")
        assert digest_input(unpacked) == digest_input(recipe)

    def test_a_source_that_is_gone(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path / "recipes", text=RECIPE.replace("path: source", "path: gone.tar.gz"))
        recipe = evaluate(read_recipe(directory / "recipe.yaml"), DEVICE, "3.13")
        with pytest.raises(RecipeError, match=r"cannot read .*gone\.tar\.gz"):
            make_job(self.order(recipe, tmp_path), lambda _: True)

    def test_host_requirements(self, tmp_path: Path) -> None:
        directory = write_recipe(tmp_path / "recipes")
        recipe = evaluate(read_recipe(directory / "recipe.yaml"), DEVICE, "3.13")
        wheel = tmp_path / "blas-1.0-py3-none-any.whl"
        wheel.write_bytes(b"wheel")
        hosts = [HostPackage(name, "1.0", wheel, name) for name in ("near", "far")]
        job = make_job(self.order(recipe, tmp_path, *hosts), lambda key: key == "near")
        assert [(host.name, host.wheel) for host in job.hosts] == [("near", None), ("far", b"wheel")]
        finding = Finding("IOS1", "x", Severity.INFO, "message", None, "why", "mend", ("symbol",))
        data = {
            "id": "IOS1", "name": "x", "severity": "info", "message": "message", "member": None, "why": "why",
            "mend": "mend", "symbols": ["symbol"],
        }  # fmt: skip
        assert replace(job.hosts[0], warnings=(data,)).findings() == (finding,)

    def test_another_format(self, tmp_path: Path) -> None:
        assert isinstance(from_data({"format": FORMAT + 1}), str)


def test_what_a_report_says() -> None:
    error = Report("w1", built=True, notes=("demo: disk full",)).not_there(Wanted("demo 1.0", "demo", "ab"))
    assert error.message == "demo 1.0 was built on w1, but cannot be taken from the shared cache\n  demo: disk full"
