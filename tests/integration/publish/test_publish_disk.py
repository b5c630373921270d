"""``forge publish`` to a directory where a file cannot be written to its end."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 50_000


def publish(root: Path, limit: int | None) -> subprocess.CompletedProcess[str]:
    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "forge", "publish", "wheels", "--to", "site", "--self-contained"], cwd=root, check=False,
        capture_output=True, text=True, preexec_fn=limited, env={**os.environ, "FORGE_HOME": str(root / "home")},
    )  # fmt: skip


def offered(site: Path) -> dict[str, bytes]:
    """What readers find; all of it is whole."""
    found = {}
    for page in site.glob("simple/*/index.json"):
        for file in json.loads(page.read_text())["files"]:
            content = (page.parent / file["url"]).resolve().read_bytes()
            assert hashlib.sha256(content).hexdigest() == file["hashes"]["sha256"]
            found[file["filename"]] = content
    return found


def test_the_disk_ends_in_the_middle(tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    make_wheel(wheels, {"small/__init__.py": b""}, name="small", tag="py3-none-any")
    assert publish(tmp_path, None).returncode == 0
    before = offered(tmp_path / "site")
    assert list(before) == ["small-1.0-py3-none-any.whl"]
    make_wheel(wheels, {"big/data": os.urandom(2 * LIMIT)}, name="big", tag="py3-none-any")
    make_wheel(wheels, {"alpha/__init__.py": b""}, name="alpha", tag="py3-none-any")
    said = publish(tmp_path, LIMIT)
    assert said.returncode == 16, said.stderr
    assert "cannot write to site: File too large" in said.stderr
    assert "Traceback" not in said.stderr
    assert offered(tmp_path / "site") == before
    assert not [path for path in (tmp_path / "site").rglob("*") if path.name.startswith(".")], "nothing half is left"
    assert publish(tmp_path, None).returncode == 0
    assert len(offered(tmp_path / "site")) == 3
