"""Wheels do not depend on who provides their iOS Python, nor on patch releases; those for 3.14 and 3.15 run."""

from __future__ import annotations

import ast
import json
import plistlib
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from forge.audit.promise import Promise, check_promise
from forge.base.errors import NetworkError, SourceError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import select_targets
from forge.ios_python.assembled import assembled_python, python_of
from forge.ios_python.build_python import BuildPython, find_build_python
from forge.ios_python.headers import ensure_headers, header_archives
from forge.ios_python.layout import EXPECTED
from forge.ios_python.model import IOSPython, Provider
from forge.ios_python.official import add_official
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from forge.source.fetch import fetch
from forge.trial.options import TrialOptions
from forge.trial.run import prepare_recipe
from forge.wheel.contents import read_wheel
from tests.integration.budget import BUILDS, need_minutes, need_python
from tests.integration.own_wheels import with_own_wheels
from tests.integration.pythons import linux_python
from tests.integration.targets import COMPILED, LONG, SIMULATOR, runs_here
from tests.unit.macho.builder import macho

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.crossbuild.context import BuildContext

pytestmark = pytest.mark.toolchain

RECIPES = ["markupsafe", "greenlet", "rpds-py", "pyyaml"]
"""In C, C++, Rust, and Cython. Meson's is numpy, which takes minutes: below."""


@pytest.fixture(scope="module")
def context() -> BuildContext:
    return ensure_context(ForgeHome.from_environment(), "3.13", select_targets(), SilentProgress(), Provider.ASSEMBLED)


@pytest.fixture(scope="module")
def built() -> IOSPython:
    home = ForgeHome.from_environment()
    need_python(home, COMPILED)
    return ensure_context(home, "3.13", COMPILED, SilentProgress(), Provider.BUILT).python


def beeware_shaped(product: Path, root: Path) -> Path:
    """BeeWare's archive of 3.13, made of forge's own XCframework."""
    python = root / "Python.xcframework"
    shutil.copytree(product, python, symlinks=True)
    for path in python.glob("*/Python.framework/Info.plist"):
        data = plistlib.loads(path.read_bytes())
        data["MinimumOSVersion"] = "13.0"
        path.write_bytes(plistlib.dumps(data))
    for slice_ in python.glob("ios-*"):
        (slice_ / "platform-config").mkdir()
    (root / "VERSIONS").write_text("Python version: 3.13.15\nBuild: b17\nMin iOS version: 13.0\nOpenSSL: 3.0.18-1\n")
    return root


@pytest.fixture
def official(built: IOSPython, tmp_path: Path) -> IOSPython:
    """In a cache of its own, since what was added counts first."""
    home = ForgeHome(tmp_path / "home")
    archive = beeware_shaped(built.require_product().root, tmp_path / "a place" / "support")
    product, layout, lacking = add_official(home, str(archive), None, SilentProgress())
    assert layout.publisher == "BeeWare"
    # It is made of what was compiled.
    compiled = {target.multiarch for target in COMPILED}
    absent = [target.multiarch for target in select_targets() if target.multiarch not in compiled]
    assert sorted(lacking) == sorted(f"the slice for {multiarch}" for multiarch in absent)
    assert {str(target.ios_version) for target in product.targets} == {"13.0"}
    return python_of(home, product, Provider.OFFICIAL)


def fresh_wheel(context: BuildContext, name: str, target: Target, out: Path) -> bytes:
    """The bytes of a recipe's wheel, built and not taken from the cache."""
    store = find_recipes()
    out.mkdir()
    result = build_one(store.load(name), target, with_own_wheels(context, out / "kept"), store, out, SilentProgress())
    assert result.built
    return result.wheel.read_bytes()


@pytest.mark.parametrize("name", [*RECIPES, *(["numpy"] if LONG else [])])
def test_the_same_wheel_from_every_provider(
    name: str, context: BuildContext, built: IOSPython, official: IOSPython, tmp_path: Path
) -> None:
    need_minutes(3 * BUILDS.get(name, 1), f"building {name} three times")
    pythons = {str(python.provider): python for python in (context.python, built, official)}
    assert set(pythons) == {"assembled", "built", "official"}
    wheels = {
        provider: fresh_wheel(replace(context, python=python), name, SIMULATOR, tmp_path / provider)
        for provider, python in pythons.items()
    }
    assert wheels["built"] == wheels["assembled"]
    assert wheels["official"] == wheels["assembled"]


@pytest.mark.parametrize("name", ["greenlet"])
def test_headers_of_another_patch_release_give_the_same_wheel(name: str, context: BuildContext, tmp_path: Path) -> None:
    home = ForgeHome(tmp_path / "home")
    other = next(archive for archive in header_archives("3.13") if archive.release != context.python.version)
    try:
        file = fetch(other.source, context.home, SilentProgress())
    except (NetworkError, SourceError) as error:
        pytest.skip(f"no other release's headers can be had: {error.message.splitlines()[0]}")
    place = home.sources / other.source.sha256[:2] / other.source.sha256
    place.mkdir(parents=True)
    (place / file.name).symlink_to(file)
    assert ensure_headers(home, "3.13", SilentProgress()).release == other.release
    python = assembled_python(home, "3.13", SilentProgress())
    assert python.version != context.python.version
    target = select_targets()[0]
    wheels = {
        fresh_wheel(replace(context, python=each), name, target, tmp_path / each.version)
        for each in (context.python, python)
    }
    assert len(wheels) == 1


@pytest.mark.parametrize("name", ["greenlet"])
def test_a_build_python_of_another_patch_release_gives_the_same_wheel(
    name: str, context: BuildContext, tmp_path: Path
) -> None:
    # The one that CPython's own cross build was made with, if that is another.
    every = {context.build_python.version: context.build_python}
    for executable in sorted(context.home.build_pythons.glob("3.13.*/bin/python3.13")):
        version = executable.parents[1].name.partition("-")[0]
        every.setdefault(version, BuildPython(executable, version))
    if len(every) < 2:
        pytest.skip("there is only one Python 3.13 on this machine")
    target = select_targets()[0]
    wheels = {
        fresh_wheel(replace(context, build_python=python), name, target, tmp_path / version)
        for version, python in every.items()
    }
    assert len(wheels) == 1


@pytest.fixture(params=["3.14", "3.15"])
def newer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> BuildContext:
    minor = str(request.param)
    python = linux_python(minor)
    monkeypatch.setenv("FORGE_BUILD_PYTHON", str(python.executable))
    home = ForgeHome.from_environment()
    try:
        made = ensure_context(home, minor, select_targets(), SilentProgress(), Provider.ASSEMBLED)
    except NetworkError as error:
        pytest.skip(f"the headers of Python {minor} cannot be had: {error.message.splitlines()[0]}")
    assert made.python.minor == made.build_python.minor == minor
    return made


@pytest.mark.parametrize("target", select_targets(), ids=str)
@pytest.mark.parametrize("name", ["markupsafe", "greenlet"])
def test_newer_pythons_are_built_for(newer: BuildContext, name: str, target: Target, tmp_path: Path) -> None:
    store = find_recipes()
    recipe = store.load(name)
    result = build_one(recipe, target, newer, store, tmp_path, SilentProgress())
    tag = newer.python.python_tag
    assert result.wheel.name.endswith(f"-{tag}-{tag}-{target.platform_tag}.whl")
    version = result.wheel.name.split("-")[1]
    assert check_promise(result.wheel, Promise(name, version, target, tag, native=True)) == ()


def test_its_sysconfig_data_is_what_that_python_reads_of_the_headers(newer: BuildContext) -> None:
    """`sysconfig` of that version itself parses the assembled ``pyconfig.h``."""
    target = select_targets()[0]
    header = newer.python.slice(target) / "include" / f"python{newer.python.minor}" / "pyconfig.h"
    code = f"import json, sysconfig; print(json.dumps(sysconfig.parse_config_h(open({str(header)!r}))))"
    said = subprocess.run(
        [newer.build_python.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    parsed = json.loads(said)
    text = newer.python.sysconfigdata(target).read_text()
    data = ast.literal_eval(text[text.index("{") :])
    assert len(parsed) > 300
    assert {name: data[name] for name in parsed} == parsed


def test_a_module_for_the_stable_abi_has_the_suffix_that_its_wheel_promises(
    newer: BuildContext, tmp_path: Path
) -> None:
    """The wheel is for 3.13 and later, though it is built with a newer Python: all of them look for ``.abi3.so``."""
    target = select_targets()[0]
    recipe = find_recipes().load("ios-multiprocessing")
    result = build_one(recipe, target, newer, find_recipes(), tmp_path, SilentProgress())
    assert "-cp313-abi3-" in result.wheel.name
    assert [extension.suffix for extension in read_wheel(result.wheel).extensions] == [".abi3.so"]


def published_shaped(context: BuildContext, root: Path) -> Path:
    """An official archive of 3.14 (BeeWare's) or 3.15 (python.org's), unpacked, as their build scripts lay them out.

    Headers, sysconfig data and wrappers are those of the assembled Python; the machine code is a library without
    anything in it, which a build of a wheel does not read.
    """
    python, minor = root / "Python.xcframework", context.python.minor
    shutil.copytree(context.python.root, python, symlinks=True)
    (python / "headers.json").unlink()
    libraries = [
        {"SupportedPlatform": "ios", "LibraryIdentifier": slice_.name, "LibraryPath": "Python.framework"}
        for slice_ in sorted(python.glob("ios-*"))
    ]
    (python / "Info.plist").write_bytes(plistlib.dumps({"AvailableLibraries": libraries}))
    (python / "lib" / f"python{minor}").mkdir(parents=True)
    (root / "testbed").mkdir()
    for target in select_targets():
        framework = context.python.slice(target).name
        framework_path = python / framework / "Python.framework"
        (framework_path / "Python.tbd").unlink(missing_ok=True)
        data = {"CFBundleExecutable": "Python", "CFBundlePackageType": "FMWK", "MinimumOSVersion": "13.0"}
        (framework_path / "Info.plist").write_bytes(plistlib.dumps(data))
        (framework_path / "Python").write_bytes(macho(install_name="@rpath/Python.framework/Python"))
        library = python / framework / f"lib-{target.arch}" / f"python{minor}"
        (library / "build-details.json").write_text('{"schema_version": "1.0", "base_prefix": "/Users/builder/x"}')
        (library / f"_sysconfig_vars__ios_{target.multiarch}.json").write_text("{}")
        (library / "lib-dynload").mkdir()
        for module in EXPECTED:
            name = f"{module}.cpython-{minor.replace('.', '')}-{target.abi}.so"
            (library / "lib-dynload" / name).write_bytes(macho())
    if minor == "3.14":
        (root / "VERSIONS").write_text("Python version: 3.14.6\nBuild: b12\nMin iOS version: 13.0\nOpenSSL: 3.5.7-1\n")
        for target in select_targets():
            config = python / context.python.slice(target).name / "platform-config" / target.multiarch
            config.mkdir(parents=True)
            (config / "make_cross_venv.py").touch()
    return root


@pytest.mark.parametrize("name", ["markupsafe", "greenlet"])
def test_wheels_for_published_pythons_are_the_same(newer: BuildContext, name: str, tmp_path: Path) -> None:
    home = ForgeHome(tmp_path / "home")
    archive = published_shaped(newer, tmp_path / "a place" / "support")
    product, layout, lacking = add_official(home, str(archive), None, SilentProgress())
    assert layout.publisher == {"3.14": "BeeWare", "3.15": "python.org"}[newer.python.minor]
    assert lacking == ()
    assert {str(target.ios_version) for target in product.targets} == {"13.0"}
    official = python_of(home, product, Provider.OFFICIAL)
    for number, target in enumerate(select_targets()):
        both = [
            fresh_wheel(replace(newer, python=python), name, target, tmp_path / f"{number}-{python.provider}")
            for python in (newer.python, official)
        ]
        assert both[0] == both[1], target


@runs_here
@pytest.mark.parametrize("name", ["markupsafe", "greenlet", "frozenlist"])
def test_newer_pythons_run_simulator_wheels(newer: BuildContext, name: str, tmp_path: Path) -> None:
    store = find_recipes()
    trial = prepare_recipe(store.load(name), SIMULATOR, newer, store, tmp_path, SilentProgress(), TrialOptions()).run(
        SilentProgress()
    )
    assert trial.outcome.is_good, trial.outcome.output.read_text()


def test_the_build_python_may_be_of_any_patch_release(context: BuildContext) -> None:
    assert find_build_python(context.home, "3.13") is not None
    assert context.build_python.minor == "3.13"
