from __future__ import annotations

import io
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from rich.console import Console

from forge.cli.display import FINAL, JSONProgress, LiveProgress, PlainProgress, progress_display


@pytest.fixture(autouse=True)
def not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


def console(*, terminal: bool, width: int = 60) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None, legacy_windows=False)


def said(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def drawn(progress: LiveProgress) -> list[str]:
    on = console(terminal=True)
    on.print(progress)
    return [line.rstrip() for line in said(on).splitlines()]


class TestPlain:
    def test_a_line_an_event(self) -> None:
        on = console(terminal=False)
        with progress_display(on) as progress:
            progress.phase("numpy arm64-iphoneos", "build")
            progress.note("numpy", "taken from [/bold] the cache")
        times = r"\[ +\d+\.\d s\] "
        pattern = f"{times}numpy arm64-iphoneos: build\n{times}numpy: taken from \\[/bold\\] the cache\n"
        assert re.fullmatch(pattern, said(on))

    def test_long_lines_stay_one(self) -> None:
        on = console(terminal=False, width=30)
        PlainProgress(on).phase("numpy-2.4.6.tar.gz", "download from " + "a-long-name-of-a-server." * 5)
        assert said(on).count("\n") == 1


class TestGrouped:
    """GitHub's CI: what builds that run at once say stands together for each of them."""

    @pytest.fixture(autouse=True)
    def in_ci(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")

    def test_a_group_a_build(self) -> None:
        on = console(terminal=False)
        with progress_display(on) as progress:
            progress.phase("numpy", "build")
            with ThreadPoolExecutor(1) as other:
                for phase in ("build", "done"):
                    other.submit(progress.phase, "lapack", phase)
            progress.phase("numpy-2.4.6.tar.gz", "download")
            progress.note("forge", "a note")
            progress.phase("numpy", "failed")
            progress.phase("scipy", "build")
        lines = [re.sub(r"^\[ +\d+\.\d s\] ", "", line) for line in said(on).splitlines()]
        assert lines == [
            "::group::lapack: done", "lapack: build", "lapack: done", "::endgroup::",
            "forge: a note",
            "::group::numpy: failed", "numpy: build", "numpy-2.4.6.tar.gz: download", "numpy: failed", "::endgroup::",
            "::group::scipy: not finished", "scipy: build", "::endgroup::",
        ]  # fmt: skip

    def test_names_are_no_commands(self) -> None:
        on = console(terminal=False)
        with progress_display(on) as progress:
            progress.phase("x\n::set-env name=PATH::y", "done")
        assert [line[:9] for line in said(on).splitlines()] == ["::group::", "[    0.0 ", "::endgrou"]


class TestJSON:
    def test_a_line_an_event(self, capsys: pytest.CaptureFixture[str]) -> None:
        with progress_display(console(terminal=True), JSONProgress()) as progress:
            progress.phase("numpy", "build")
            progress.note("numpy", "a \x1b[31mred note")
            progress.whole(1, 3, 12.34)
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert all(event.pop("time") >= 0 for event in events)
        assert events == [
            {"event": "phase", "subject": "numpy", "phase": "build"},
            {"event": "note", "subject": "numpy", "text": "a \x1b[31mred note"},
            {"event": "whole", "done": 1, "total": 3, "seconds_left": 12.3},
        ]


class TestLive:
    def test_the_whole(self) -> None:
        progress = LiveProgress()
        progress.phase("numpy", "done")
        progress.whole(3, 8, 200)
        assert re.search(r"━ +3 of 8 +about 3 min left$", drawn(progress)[-1])
        progress.whole(8, 8, 0)
        assert drawn(progress)[-1].endswith("8 of 8")

    def test_what_has_ended_does_not_fill_the_screen(self) -> None:
        progress = LiveProgress()
        for number in range(100):
            progress.phase(f"package {number}", "done")
        progress.phase("numpy", "build")
        assert len(drawn(progress)) == 13
        assert "numpy" in drawn(progress)[-1]

    def test_a_row_a_subject(self) -> None:
        progress = LiveProgress()
        progress.phase("SDK", "assemble")
        progress.phase("numpy arm64-iphoneos", "unpack")
        progress.phase("numpy arm64-iphoneos", "build")
        first, second = drawn(progress)
        assert re.fullmatch(r"✓ +SDK +assemble", first)
        assert re.fullmatch(r"\S +numpy arm64-iphoneos +build +0 s", second)
        assert not second.startswith("✓")

    def test_what_is_done_is_ticked_off(self) -> None:
        for final in FINAL:
            progress = LiveProgress()
            progress.phase("numpy", final)
            (line,) = drawn(progress)
            assert re.fullmatch(rf"✓ +numpy +{final} +0 s", line)

    def test_a_subject_that_goes_on_after_another_is_under_way(self) -> None:
        """A build fetches its source, which is a subject of its own, and goes on."""
        progress = LiveProgress()
        progress.phase("numpy arm64-iphoneos", "check the cache")
        progress.phase("numpy-2.4.6.tar.gz", "download")
        assert [line[0] == "✓" for line in drawn(progress)] == [True, False]
        progress.phase("numpy arm64-iphoneos", "build")
        assert [line[0] == "✓" for line in drawn(progress)] == [False, True]

    def test_the_last_notes_are_below(self) -> None:
        progress = LiveProgress()
        progress.phase("numpy", "build")
        for number in range(7):
            progress.note("numpy", f"note [{number}]")
        assert drawn(progress)[1:] == [f"numpy: note [{number}]" for number in range(2, 7)]

    def test_nothing_yet(self) -> None:
        assert drawn(LiveProgress()) in ([], [""])

    def test_on_a_terminal(self) -> None:
        on = console(terminal=True)
        with progress_display(on) as progress:
            assert isinstance(progress, LiveProgress)
            progress.phase("numpy", "done")
        assert "✓" in said(on)
