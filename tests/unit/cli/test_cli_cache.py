"""``forge cache``, and builds through a shared cache, as a shell sees them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from forge.cli import build as build_command
from tests.unit.crossbuild.fakes import RECIPE, WHEEL, make_context, write_recipe
from tests.unit.plan.shared import web_server

if TYPE_CHECKING:
    from tests.unit.cli.runner import Forge, Said

ONE = ("--abi", "iphoneos")
SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "cache.schema.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.usefixtures("no_toolchain")


def listed(forge: Forge) -> list[dict[str, object]]:
    data = json.loads(forge("cache", "list", "--json").out)
    jsonschema.validate(data, SCHEMA)
    found: list[dict[str, object]] = data["wheels"]
    return found


def test_an_empty_cache(forge: Forge) -> None:
    assert forge("cache", "list").out == "no wheels\n"
    assert listed(forge) == []
    assert forge("cache", "stats").code == 0
    assert forge("cache", "verify").out == "0 intact, 0 damaged\n"
    assert forge("cache", "prune", "--max-size", "1G").out == "0 B before, 0 B now\n"
    said = forge("cache", "why", "abc")
    assert (said.code, said.out) == (9, "")
    assert "the cache has no wheel abc" in said.err


def test_list_why_and_stats(forge: Forge) -> None:
    directory = write_recipe(forge.root / "recipes")
    assert forge("build", "demo", *ONE).code == 0
    (first,) = listed(forge)
    assert (first["name"], first["target"], first["python"], first["latest"]) == (
        "demo",
        "arm64-iphoneos",
        "3.13",
        True,
    )
    assert first["shared"] is None
    fingerprint = str(first["fingerprint"])
    lines = forge("cache", "list", "demo").out.splitlines()
    assert lines[0].split() == ["NAME", "VERSION", "TARGET", "PYTHON", "SIZE", "AGE", "USED", "FINGERPRINT"]
    assert lines[1].startswith("demo  1.0 ")
    assert lines[1].endswith(fingerprint[:12])
    why = forge("cache", "why", f"dist/{WHEEL}")
    assert why.code == 0
    assert "\n  recipe.name: demo\n" in why.out
    assert why.out.endswith("it is the latest build of its name\n")
    (directory / "recipe.yaml").write_text(RECIPE.replace("setuptools\n", "setuptools\n  env: {FAST: '1'}\n"))
    assert forge("build", "demo", *ONE).code == 0
    why = forge("cache", "why", fingerprint[:8])
    assert "differs in\n" in why.out
    assert '  recipe.env.FAST: (nothing) -> "1"\n' in why.out
    assert "wheels: 2, " in forge("cache", "stats").out
    assert "with a later build: 1, " in forge("cache", "stats").out


def test_verify(forge: Forge) -> None:
    write_recipe(forge.root / "recipes")
    forge("build", "demo", *ONE)
    wheel = Path(str(listed(forge)[0]["wheel"]))
    wheel.write_bytes(b"damaged")
    said = forge("cache", "verify")
    assert (said.code, said.out) == (10, f"damaged, removed: {wheel.parent}\n0 intact, 1 damaged\n")
    assert forge("cache", "verify").code == 0
    assert forge("build", "demo", *ONE).out == f"dist/{WHEEL}\n", "it is built again"


@pytest.mark.parametrize(
    ("size", "fits"), [("1G", True), ("1 gib", True), ("0.5MB", True), ("1", False), ("0k", False), ("1kB", False)]
)
def test_prune(forge: Forge, size: str, fits: bool) -> None:
    write_recipe(forge.root / "recipes")
    forge("build", "demo", *ONE)
    said = forge("cache", "prune", "--max-size", size)
    assert said.code == 0
    assert bool(listed(forge)) is fits


@pytest.mark.parametrize("size", ["", "ten", "10X", "-1G", "1e9", "10 G G"])
def test_no_size(forge: Forge, size: str) -> None:
    said = forge("cache", "prune", "--max-size", size)
    assert said.code == 2
    assert "is not a size" in said.err


def test_a_key(forge: Forge) -> None:
    said = forge("cache", "key", "--name", "ci-1", "--out", "ci.pem")
    assert (said.code, said.out.startswith("ci-1:")) == (0, True)
    assert "PRIVATE" not in said.out + said.err
    again = forge("cache", "key", "--name", "ci-1", "--out", "ci.pem")
    assert (again.code, "exists already" in again.err) == (10, True)


class Machines:
    """One forge with several caches, as if on several machines."""

    def __init__(self, forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forge, self.monkeypatch = forge, monkeypatch
        write_recipe(forge.root / "recipes")
        monkeypatch.setenv(
            "FORGE_CACHE_TRUSTED_KEYS", forge("cache", "key", "--name", "ci-1", "--out", "k").out.strip()
        )
        monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", "k")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("NO_PROXY", "*")

    def __call__(self, machine: str, *arguments: str) -> Said:
        root = self.forge.root / machine
        self.monkeypatch.setattr(build_command, "plan_context", lambda *_: make_context(root))
        self.monkeypatch.setenv("FORGE_HOME", str(root / "home"))
        return self.forge("build", "demo", *ONE, "--out", str(root / "dist"), *arguments)


@pytest.fixture
def machines(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Machines:
    return Machines(forge, monkeypatch)


def test_builds_through_a_web_server(machines: Machines) -> None:
    forge = machines.forge
    with web_server() as web:
        machines.monkeypatch.setenv("FORGE_CACHE", web.url)
        said = machines("one", "--cache", "only")
        assert (said.code, said.out) == (12, "")
        assert "error[cache]: demo 1.0 arm64-iphoneos is not built" in said.err
        said = machines("one", "--cache", "write")
        assert (said.code, "(cached)" in said.out) == (0, False)
        assert "uploaded 1 wheel to" in said.err
        said = machines("two", "--cache", "only")
        assert (said.code, said.out) == (0, f"{forge.root}/two/dist/{WHEEL}  (cached)\n")
        assert "demo 1.0 arm64-iphoneos: taken from the shared cache\n" in said.err
        assert listed(forge)[0]["shared"] == {"place": web.url, "key": "ci-1"}
        assert f"taken from the shared cache {web.url}" in forge("cache", "why", WHEEL).out
        (path,) = [path for path in web.files if "/ac/" in path]
        web.files[path] = web.files[path].replace(b'"forge"', b'"Forge"')
        said = machines("three")
        assert said.code == 0
        assert "has a wrong signature" in said.err
        assert "(cached)" not in said.out


def test_the_configuration_is_wrong(machines: Machines) -> None:
    machines.monkeypatch.setenv("FORGE_CACHE", "ftp://cache.example.org")
    said = machines("one")
    assert (said.code, said.out) == (12, "")
    assert "error[cache]: FORGE_CACHE: ftp://cache.example.org is not a directory or an https, http, s3" in said.err
    assert "hint: " in said.err
    machines.monkeypatch.delenv("FORGE_CACHE")
    assert machines("one", "--cache", "write").code == 12
    assert machines("one").code == 0
