"""Downloads: mirrors, hashes, retries, the cache."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import NetworkError, SourceError, StorageError
from forge.source.download import download
from forge.source.http import Patience
from forge.source.model import Attempt

from .conftest import QUICK, Answer, Recorder, Server, plain, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.base.paths import ForgeHome

BODY = b"the archive" * 1000
SHA = sha256(BODY)


@pytest.fixture
def get(home: ForgeHome, progress: Recorder) -> Getter:
    return Getter(home, progress)


class Getter:
    def __init__(self, home: ForgeHome, progress: Recorder) -> None:
        self.home, self.progress = home, progress

    def __call__(self, *urls: str, patience: Patience = QUICK, skipped: tuple[Attempt, ...] = ()) -> Path:
        return download(
            urls,
            sha256=SHA,
            filename="x.tar.gz",
            home=self.home,
            progress=self.progress,
            patience=patience,
            skipped=skipped,
        )

    def kept(self) -> list[str]:
        return sorted(p.name for p in self.home.sources.rglob("*") if p.is_file())


def test_it_is_kept_by_hash_and_asked_for_once(server: Server, get: Getter) -> None:
    url = server.put("/x", BODY)
    file = get(url)
    assert file == get.home.sources / SHA[:2] / SHA / "x.tar.gz"
    assert file.read_bytes() == BODY
    assert get(url) == file
    assert server.asked == ["/x"]
    assert get.kept() == ["x.tar.gz"]


def test_a_damaged_cache_entry_is_replaced(server: Server, get: Getter) -> None:
    url = server.put("/x", BODY)
    file = get(url)
    file.write_bytes(b"damaged")
    assert get(url).read_bytes() == BODY
    assert get.progress.notes == ["x.tar.gz: the cached file is damaged; it is downloaded again"]


def test_the_next_mirror_is_tried(server: Server, get: Getter) -> None:
    urls = [
        server.put("/gone", Answer(status=404)),
        server.put("/wrong", b"something else"),
        "nonsense://x",
        "http://[bad",
        server.put("/right", BODY),
    ]
    assert get(*urls).read_bytes() == BODY
    assert server.asked == ["/gone", "/wrong", "/right"]


def test_what_may_pass_is_tried_again(server: Server, get: Getter) -> None:
    busy = Answer(status=503, headers={"Retry-After": "0"})
    assert get(server.put("/x", busy, Answer(BODY, cut=5), BODY)).read_bytes() == BODY
    assert server.asked == ["/x"] * 3


def test_what_does_not_pass_is_tried_so_often_and_no_more(server: Server, get: Getter) -> None:
    with pytest.raises(NetworkError):
        get(server.put("/x", Answer(status=500)), server.put("/y", Answer(status=403)))
    assert server.asked == ["/x"] * 3 + ["/y"]


def test_redirects_are_followed(server: Server, get: Getter) -> None:
    server.put("/there", BODY)
    assert get(server.put("/here", Answer(status=302, headers={"Location": "/there"}))).read_bytes() == BODY


def test_a_label_of_compression_is_not_acted_on(server: Server, get: Getter) -> None:
    assert get(server.put("/x", Answer(BODY, headers={"Content-Encoding": "gzip"}))).read_bytes() == BODY


def test_file_urls(get: Getter, tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(BODY)
    assert get((tmp_path / "a b").as_uri()).read_bytes() == BODY


def test_wrong_hash(server: Server, get: Getter, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(SourceError) as caught:
        get(server.put("/wrong", b"something else"), server.put("/gone", Answer(status=404)))
    assert plain(caught.value.message, tmp_path) == snapshot
    assert caught.value.hint == snapshot
    assert get.kept() == []


def test_nothing_reachable(server: Server, get: Getter, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    skipped = Attempt("debian:pool/main/x/x.orig.tar.gz", "there is no apt here")
    address = server.url.removeprefix("http://")
    with pytest.raises(NetworkError) as caught:
        get(
            server.put("/gone", Answer(status=404)).replace(address, f"user:secret@{address}"),
            server.put("/large", BODY),
            server.put("/loop", Answer(status=302, headers={"Location": "/loop"})),
            (tmp_path / "missing").as_uri(),
            "file://other.example.org/x",
            patience=Patience(2, 2, 1, 0, max_bytes=1000),
            skipped=(skipped,),
        )
    assert "secret" not in caught.value.message
    assert plain(caught.value.message, tmp_path) == snapshot
    assert caught.value.hint == snapshot
    assert get.kept() == []


def test_no_mirror(get: Getter) -> None:
    with pytest.raises(NetworkError, match="there is no mirror to try"):
        get()


def test_no_answer_in_time(server: Server, get: Getter) -> None:
    slow = Answer(BODY, headers={"Content-Length": str(len(BODY) + 1)})
    with pytest.raises(NetworkError):
        get(server.put("/x", slow), patience=Patience(connect=1, read=0.2, attempts=1))


def test_two_at_once_download_once(server: Server, get: Getter) -> None:
    url = server.put("/x", BODY)
    threads = [threading.Thread(target=get, args=(url,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == ["/x"]


@pytest.mark.parametrize("filename", ["", ".hidden", "a/b", "..", "a\nb", "x" * 300])
def test_a_bad_filename(home: ForgeHome, progress: Recorder, filename: str) -> None:
    with pytest.raises(SourceError, match="cannot be the name"):
        download([], sha256=SHA, filename=filename, home=home, progress=progress)


@pytest.mark.parametrize("digest", ["", "../..", "x" * 64, "ab" * 31])
def test_a_bad_hash(home: ForgeHome, progress: Recorder, digest: str) -> None:
    with pytest.raises(SourceError, match="not a sha256"):
        download([], sha256=digest, filename="x", home=home, progress=progress)


def test_a_cache_that_cannot_be_written(server: Server, get: Getter) -> None:
    get.home.root.mkdir()
    get.home.locks.write_text("a file where a directory is due")
    with pytest.raises((SourceError, StorageError)):
        get(server.put("/x", BODY))


def test_certificates_that_are_not_there(get: Getter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(NetworkError, match=r"SSL_CERT_FILE names .*none\.pem, which does not exist"):
        get("https://example.org")
    (tmp_path / "none.pem").write_text("no certificate")
    with pytest.raises(NetworkError, match="cannot read the certificate authorities"):
        get("https://example.org")
