"""What forge says, and its exit code, for each class of failure."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import forge as forge_package
from forge.base.errors import BuildError
from forge.base.hashing import file_sha256
from forge.cli.main import cli
from forge.toolchain import llvm
from tests.unit.cli.failures import ONE, cached, fails_with
from tests.unit.crossbuild.fakes import RECIPE, VARIANT, WHEEL, write_recipe

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge


class TestCommandLine:
    def test_version(self, forge: Forge) -> None:
        said = forge("--version")
        assert (said.code, said.out, said.err) == (0, f"forge, version {forge_package.__version__}\n", "")

    @pytest.mark.parametrize("command", [(), *((name,) for name in sorted(cli.commands))], ids=str)
    def test_help(self, forge: Forge, command: tuple[str, ...]) -> None:
        said = forge(*command, "--help")
        assert said.code == 0
        assert said.out.startswith(f"Usage: {' '.join(('forge', *command))} [OPTIONS]")
        assert forge(*command, "-h").out == said.out

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ("buidl", "No such command 'buidl'"),
            ("build", "Missing argument 'NAME...'"),
            ("build demo --abi watchos", "'watchos' is not one of 'iphoneos', 'iphonesimulator', 'all'"),
            ("build demo --arch armv7", "'armv7' is not one of 'arm64', 'x86_64', 'all'"),
            ("build demo --no-such-option", "--no-such-option"),
            ("python show --json too many", "unexpected extra argument"),
        ],
    )
    def test_wrong_as_click_says_it(self, forge: Forge, arguments: str, said: str) -> None:
        write_recipe(forge.root / "recipes")
        got = forge(*arguments.split())
        assert (got.code, got.out) == (2, "")
        assert got.err.startswith("Usage: forge")
        assert said in got.err

    @pytest.mark.parametrize(
        "arguments",
        [
            ("build", "demo", "--abi", "iphoneos", "--arch", "x86_64"),
            ("build", "demo", "--ios-version", "11.0"),
            ("build", "demo", "--ios-version", "twelve"),
            ("build", "demo", "--ios-version", "12.10"),
            ("python", "build", "3.13", "--abi", "iphoneos", "--arch", "x86_64"),
        ],
        ids=" ".join,
    )
    def test_wrong(self, forge: Forge, arguments: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes")
        said = forge(*arguments)
        assert said.code == 2
        assert said.out == ""
        assert said.err == snapshot
        assert cached(forge) == []

    def test_nothing_asked(self, forge: Forge) -> None:
        said = forge()
        assert said.code == 2
        assert "Usage: forge" in said.out + said.err


class TestRecipe:
    @pytest.mark.parametrize("name", ["dmeo", "something-else", ""])
    @pytest.mark.parametrize("command", ["build", "lock"])
    def test_unknown(self, forge: Forge, command: str, name: str, snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes")
        said = forge(command, "demo", name)
        assert said.code == 3
        assert said.err == snapshot
        assert said.out == ""

    def test_malformed(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        text = RECIPE.replace("backend: setuptools", "bakend: setuptools").replace('"1.0"', "[1.0]")
        write_recipe(forge.root / "recipes", text=text)
        said = forge("build", "demo")
        assert said.code == 3
        assert said.err == snapshot
        assert "^^^^^^" in said.err

    @pytest.mark.parametrize(
        "arguments",
        [
            "build demo --variant fats",
            "build demo --variant fast",
            "test demo --variant fats",
            "test demo --variant fast",
            f"test {WHEEL} --variant fast",
        ],
    )
    def test_a_variant_that_cannot_be_had(
        self, forge: Forge, monkeypatch: pytest.MonkeyPatch, arguments: str, snapshot: SnapshotAssertion
    ) -> None:
        fails_with(monkeypatch, AssertionError("what is wrong is told before anything is made"))
        write_recipe(forge.root / "recipes", text=VARIANT)
        (forge.root / WHEEL).touch()
        said = forge(*arguments.split())
        assert said.code == (2 if WHEEL in arguments else 3)
        assert said.err == snapshot
        assert said.out == ""

    def test_brackets_are_shown_as_they_are(self, forge: Forge) -> None:
        """Rich reads words in brackets as styles; file names and messages have them too."""
        said = forge("build", "[red]demo[/red]")
        assert "'[red]demo[/red]'" in said.err

    def test_not_locked(self, forge: Forge, no_toolchain: None, snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes", lock=False)
        said = forge("build", "demo", *ONE)
        assert said.code == 3
        assert forge.plain(said.err) == snapshot

    def test_no_directory_of_recipes(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        said = forge("build", "demo", "--recipes", "nowhere")
        assert said.code == 3
        assert forge.plain(said.err) == snapshot


class TestSource:
    def test_wrong_sha256(self, forge: Forge, no_toolchain: None, snapshot: SnapshotAssertion) -> None:
        (forge.root / "demo.tar.gz").write_bytes(b"something else")
        url = f"url: [{(forge.root / 'demo.tar.gz').as_uri()}]\n  sha256: {'ab' * 32}"
        write_recipe(forge.root / "recipes", text=RECIPE.replace("path: source", url))
        said = forge("build", "demo", *ONE)
        assert said.code == 4
        assert forge.plain(said.err) == snapshot
        assert cached(forge) == []

    def test_a_damaged_archive(self, forge: Forge, no_toolchain: None, snapshot: SnapshotAssertion) -> None:
        archive = forge.root / "demo.tar.gz"
        archive.write_bytes(b"not an archive")
        url = f"url: [{archive.as_uri()}]\n  sha256: {file_sha256(archive)}"
        write_recipe(forge.root / "recipes", text=RECIPE.replace("path: source", url))
        said = forge("build", "demo", *ONE)
        assert said.code == 4
        assert forge.plain(said.err) == snapshot


class TestToolchain:
    @pytest.mark.parametrize("command", [("build", "demo"), ("python", "build", "3.13"), ("toolchain", "install")])
    def test_missing_compiler(
        self, forge: Forge, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        write_recipe(forge.root / "recipes")
        monkeypatch.setenv("FORGE_LLVM", str(forge.root / "empty"))
        monkeypatch.setattr(llvm, "llvm_install_command", lambda: "apt-get install clang")
        said = forge(*command)
        assert said.code == 6
        assert forge.plain(said.err) == snapshot
        assert cached(forge) == []


class TestPython:
    @pytest.mark.parametrize("command", [("build", "demo", "--python", "3.99"), ("python", "build", "3.99")])
    def test_unknown_version(self, forge: Forge, command: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes")
        said = forge(*command)
        assert said.code == 7
        assert said.err == snapshot


class TestCache:
    def test_clean(self, forge: Forge) -> None:
        left = forge.root / "home" / "builds" / "demo-1.0.1"
        left.mkdir(parents=True)
        os.utime(left, (0, 0))
        said = forge("cache", "clean")
        assert (said.code, said.out, said.err) == (0, f"{left}\n", "")
        assert forge("cache", "clean").out == ""


class TestStorage:
    @pytest.mark.parametrize(
        "error",
        [
            OSError(errno.ENOSPC, "No space left on device", "/cache/pythons/x"),
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            PermissionError(errno.EACCES, "Permission denied", "/cache"),
            OSError(errno.EROFS, "Read-only file system", "/cache"),
            shutil.Error([("/a", "/b", "[Errno 28] No space left on device: '/b'")]),
        ],
        ids=lambda error: error.strerror or type(error).__name__,
    )
    def test_told(
        self, forge: Forge, error: OSError, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        write_recipe(forge.root / "recipes")
        fails_with(monkeypatch, error)
        said = forge("build", "demo")
        assert said.code == 10
        assert said.err == snapshot

    def test_white_space_in_the_caches_path(
        self, forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        monkeypatch.setenv("FORGE_HOME", str(forge.root / "my cache"))
        said = forge("python", "list")
        assert said.code == 10
        assert forge.plain(said.err) == snapshot

    def test_an_output_that_is_a_file(self, forge: Forge, no_toolchain: None) -> None:
        write_recipe(forge.root / "recipes")
        (forge.root / "dist").write_text("")
        said = forge("build", "demo", *ONE)
        assert said.code != 0
        assert "dist" in said.err


class TestInterrupted:
    def test_told(self, forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes")
        fails_with(monkeypatch, KeyboardInterrupt())
        said = forge("build", "demo")
        assert said.code == 130
        assert said.err == snapshot

    def test_nohup_is_honoured(self, forge: Forge) -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        assert forge("--version").code == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


class TestUnforeseen:
    def test_told_and_written_down(
        self, forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        write_recipe(forge.root / "recipes")
        fails_with(monkeypatch, ZeroDivisionError("division [of] zero"))
        said = forge("build", "demo")
        assert (said.code, said.out) == (1, "")
        assert forge.plain(said.err) == snapshot
        log = next((forge.root / "home" / "logs").glob("crash-*.log")).read_text()
        assert log.startswith("Traceback")
        assert log.endswith("ZeroDivisionError: division [of] zero\n")

    def test_an_error_of_the_system_that_is_not_about_storage(
        self, forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        write_recipe(forge.root / "recipes")
        fails_with(monkeypatch, OSError(errno.EMFILE, "Too many open files", "/cache/x"))
        said = forge("build", "demo")
        assert said.code == 1
        assert said.err == snapshot


def test_errors_in_full(forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    write_recipe(forge.root / "recipes")
    error = BuildError("it failed", hint="try again", log=Path("/logs/x.log"), tail=("one", "", "  [/two]"))
    fails_with(monkeypatch, error)
    said = forge("build", "demo")
    assert said.code == 8
    assert said.err == snapshot


NASTY = "x\x1b[31m\n::error file=y::pwned"


def test_errors_cannot_command_a_terminal_or_a_log(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    write_recipe(forge.root / "recipes")
    fails_with(monkeypatch, BuildError(NASTY, hint=NASTY, log=Path("/logs", NASTY), tail=(NASTY, "##[command]z")))
    said = forge("build", "demo")
    assert said.code == 8
    usage = forge("build", "demo", "--abi", NASTY)
    assert usage.code == 2
    for text in (said.err, usage.err):
        assert "pwned" in text
        assert "\x1b" not in text
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]
