"""What docs/multiprocessing.md promises: with ios-multiprocessing and without it, in every Python that forge knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import NetworkError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.ios_python.interface import known_minors
from forge.ios_python.model import Provider
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe, try_wheel
from forge.wheel.name import parse_wheel_name
from tests.integration.pythons import linux_python
from tests.integration.targets import SIMULATOR, runs_here

if TYPE_CHECKING:
    from forge.crossbuild.context import BuildContext
    from forge.plan.run import Result

pytestmark = [pytest.mark.toolchain, runs_here]

WITHOUT = Path(__file__).with_name("without_multiprocessing.py")


@pytest.fixture(params=known_minors())
def upstreams(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BuildContext:
    """A build context whose iOS Python has what upstream's has: no `_multiprocessing`."""
    minor = str(request.param)
    home = ForgeHome.from_environment()
    if minor != "3.13":
        monkeypatch.setenv("FORGE_BUILD_PYTHON", str(linux_python(minor).executable))
    try:
        return ensure_context(home, minor, [SIMULATOR], SilentProgress(), Provider.ASSEMBLED)
    except NetworkError as error:
        pytest.skip(f"the headers of Python {minor} cannot be had: {error.message.splitlines()[0]}")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dist")


@pytest.fixture(scope="module")
def built() -> list[Result]:
    """What was built for older Pythons: the wheel for the stable ABI is built once."""
    return []


def test_with_ios_multiprocessing(upstreams: BuildContext, built: list[Result], out: Path) -> None:
    store = find_recipes()
    recipe = store.load("ios-multiprocessing")
    trial = prepare_recipe(recipe, SIMULATOR, upstreams, store, out, SilentProgress(), TrialOptions(), built).run(
        SilentProgress()
    )
    assert trial.outcome.is_good, trial.outcome.output.read_text()
    assert "skipped" not in {case.outcome for case in trial.outcome.cases}
    (wheel,) = {result.wheel.name for result in built}
    assert parse_wheel_name(wheel).abis == ("abi3",)


def test_without_it(upstreams: BuildContext, out: Path) -> None:
    # Any wheel will do that does not require it.
    store = find_recipes()
    result = build_one(store.load("markupsafe"), SIMULATOR, upstreams, store, out, SilentProgress())
    trial = try_wheel(result.wheel, upstreams, SilentProgress(), TrialOptions(tests=(WITHOUT,), requires=("joblib",)))
    assert trial.outcome.is_good, trial.outcome.output.read_text()
