"""``forge publish`` to an index in S3."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING

from forge.plan.shared.filesystem import BucketPlace
from forge.plan.shared.places import open_place
from forge.source.pip_settings import PipSettings
from tests.unit.cli.conftest import forge, signals
from tests.unit.index.interruption import interrupted
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    import pytest

    from tests.unit.cli.runner import Forge

__all__ = ["forge", "signals"]

NAME = "demo-1.0-py3-none-any.whl"


def read(bucket: str, path: str) -> bytes:
    out = io.BytesIO()
    open_place(bucket, "").get(path, out, 1 << 20)
    return out.getvalue()


def offered(bucket: str) -> dict[str, bytes]:
    """What readers of the bucket find, with its bytes."""
    found: dict[str, bytes] = {}
    for project in json.loads(read(bucket, "simple/index.json"))["projects"]:
        for file in json.loads(read(bucket, f"simple/{project['name']}/index.json"))["files"]:
            content = read(bucket, file["url"].removeprefix("../../"))
            assert hashlib.sha256(content).hexdigest() == file["hashes"]["sha256"]
            found[file["filename"]] = content
    return found


def test_a_bucket(forge: Forge, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first file to other bytes; after every interruption readers find all whole, and the next run resumes."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(PipSettings, "from_pip", lambda: PipSettings(index_url=None))
    wheels = forge.root / "wheels"
    first = make_wheel(wheels, {"demo/__init__.py": b""}, name="demo", tag="py3-none-any").read_bytes()
    said = forge("publish", "wheels", "--to", bucket)
    assert (said.code, said.out) == (0, f"published: {NAME}\n"), said.err
    assert f"read back from {bucket}" in said.err
    assert offered(bucket) == {NAME: first}

    more = make_wheel(wheels, {"more/__init__.py": b""}, name="more", tag="py3-none-any").read_bytes()
    for number in range(1, 9):
        with interrupted(monkeypatch, number, kind=BucketPlace):
            assert forge("publish", "wheels", "--to", bucket).code == 130
        assert offered(bucket).items() <= {NAME: first, "more-1.0-py3-none-any.whl": more}.items()
    assert forge("publish", "wheels", "--to", bucket).code == 0
    whole = {NAME: first, "more-1.0-py3-none-any.whl": more}
    assert offered(bucket) == whole

    make_wheel(wheels, {"demo/__init__.py": b"x = 1\n"}, name="demo", tag="py3-none-any")
    assert forge("publish", "wheels", "--to", bucket).code == 19
    assert offered(bucket) == whole
