"""Package indexes: HTML, JSON, directories, several at once; and where pip says they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from forge.base.errors import NetworkError, SourceError
from forge.source.fetch import fetch
from forge.source.http import Patience
from forge.source.index import find_sdists, project_hashes
from forge.source.model import SdistSource
from forge.source.pip_settings import PipSettings

from .conftest import QUICK, Answer, Recorder, Server, plain, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.base.paths import ForgeHome

SDIST = b"sdist"
WHEEL = b"wheel"
FILES = {
    "demo_pkg-1.0.tar.gz": SDIST,
    "demo_pkg-1.0-py3-none-any.whl": WHEEL,
    "demo_pkg-0.9-py3-none-any.whl": b"old",
}
JSON = "application/vnd.pypi.simple.v1+json"


def html(files: dict[str, bytes], *, hashes: bool = True) -> Answer:
    links = [
        f'<a href="../../files/{name}{"#sha256=" + sha256(body) if hashes else ""}">{name}</a>'
        for name, body in files.items()
    ]
    page = f"<!DOCTYPE html><html><body>{' '.join(links)} <a href='x'>no file</a></body></html>"
    return Answer(page.encode(), headers={"Content-Type": "text/html"})


def pep691(files: dict[str, bytes]) -> Answer:
    listed = [
        {"filename": name, "url": f"/files/{name}", "hashes": {"sha256": sha256(body)}} for name, body in files.items()
    ]
    page = {"meta": {"api-version": "1.0"}, "name": "demo-pkg", "files": listed}
    return Answer(json.dumps(page).encode(), headers={"Content-Type": JSON})


@pytest.fixture(params=["html", "json"])
def index(request: pytest.FixtureRequest, server: Server) -> PipSettings:
    server.put("/simple/demo-pkg/", html(FILES) if request.param == "html" else pep691(FILES))
    for name, body in FILES.items():
        server.put(f"/files/{name}", body)
    return PipSettings(f"{server.url}/simple/")


def test_an_sdist_is_found_and_fetched(index: PipSettings, server: Server, home: ForgeHome, progress: Recorder) -> None:
    source = SdistSource("Demo.Pkg", "1.0.0", sha256(SDIST))
    file = fetch(source, home, progress, index=index, patience=QUICK)
    assert (file.name, file.read_bytes()) == ("demo_pkg-1.0.tar.gz", SDIST)
    asked = len(server.asked)
    assert fetch(source, home, progress, index=PipSettings("http://example.invalid/")) == file
    assert len(server.asked) == asked


def test_hashes_of_a_version(index: PipSettings) -> None:
    assert project_hashes("demo_pkg", "1.0", index, QUICK) == {
        "demo_pkg-1.0.tar.gz": sha256(SDIST),
        "demo_pkg-1.0-py3-none-any.whl": sha256(WHEEL),
    }


@pytest.mark.parametrize(
    ("name", "version", "filename", "digest"),
    [
        ("demo-pkg", "1.0", None, sha256(b"other")),
        ("demo-pkg", "1.0", "demo_pkg-1.0.zip", sha256(SDIST)),
        ("demo-pkg", "0.9", None, sha256(SDIST)),
        ("demo-pkg", "2.0", None, sha256(SDIST)),
        ("demo-pkg", "two", None, sha256(SDIST)),
        ("demo", "1.0", None, sha256(SDIST)),
    ],
    ids=["wrong hash", "no such file", "no sdist", "no version", "bad version", "no project"],
)
def test_not_there(
    server: Server,
    tmp_path: Path,
    snapshot: SnapshotAssertion,
    *,
    name: str,
    version: str,
    filename: str | None,
    digest: str,
) -> None:
    server.put("/simple/demo-pkg/", pep691(FILES))
    with pytest.raises(SourceError) as caught:
        find_sdists(name, version, sha256=digest, config=PipSettings(f"{server.url}/simple"), filename=filename)
    assert (plain(caught.value.message, tmp_path), caught.value.hint) == snapshot


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=403),
        Answer(status=500),
        Answer(b"{", headers={"Content-Type": JSON}),
        Answer(b'{"files": 1}', headers={"Content-Type": JSON}),
        Answer(b'{"meta": {"api-version": "9.0"}, "name": "x", "files": []}', headers={"Content-Type": JSON}),
        Answer(b"x", headers={"Content-Type": "image/png"}),
    ],
    ids=["forbidden", "broken", "no json", "other json", "future", "other type"],
)
def test_an_index_out_of_order(server: Server, tmp_path: Path, answer: Answer) -> None:
    server.put("/simple/demo/", answer)
    config = PipSettings(server.url.replace("http://", "http://user:secret@") + "/simple/")
    with pytest.raises(NetworkError, match="cannot look for demo") as caught:
        project_hashes("demo", "1", config, QUICK)
    assert "secret" not in caught.value.message
    assert "/simple/" in caught.value.message


def test_a_busy_index_is_asked_again(server: Server) -> None:
    server.put("/simple/demo-pkg/", Answer(status=503), pep691(FILES))
    assert len(project_hashes("demo-pkg", "1.0", PipSettings(f"{server.url}/simple/"), QUICK)) == 2


def test_the_index_that_has_it_counts_though_another_is_down(server: Server) -> None:
    server.put("/b/demo-pkg/", html(FILES))
    config = PipSettings("http://127.0.0.1:9/", extra_index_urls=(f"{server.url}/a/", f"{server.url}/b/"))
    assert len(project_hashes("demo-pkg", "1.0", config, QUICK)) == 2
    with pytest.raises(NetworkError):
        project_hashes("demo-pkg", "3.0", config, QUICK)


def test_indexes_that_differ(server: Server) -> None:
    server.put("/a/demo-pkg/", html(FILES))
    server.put("/b/demo-pkg/", html({"demo_pkg-1.0.tar.gz": b"another"}))
    config = PipSettings(f"{server.url}/a/", (f"{server.url}/b/",))
    with pytest.raises(SourceError, match=r"two indexes have different files demo_pkg-1\.0\.tar\.gz"):
        project_hashes("demo-pkg", "1.0", config, QUICK)
    found = find_sdists("demo-pkg", "1.0", sha256=sha256(b"another"), config=config)
    assert [file.sha256 for file in found] == [sha256(b"another")]


def test_an_index_without_hashes(server: Server, home: ForgeHome, progress: Recorder) -> None:
    server.put("/simple/demo-pkg/", html(FILES, hashes=False))
    server.put("/files/demo_pkg-1.0.tar.gz", SDIST)
    config = PipSettings(f"{server.url}/simple/")
    assert project_hashes("demo-pkg", "1.0", config, QUICK) == {}
    file = fetch(SdistSource("demo-pkg", "1.0", sha256(SDIST)), home, progress, index=config, patience=QUICK)
    assert file.read_bytes() == SDIST
    with pytest.raises(SourceError, match="wrong sha256"):
        fetch(SdistSource("demo-pkg", "1.0", "ab" * 32), home, progress, index=config, patience=QUICK)


def test_the_indexs_credentials_go_to_its_own_files_only(server: Server) -> None:
    server.put("/simple/demo-pkg/", html(FILES))
    config = PipSettings(server.url.replace("http://", "http://user:secret@") + "/simple/")
    (found,) = find_sdists("demo-pkg", "1.0", sha256=sha256(SDIST), config=config)
    assert found.url.startswith("http://user:secret@")
    other = {"filename": "demo_pkg-1.0.tar.gz", "url": "https://example.org/d.tar.gz", "hashes": {}}
    page = {"meta": {"api-version": "1.0"}, "name": "demo-pkg", "files": [other]}
    server.put("/simple/demo-pkg/", Answer(json.dumps(page).encode(), headers={"Content-Type": JSON}))
    (found,) = find_sdists("demo-pkg", "1.0", sha256=sha256(SDIST), config=config)
    assert found.url == "https://example.org/d.tar.gz"


def test_only_the_index_that_pip_chose_a_file_of_counts(server: Server, tmp_path: Path) -> None:
    server.put("/a/demo-pkg/", html(FILES))
    (tmp_path / "demo_pkg-1.0.zip").write_bytes(b"a namesake")
    config = PipSettings(f"{server.url}/a/", find_links=(str(tmp_path),))
    assert "demo_pkg-1.0.zip" in project_hashes("demo-pkg", "1.0", config, QUICK)
    chosen = (f"{server.url}/files/demo_pkg-1.0-py3-none-any.whl", sha256(WHEEL))
    assert set(project_hashes("demo-pkg", "1.0", config, QUICK, chosen=chosen)) == {
        "demo_pkg-1.0.tar.gz",
        "demo_pkg-1.0-py3-none-any.whl",
    }
    local = ((tmp_path / "demo_pkg-1.0.zip").as_uri(), None)
    assert set(project_hashes("demo-pkg", "1.0", config, QUICK, chosen=local)) == {"demo_pkg-1.0.zip"}
    with pytest.raises(SourceError, match=r"no package index offers the file of demo-pkg 1\.0 that pip chose"):
        project_hashes("demo-pkg", "1.0", config, QUICK, chosen=("https://x.example.org/d-1.0.zip", sha256(WHEEL)))


def test_an_index_in_files(tmp_path: Path, home: ForgeHome, progress: Recorder) -> None:
    project = tmp_path / "simple" / "demo-pkg"
    project.mkdir(parents=True)
    (project / "demo_pkg-1.0.tar.gz").write_bytes(SDIST)
    (project / "index.html").write_text('<a href="demo_pkg-1.0.tar.gz">demo_pkg-1.0.tar.gz</a>')
    config = PipSettings((tmp_path / "simple").as_uri())
    file = fetch(SdistSource("demo-pkg", "1.0", sha256(SDIST)), home, progress, index=config)
    assert file.read_bytes() == SDIST
    with pytest.raises(SourceError, match="no package index has the project 'other'"):
        project_hashes("other", "1.0", config)


def test_find_links(server: Server, tmp_path: Path, home: ForgeHome, progress: Recorder) -> None:
    directory = tmp_path / "links"
    directory.mkdir()
    for name, body in {**FILES, "other-1.0.tar.gz": b"", "README": b""}.items():
        (directory / name).write_bytes(body)
    page = html({"demo_pkg-3.0.tar.gz": b"3", "other-3.0.tar.gz": b"3"})
    (tmp_path / "page.html").write_bytes(page.body)
    links = (str(directory), str(tmp_path / "none"), server.put("/links", page))
    for where in (*links[:2], directory.as_uri()):
        config = PipSettings(None, find_links=(str(tmp_path / "none"), where))
        if where != links[1]:
            assert len(project_hashes("demo-pkg", "1.0", config)) == 2
    assert list(project_hashes("demo-pkg", "3.0", PipSettings(None, find_links=links))) == ["demo_pkg-3.0.tar.gz"]
    config = PipSettings(None, ("http://127.0.0.1:9/",), find_links=(str(tmp_path / "page.html"), links[0]))
    assert list(project_hashes("demo-pkg", "3.0", config)) == ["demo_pkg-3.0.tar.gz"]
    file = fetch(SdistSource("demo-pkg", "1.0", sha256(SDIST)), home, progress, index=config)
    assert file.read_bytes() == SDIST


def test_what_pip_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://a.example.org/simple\n"
        "extra-index-url =\n  https://b.example.org/simple\n  https://c.example.org/simple\n"
        "[install]\nfind-links = /srv/wheels rel\ntrusted-host = a.example.org\ncert = ca.pem\n"
        "client-cert = /c.pem\nproxy = http://p:1\ntimeout = 7\nretries = 2\n[download]\nno-index = true\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.chdir(tmp_path)
    assert PipSettings.from_pip() == PipSettings(
        "https://a.example.org/simple",
        ("https://b.example.org/simple", "https://c.example.org/simple"),
        ("file:///srv/wheels", (tmp_path / "rel").as_uri()),
        trusted_hosts=("a.example.org",),
        cert=str(tmp_path / "ca.pem"),
        client_cert="/c.pem",
        proxy="http://p:1",
        timeout=7.0,
        retries=2,
    )
    assert Patience.of(PipSettings.from_pip()) == Patience(read=7.0, attempts=3)
    monkeypatch.setenv("PIP_INDEX_URL", "https://d.example.org/simple")
    assert PipSettings.from_pip().index_urls[0] == "https://d.example.org/simple"


def test_without_pip_its_variables_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert PipSettings.from_pip() == PipSettings()
    assert PipSettings.from_pip().index_urls == (PYPI_SIMPLE_ENDPOINT,)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://a.example.org https://b.example.org")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert PipSettings.from_pip().extra_index_urls == ("https://a.example.org", "https://b.example.org")
    assert PipSettings.from_pip().index_urls == ()
