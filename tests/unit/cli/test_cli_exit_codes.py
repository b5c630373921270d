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
from forge.base.errors import BuildError, StorageError, TrialError
from forge.base.hashing import file_sha256
from forge.base.target import Arch
from forge.cli import build as build_command
from forge.cli import test as trial_command
from forge.cli.main import cli
from forge.crossbuild import recipe_build
from forge.plan.run import Result
from forge.toolchain import llvm
from forge.trial.options import TrialOptions
from tests.unit.crossbuild.fakes import PURE, RECIPE, VARIANT, WHEEL, make_context, write_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

    from forge.plan.request import Request
    from tests.unit.cli.runner import Forge

ONE = ("--abi", "iphoneos")


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(build_command, "plan_context", failing)
    monkeypatch.setattr(trial_command, "ensure_context", failing)


def cached(forge: Forge) -> list[str]:
    """The files of the cache that are no logs, locks and work directories: what a later run could take for whole."""
    home = forge.root / "home"
    kept = [path for path in home.rglob("*") if path.is_file()]
    return [str(p.relative_to(home)) for p in kept if p.relative_to(home).parts[0] not in {"logs", "locks", "builds"}]


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


@pytest.mark.usefixtures("no_toolchain")
class TestBuild:
    def test_well(self, forge: Forge) -> None:
        write_recipe(forge.root / "recipes")
        first = forge("build", "demo", *ONE)
        assert (first.code, first.out) == (0, f"dist/{WHEEL}\n")
        assert (forge.root / "dist" / WHEEL).is_file()
        again = forge("build", "demo", "Demo", *ONE, "--out", "elsewhere")
        assert (again.code, again.out) == (0, f"elsewhere/{WHEEL}  (cached)\n")
        assert (forge.root / "elsewhere" / WHEEL).read_bytes() == (forge.root / "dist" / WHEEL).read_bytes()

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
    def test_another_user_takes_wheels_from_a_cache_that_is_read_only(
        self, forge: Forge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context = make_context(forge.root)
        monkeypatch.setattr(build_command, "plan_context", lambda *_: context)
        write_recipe(forge.root / "recipes")
        assert forge("build", "demo", *ONE).code == 0
        before = sorted((forge.root / "home").rglob("*"))
        for directory in (forge.root, *forge.root.parents[:3]):
            directory.chmod(directory.stat().st_mode | 0o055)
        out = forge.root / "out"
        out.mkdir()
        out.chmod(0o777)
        child = os.fork()
        if child == 0:
            try:
                os.setuid(12345)
                said = forge("build", "demo", *ONE, "--out", "out")
                (out / "said").write_text(f"{said.code} {said.out}{said.err if said.code else ''}")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert (out / "said").read_text() == f"0 out/{WHEEL}  (cached)\n"
        assert sorted((forge.root / "home").rglob("*")) == before

    def test_a_pure_wheel_is_built_once_for_all_targets(self, forge: Forge) -> None:
        write_recipe(forge.root / "recipes", text=PURE, files={}, tag="py3-none-any")
        said = forge("build", "demo")
        assert (said.code, said.out) == (0, "dist/demo-1.0-py3-none-any.whl\n")
        assert said.err.count("demo 1.0: build\n") == 1
        assert len(list((forge.root / "home" / "wheels").glob("*/*/build.json"))) == 1

    def test_a_variant(self, forge: Forge) -> None:
        write_recipe(
            forge.root / "recipes", "print('WAY', os.environ.get('WAY'))", text=VARIANT.replace(">=16.4", ">=12")
        )
        for variant in ((), ("--variant", "fast")):
            said = forge("build", "demo", *ONE, *variant)
            assert (said.code, said.out) == (0, f"dist/{WHEEL}\n"), "neither is taken for the other"
        logs = [path.read_text() for path in (forge.root / "home" / "wheels").glob("*/*/build.log")]
        assert sorted("WAY fast" in log for log in logs) == [False, True]
        assert forge("build", "demo", *ONE, "--variant", "fast").out == f"dist/{WHEEL}  (cached)\n"

    @pytest.mark.parametrize("command", [("build", "demo", "--test"), ("test", "demo")])
    def test_variants_are_tried(self, forge: Forge, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
        def build_nothing(requests: Sequence[Request], *_: object, results: list[Result], **__: object) -> None:
            for request in requests:
                wheel = Path(f"demo-1.0-cp313-cp313-{request.target.platform_tag}.whl")
                results.append(Result(f"demo 1.0 {request.target}", wheel, "key", built=True))

        def prepare_recipe(*arguments: object, **__: object) -> None:
            *_, options, _ = arguments
            assert isinstance(options, TrialOptions)
            raise TrialError(f"asked for {options.variants}")

        for module in (build_command, trial_command):
            monkeypatch.setattr(module, "prepare_recipe", prepare_recipe)
            monkeypatch.setattr(module, "host_arch", lambda: Arch.ARM64)
        monkeypatch.setattr(build_command, "build_requests", build_nothing)
        write_recipe(forge.root / "recipes", text=VARIANT)
        said = forge(*command, "--arch", "arm64", "--variant", "fast", "--ios-version", "16.4")
        assert said.code == TrialError.exit_code
        assert "asked for ('fast',)" in said.err

    def test_a_build_that_fails(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        body = "[print('line', n) for n in range(40)]; raise SystemExit('ld: [bold]symbol[/bold] not found')"
        write_recipe(forge.root / "recipes", body)
        said = forge("build", "demo", *ONE)
        assert (said.code, said.out) == (8, "")
        assert forge.plain(said.err) == snapshot
        (log,) = (forge.root / "home" / "logs").glob("demo-1.0-arm64-iphoneos-*.log")
        assert f"log: {log}\n" in said.err
        assert "line 0\n" in log.read_text(), "the screen has the last lines, the log all of them"
        assert cached(forge) == []
        assert not (forge.root / "dist").exists()

    def test_keep_going(self, forge: Forge) -> None:
        """What does not need what failed is built; the exit code is the first failure's."""
        recipes = forge.root / "recipes"
        for name, body in (
            ("bad", "raise SystemExit('words')"),
            ("user", "pass"),
            ("worse", "raise SystemExit(2)"),
            ("demo", "pass"),
        ):
            text = RECIPE.replace("demo", name).replace(f"[{name}._x]", "[demo._x]")
            if name == "user":
                text += "requirements: {host: [bad]}\n"
            write_recipe(recipes, body, text=text).rename(recipes / name)
        said = forge("build", "bad", "user", "worse", "demo", *ONE, "--keep-going")
        assert (said.code, said.out) == (8, f"dist/{WHEEL}\n")
        assert "failed or skipped: 3\n  bad 1.0 arm64-iphoneos: failed\n" in said.err
        assert "  user 1.0 arm64-iphoneos: skipped: bad 1.0 arm64-iphoneos failed\n" in said.err
        assert "  worse 1.0 arm64-iphoneos: failed\n" in said.err
        assert said.err.count("error[build]: ") == 2, "both errors are shown in full"
        assert forge("build", "bad", "demo", *ONE, "--jobs", "1").out == "", "otherwise the first failure ends it"

    def test_keep_going_without_a_failure(self, forge: Forge) -> None:
        write_recipe(forge.root / "recipes")
        said = forge("build", "demo", *ONE, "--keep-going")
        assert (said.code, said.out) == (0, f"dist/{WHEEL}\n")
        assert "failed" not in said.err

    def test_a_build_on_a_full_disk(self, forge: Forge) -> None:
        body = "raise SystemExit('fatal error: error in backend: IO failure on output stream: No space left on device')"
        write_recipe(forge.root / "recipes", body)
        said = forge("build", "demo", *ONE)
        assert said.code == StorageError.exit_code
        assert "hint: free some space" in said.err
        assert "IO failure on output stream" in said.err

    def test_a_wheel_that_is_not_as_promised(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        write_recipe(forge.root / "recipes", files={}, tag="py3-none-any")
        said = forge("build", "demo", *ONE)
        assert (said.code, said.out) == (9, "")
        assert forge.plain(said.err) == snapshot
        assert cached(forge) == []
        assert not (forge.root / "dist").exists()

    def test_a_log_on_a_full_disk(
        self, forge: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        """The kernel's own ``ENOSPC``, from a file that is always full."""
        write_recipe(forge.root / "recipes")
        log = forge.root / "demo-1.0-arm64-iphoneos-0123456789ab.1.log"
        log.symlink_to("/dev/full")
        monkeypatch.setattr(recipe_build, "new_log", lambda *_: log)
        said = forge("build", "demo", *ONE)
        assert (said.code, said.out) == (10, "")
        assert forge.plain(said.err) == snapshot
        assert cached(forge) == []

    def test_what_was_finished_before_a_failure_is_kept(self, forge: Forge) -> None:
        write_recipe(forge.root / "recipes")
        assert forge("build", "demo", *ONE).code == 0
        (forge.root / "recipes" / "demo" / "source" / "backend.py").write_text("raise SystemExit(1)")
        assert forge("build", "demo", *ONE).code == 8
        assert (forge.root / "dist" / WHEEL).is_file()


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
