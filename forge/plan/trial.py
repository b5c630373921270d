"""``forge test``: run recipes' wheels or anyone's wheels on this machine, emulated or on a Mac's simulator."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.attempts import new_log
from forge.base.errors import TrialError, WheelError
from forge.base.progress import SilentProgress
from forge.build.recipe_build import source_of
from forge.emulate.app import make_app
from forge.emulate.comparison import compare
from forge.emulate.host_wheels import install_host
from forge.emulate.session import Limits, run_session
from forge.emulate.testbed import run_pytest
from forge.emulate.trial_report import HONEST, HONEST_QEMU, Trial
from forge.plan.closure import closure
from forge.plan.emulation import ANSWERED_VERSION, check_runs_here, ensure_emulator, host_arch
from forge.plan.matrix import serves
from forge.plan.required import build_steps, is_for
from forge.plan.run import subject_of
from forge.plan.testbed_trial import HOW, check_simulates, prepare_testbed
from forge.recipe.evaluate import evaluate
from forge.source.fetch import fetch, prepare
from forge.wheel.contents import WheelContents, read_wheel
from forge.wheel.name import parse_wheel_name
from forge.wheel.tags import parse_platform_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forge.base.progress import Progress
    from forge.base.target import Target
    from forge.build.recipe_build import Setting
    from forge.emulate.comparison import Comparison
    from forge.emulate.session import Emulator, Outcome
    from forge.plan.run import Result
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
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in {absent!r}:
            pytest.skip(f"it needs {{error.name}}, which iOS's Python does not have")
        raise
    assert isinstance(module.__spec__.loader, importlib.machinery.ExtensionFileLoader), module.__spec__
'''

_CONFIGURATIONS = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Files that pytest takes its configuration from (its documentation, "Configuration")."""

_ABSENT = ("_curses", "_gdbm", "_posixshmem", "_tkinter", "curses", "readline", "tkinter")
"""Modules of the standard library that iOS's Python lacks (PEP 730, "Standard library")."""


@dataclass(frozen=True)
class Options:
    """How to try.

    Args:
        suite: Run the project's own test suite, not the recipe's tests.
        as_host: Let Python answer as Linux, for suites that must not know.
        limits: Time and memory of each process.
        find_links: Directories whose wheels are taken before the index's.
        pytest_args: Further arguments of pytest's, for whoever looks for one failure.
        tests: Files and directories of tests to run instead: a project's own, beside a wheel of anybody's.
        requires: What these need besides pytest (PEP 508).
        against_host: Run the same tests with the Linux wheel of the same version as well.
        simulator: Which of a Mac's simulators; None for the testbed's choice.
        cpu: The CPU model to run on, by qemu's name; None for this machine's own.
        variants: Of which variants a recipe's wheel is built, each in every recipe that declares it.
    """

    suite: bool = False
    as_host: bool = False
    limits: Limits = field(default_factory=Limits)
    find_links: tuple[Path, ...] = ()
    pytest_args: tuple[str, ...] = ()
    tests: tuple[Path, ...] = ()
    requires: tuple[str, ...] = ()
    against_host: bool = False
    simulator: str | None = None
    cpu: str | None = None
    variants: tuple[str, ...] = ()


def try_recipe(
    recipe: Recipe,
    target: Target,
    setting: Setting,
    store: RecipeStore,
    out: Path,
    progress: Progress,
    options: Options,
    built: list[Result] | None = None,
) -> Trial:
    """Build a recipe's wheel, or take it from the cache, and run its tests, with what was built along with it.

    What was *built* for an older Python and serves this one too is not built again; what is built is appended. Whether
    *options*' variants can be had is `forge.plan.closure.closure`'s to say, for all recipes that are tried.

    Raises:
        TrialError: The tests cannot be run: that they fail is no error here.
        ForgeError: The wheel cannot be built.
    """
    _check(target, options)
    evaluated = evaluate(recipe, target, setting.python.minor, options.variants)
    trial = evaluated.trial
    if options.suite and not trial.suite_args:
        raise TrialError(
            f"the recipe of {recipe.name} does not declare a test suite", hint="see test.suite in docs/recipes.md"
        )
    steps = closure([recipe], target, setting.python.minor, store, options.variants, checked=True)
    needed = [*trial.requires, *(trial.suite_requires if options.suite else ())]
    results = build_steps(steps, target, setting, store, out, progress, options.variants, built, needed)
    subject = subject_of(recipe, target)
    usable = {
        result.subject: result.wheel
        for result in results
        if serves(result.wheel.name, setting.python.minor) and is_for(result.wheel, target)
    }
    # The first is the one that is tried; the others by path too, or pip might take another variant's from a directory.
    wheels = [usable[subject], *(wheel for name, wheel in usable.items() if name != subject)]
    requires = [PYTEST, *needed]
    options = replace(options, find_links=(*options.find_links, out))
    return _try(subject, wheels, requires, evaluated, target, setting, progress, options)


def try_wheel(wheel: Path, setting: Setting, progress: Progress, options: Options) -> Trial:
    """Import everything that a wheel has at its top, and all of its extension modules; or run the tests named.

    Raises:
        TrialError: It cannot be run here.
        WheelError: It is not a valid wheel, or not for iOS.
    """
    target = wheel_target(wheel)
    _check(target, options)
    options = replace(options, find_links=(*options.find_links, wheel.resolve().parent))
    return _try(wheel.name, [wheel], [PYTEST], read_wheel(wheel), target, setting, progress, options)


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


def _check(target: Target, options: Options) -> None:
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
    target: Target, setting: Setting, progress: Progress, options: Options,
) -> Trial:  # fmt: skip
    wheel, python = wheels[0], setting.python.minor
    setting.home.work.mkdir(parents=True, exist_ok=True)
    log = new_log(setting.home.logs, f"test-{wheel.name.removesuffix('.whl')}")
    requires = [*requires, *options.requires]
    with tempfile.TemporaryDirectory(prefix="test-", dir=setting.home.work) as temporary:
        work = Path(temporary)
        progress.phase(subject, "install")
        answered = replace(target, ios_version=max(target.ios_version, ANSWERED_VERSION))
        if _on_a_mac():
            testbed, chosen = prepare_testbed(
                wheels, requires, answered, setting, options.find_links, work, log, progress,
                simulator=options.simulator,
            )  # fmt: skip
            arguments = _lay_out(tried, setting, options, testbed.app, work, rootdir=".")
            progress.phase(subject, "test")
            outcome = run_pytest(testbed, arguments, simulator=options.simulator, work=work, limits=options.limits)
            _append(outcome.output, log)
            return Trial(subject, tuple(path.name for path in chosen), replace(outcome, output=log), HOW, python=python)
        app = make_app(wheels, requires, answered, setting, options.find_links, work, log)
        emulator = ensure_emulator(setting, target, app.root, work, progress, as_host=options.as_host, cpu=options.cpu)
        run = work / "run"
        run.mkdir()
        arguments = _lay_out(tried, setting, options, run, work, rootdir=str(run))
        progress.phase(subject, "test")
        outcome = run_session(
            emulator, paths=[app.packages], arguments=arguments, cwd=run, work=work, limits=options.limits
        )
        _append(outcome.output, log)
        how = HONEST if target.arch is host_arch() and options.cpu is None else HONEST_QEMU
        trial = Trial(
            subject, tuple(path.name for path in app.wheels), replace(outcome, output=log), how, python=python
        )
        if options.against_host:
            progress.phase(subject, "test the Linux wheel")
            name = parse_wheel_name(wheel.name)
            installed = install_host(name, requires, target.arch, setting, work / "host", log)
            compared = _try_host(outcome, emulator, installed, arguments, run, work, log, options)
            trial = replace(trial, comparison=compared)
    return trial


def _lay_out(
    tried: EvaluatedRecipe | WheelContents, setting: Setting, options: Options, run: Path, work: Path, *, rootdir: str
) -> list[str]:
    """Put the tests that are to run into a directory; pytest's arguments for them, there."""
    if options.tests:
        chosen = list(_lay_out_named(options.tests, run))
    elif isinstance(tried, WheelContents):
        extensions = tuple(extension.module for extension in tried.extensions)
        chosen = list(_lay_out_tests(_top_level(tried), extensions, (), run))
    elif options.suite:
        _lay_out_suite(tried, setting, run, work)
        chosen = list(tried.trial.suite_args)
    else:
        chosen = list(_lay_out_tests(tried.trial.imports, tried.extensions, tried.trial.files, run))
    # A file that cannot be collected is an error of its own; the others are run.
    common = ["-p", "no:cacheprovider", "--continue-on-collection-errors", f"--rootdir={rootdir}"]
    return [*common, *chosen, *options.pytest_args]


def _try_host(
    emulated: Outcome, emulator: Emulator, installed: tuple[Path, tuple[str, ...]], arguments: Sequence[str],
    run: Path, work: Path, log: Path, options: Options,
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


def _lay_out_named(tests: Sequence[Path], run: Path) -> Iterator[str]:
    """Copy the tests that are named, and pytest's configuration, into a directory; pytest's arguments for them."""
    for path in tests:
        # A copy: some suites write beside their files, and what is named is the user's.
        if path.is_dir():
            shutil.copytree(path, run / path.name, symlinks=True)
        else:
            shutil.copy(path, run)
    _configure(run)
    yield from (path.name for path in tests if path.name not in _CONFIGURATIONS)


def _lay_out_tests(
    imports: Sequence[str], extensions: Sequence[str], files: Sequence[str | Path], run: Path
) -> Iterator[str]:
    """Write tests of imports into a directory, and copy files of tests there; pytest's arguments for them."""
    _configure(run)
    (run / "test_forge_imports.py").write_text(
        _IMPORTS.format(imports=list(imports), extensions=list(extensions), absent=list(_ABSENT)), encoding="utf-8"
    )
    yield "test_forge_imports.py"
    for file in files:
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
            raise TrialError(f"{recipe.name}: test.suite.source lists {name}, which is not in the source")
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        source.rename(run / name)
    _configure(run)


def _configure(run: Path) -> None:
    """See to it that pytest looks for no configuration outside of the directory."""
    if not any((run / name).is_file() for name in _CONFIGURATIONS):
        (run / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")


def _top_level(contents: WheelContents) -> tuple[str, ...]:
    """The packages and modules at a wheel's top, without those of a leading underscore's."""
    names: dict[str, None] = {}
    for member in contents.members:
        first, slash, rest = member.path.partition("/")
        name = first if slash else first.partition(".")[0]
        is_module = rest == "__init__.py" if slash else first.endswith((".py", ".so"))
        if is_module and name.isidentifier() and not name.startswith("_"):
            names[name] = None
    return tuple(names)
