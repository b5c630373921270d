"""``forge test``: recipes' wheels, or wheels of anybody's, run on this machine."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.errors import TrialError, WheelError
from forge.base.progress import SilentProgress
from forge.build.recipe_build import source_of
from forge.emulate.app import make_app
from forge.emulate.session import Limits, run_session
from forge.emulate.trial_report import Trial
from forge.plan.emulation import ANSWERED_VERSION, check_runs_here, ensure_emulator
from forge.plan.run import build_one
from forge.recipe.evaluate import evaluate
from forge.source.fetch import fetch, prepare
from forge.wheel.contents import read_wheel
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.build.recipe_build import Setting
    from forge.recipe.model import EvaluatedRecipe, Recipe
    from forge.recipe.store import RecipeStore

PYTEST = "pytest>=8.3,<10"

_IMPORTS = '''\
"""Made by forge test: what must import, does; what is promised as an extension module, is one."""

import importlib
import importlib.machinery

import pytest


@pytest.mark.parametrize("name", {imports!r})
def test_import(name):
    importlib.import_module(name)


@pytest.mark.parametrize("name", {extensions!r})
def test_extension(name):
    module = importlib.import_module(name)
    assert isinstance(module.__spec__.loader, importlib.machinery.ExtensionFileLoader), module.__spec__
'''


@dataclass(frozen=True)
class Options:
    """How to try.

    Args:
        suite: Run the project's own test suite, not the recipe's tests.
        as_host: Let Python answer as Linux, for suites that must not know.
        limits: Time and memory of each process.
        find_links: Directories whose wheels are taken before the index's.
        pytest_args: Further arguments of pytest's, for whoever looks for one failure.
    """

    suite: bool = False
    as_host: bool = False
    limits: Limits = field(default_factory=Limits)
    find_links: tuple[Path, ...] = ()
    pytest_args: tuple[str, ...] = ()


def try_recipe(
    recipe: Recipe,
    target: Target,
    setting: Setting,
    store: RecipeStore,
    out: Path,
    progress: Progress,
    options: Options,
) -> Trial:
    """Build a recipe's wheel, or take it from the cache, and run its tests.

    Raises:
        TrialError: The tests cannot be run: that they fail is no error here.
        ForgeError: The wheel cannot be built.
    """
    check_runs_here(target)
    evaluated = evaluate(recipe, target, setting.python.minor)
    trial = evaluated.trial
    if options.suite and not trial.suite_args:
        raise TrialError(f"{recipe.name}: its recipe names no test suite", hint="see test.suite in docs/recipes.md")
    built = build_one(recipe, target, setting, store, out, progress)
    requires = [PYTEST, *trial.requires, *(trial.suite_requires if options.suite else ())]
    options = replace(options, find_links=(*options.find_links, out))
    return _try(built.subject, built.wheel, requires, evaluated, target, setting, progress, options)


def try_wheel(wheel: Path, setting: Setting, progress: Progress, options: Options) -> Trial:
    """Import everything that a wheel has at its top, and all of its extension modules.

    Raises:
        TrialError: It cannot be run here.
        WheelError: It is none, or not for iOS.
    """
    target = wheel_target(wheel)
    check_runs_here(target)
    subject = f"{wheel.name}"
    options = replace(options, find_links=(*options.find_links, wheel.resolve().parent))
    return _try(subject, wheel, [PYTEST], None, target, setting, progress, options)


def wheel_target(wheel: Path) -> Target:
    """What a wheel is for.

    Raises:
        WheelError: It is for no iOS target, or cannot be read.
    """
    contents = read_wheel(wheel)
    targets = [parse_platform_tag(platform) for platform in contents.name.platforms if platform.startswith("ios_")]
    if not targets:
        raise WheelError(f"{wheel.name} is not for iOS", hint="forge test takes iOS wheels and recipes' names")
    return targets[0]


def _try(
    subject: str, wheel: Path, requires: Sequence[str], recipe: EvaluatedRecipe | None, target: Target,
    setting: Setting, progress: Progress, options: Options,
) -> Trial:  # fmt: skip
    setting.home.work.mkdir(parents=True, exist_ok=True)
    log = setting.home.logs / f"test-{wheel.name.removesuffix('.whl')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_bytes(b"")
    with tempfile.TemporaryDirectory(prefix="test-", dir=setting.home.work) as temporary:
        work = Path(temporary)
        progress.phase(subject, "install")
        answered = replace(target, ios_version=max(target.ios_version, ANSWERED_VERSION))
        app = make_app([wheel], requires, answered, setting, options.find_links, work, log)
        emulator = ensure_emulator(setting, target, app.root, work, progress, as_host=options.as_host)
        run = work / "run"
        run.mkdir()
        if recipe is not None and options.suite:
            _lay_out_suite(recipe, setting, run, work)
            arguments = list(recipe.trial.suite_args)
        else:
            arguments = list(_lay_out_tests(recipe, wheel, run))
        progress.phase(subject, "test")
        outcome = run_session(
            emulator,
            paths=[app.packages],
            arguments=["-p", "no:cacheprovider", f"--rootdir={run}", *arguments, *options.pytest_args],
            cwd=run,
            work=work,
            limits=options.limits,
        )
        with log.open("ab") as file, outcome.output.open("rb") as said:
            shutil.copyfileobj(said, file)
    return Trial(subject, tuple(path.name for path in app.wheels), replace(outcome, output=log))


def _lay_out_tests(recipe: EvaluatedRecipe | None, wheel: Path, run: Path) -> Iterator[str]:
    """Write the recipe's tests into a directory; pytest's arguments for them."""
    if recipe is None:
        imports, extensions = _top_level(wheel), tuple(e.module for e in read_wheel(wheel).extensions)
    else:
        imports, extensions = recipe.trial.imports, recipe.extensions
    (run / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (run / "test_forge_imports.py").write_text(
        _IMPORTS.format(imports=list(imports), extensions=list(extensions)), encoding="utf-8"
    )
    yield "test_forge_imports.py"
    for file in () if recipe is None else recipe.trial.files:
        shutil.copy(file, run)
        yield Path(file).name


def _lay_out_suite(recipe: EvaluatedRecipe, setting: Setting, run: Path, work: Path) -> None:
    """Put the parts of the source tree that the suite is in into a directory."""
    if recipe.trial.suite_source:
        archive = fetch(source_of(recipe), setting.home, SilentProgress())
        prepare(archive, recipe.patches, work / "source", SilentProgress())
    for name in recipe.trial.suite_source:
        source = work / "source" / name
        if not source.exists():
            raise TrialError(f"{recipe.name}: the source has no {name}, which test.suite.source names")
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        source.rename(run / name)
    if not any((run / name).is_file() for name in ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")):
        (run / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")


def _top_level(wheel: Path) -> tuple[str, ...]:
    """The packages and modules at a wheel's top, without those of a leading underscore's."""
    names: dict[str, None] = {}
    for member in read_wheel(wheel).members:
        first, slash, rest = member.path.partition("/")
        name = first if slash else first.partition(".")[0]
        is_module = rest == "__init__.py" if slash else first.endswith((".py", ".so"))
        if is_module and name.isidentifier() and not name.startswith("_"):
            names[name] = None
    return tuple(names)
