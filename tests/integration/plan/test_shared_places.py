"""Shared caches where teams have them: nginx with its dav module, and S3 (moto in place of Amazon's)."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import pytest

from forge.base.hashing import fingerprint
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.plan.cache import find_wheel, new_entry
from forge.plan.shared.cache import Wanted, shared_cache
from forge.plan.shared.config import Settings
from forge.plan.shared.keys import make_key, read_signing
from forge.plan.shared.model import MissingError, Mode, PlaceError
from forge.plan.shared.places import open_place
from tests.integration import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "demo-1.0-py3-none-any.whl"
INPUTS = {"recipe": {"name": "demo"}}
KEY = fingerprint(INPUTS)
WANTED = Wanted("demo 1.0", "demo-any", KEY)
LARGE = os.urandom(1000) * 20_000
"""A wheel that takes several parts and many pieces."""


class Recorder(SilentProgress):
    """A `Progress` that remembers notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, subject: str, text: str) -> None:
        self.notes.append(f"{subject}: {text}")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"NO_PROXY": "*", "PIP_CONFIG_FILE": os.devnull, "NETRC": os.devnull}.items():
        monkeypatch.setenv(name, value)


def round_trip(url: str, tmp_path: Path) -> list[str]:
    """One machine uploads a wheel, another takes it; what was noted."""
    public = make_key("ci-1", tmp_path / "ci.pem")
    signing = read_signing(str(tmp_path / "ci.pem"), "")
    progress = Recorder()
    one, two = ForgeHome(tmp_path / "one"), ForgeHome(tmp_path / "two")
    with new_entry(one, KEY, INPUTS) as entry:
        (entry / NAME).write_bytes(LARGE)
        (entry / "build.log").write_text("log\n")
    made = find_wheel(one, KEY)
    assert made is not None
    with shared_cache(Settings((url,), Mode.WRITE, {"ci-1": public}, signing), one, progress) as cache:
        assert cache is not None
        cache.offer(WANTED, made, 1.0)
    with shared_cache(Settings((url,), Mode.READ, {"ci-1": public}), two, progress) as cache:
        assert cache is not None
        taken = cache.take(WANTED, lambda _: ())
    assert taken is not None, progress.notes
    assert taken.path.read_bytes() == LARGE
    return progress.notes


CONFIGURATION = """\
    server {{
        listen 127.0.0.1:PORT;
        root {root}/files;
        location /forge/ {{
            client_max_body_size 2g;
            dav_methods PUT;
            create_full_put_path on;
        }}
        location /read-only/ {{
            alias {root}/files/forge/;
        }}
    }}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[str]:
    root = tmp_path / "nginx"
    (root / "files").mkdir(parents=True)
    with servers.nginx(root, CONFIGURATION.format(root=root)) as url:
        yield url


def test_nginx(nginx: str, tmp_path: Path) -> None:
    notes = round_trip(f"{nginx}/forge", tmp_path)
    assert notes[-1] == f"shared cache: uploaded 1 wheel to {nginx}/forge"
    place = open_place(f"{nginx}/read-only", "")
    place.get(f"ac/{KEY[:2]}/{KEY}.json", io.BytesIO(), 10**6)
    with pytest.raises(PlaceError, match="HTTP 405"):
        place.put("cas/x", b"", lambda: None)
    with pytest.raises(MissingError):
        place.get("ac/no", io.BytesIO(), 1)
    place.close()


def test_s3(bucket: str, tmp_path: Path) -> None:
    assert round_trip(bucket, tmp_path)[-1] == f"shared cache: uploaded 1 wheel to {bucket}"
    with pytest.raises(MissingError):
        open_place(bucket, "").get("ac/no", io.BytesIO(), 1)


def test_a_bucket_that_is_not_there(bucket: str, tmp_path: Path) -> None:
    with pytest.raises(PlaceError):
        open_place("s3://no-such-bucket/forge", "").put("cas/x", b"x", lambda: None)


def test_a_server_that_is_gone(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    import s3fs  # noqa: PLC0415 - takes a second

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(PlaceError):
        open_place(bucket, "").get("ac/no", io.BytesIO(), 1)
