"""What ``forge check`` found in a wheel, and how its project's own tests went, is on its package's page."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from forge.base.hashing import file_sha256
from forge.trial.suite_results import Named, SuiteResult, record
from tests.unit.crossbuild.fakes import write_recipe
from tests.unit.wheel.wheels import DEVICE, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.runner import Forge


@pytest.fixture
def wheel(forge: Forge) -> Path:
    """A wheel in which ``forge check`` finds an extension module that is no Mach-O file."""
    return make_wheel(forge.root / "wheels", {"demo/<b>.so": b"x"}, name="demo", tag=DEVICE)


def told(site: Path) -> str:
    """The page's text, without tags."""
    page = (site / "packages" / "demo" / "index.html").read_text()
    assert "<b>" not in page, "what comes from a wheel is escaped"
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page.partition("</style>")[2])).split())


def findings(site: Path) -> object:
    (file,) = json.loads((site / "forge-index.json").read_text())["files"]
    return file["findings"]


@pytest.mark.usefixtures("wheel")
def test_findings(forge: Forge) -> None:
    site = forge.root / "site"
    assert forge("index", "make", "site", "wheels", "--check").code == 0
    checked = json.loads(forge("check", "wheels", "--json").out)["wheels"][0]["findings"]
    assert checked, "there is something to tell"
    assert findings(site) == [
        f"{one['severity']} {one['id']}: {one['member'] + ': ' if one['member'] else ''}{one['message']}"
        for one in checked
    ]
    text = told(site)
    assert f"forge check: {len(checked)} finding" in text
    assert checked[0]["message"] in text
    # It is kept: nothing is checked again.
    (site / "packages" / "demo" / "index.html").unlink()
    assert forge("index", "make", "site", "--afresh").code == 0
    assert told(site) == text


@pytest.mark.usefixtures("wheel")
def test_nobody_looked(forge: Forge) -> None:
    assert forge("index", "make", "site", "wheels").code == 0
    assert findings(forge.root / "site") is None
    assert "forge check" not in told(forge.root / "site")


def test_no_findings(forge: Forge) -> None:
    make_wheel(forge.root / "wheels", {"demo/__init__.py": b""}, name="demo", tag="py3-none-any")
    assert forge("index", "make", "site", "wheels", "--check").code == 0
    assert "forge check: no findings" in told(forge.root / "site")


@pytest.mark.usefixtures("wheel")
def test_what_was_published_in_spite_of_findings(forge: Forge) -> None:
    allowed = [option for gate in ("check", "targets") for option in ("--allow", gate)]
    assert forge("publish", "wheels", "--to", "site", *allowed).code == 0
    assert "finding" in told(forge.root / "site")


class TestSuites:
    def result(self, sha256: str) -> SuiteResult:
        return SuiteResult(
            python="3.13", target="x86_64-iphonesimulator", version="1.0", wheel=sha256, date="2026-11-30",
            as_host=True, host_passed=1271, passed=1270, differences=(Named("tests/test_x.py::test_y", "failed"),),
        )  # fmt: skip

    def test_of_this_very_file(self, forge: Forge, wheel: Path) -> None:
        recipe = write_recipe(forge.root / "recipes")
        record(recipe, self.result(file_sha256(wheel)), forge.root)
        assert forge("index", "make", "site", "wheels").code == 0
        text = told(forge.root / "site")
        assert "its own tests: 1,270 of the 1,271 that pass with the Linux wheel (Python 3.13, 2026-11-30)" in text

    def test_of_other_bytes(self, forge: Forge, wheel: Path) -> None:
        assert wheel.exists()
        recipe = write_recipe(forge.root / "recipes")
        record(recipe, self.result("0" * 64), forge.root)
        assert forge("index", "make", "site", "wheels").code == 0
        assert "its own tests" not in told(forge.root / "site")

    def test_results_that_cannot_be_read(self, forge: Forge, wheel: Path) -> None:
        assert wheel.exists()
        recipe = write_recipe(forge.root / "recipes")
        (recipe / "suite-results.yaml").write_text("[")
        assert forge("index", "make", "site", "wheels").code == 0
        assert "its own tests" not in told(forge.root / "site")
