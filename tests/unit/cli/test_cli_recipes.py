"""The commands about recipes and logs: lint, show, schema, explain; and what a failed build says of its cause."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from forge.base.errors import BuildError
from forge.cli.errors import show_error
from forge.lint.schema_text import all_keys, schema_source
from tests.unit.lint.conftest import LOCK, TABLE, changed

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

BAD_LOG = "cc a.c\nld64.lld: error: library not found for -lrt\nninja: build stopped: subcommand failed.\n"


@pytest.fixture
def demo(forge: Forge) -> Forge:
    """One recipe, with two faults that can be mended."""
    (forge.root / "schemas").mkdir()
    (forge.root / "schemas" / "recipe.schema.json").write_text("{}")
    directory = forge.root / "recipes" / "demo"
    directory.mkdir(parents=True)
    text = changed(("license: MIT", "license: mit"), ("A demonstration", "A demonstration."))
    env = "  backend: setuptools\n  env:\n    A: {value: '${arch}', when: {abi: iphonesimulator}}\n    B: $${x}\n"
    (directory / "recipe.yaml").write_text(text.replace("  backend: setuptools\n", env))
    (directory / "build-requirements.lock").write_text(LOCK)
    (directory / "extension-modules.txt").write_text(TABLE)
    return forge


class TestLint:
    def test_findings(self, demo: Forge, snapshot: SnapshotAssertion) -> None:
        said = demo("lint")
        assert (said.code, said.err) == (3, "")
        assert said.out == snapshot

    def test_fix(self, demo: Forge) -> None:
        said = demo("lint", "demo", "--fix")
        assert said.code == 0
        assert said.err.count("fixed: recipes/demo/recipe.yaml: REC20") == 2

    def test_fail_on(self, demo: Forge) -> None:
        assert demo("lint", "--fail-on", "error").code == 0
        assert demo("lint", "--ignore", "REC203,license-spelling").code == 0

    @pytest.mark.parametrize("form", ["json", "sarif"])
    def test_formats(self, demo: Forge, form: str) -> None:
        assert json.loads(demo("lint", "--format", form).out)["version"]

    def test_explain(self, forge: Forge) -> None:
        assert forge("lint", "--explain", "REC305").out.startswith("REC305 patch-without-reason (warning)\n")
        assert forge("lint", "--explain", "all").out.count("\n  why: ") > 30

    def test_an_unknown_rule(self, forge: Forge) -> None:
        said = forge("lint", "--explain", "REC9")
        assert (said.code, "is not a rule" in said.err) == (2, True)

    def test_an_unknown_recipe(self, demo: Forge) -> None:
        said = demo("lint", "demmo")
        assert (said.code, "did you mean 'demo'?" in said.err) == (3, True)

    def test_the_network_that_does_not_answer(self, demo: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        monkeypatch.setenv("PIP_RETRIES", "0")
        assert demo("lint", "--network").code == 5


class TestShow:
    def test_text(self, demo: Forge, snapshot: SnapshotAssertion) -> None:
        assert demo("show", "demo").out == snapshot

    def test_another_target(self, demo: Forge) -> None:
        out = demo("show", "demo", "--target", "x86_64-iphonesimulator", "--json").out
        rows = {row["key"]: row for row in json.loads(out)["values"]}
        assert rows["build.env.A"] == {
            "key": "build.env.A", "value": "x86_64", "written": "${arch}", "counts": True,
            "origin": "recipes/demo/recipe.yaml:20",
        }  # fmt: skip
        assert (rows["build.env.B"]["value"], rows["wheel.native"]["origin"]) == ("${x}", "default")

    def test_all(self, demo: Forge) -> None:
        assert "its condition does not hold" in demo("show", "demo", "--all").out

    def test_what_is_not_there(self, demo: Forge) -> None:
        assert demo("show", "demo", "--target", "arm64-macos").code == 2
        assert demo("show", "demo", "--variant", "fast").code == 3
        assert demo("show", "demo", "--python", "x").code == 7
        assert demo("show", "nothing").code == 3


class TestSchema:
    def test_json(self, forge: Forge) -> None:
        assert forge("schema").out == schema_source()

    def test_a_key(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        assert forge("schema", "wheel").out == snapshot

    def test_an_unknown_key(self, forge: Forge) -> None:
        said = forge("schema", "build.envv")
        assert (said.code, "did you mean 'build.env'?" in said.err) == (2, True)

    @pytest.mark.parametrize("key", all_keys(), ids=lambda key: key.name)
    def test_every_key_is_described(self, key: object) -> None:
        assert isinstance(description := getattr(key, "description", None), str)
        assert description.endswith(".")
        words = ("mapping", "always", "|")
        assert (
            getattr(key, "examples", ())
            or getattr(key, "default", None)
            or any(word in getattr(key, "kind", "") for word in words)
        )


class TestExplain:
    def test_a_log(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        (forge.root / "log").write_text(BAD_LOG)
        assert forge("explain", "log").out == snapshot
        assert forge("explain", "log", "--all").out.count("cause: ") == 2
        data = json.loads(forge("explain", "log", "--json").out)
        assert (data["matches"][0]["id"], data["first_error"]["line"]) == ("linux-library", 2)

    def test_the_newest_log(self, forge: Forge) -> None:
        assert forge("explain").code == 8
        logs = forge.root / "home" / "logs"
        logs.mkdir(parents=True)
        (logs / "demo.1.log").write_text(BAD_LOG)
        assert forge("explain").out.startswith("linux-library, line 2:")

    def test_standard_input(self, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("x\ngoo(): Error: it broke\nSomeError: \x1b]0;bad\n"))
        assert (
            forge("explain", "-").out == "no known failure; the first error is in line 3:\n  SomeError: \\x1b]0;bad\n"
        )

    def test_nothing(self, forge: Forge) -> None:
        (forge.root / "log").write_text("all is well\n")
        assert forge("explain", "log").out == "no known failure, and no line that reports an error\n"


def test_a_failed_build_says_its_cause(forge: Forge) -> None:
    log = forge.root / "log"
    log.write_text(BAD_LOG)
    console = Console(file=io.StringIO(), highlight=False, soft_wrap=True)
    assert show_error(console, BuildError("it failed", log=log, tail=("ninja: build stopped.",))) == 8
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines if line.startswith(("cause", "fix", "log"))] == [
        "cause",
        "fix",
        "log",
    ]
    assert "librt, which is a library of Linux" in console.file.getvalue()
    log.unlink()
    assert show_error(console, BuildError("it failed", log=log)) == 8
