"""``forge test``: run recipes' wheels or anyone's wheels on this machine, emulated or on a Mac's simulator."""

from __future__ import annotations

import functools
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.attempts import new_log
from forge.base.errors import TrialError, WheelError
from forge.base.hashing import file_sha256
from forge.emulate.app import make_app
from forge.emulate.host_wheels import install_host
from forge.emulate.session import run_session
from forge.plan.builds import build_requests
from forge.plan.closure import closure
from forge.plan.matrix import serves
from forge.plan.request import Request, RunOptions
from forge.plan.required import is_for
from forge.plan.run import subject_of
from forge.recipe.evaluate import evaluate
from forge.trial.comparison import compare
from forge.trial.emulator import ANSWERED_VERSION, check_runs_here, ensure_emulator, host_arch
from forge.trial.layout import lay_out
from forge.trial.passed import mark_passed, trial_key
from forge.trial.report import HONEST, HONEST_QEMU, Trial
from forge.trial.suite_results import explained
from forge.trial.testbed import run_pytest
from forge.trial.testbed_app import HOW, check_simulates, prepare_testbed
from forge.wheel.contents import WheelContents, read_wheel
from forge.wheel.name import parse_wheel_name
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext
    from forge.emulate.session import Emulator, Outcome
    from forge.plan.run import Result
    from forge.plan.shared.cache import SharedCache
    from forge.recipe.model import EvaluatedRecipe, Recipe
    from forge.recipe.store import RecipeStore
    from forge.trial.comparison import Comparison
    from forge.trial.options import TrialOptions

PYTEST = "pytest>=8.3,<10"


@dataclass(frozen=True)
class Prepared:
    """A recipe whose wheel is there, to be tried.

    Args:
        subject: What it is called.
        wheels: Its wheel, then those of the recipes that it requires.
        requires: What else is installed for its tests.
        recipe: The recipe, for the target.
        context: The Pythons and the toolchain.
        options: How it is tried.
    """

    subject: str
    wheels: tuple[Path, ...]
    requires: tuple[str, ...]
    recipe: EvaluatedRecipe
    context: BuildContext
    options: TrialOptions

    @functools.cached_property
    def key(self) -> str:
        """What tells this trial from every other (`forge.trial.passed.trial_key`)."""
        return trial_key(self.recipe, self.wheels, self.context, self.options)

    def run(self, progress: Progress) -> Trial:
        """Run the tests; that they passed is kept.

        Raises:
            TrialError: The tests cannot be run: that they fail is no error here.
            RecipeError: The file of results beside the recipe is damaged.
        """
        known = explained(self.recipe.recipe.directory) if self.options.suite else frozenset()
        trial = _try(
            self.subject, self.wheels, self.requires, self.recipe, self.recipe.target, self.context, progress,
            self.options,
        )  # fmt: skip
        trial = replace(trial, explained=known)
        if trial.is_good:
            mark_passed(self.context.home, self.key)
        return trial


def prepare_recipe(
    recipe: Recipe,
    target: Target,
    context: BuildContext,
    store: RecipeStore,
    out: Path,
    progress: Progress,
    options: TrialOptions,
    built: list[Result] | None = None,
    *,
    cache: SharedCache | None = None,
) -> Prepared:
    """Build a recipe's wheel, and those of what it requires, or take them from the cache.

    What was *built* for an older Python and serves this one too is not built again; what is built is appended.
    Wheels are taken from the shared *cache* too, and offered to it, if there is one. Whether *options*' variants can be
    had is `forge.plan.closure.closure`'s to say, for all recipes that are tried.

    Raises:
        TrialError: The tests cannot be run on this machine, or there are none.
        ForgeError: The wheel cannot be built.
    """
    _check(target, options)
    evaluated = evaluate(recipe, target, context.python.minor, options.variants)
    tests = evaluated.trial
    if options.suite and not tests.suite_args:
        raise TrialError(
            f"the recipe of {recipe.name} does not declare a test suite", hint="see test.suite in docs/recipes.md"
        )
    steps = closure([recipe], target, context.python.minor, store, options.variants, checked=True)
    needed = [*tests.requires, *(tests.suite_requires if options.suite else ())]
    request = Request(steps, target, context, needed)
    how = RunOptions(options.variants, cache=cache)
    results = build_requests([request], store, out, progress, how, results=built)
    subject = subject_of(recipe, target)
    usable = {
        result.subject: result.wheel
        for result in results
        if serves(result.wheel.name, context.python.minor) and is_for(result.wheel, target)
    }
    # The first is the one that is tried; the others by path too, or pip might take another variant's from a directory.
    wheels = (usable[subject], *(wheel for name, wheel in usable.items() if name != subject))
    options = replace(options, find_links=(*options.find_links, out))
    return Prepared(subject, wheels, (PYTEST, *needed), evaluated, context, options)


def try_wheel(wheel: Path, context: BuildContext, progress: Progress, options: TrialOptions) -> Trial:
    """Import everything that a wheel has at its top, and all of its extension modules; or run the tests named.

    Raises:
        TrialError: It cannot be run here.
        WheelError: It is not a valid wheel, or not for iOS.
    """
    target = wheel_target(wheel)
    _check(target, options)
    options = replace(options, find_links=(*options.find_links, wheel.resolve().parent))
    return _try(wheel.name, [wheel], [PYTEST], read_wheel(wheel), target, context, progress, options)


def wheel_target(wheel: Path) -> Target:
    """What a wheel is for.

    Raises:
        WheelError: It is not for iOS, or its name is not a valid wheel name.
    """
    platforms = parse_wheel_name(wheel.name).platforms
    targets = [parse_platform_tag(platform) for platform in platforms if platform.startswith("ios_")]
    if not targets:
        raise WheelError(f"{wheel.name} is not for iOS", hint="pass iOS wheels or the names of recipes")
    return targets[0]


def _on_a_mac() -> bool:
    return sys.platform == "darwin"


def _check(target: Target, options: TrialOptions) -> None:
    if not _on_a_mac():
        if options.simulator is not None:
            raise TrialError("--simulator is only supported on a Mac", hint="leave it out on Linux")
        check_runs_here(target, options.cpu)
        return
    linux_only = {"--against-host": options.against_host, "--as-host": options.as_host, "--cpu": options.cpu}
    for named in (name for name, given in linux_only.items() if given):
        raise TrialError(f"{named} is only supported on Linux", hint="leave it out on a Mac")
    check_simulates(target)


def _try(
    subject: str, wheels: Sequence[Path], requires: Sequence[str], tried: EvaluatedRecipe | WheelContents,
    target: Target, context: BuildContext, progress: Progress, options: TrialOptions,
) -> Trial:  # fmt: skip
    wheel, python = wheels[0], context.python.minor
    context.home.work.mkdir(parents=True, exist_ok=True)
    log = new_log(context.home.logs, f"test-{wheel.name.removesuffix('.whl')}")
    requires = [*requires, *options.requires]
    with tempfile.TemporaryDirectory(prefix="test-", dir=context.home.work) as temporary:
        work = Path(temporary)
        progress.phase(subject, "install")
        answered = replace(target, ios_version=max(target.ios_version, ANSWERED_VERSION))
        if _on_a_mac():
            testbed, chosen = prepare_testbed(
                wheels, requires, answered, context, options.find_links, work, log, progress,
                simulator=options.simulator,
            )  # fmt: skip
            arguments = lay_out(tried, target, context, options, testbed.app, work, rootdir=".")
            progress.phase(subject, "test")
            outcome = run_pytest(testbed, arguments, simulator=options.simulator, work=work, limits=options.limits)
            _append(outcome.output, log)
            names = tuple(path.name for path in chosen)
            return Trial(subject, names, replace(outcome, output=log), HOW, python=python, sha256=file_sha256(wheel))
        app = make_app(wheels, requires, answered, context, options.find_links, work, log)
        emulator = ensure_emulator(context, target, app.root, work, progress, as_host=options.as_host, cpu=options.cpu)
        run = work / "run"
        run.mkdir()
        arguments = lay_out(tried, target, context, options, run, work, rootdir=str(run))
        progress.phase(subject, "test")
        outcome = run_session(
            emulator, paths=[app.packages], arguments=arguments, cwd=run, work=work, limits=options.limits
        )
        _append(outcome.output, log)
        how = HONEST if target.arch is host_arch() and options.cpu is None else HONEST_QEMU
        names = tuple(path.name for path in app.wheels)
        trial = Trial(subject, names, replace(outcome, output=log), how, python=python, sha256=file_sha256(wheel))
        if options.against_host:
            progress.phase(subject, "test the Linux wheel")
            name = parse_wheel_name(wheel.name)
            installed = install_host(name, requires, target.arch, context, work / "host", log)
            compared = _try_host(outcome, emulator, installed, arguments, run, work, log, options)
            trial = replace(trial, comparison=compared)
    return trial


def _try_host(
    emulated: Outcome, emulator: Emulator, installed: tuple[Path, tuple[str, ...]], arguments: Sequence[str],
    run: Path, work: Path, log: Path, options: TrialOptions,
) -> Comparison:  # fmt: skip
    """Run the same tests in the same Python with the Linux wheel of the same version."""
    packages, wheels = installed
    own = work / "host-session"
    own.mkdir()
    outcome = run_session(
        replace(emulator, loader=None, guise=None), paths=[packages], arguments=arguments, cwd=run, work=own,
        limits=options.limits,
    )  # fmt: skip
    _append(outcome.output, log)
    return compare(emulated.cases, outcome.cases, wheels, outcome.seconds)


def _append(output: Path, log: Path) -> None:
    with log.open("ab") as file, output.open("rb") as said:
        shutil.copyfileobj(said, file)
