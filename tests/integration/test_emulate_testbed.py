"""CPython's own testbed, of the pinned release, with an Xcode that does on this machine what the app would do.

The testbed's program is the real one: what it takes for arguments, what it wants of an iOS Python, where it looks for
code. ``xcodebuild`` and ``xcrun`` are not: they answer as Apple's were recorded, and run the app's ``python -m`` with
the build Python.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.crossbuild.context import BuildContext
from forge.emulate.session import Limits
from forge.ios_python.model import Provider
from forge.plan.builds import build_one
from forge.plan.provision import ensure_context
from forge.recipe.store import find_recipes
from forge.trial.testbed import run_pytest
from forge.trial.testbed_app import prepare_testbed
from tests.integration.budget import need_python
from tests.integration.targets import SIMULATOR
from tests.unit.toolchain.fakes import write_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.toolchain

TARGET = SIMULATOR

XCRUN = """
case "$*" in
    "simctl list -j") cat {here}/listed.json ;;
    "simctl --set testing list -j")
        if [ -e {here}/booted ]; then state=Booted; else state=Shutdown; fi
        echo '{{"devices": {{"com.apple.CoreSimulator.SimRuntime.iOS-18-4":'
        echo '[{{"udid": "1234", "state": "'$state'"}}]}}}}' ;;
    "simctl --set testing spawn 1234 log stream"*) sleep 30 ;;
    *) echo "not expected: $*" >&2; exit 64 ;;
esac
"""
LISTED = {
    "devicetypes": [{"productFamily": "iPhone", "name": "iPhone 16e", "minRuntimeVersion": 1180416}],
    "runtimes": [{"platform": "iOS", "name": "iOS 18.4", "isAvailable": True}],
}
# What the Xcode project's build phases and iOSTestbedTests.m do of it: the app's tree, and Python's arguments.
XCODEBUILD = """#!{python}
import json, os, plistlib, shlex, shutil, subprocess, sys
from pathlib import Path
if sys.argv[1] == "build-for-testing":  # newer testbeds build first
    sys.exit()
project = Path(sys.argv[sys.argv.index("-project") + 1]).parent
assert sys.argv[1] in ("test", "test-without-building"), sys.argv
assert sys.argv[sys.argv.index("-destination") + 1] == "platform=iOS Simulator,name=iPhone 16e", sys.argv
Path({here!r}, "booted").touch()
slice_ = project / "Python.xcframework" / "ios-arm64_x86_64-simulator"
(name,) = os.listdir(slice_ / "lib")
modules = sorted(path.name for path in (slice_ / "lib" / name / "lib-dynload").glob("*.so"))
bundle = Path({here!r}, "bundle")
shutil.copytree(project / "iOSTestbed" / "app", bundle / "app")
shutil.copytree(project / "iOSTestbed" / "app_packages", bundle / "app_packages")
plan = project / "iOSTestbed.xctestplan"  # newer testbeds have the arguments there, quoted for a shell
if plan.is_file():
    entries = json.loads(plan.read_text())["defaultOptions"]["commandLineArgumentEntries"]
    arguments = [word for entry in entries for word in shlex.split(entry["argument"])]
else:
    arguments = plistlib.loads((project / "iOSTestbed" / "iOSTestbed-Info.plist").read_bytes())["TestArgs"]
print(name, len(modules), "modules", flush=True)
environment = {{**os.environ, "PYTHONPATH": f"{{bundle}}/app:{{bundle}}/app_packages"}}
code = subprocess.run([sys.executable, "-m", *arguments], cwd=bundle / "app", env=environment).returncode
sys.exit(65 if code else 0)
"""

TESTS = """
import pathlib
import pytest

def test_packages():
    import markupsafe
    assert "app_packages" in markupsafe.__file__
    (module,) = pathlib.Path(markupsafe.__file__).parent.glob("_speedups.*.so")
    assert module.name == "_speedups.cpython-313-iphonesimulator.so"

@pytest.mark.parametrize("value", [1, 2])
def test_value(value):
    assert value == 1
"""


class Xcode:
    """Stands for Xcode's toolchain; what is compiled comes from the cache."""

    def __init__(self, context: BuildContext, root: Path) -> None:
        self.kind, self.id, self.description = context.toolchain.kind, context.toolchain.id, "Xcode, recorded"
        self.path = (root, *context.toolchain.path)
        self.sdk_path = context.toolchain.sdk_path


def test_the_testbed_of_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = ForgeHome.from_environment()
    need_python(home, [TARGET])
    context = ensure_context(home, "3.13", [TARGET], SilentProgress(), Provider.BUILT)
    store = find_recipes()
    built = build_one(store.load("markupsafe"), TARGET, context, store, tmp_path / "dist", SilentProgress())
    tools = tmp_path / "tools"
    write_program(tools / "xcrun", XCRUN.format(here=tmp_path))
    (tmp_path / "listed.json").write_text(json.dumps(LISTED))
    (tools / "xcodebuild").write_text(XCODEBUILD.format(python=context.build_python.executable, here=str(tmp_path)))
    (tools / "xcodebuild").chmod(0o755)
    # The lock that testbeds take on simulators is in the temporary directory.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    recorded = BuildContext(home, Xcode(context, tools), context.python, context.build_python)
    work = tmp_path / "work"
    work.mkdir()
    log = tmp_path / "log"
    testbed, wheels = prepare_testbed(
        [built.wheel], ["pytest>=8.3,<10"], TARGET, recorded, [], work, log, SilentProgress(), simulator=None
    )
    assert built.wheel.name in {path.name for path in wheels}
    (testbed.app / "tests").mkdir()
    (testbed.app / "tests" / "test_it.py").write_text(TESTS)
    outcome = run_pytest(
        testbed, ["-p", "no:cacheprovider", "--rootdir=.", "tests"], simulator=None, work=work, limits=Limits(120)
    )
    said = outcome.output.read_text()
    assert {case.id: case.outcome for case in outcome.cases} == {
        "tests/test_it.py::test_packages": "passed",
        "tests/test_it.py::test_value[1]": "passed",
        "tests/test_it.py::test_value[2]": "failed",
    }, said
    assert outcome.incidents == ()
    modules = len(context.python.require_product().extension_modules(TARGET))
    assert f"python3.13 {modules} modules" in said
    assert "Running test on iPhone 16e" in said
