"""``forge test --all`` and ``--record``: what is run, what is passed over, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError
from forge.base.hashing import file_sha256
from forge.base.target import Arch
from forge.cli import test as trial_command
from forge.emulate.session import Case, Outcome
from forge.recipe.evaluate import evaluate
from forge.trial import run as trial_run
from forge.trial.comparison import Comparison, Difference
from forge.trial.report import Trial
from forge.trial.run import Prepared
from forge.trial.suite_results import read_results
from tests.unit.crossbuild.fakes import RECIPE, make_context, write_recipe
from tests.unit.ios_python.fakes import X86_SIMULATOR

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.recipe.model import Recipe
    from tests.unit.cli.runner import Forge

SUITE = RECIPE + "test: {imports: [demo], suite: {args: [tests]}}\n"
RUN = ("--arch", "x86_64")


@pytest.fixture
def ran(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The subjects whose tests were run; those of recipes called bad cannot be built, those called red fail."""
    subjects: list[str] = []

    def prepare(recipe: Recipe, target: Target, context: BuildContext, *rest: object, **_: object) -> Prepared:
        if recipe.name == "bad":
            raise BuildError("bad: cannot be built")
        wheel = forge.root / f"{recipe.name}.whl"
        if not wheel.exists():
            wheel.write_bytes(recipe.name.encode())
        options = rest[3]
        evaluated = evaluate(recipe, target, context.python.minor)
        return Prepared(f"{recipe.name} 1.0", (wheel,), (), evaluated, context, options)  # type: ignore[arg-type]  # CLI's

    def run(subject: str, wheels: tuple[Path, ...], *_: object) -> Trial:
        subjects.append(subject)
        state = "failed" if subject.startswith("red") else "passed"
        outcome = Outcome((Case("t.py::a", state, 0.1),), (), (), 1.0, 0, Path("log"))
        worse = (Difference("t.py::a", "failed", "passed"),) if state == "failed" else ()
        compared = Comparison(("x.whl",), 1, 1 - len(worse), 0, worse, 1.0)
        sha256 = file_sha256(wheels[0])
        return Trial(subject, (wheels[0].name,), outcome, comparison=compared, python="3.13", sha256=sha256)

    monkeypatch.setattr(trial_command, "prepare_recipe", prepare)
    monkeypatch.setattr(trial_run, "_try", run)
    monkeypatch.setattr(trial_command, "host_arch", lambda: Arch.X86_64)
    monkeypatch.setattr(trial_command, "ensure_context", lambda *_: make_context(forge.root, X86_SIMULATOR))
    return subjects


def recipes(forge: Forge, *names: str) -> None:
    for name in names:
        made = write_recipe(forge.root / f"making-{name}", text=SUITE.replace("name: demo", f"name: {name}"))
        (forge.root / "recipes").mkdir(exist_ok=True)
        made.rename(forge.root / "recipes" / name)


def test_what_passed_before_is_passed_over(forge: Forge, ran: list[str]) -> None:
    recipes(forge, "green", "red", "other")
    said = forge("test", "--all", *RUN)
    assert (said.code, ran) == (11, ["green 1.0", "other 1.0", "red 1.0"])
    ran.clear()
    said = forge("test", "--all", *RUN)
    assert (said.code, ran) == (11, ["red 1.0"])
    assert "green 1.0, Python 3.13: passed before with the same wheels\n" in said.err
    ran.clear()
    assert forge("test", "--all", "--suite", *RUN).code == 11
    assert ran == ["green 1.0", "other 1.0", "red 1.0"]  # other tests
    ran.clear()
    assert forge("test", "green", *RUN).code == 0
    assert ran == ["green 1.0"]  # asked for by name
    ran.clear()
    (forge.root / "other.whl").write_bytes(b"another build")
    assert forge("test", "--all", *RUN).code == 11
    assert ran == ["other 1.0", "red 1.0"]


def test_what_cannot_be_built_does_not_stop_the_others(
    forge: Forge, ran: list[str], snapshot: SnapshotAssertion
) -> None:
    recipes(forge, "bad", "green")
    said = forge("test", "--all", *RUN)
    assert (said.code, ran) == (BuildError.exit_code, ["green 1.0"])
    assert forge.plain(said.err) == snapshot


def test_what_passed_without_being_recorded_is_run_for_that(forge: Forge, ran: list[str]) -> None:
    recipes(forge, "green")
    arguments = ("test", "--all", "--suite", "--as-host", "--against-host", *RUN)
    assert forge(*arguments).code == 0
    assert forge(*arguments, "--record").code == 0
    assert ran == ["green 1.0"] * 2
    assert forge(*arguments, "--record").code == 0
    assert ran == ["green 1.0"] * 2
    (forge.root / "recipes" / "green" / "suite-results.yaml").unlink()
    assert forge(*arguments, "--record").code == 0
    assert ran == ["green 1.0"] * 3


def test_a_damaged_file_of_results_is_told_before_the_tests(forge: Forge, ran: list[str]) -> None:
    recipes(forge, "green")
    (forge.root / "recipes" / "green" / "suite-results.yaml").write_text("{")
    said = forge("test", "green", "--suite", "--against-host", "--record", *RUN)
    assert said.code != 0
    assert "suite-results.yaml cannot be read" in said.err
    assert ran == []


def test_results_are_kept_beside_the_recipe(forge: Forge, ran: list[str]) -> None:
    recipes(forge, "green", "red")
    arguments = ("--suite", "--as-host", "--against-host", "--record")
    assert forge("test", "--all", *arguments, *RUN).code == 11
    (green,), (red,) = (read_results(forge.root / "recipes" / name) for name in ("green", "red"))
    assert (green.host_passed, green.passed, green.as_host, green.target) == (1, 1, True, "x86_64-iphonesimulator")
    assert [(one.test, one.here) for one in red.differences] == [("t.py::a", "failed")]
    assert ran == ["green 1.0", "red 1.0"]


def test_a_difference_that_is_explained_does_not_count(forge: Forge, ran: list[str]) -> None:
    recipes(forge, "red")
    arguments = ("test", "--all", "--suite", "--as-host", "--against-host", "--record", *RUN)
    assert forge(*arguments).code == 11
    assert forge(*arguments).code == 11
    results = forge.root / "recipes" / "red" / "suite-results.yaml"
    results.write_text(results.read_text().replace("here: failed", "here: failed\n    why: iOS has no subprocesses"))
    said = forge(*arguments)
    assert (said.code, ran) == (0, ["red 1.0"] * 3)
    assert "explained in suite-results.yaml: 1 of these" in said.out
    assert forge(*arguments).code == 0
    assert ran == ["red 1.0"] * 3
    assert forge("test", "red", *RUN).code == 11, "its own tests are not the suite"


@pytest.mark.parametrize(
    "arguments",
    [
        ("test",),
        ("test", "--all", "demo"),
        ("test", "--all", "x.whl"),
        ("test", "demo", "--record"),
        ("test", "demo", "--record", "--suite"),
        ("test", "demo", "--record", "--suite", "--against-host", "--pytest=-x"),
    ],
)
def test_what_does_not_go_together(forge: Forge, arguments: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
    recipes(forge, "demo")
    (forge.root / "x.whl").touch()
    said = forge(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err == snapshot
