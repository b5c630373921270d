"""``forge fetch`` brings all that a build takes: from an empty cache, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import forge

pytestmark = pytest.mark.toolchain

NOBODY = "http://127.0.0.1:9"  # the discard port: nobody answers


def run(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "forge", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(forge.__file__).parent.parent), **env},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_wheel_without_a_network(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    said = run("fetch", "markupsafe", "--abi", "iphoneos", "--into", mirror)
    assert said.returncode == 0, said.stderr
    cut_off = {
        "FORGE_HOME": str(tmp_path / "home"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(mirror), "PIP_RETRIES": "0",
        "HTTP_PROXY": NOBODY, "HTTPS_PROXY": NOBODY, "http_proxy": NOBODY, "https_proxy": NOBODY, "ALL_PROXY": NOBODY,
    }  # fmt: skip
    without = run("build", "markupsafe", "--abi", "iphoneos", "--out", tmp_path, FORGE_MIRROR="", **cut_off)
    assert without.returncode == 5, "the network is needed without it"
    built = run("build", "markupsafe", "--abi", "iphoneos", "--out", tmp_path, FORGE_MIRROR=mirror.as_uri(), **cut_off)
    assert built.returncode == 0, built.stderr
    assert "download from this machine" in built.stderr
    assert len(list(tmp_path.glob("*.whl"))) == 1
