"""``forge test`` on a Mac, with an ``xcrun`` and a testbed that answer as they were recorded."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import TrialError
from forge.base.paths import ForgeHome
from forge.base.target import Abi, Arch, Target
from forge.crossbuild.context import BuildContext
from forge.ios_python.build_python import BuildPython
from forge.ios_python.model import IOSPython
from forge.ios_python.product import XCFramework
from forge.ios_python.releases import Release
from forge.trial import run as run_module
from forge.trial import testbed as testbed_module
from forge.trial import testbed_app
from forge.trial.emulator import ANSWERED_VERSION
from forge.trial.options import TrialOptions
from forge.trial.report import render_text
from forge.trial.run import try_wheel
from forge.trial.testbed_app import HOW, check_simulates, check_simulator
from tests.unit.ios_python.fakes import (
    ARM_SIMULATOR,
    DEVICE,
    VERSION,
    X86_SIMULATOR,
    Recorder,
    make_toolchain,
    pinned,
    tarball,
    write_ios_python,
)
from tests.unit.toolchain.fakes import write_program
from tests.unit.trial.fake_testbed import PROGRAM, calls, write_testbed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

# As `xcrun simctl list -j` of Xcode 16 answers, less of it.
DEVICES = [
    {"productFamily": "iPhone", "name": "iPhone 16 Pro", "minRuntimeVersion": 1179648},
    {"productFamily": "iPhone", "name": "iPhone 16e", "minRuntimeVersion": 1180416},
    {"productFamily": "Apple Watch", "name": "Apple Watch SE (40mm)", "minRuntimeVersion": 458752},
]
IOS = {"platform": "iOS", "name": "iOS 18.4", "version": "18.4", "isAvailable": True}
WATCH = {"platform": "watchOS", "name": "watchOS 11.4", "version": "11.4", "isAvailable": True}
WHEEL = "demo-1.0-py3-none-ios_12_0_arm64_iphonesimulator.whl"


def listed(runtimes: Sequence[dict[str, Any]] = (WATCH, IOS)) -> str:
    return json.dumps({"devicetypes": DEVICES, "runtimes": runtimes, "devices": {}, "pairs": {}})


def write_xcrun(directory: Path, says: str, code: int = 0) -> dict[str, str]:
    (directory / "listed.json").write_text(says)
    write_program(
        directory / "bin" / "xcrun",
        f'[ "$*" = "simctl list -j" ] || exit 64\n[ {code} = 0 ] || exec >&2\ncat {directory}/listed.json\nexit {code}',
    )
    return {"PATH": f"{directory}/bin:/usr/bin:/bin"}


def test_a_simulator_is_there(tmp_path: Path) -> None:
    env = write_xcrun(tmp_path, listed())
    check_simulator(env, None)
    check_simulator(env, "iPhone 16e")
    check_simulator(env, "iPhone 16 Pro,OS=18.4")  # as testbeds of 3.14 take it


@pytest.mark.parametrize(
    ("says", "code", "name"),
    [
        ("xcrun: error: unable to find utility simctl, not a developer tool or in PATH", 72, None),
        (listed([]), 0, None),
        (listed([WATCH, {**IOS, "isAvailable": False}]), 0, None),
        (listed(), 0, "iPhone 3G"),
        ("not JSON", 0, None),
        ('{"runtimes": []}', 0, None),
        ("[]", 0, None),
    ],
)
def test_no_simulator(says: str, code: int, name: str | None, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(TrialError) as caught:
        check_simulator(write_xcrun(tmp_path, says, code), name)
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


def test_no_xcode(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(TrialError) as caught:
        check_simulator({"PATH": str(tmp_path)}, None)
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


@pytest.mark.parametrize(
    ("machine", "target"), [("arm64", DEVICE), ("arm64", X86_SIMULATOR), ("x86_64", ARM_SIMULATOR)]
)
def test_what_a_simulator_does_not_run(
    machine: str, target: Target, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setattr("forge.trial.emulator.platform.machine", lambda: machine)
    with pytest.raises(TrialError) as caught:
        check_simulates(target)
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildContext:
    """A Mac with an arm64 CPU, as far as trials look; wheels are chosen and installed without pip."""
    monkeypatch.setattr(run_module, "_on_a_mac", lambda: True)
    monkeypatch.setattr("forge.trial.emulator.platform.machine", lambda: "arm64")
    monkeypatch.setattr(run_module, "make_app", None)
    monkeypatch.setattr(run_module, "ensure_emulator", None)

    def choose(wheels: Sequence[Path], requires: Sequence[str], target: Target, *_: object) -> tuple[Path, ...]:
        assert (target.abi, target.arch) == (Abi.IPHONESIMULATOR, Arch.ARM64)
        assert target.ios_version == ANSWERED_VERSION
        assert requires[0].startswith("pytest")
        return tuple(wheels)

    def install(wheels: Sequence[Path], target: object, context: object, into: Path, log: object) -> None:
        for wheel in wheels:
            zipfile.ZipFile(wheel).extractall(into)

    monkeypatch.setattr(testbed_app, "choose_app_wheels", choose)
    monkeypatch.setattr(testbed_app, "install_app_wheels", install)
    toolchain = make_toolchain(tmp_path / "xcode")
    write_xcrun(tmp_path / "xcode", listed())
    root = write_ios_python(tmp_path / "Python.xcframework", (ARM_SIMULATOR,))
    python = IOSPython(root, VERSION, (ARM_SIMULATOR,), product=XCFramework(root, VERSION, (ARM_SIMULATOR,)))
    return BuildContext(ForgeHome(tmp_path / "home"), toolchain, python, BuildPython(Path(sys.executable), VERSION))


def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **run: Any) -> Path:
    """The release whose source has a testbed that answers so; where it writes down what it is asked."""
    said = tmp_path / "said"
    write_testbed(tmp_path / "made", said, answers={"run": run})
    answers = (tmp_path / "made" / "iOS" / "testbed" / "answers.json").read_text()
    files = {"iOS/testbed/__main__.py": PROGRAM, "iOS/testbed/answers.json": answers}
    cpython = pinned("cpython", tarball(tmp_path / "Python.tar", files), VERSION)
    monkeypatch.setattr(testbed_app, "find_release", lambda _: Release("3.13", cpython, ()))
    return said


def write_wheel(tmp_path: Path) -> Path:
    path = tmp_path / WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("demo.py", "")
        archive.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr("demo-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {WHEEL[9:-4]}\n")
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    return path


def test_a_wheel_in_the_testbed(mac: BuildContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    junit = '<testsuites><testcase file="test_it.py" classname="test_it" name="test_a" time="1"/></testsuites>'
    said = record(tmp_path, monkeypatch, junit=junit, says="** TEST SUCCEEDED **")
    kept = tmp_path / "kept"

    def run_pytest(testbed: Any, *arguments: Any, **named: Any) -> Any:
        shutil.copytree(testbed.root, kept)  # the trial's directory is gone after it
        return testbed_module.run_pytest(testbed, *arguments, **named)

    monkeypatch.setattr(run_module, "run_pytest", run_pytest)
    tests = tmp_path / "test_it.py"
    tests.write_text("def test_a(): pass\n")
    made = try_wheel(
        write_wheel(tmp_path),
        mac,
        Recorder(),
        TrialOptions(tests=(tests,), simulator="iPhone 16e", pytest_args=("-x",)),
    )
    assert made.outcome.is_good
    assert (made.how, made.wheels, made.subject) == (HOW, (WHEEL,), WHEEL)
    assert b"** TEST SUCCEEDED **" in made.outcome.output.read_bytes()
    text = render_text(made)
    assert HOW in text
    assert "MiB" not in text
    app = kept / "iOSTestbed" / "app"
    assert (app / "test_it.py").read_text() == tests.read_text()
    assert (app / "pytest.ini").is_file()
    assert (kept / "iOSTestbed" / "app_packages" / "demo.py").is_file()
    clone, run = (call["arguments"] for call in calls(said))
    assert clone[:2] == ["clone", "--framework"]
    assert run[:5] == ["run", "--simulator", "iPhone 16e", "--", "pytest"]
    # The app's directory has another name on the simulator.
    assert "--rootdir=." in run
    assert run[-2:] == ["test_it.py", "-x"]
    assert [path.name for path in mac.home.work.iterdir()] == []


def test_everything_is_imported_there_too(mac: BuildContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = record(tmp_path, monkeypatch, code=65, says="Testing failed: no simulator booted")
    made = try_wheel(write_wheel(tmp_path), mac, Recorder(), TrialOptions())
    assert not made.outcome.is_good
    assert [incident.kind for incident in made.outcome.incidents] == ["exit"]
    assert calls(said)[1]["arguments"][-1] == "test_forge_imports.py"


@pytest.mark.parametrize("options", [TrialOptions(as_host=True), TrialOptions(as_host=True, against_host=True)])
def test_what_is_for_linux(
    options: TrialOptions, mac: BuildContext, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    with pytest.raises(TrialError) as caught:
        try_wheel(write_wheel(tmp_path), mac, Recorder(), options)
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


def test_what_is_for_a_mac(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    nothing: Any = None
    with pytest.raises(TrialError) as caught:
        try_wheel(write_wheel(tmp_path), nothing, Recorder(), TrialOptions(simulator="iPhone 16e"))
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot
