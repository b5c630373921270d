"""Finding LLVM and Xcode."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ToolchainError
from forge.base.target import Abi
from forge.toolchain import llvm as llvm_module
from forge.toolchain.llvm import LLVM, LLVMToolchain, Rejected, find_llvm, survey
from forge.toolchain.xcode import find_xcode
from tests.unit.toolchain.fakes import Says, write_llvm, write_program

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


@pytest.fixture(autouse=True)
def no_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llvm_module, "llvm_install_command", lambda: "apt-get install --yes clang-19")


def test_the_newest_complete_llvm_is_taken(tmp_path: Path) -> None:
    roots = (
        write_llvm(tmp_path / "llvm-21", "clang version 21.0", lacks=["ld64.lld"]),
        write_llvm(tmp_path / "llvm-20", "Ubuntu clang version 20.1.2 (0ubuntu1)"),
        write_llvm(tmp_path / "llvm-19"),
    )
    found = find_llvm(roots)
    assert (found.bin, found.major, found.version) == (
        tmp_path / "llvm-20/bin", 20, "Ubuntu clang version 20.1.2 (0ubuntu1)",
    )  # fmt: skip
    assert found.resource == tmp_path / "llvm-20/lib/clang"
    assert found.libcxx == tmp_path / "llvm-20/include/c++/v1"


def test_no_llvm_will_do(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    broken = write_llvm(tmp_path / "llvm-22")
    write_program(broken / "bin" / "clang", "echo 'libLLVM.so: cannot open' >&2; exit 127")
    roots = (
        broken,
        write_llvm(tmp_path / "llvm-21", "clang version 21.0", lacks=["ld64.lld", "dsymutil"]),
        write_llvm(tmp_path / "llvm-20", "clang version 20.1", libcxx=False),
        write_llvm(tmp_path / "llvm-14", "Debian clang version 14.0.6"),
        write_llvm(tmp_path / "other", "strange compiler 99"),
        tmp_path / "nothing",
    )
    with pytest.raises(ToolchainError) as error:
        find_llvm(roots)
    assert f"{error.value}\nhint: {error.value.hint}".replace(str(tmp_path), "<tmp>") == snapshot


def test_only_an_old_release_is_outdated(tmp_path: Path) -> None:
    seen = list(survey((write_llvm(tmp_path / "old", "clang version 14.0.6"), tmp_path / "nothing")))
    assert [isinstance(s, Rejected) and s.outdated for s in seen] == [True, False]


def test_forge_llvm_names_the_only_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_LLVM", str(write_llvm(tmp_path / "mine")))
    assert find_llvm().bin == tmp_path / "mine/bin"
    monkeypatch.setenv("FORGE_LLVM", str(tmp_path / "typo"))
    with pytest.raises(ToolchainError, match="typo: bin/clang not found"):
        find_llvm()


def test_a_relative_forge_llvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_llvm(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGE_LLVM", "mine")
    assert find_llvm().bin == tmp_path / "mine/bin"


def test_path_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORGE_LLVM", raising=False)
    monkeypatch.setenv("PATH", str(write_llvm(tmp_path / "opt") / "bin"))
    assert tmp_path / "opt/bin" in [s.bin for s in survey() if isinstance(s, LLVM)]


def test_without_apt_the_hint_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llvm_module, "llvm_install_command", lambda: None)
    with pytest.raises(ToolchainError) as error:
        find_llvm((tmp_path,))
    assert error.value.hint == "install it, and set FORGE_LLVM to the directory that contains its bin"


def test_the_llvm_toolchain_describes_itself(tmp_path: Path) -> None:
    made = LLVMToolchain(tmp_path, "0123456789abcdef", find_llvm((write_llvm(tmp_path / "llvm"),)))
    assert made.kind == "llvm"
    assert made.path == (tmp_path / "bin",)
    assert made.description == "Debian clang version 19.1.7 (3), SDK 0123456789ab"
    for abi, name in ((Abi.IPHONEOS, "iPhoneOS"), (Abi.IPHONESIMULATOR, "iPhoneSimulator")):
        assert made.sdk_path(abi) == tmp_path / f"Platforms/{name}.platform/Developer/SDKs/{name}.sdk"


# As Apple's xcrun of Xcode 16.2 answers.
RECORDED = """case "$*" in
    '--sdk iphoneos clang --version')
        echo 'Apple clang version 16.0.0 (clang-1600.0.26.6)'; echo 'Target: arm64-apple-darwin24.2.0' ;;
    '--sdk iphoneos --show-sdk-version' | '--sdk iphonesimulator --show-sdk-version') echo 18.2 ;;
    '--sdk iphoneos --show-sdk-build-version') echo 22C146 ;;
    '--sdk iphonesimulator --show-sdk-build-version') echo 22C146s ;;
    '--sdk iphoneos --show-sdk-path') echo /X/Platforms/iPhoneOS.platform/Developer/SDKs/iPhoneOS18.2.sdk ;;
    '--sdk iphonesimulator --show-sdk-path')
        echo /X/Platforms/iPhoneSimulator.platform/Developer/SDKs/iPhoneSimulator18.2.sdk ;;
    *) exit 64 ;;
esac"""

# As it answers where only the command line tools are installed.
TOOLS_ONLY = """echo 'xcrun: error: SDK "iphoneos" cannot be located' >&2
echo 'xcrun: error: unable to lookup item '\\''Path'\\'' in SDK '\\''iphoneos'\\''' >&2
exit 1"""


def test_xcode_is_described(tmp_path: Path) -> None:
    xcrun = write_program(tmp_path / "xcrun", RECORDED)
    xcode = find_xcode(xcrun, "darwin")
    assert xcode.kind == "xcode"
    assert xcode.description == (
        "Apple clang version 16.0.0 (clang-1600.0.26.6), iphoneos SDK 18.2, iphonesimulator SDK 18.2"
    )
    assert xcode.path == (tmp_path,)
    assert xcode.sdk_path(Abi.IPHONESIMULATOR).name == "iPhoneSimulator18.2.sdk"


def test_xcodes_identity_is_its_builds_not_its_place(tmp_path: Path) -> None:
    one = find_xcode(write_program(tmp_path / "1" / "xcrun", RECORDED), "darwin")
    moved = find_xcode(write_program(tmp_path / "2" / "xcrun", RECORDED.replace("/X/", "/Y/")), "darwin")
    other = find_xcode(write_program(tmp_path / "3" / "xcrun", RECORDED.replace("22C146s", "22C147")), "darwin")
    assert one.id == moved.id != other.id


@pytest.mark.parametrize("text", [TOOLS_ONLY, "exit 0"], ids=["command line tools only", "says nothing"])
def test_xcode_without_ios_sdks(tmp_path: Path, text: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(ToolchainError) as error:
        find_xcode(write_program(tmp_path / "xcrun", text), "darwin")
    assert f"{error.value}\nhint: {error.value.hint}".replace(str(tmp_path), "<tmp>") == snapshot


def test_xcode_is_missing(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(ToolchainError) as error:
        find_xcode(tmp_path / "xcrun", "darwin")
    assert str(error.value).replace(str(tmp_path), "<tmp>") == snapshot


def test_xcode_elsewhere_than_on_a_mac() -> None:
    says = Says()
    with pytest.raises(ToolchainError, match="only available on macOS"):
        find_xcode(Path("/usr/bin/xcrun"), "linux", says)
    assert says.asked == []
