"""What forge build says, and its exit code, where a build goes well and where it fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import StorageError, TrialError
from forge.base.target import Arch
from forge.cli import build as build_command
from forge.cli import test as trial_command
from forge.crossbuild import recipe_build
from forge.plan.run import Result
from forge.trial.options import TrialOptions
from tests.unit.cli.failures import ONE, cached
from tests.unit.crossbuild.fakes import PURE, RECIPE, VARIANT, WHEEL, make_context, write_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

    from forge.plan.request import Request
    from tests.unit.cli.runner import Forge


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
