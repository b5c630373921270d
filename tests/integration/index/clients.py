"""Real pip and uv, which install with what an index's pages say to paste."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BIN = Path(sys.executable).parent
PIP, UV = "pip 24.3 or later", "uv"
"""Titles of snippets."""

TARGETS = {
    "arm64_iphoneos": "arm64-apple-ios",
    "arm64_iphonesimulator": "arm64-apple-ios-simulator",
    "x86_64_iphonesimulator": "x86_64-apple-ios-simulator",
}
"""Wheels' platform tags without the version of iOS, and what uv calls them."""


def snippet(page: str, title: str) -> str:
    """What a page says to paste.

    Args:
        page: Its HTML.
        title: The snippet's title.
    """
    found = re.search(rf"<summary>{re.escape(title)}</summary>\s*<pre>(.*?)</pre>", page, flags=re.DOTALL)
    assert found
    return html.unescape(found[1])


def for_target(command: str, target: str) -> str:
    """A snippet's command for another target, as the snippet's note says."""
    command = command.replace("ios_13_0_arm64_iphoneos", f"ios_13_0_{target}")
    return command.replace("--python-platform arm64-apple-ios ", f"--python-platform {TARGETS[target]} ")


def run(
    command: str, directory: Path, *more: str, pip: Sequence[str] = (sys.executable, "-m", "pip"),
    env: Mapping[str, str] | None = None,
) -> None:  # fmt: skip
    """Run what a page says, with a pip or with the uv of the tests.

    Args:
        command: The command.
        directory: Where it runs.
        more: Further arguments.
        pip: How pip is called.
        env: Variables beside those of this process.
    """
    words = shlex.split(command.replace("\\\n", " "))
    program = [*pip] if words[0] == "pip" else [shutil.which("uv", path=str(BIN)) or "uv"]
    quiet = ["--no-cache-dir", "--disable-pip-version-check"] if words[0] == "pip" else ["--no-cache"]
    environment = {**os.environ, "UV_SYSTEM_PYTHON": "1", "UV_PYTHON": sys.executable, **(env or {})}
    done = subprocess.run(
        [*program, *words[1:], *more, *quiet], check=False, capture_output=True, text=True, cwd=directory, timeout=300,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
