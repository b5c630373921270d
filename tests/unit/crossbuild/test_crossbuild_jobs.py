"""make under a job server: as many processes as there are tokens, whatever the makefiles' users ask for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import ninja
import pytest

from forge.base.jobserver import JobServer
from forge.crossbuild.context import Support
from forge.crossbuild.jobs import support_jobs
from forge.toolchain.build_tools import find_tool

needs_make = pytest.mark.skipif(find_tool("make") is None, reason="there is no make")

MAKEFILE = """\
all: $(foreach n,1 2 3 4 5 6,step-$(n)) sub
step-%:
\t@echo + >>$(LOG); sleep 0.1; echo - >>$(LOG)
sub:
\t@$(MAKE) --no-print-directory step-7 step-8 step-9
.PHONY: all sub
"""


def most_at_once(log: Path) -> int:
    running, most = 0, 0
    for sign in log.read_text().split():
        running += 1 if sign == "+" else -1
        most = max(most, running)
    assert running == 0
    return most


def start(tree: Path, support: Support, log: Path, *arguments: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([*map(str, support.path), os.environ["PATH"]])
    env = {"PATH": path, "LOG": str(log), **support.env}
    return subprocess.Popen(
        ["make", *arguments], cwd=tree, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


@needs_make
@pytest.mark.parametrize("arguments", [(), ("-j8",), ("-j", "8"), ("--jobs=8",), ("-j",), ("-j8", "all")])
def test_two_makes_share_the_tokens(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    log = tmp_path / "log"
    with JobServer(3) as server:
        support = support_jobs(server, tmp_path / "jobs")

        def build() -> tuple[str, int]:
            process = start(tmp_path, support, log, *arguments)
            return process.communicate()[0], process.returncode

        with server.slot():
            first = start(tmp_path, support, log, *arguments)
            with server.slot():
                output, code = build()
            assert (output, code) == ("", 0)
            assert (first.communicate()[0], first.returncode) == ("", 0)
    assert log.read_text().split().count("+") == 2 * 9
    assert most_at_once(log) == 3


@needs_make
def test_what_make_is_asked_for_is_what_it_does(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("%:\n\t@echo '$@ $(NAME)'\n")
    with JobServer(2) as server:
        support = support_jobs(server, tmp_path / "jobs")
        for arguments, wanted in (
            (("-j4", "a b", "NAME=x  y"), "a b x  y\n"),
            (("4", "-j"), "4 \n"),
            (("-s", "-j", "a"), "a \n"),
        ):
            process = start(tmp_path, support, tmp_path / "log", *arguments)
            assert process.communicate()[0] == wanted


def test_a_build_by_itself_is_as_before(tmp_path: Path) -> None:
    assert support_jobs(None, tmp_path / "jobs") == Support()
    assert not (tmp_path / "jobs").exists()


def test_ninja_takes_part(tmp_path: Path) -> None:
    log = tmp_path / "log"
    steps = "".join(f"build step-{n}: step\n" for n in range(8))
    (tmp_path / "build.ninja").write_text(f"rule step\n  command = echo + >>{log}; sleep 0.1; echo - >>{log}\n{steps}")
    with JobServer(2) as server, server.slot():
        env = {"PATH": os.environ["PATH"], **support_jobs(server, tmp_path / "jobs").env}
        subprocess.run([Path(ninja.BIN_DIR, "ninja")], cwd=tmp_path, env=env, check=True, capture_output=True)
    assert most_at_once(log) == 2
