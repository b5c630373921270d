"""``forge test``: iOS wheels run, on Linux or on a Mac's simulator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click
from packaging.version import Version
from rich.console import Console
from rich.text import Text

from forge.base.atomic import atomic_file
from forge.base.errors import ForgeError, TrialError
from forge.base.hashing import file_sha256
from forge.base.paths import ForgeHome
from forge.base.printable import printable
from forge.base.target import Abi, Arch, Target
from forge.cli.display import progress_display
from forge.cli.errors import show_error
from forge.cli.options import (
    DEFAULT_PYTHON,
    cache_option,
    chosen_provider,
    ios_version_option,
    names_or_all,
    python_from_option,
    test_pythons_option,
    variant_option,
)
from forge.emulate.session import Limits
from forge.ios_python.choose import minor_of
from forge.plan.closure import plan_builds
from forge.plan.in_use import in_use
from forge.plan.matrix import parse_versions, recipes_by_version, wheel_versions
from forge.plan.provision import ensure_context
from forge.plan.shared.cache import shared_cache
from forge.plan.shared.config import read_settings
from forge.recipe.store import find_recipes
from forge.trial.emulator import host_arch
from forge.trial.options import TrialOptions
from forge.trial.passed import has_passed
from forge.trial.report import render_text, to_json, to_junit
from forge.trial.run import prepare_recipe, try_wheel, wheel_target
from forge.trial.suite_results import FILE, SuiteResult, read_results, record, result_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.progress import Progress
    from forge.base.target import IOSVersion
    from forge.plan.run import Result
    from forge.recipe.model import Recipe
    from forge.recipe.store import RecipeStore
    from forge.trial.report import Trial
    from forge.trial.run import Prepared


@click.command()
@click.argument("subjects", nargs=-1, metavar="NAME|WHEEL...")
@click.option(
    "--all", "every", is_flag=True,
    help="All recipes that have tests (with --suite: that have one), but for what passed before with the same wheels.",
)  # fmt: skip
@click.option(
    "--abi", type=click.Choice([abi.value for abi in Abi]), default=Abi.IPHONESIMULATOR.value, show_default=True,
    help="Device or simulator, for recipes; ignored for wheel files.",
)  # fmt: skip
@click.option(
    "--arch", type=click.Choice([arch.value for arch in Arch]), default=lambda: (host_arch() or Arch.X86_64).value,
    show_default="this machine's CPU",
)  # fmt: skip
@ios_version_option
@test_pythons_option
@python_from_option
@variant_option
@click.option("--suite", is_flag=True, help="Run the project's own tests (the recipe's test.suite).")
@click.option(
    "--as-host", is_flag=True, help="Let Python report Linux as its platform, for suites that do not support iOS."
)
@click.option("--against-host", is_flag=True, help="Also run the tests with the Linux wheel and compare the results.")
@click.option(
    "--record", "recorded", is_flag=True,
    help=f"Write what the comparison gives to {FILE} beside the recipe.",
)  # fmt: skip
@click.option("--tests", multiple=True, type=click.Path(path_type=Path, exists=True),
              help="Tests to run instead: a file, a directory or a pytest configuration; can be repeated.")  # fmt: skip
@click.option(
    "--require",
    "requires",
    multiple=True,
    metavar="REQUIREMENT",
    help="Extra requirement of these tests; can be repeated.",
)
@click.option("--find-links", multiple=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Directory of wheels to prefer over the package index; can be repeated.")  # fmt: skip
@click.option("--cpu", metavar="MODEL",
              help="Run under qemu as this CPU model (qemu's name), e.g. Nehalem or Haswell.")  # fmt: skip
@click.option("--simulator", metavar="NAME", help="Simulator to use on a Mac (Xcode's name).")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=3600,
    show_default=True,
    help="Time limit for each process, in seconds.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=0),
    default=0,
    help="Address space limit for each process, in MiB; 0 means no limit.",
)
@click.option(
    "--pytest", "pytest_args", multiple=True, metavar="ARG", help="Extra argument for pytest; can be repeated."
)
@cache_option
@click.option("--bindings", is_flag=True, help="List what each imported symbol was bound to.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON (schemas/test.schema.json).")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("dist"), show_default=True,
              help="Directory to write the recipes' wheels to.")  # fmt: skip
@click.option(
    "--recipes", type=click.Path(path_type=Path, file_okay=False), help="Directory that contains the recipes."
)
def test(
    subjects: tuple[str, ...],
    every: bool,
    abi: str,
    arch: str,
    ios_version: IOSVersion,
    python_versions: str | None,
    python_from: str | None,
    variants: tuple[str, ...],
    suite: bool,
    as_host: bool,
    against_host: bool,
    recorded: bool,
    tests: tuple[Path, ...],
    requires: tuple[str, ...],
    find_links: tuple[Path, ...],
    cpu: str | None,
    simulator: str | None,
    timeout: float,
    memory: int,
    pytest_args: tuple[str, ...],
    cache_mode: str | None,
    bindings: bool,
    junit: Path | None,
    as_json: bool,
    out: Path,
    recipes: Path | None,
) -> int:
    """Run the tests of iOS wheels on this machine.

    On Linux, a wheel's machine code is loaded into a Linux Python of the same version. On a Mac, the tests run in
    CPython's testbed on Apple's simulator. A wheel for the stable ABI is built once and run in each version asked for.

    For a recipe, its imports and test files are run, or the project's own suite with --suite. For a wheel file,
    everything in it is imported. The exit code is 11 if a test fails; with --against-host, if it passes with the Linux
    wheel and suite-results.yaml does not say why. See docs/emulation.md for what such a run proves and what it does
    not.
    """
    home = ForgeHome.from_environment()
    settings = read_settings(cache_mode)
    options = TrialOptions(
        suite=suite, as_host=as_host, limits=Limits(timeout, memory * 2**20), find_links=find_links,
        pytest_args=pytest_args, tests=tests, requires=requires, against_host=against_host, simulator=simulator,
        cpu=cpu, variants=variants,
    )  # fmt: skip
    wheels = [Path(subject) for subject in subjects if subject.endswith(".whl")]
    for wheel in wheels:
        if not wheel.is_file():
            raise click.BadParameter(f"file not found: {wheel}", param_hint="WHEEL")
    names = [subject for subject in subjects if not subject.endswith(".whl")]
    if recorded and (wheels or not (suite and against_host)):
        raise click.UsageError("--record is for suites of recipes: it needs --suite and --against-host.")
    if recorded and (tests or pytest_args or variants or cpu):
        raise click.UsageError("--record is for whole suites: leave --tests, --pytest, --variant and --cpu out.")
    if every and wheels:
        raise click.UsageError("Give wheel files or --all, not both.")
    if variants and not names and not every:
        raise click.UsageError("--variant applies to recipes only, not to wheel files.")
    target = Target(Abi(abi), Arch(arch), ios_version)
    store = find_recipes(recipes)
    wanted = _recipes(store, names, every=every, wheels=bool(wheels), suite=suite)
    targets = list(dict.fromkeys([*(wheel_target(wheel) for wheel in wheels), *([target] if wanted else [])]))
    asked = None if python_versions is None else parse_versions(python_versions)
    # Every error of recipes, locks, variants and versions is reported before a toolchain or a Python is made.
    runs = {wheel: wheel_versions(wheel.name, asked, DEFAULT_PYTHON) for wheel in wheels}
    tried = recipes_by_version(python_versions or DEFAULT_PYTHON, wanted) if wanted else {}
    for version, each in tried.items():
        plan_builds(each, [target], minor_of(version), store, variants)
    done = _Done()
    built: list[Result] = []
    with (
        in_use(home),
        progress_display(Console(stderr=True, highlight=False)) as progress,
        shared_cache(settings, home, progress) as cache,
    ):
        for version in sorted({*tried, *chain(*runs.values())}, key=Version):
            context = ensure_context(home, version, targets, progress, chosen_provider(python_from))
            for recipe in tried.get(version, ()):
                try:
                    ready = prepare_recipe(recipe, target, context, store, out, progress, options, built, cache=cache)
                    done.take(ready, progress, only_changed=every, recorded=recorded)
                except ForgeError as error:
                    if not every:
                        raise
                    done.failures.append((f"{recipe.name} {recipe.version}, Python {version}", error))
            done.trials += [try_wheel(wheel, context, progress, options) for wheel in wheels if version in runs[wheel]]
    if junit is not None:
        with atomic_file(junit) as file:
            file.write(to_junit(done.trials).encode())
    said = [render_text(trial, bindings=bindings) for trial in done.trials]
    click.echo(to_json(done.trials) if as_json else "\n".join(said), nl=False)
    return done.report()


@dataclass
class _Done:
    """What became of the tests so far.

    Args:
        trials: Those that were run.
        unchanged: What was passed over.
        failures: What could not be built or run.
    """

    trials: list[Trial] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failures: list[tuple[str, ForgeError]] = field(default_factory=list)

    def take(self, ready: Prepared, progress: Progress, *, only_changed: bool, recorded: bool) -> None:
        """Run a recipe's tests, unless they passed before and only what changed is to be run."""
        result = _recorded(ready) if recorded else None
        # What passed before, but whose result is not beside the recipe, is run for that.
        if only_changed and has_passed(ready.context.home, ready.key) and (result is not None or not recorded):
            self.unchanged.append(f"{ready.subject}, Python {ready.context.python.minor}")
            return
        trial = ready.run(progress)
        self.trials.append(trial)
        if recorded:
            today = datetime.now(tz=UTC).date().isoformat()
            recipe, as_host = ready.recipe, ready.options.as_host
            result = result_of(trial, recipe.version, recipe.target.multiarch, today, as_host=as_host)
            record(recipe.recipe.directory, result, ready.context.home.locks)

    def report(self) -> int:
        """Print what there is beside the trials themselves; the exit code."""
        for trial in self.trials:
            if not trial.is_good:
                click.echo(f"log: {trial.outcome.output}", err=True)
        for name in self.unchanged:
            click.echo(f"{name}: passed before with the same wheels", err=True)
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        codes: list[int] = []
        for name, failure in self.failures:
            console.print(Text(f"{printable(name)}:"))
            codes.append(show_error(console, failure))
        good = all(trial.is_good for trial in self.trials)
        return codes[0] if codes else 0 if good else TrialError.exit_code


def _recorded(ready: Prepared) -> SuiteResult | None:
    """The result of these very tests that is beside the recipe, if there is one.

    Raises:
        RecipeError: The file of results is damaged: that is told before hours of tests.
    """
    sha256 = file_sha256(ready.wheels[0])
    wanted = ready.context.python.minor, ready.recipe.target.multiarch, sha256, ready.options.as_host
    kept = read_results(ready.recipe.recipe.directory)
    return next((one for one in kept if (one.python, one.target, one.wheel, one.as_host) == wanted), None)


def _recipes(store: RecipeStore, names: Sequence[str], *, every: bool, wheels: bool, suite: bool) -> tuple[Recipe, ...]:
    """The recipes that are named, or all that have something to run."""
    if wheels and not names and not every:
        return ()
    wanted = names_or_all(store, names, every=every)
    if not every:
        return wanted
    tested = (one for one in wanted if one.trial.imports or one.trial.files or one.extensions)
    return tuple(one for one in wanted if one.trial.suite_args) if suite else tuple(tested)
