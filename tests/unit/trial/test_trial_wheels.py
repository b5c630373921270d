"""``forge test``'s own work, with pip, the cross environment and the loader left out."""

from __future__ import annotations

import json
import sys
import zipfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import TrialError, WheelError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Abi, Arch, Target
from forge.emulate.app import App
from forge.emulate.runtime.child import SITECUSTOMIZE
from forge.emulate.session import Emulator
from forge.trial import run as run_module
from forge.trial.emulator import ANSWERED_VERSION, check_runs_here, process_environment
from forge.trial.options import TrialOptions
from forge.trial.run import try_wheel, wheel_target

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.trial.report import Trial

WHEEL = "demo-1.0-py3-none-ios_12_0_arm64_iphonesimulator.whl"


def write_wheel(directory: Path, name: str, files: dict[str, str]) -> Path:
    path = directory / name
    info = "-".join(name.split("-")[:2]) + ".dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(member, text)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {name[9:-4]}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


class BuildContext:
    """Stands for toolchain and Pythons."""

    def __init__(self, root: Path) -> None:
        self.home = ForgeHome(root)
        self.python = SimpleNamespace(minor="3.13", absent_modules=lambda target: ("_curses",))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the app and the emulator were asked for."""
    said: dict[str, Any] = {}

    def make_app(
        wheels: list[Path], requires: list[str], target: Target, context: BuildContext, find_links: tuple[Path, ...],
        work: Path, log: Path,
    ) -> App:  # fmt: skip
        said.update(requires=requires, target=target, find_links=find_links)
        packages = work / "app" / "app_packages"
        packages.mkdir(parents=True)
        for wheel in wheels:
            zipfile.ZipFile(wheel).extractall(packages)
        return App(work / "app", packages, tuple(wheels))

    def ensure_emulator(
        context: BuildContext,
        target: Target,
        app: Path,
        work: Path,
        progress: object,
        *,
        as_host: bool,
        cpu: str | None,
    ) -> Emulator:
        said.update(as_host=as_host, cpu=cpu)
        return Emulator((sys.executable, "-s"), process_environment(work), None, None)

    monkeypatch.setattr(run_module, "make_app", make_app)
    monkeypatch.setattr(run_module, "ensure_emulator", ensure_emulator)
    monkeypatch.setattr(run_module, "check_runs_here", lambda target, cpu: None)
    return said


def try_demo(tmp_path: Path, files: dict[str, str], options: TrialOptions | None = None) -> Trial:
    wheel = write_wheel(tmp_path, WHEEL, files)
    context: Any = BuildContext(tmp_path / "home")
    return try_wheel(wheel, context, SilentProgress(), options or TrialOptions())


def test_everything_at_the_top_is_imported(tmp_path: Path, asked: dict[str, Any]) -> None:
    files = {
        "demo/__init__.py": "",
        "demo/data.txt": "",
        "single.py": "",
        "_private.py": "1/0",
        "bad/__init__.py": "1/0",
    }
    made = try_demo(tmp_path, files)
    assert {case.id.partition("::")[2]: case.outcome for case in made.outcome.cases} == {
        "test_import[demo]": "passed", "test_import[single]": "passed", "test_import[bad]": "failed",
        "test_extension[NOTSET]": "skipped",
    }  # fmt: skip
    assert not made.outcome.is_good
    assert made.subject == WHEEL
    assert made.wheels == (WHEEL,)
    assert asked["target"] == Target(Abi.IPHONESIMULATOR, Arch.ARM64, ANSWERED_VERSION)
    assert asked["find_links"] == (tmp_path,)
    assert asked["as_host"] is False
    assert made.outcome.output.read_bytes().count(b"test session starts") == 1
    assert list((tmp_path / "home" / "builds").iterdir()) == []


def test_tests_that_are_named_run_instead(tmp_path: Path, asked: dict[str, Any]) -> None:
    tests = tmp_path / "Tests"
    tests.mkdir()
    (tests / "test_it.py").write_text("from demo import value\ndef test(): assert value == 42\n")
    (tmp_path / "conftest.py").write_text("def pytest_report_header(): return 'our conftest'\n")
    options = TrialOptions(as_host=True, tests=(tests, tmp_path / "conftest.py"), requires=("extra>=1",))
    made = try_demo(tmp_path, {"demo/__init__.py": "value = 42"}, options)
    assert [(case.id, case.outcome) for case in made.outcome.cases] == [("Tests/test_it.py::test", "passed")]
    assert asked["requires"][-1] == "extra>=1"
    assert asked["as_host"] is True
    assert b"our conftest" in made.outcome.output.read_bytes()
    assert sorted(path.name for path in tests.iterdir()) == ["test_it.py"]  # what is the user's stays as it was


def test_beside_the_linux_wheel(tmp_path: Path, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def install_host(
        name: object, requires: object, arch: object, context: object, work: Path, log: Path
    ) -> tuple[Path, tuple[str, ...]]:
        (work / "packages" / "demo").mkdir(parents=True)
        (work / "packages" / "demo" / "__init__.py").write_text("value = 42")
        return work / "packages", ("demo-1.0-py3-none-manylinux_2_28_x86_64.whl",)

    monkeypatch.setattr(run_module, "install_host", install_host)
    tests = tmp_path / "test_it.py"
    tests.write_text("from demo import value\ndef test_a(): assert value == 42\ndef test_b(): pass\n")
    made = try_demo(tmp_path, {"demo/__init__.py": "value = 41"}, TrialOptions(tests=(tests,), against_host=True))
    assert made.comparison is not None
    assert (made.comparison.host_passed, made.comparison.both_passed) == (2, 1)
    assert [(one.id, one.emulated) for one in made.comparison.differences] == [("test_it.py::test_a", "failed")]
    assert made.outcome.output.read_bytes().count(b"test session starts") == 2


def test_what_wheels_are_for(tmp_path: Path) -> None:
    made = write_wheel(tmp_path, WHEEL, {"demo.py": ""})
    assert wheel_target(made).multiarch == "arm64-iphonesimulator"
    other = write_wheel(tmp_path, "demo-1.0-py3-none-any.whl", {"demo.py": ""})
    with pytest.raises(WheelError, match=r"demo-1\.0-py3-none-any\.whl is not for iOS"):
        wheel_target(other)


@pytest.mark.parametrize(
    ("system", "machine", "arch"),
    [("win32", "arm64", Arch.ARM64), ("linux", "riscv64", Arch.ARM64), ("linux", "aarch64", Arch.X86_64),
     ("linux", "x86_64", Arch.ARM64)],
)  # fmt: skip
def test_what_does_not_run_here(
    system: str, machine: str, arch: Arch, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setattr("forge.trial.emulator.sys.platform", system)
    monkeypatch.setattr("forge.trial.emulator.platform.machine", lambda: machine)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TrialError) as caught:
        check_runs_here(Target(Abi.IPHONESIMULATOR, arch))
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


def test_what_runs_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge.trial.emulator.sys.platform", "linux")
    qemu = tmp_path / "qemu-aarch64"
    qemu.write_text("#!/bin/sh\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    for machine, arch in (("x86_64", Arch.X86_64), ("aarch64", Arch.ARM64), ("x86_64", Arch.ARM64)):
        monkeypatch.setattr("forge.trial.emulator.platform.machine", lambda machine=machine: machine)
        check_runs_here(Target(Abi.IPHONESIMULATOR, arch))


def test_the_environment_has_nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", "/of/the/user")
    env = process_environment(tmp_path)
    assert "/of/the/user" not in json.dumps(env)
    assert {path.name for path in (tmp_path / "runtime").iterdir()} == {"forge", "sitecustomize.py"}
    assert (tmp_path / "runtime" / "sitecustomize.py").read_text() == SITECUSTOMIZE
