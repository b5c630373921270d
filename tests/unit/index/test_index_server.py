"""``forge index serve``: what a client gets, in the form that it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.index.server import upstream as upstream_module
from forge.index.server.app import make_app
from forge.index.server.negotiate import HTML, JSON, chosen_type
from forge.index.server.pages import version_of
from forge.index.server.upstream import Upstream
from forge.source.pip_settings import PipSettings
from tests.unit.index.test_index_make import made, wheel
from tests.unit.source.conftest import Answer, Server, server
from tests.unit.source.test_source_index import html as html_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

__all__ = ["made", "server"]

OLD = "text/html"
WHEEL = "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"


class Client:
    """Asks the application, in one event loop."""

    def __init__(self, app: Starlette, runner: asyncio.Runner) -> None:
        self.runner = runner
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://index.example.org")

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.http.get(url, **options))

    def head(self, url: str) -> httpx.Response:
        return self.runner.run(self.http.head(url))


@contextlib.contextmanager
def running(app: Starlette) -> Iterator[Client]:
    with asyncio.Runner() as runner:
        yield Client(app, runner)


@pytest.fixture
def client(made: Forge) -> Iterator[Client]:
    with running(make_app(made.root / "site")) as found:
        yield found


class TestNegotiation:
    @pytest.mark.parametrize(
        ("accept", "asked", "expected"),
        [
            (None, None, OLD), ("", None, OLD), ("*/*", None, OLD), ("text/*", None, OLD), (PIP, None, JSON),
            ("application/vnd.pypi.simple.latest+json", None, JSON),
            ("application/vnd.pypi.simple.latest+html", None, HTML),
            ("text/html, application/vnd.pypi.simple.v1+json", None, OLD),
            ("text/html;q=0.5, application/vnd.pypi.simple.v1+json;q=0.6", None, JSON),
            ("application/vnd.pypi.simple.v1+json;q=0, */*;q=0.1", None, OLD),
            ("TEXT/HTML ; Q=1", None, OLD), ("application/*", None, HTML), ("application/json", None, None),
            ("text/html;q=0", None, None), ("image/png", None, None),
            ("application/vnd.pypi.simple.v2+json", None, None),
            (PIP, "text/html", OLD), ("text/html", JSON, JSON), (None, "application/vnd.pypi.simple.latest+json", JSON),
            (None, "application/vnd.pypi.simple.v9+json", None), ("text/html;q=nan, */*;q=x", None, None),
        ],
    )  # fmt: skip
    def test_type(self, accept: str | None, asked: str | None, expected: str | None) -> None:
        assert chosen_type(accept, asked) == expected

    @given(st.text())
    def test_any_header_has_an_answer(self, accept: str) -> None:
        assert chosen_type(accept, None) in (OLD, HTML, JSON, None)

    def test_forms_of_a_page(self, client: Client) -> None:
        for url in ("/simple/", "/simple/demo/"):
            kinds = {accept: client.get(url, headers={"Accept": accept}) for accept in (OLD, HTML, JSON)}
            assert {accept: said.headers["content-type"].partition(";")[0] for accept, said in kinds.items()} == {
                each: each for each in kinds
            }
            assert kinds[OLD].content == kinds[HTML].content != kinds[JSON].content
            assert all(said.headers["vary"].lower().startswith("accept") for said in kinds.values())
        refused = client.get("/simple/demo/", headers={"Accept": "image/png"})
        assert refused.status_code == 406
        assert client.get("/simple/demo/", params={"format": JSON}).json()["name"] == "demo"


def test_the_pages_are_those_of_the_directory(client: Client, made: Forge) -> None:
    for path in ("simple/index.json", "simple/demo/index.json"):
        served = client.get(f"/{path.removesuffix('index.json')}", headers={"Accept": JSON})
        assert served.json() == json.loads((made.root / "site" / path).read_text())
    for path in ("", "packages/demo/", "simple/demo/index.html", "simple/demo/index.json"):
        file = made.root / "site" / path
        assert client.get(f"/{path}").content == (file if file.is_file() else file / "index.html").read_bytes()


@pytest.mark.parametrize(
    ("path", "where"),
    [("/simple", "simple/"), ("/simple/demo", "demo/"), ("/simple/Demo/", "../demo/"), ("/simple/De_mo/?format=x",
     "../de-mo/?format=x"), ("/packages/demo", "demo/")],
)  # fmt: skip
def test_redirects(client: Client, path: str, where: str) -> None:
    said = client.get(path)
    assert (said.status_code, said.headers["location"]) == (301, where)


@pytest.mark.parametrize(
    "path",
    ["/simple/unknown/", "/nothing", "/files/demo/unknown.whl", f"/files/other/{WHEEL}", "/packages/unknown/",
     "/files/demo/../../forge-index.json", "/files/demo/%2e%2e%2f%2e%2e%2fforge-index.json", "/forge-index.json",
     "/simple/demo/index.txt", "/simple/..%2f..%2fx/"],
)  # fmt: skip
def test_what_is_not_there(client: Client, path: str) -> None:
    said = client.get(path)
    assert said.status_code in (301, 404) if "simple/.." in path else said.status_code == 404, "never 401 or 500"


class TestFiles:
    def test_whole_head_range_and_again(self, client: Client, made: Forge) -> None:
        url, content = f"/files/demo/{WHEEL}", (made.root / "wheels" / WHEEL).read_bytes()
        said = client.get(url)
        assert said.content == content
        assert "immutable" in said.headers["cache-control"]
        assert client.head(url).headers["content-length"] == str(len(content))
        part = client.get(url, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])
        tag = said.headers["etag"]
        again = client.get(url, headers={"If-None-Match": f'"x", W/{tag}'})
        assert (again.status_code, again.content) == (304, b"")
        assert b"Name: demo" in client.get(f"{url}.metadata").content

    def test_pages_are_compressed_and_not_sent_again(self, client: Client) -> None:
        said = client.get("/simple/demo/", headers={"Accept-Encoding": "gzip"})
        assert said.headers["content-encoding"] == "gzip"
        again = client.get("/simple/demo/", headers={"If-None-Match": said.headers["etag"]})
        assert again.status_code == 304
        other = client.get("/simple/demo/", headers={"If-None-Match": said.headers["etag"], "Accept": JSON})
        assert other.status_code == 200


def test_what_changes_meanwhile(client: Client, made: Forge) -> None:
    wheel(made.root, "more")
    assert client.get("/simple/more/").status_code == 404
    assert made("index", "make", "site", "wheels").code == 0
    assert client.get("/simple/more/").status_code == 200
    assert client.get("/health").json() == {"status": "ok", "files": 5}
    (made.root / "site" / "forge-index.json").unlink()
    assert client.get("/health").status_code == 503


class TestTokens:
    def test_who_may(self, made: Forge) -> None:
        with running(make_app(made.root / "site", tokens=("ada:secret", "b:ö"))) as client:
            assert client.get("/health").status_code == 200
            for auth, code in ((None, 401), (("ada", "wrong"), 401), (("ada", "secret"), 200), (("b", "ö"), 200)):
                assert client.get("/simple/demo/", auth=auth).status_code == code
                assert client.get("/simple/unknown/", auth=auth).status_code == (401 if code == 401 else 404)
            assert "basic" in client.get("/").headers["www-authenticate"].lower()
            for bad in ("Bearer x", "Basic", "Basic ***", "Basic YWRh"):
                assert client.get("/", headers={"Authorization": bad}).status_code == 401


class TestUpstream:
    FILES = {WHEEL: b"theirs", "demo-1.0.tar.gz": b"sdist", "demo-2.0-py3-none-any.whl": b"newer"}  # noqa: RUF012

    @pytest.fixture
    def both(self, made: Forge, server: Server) -> Iterator[Client]:
        server.put("/up/demo/", html_page(self.FILES))
        server.put("/up/pure/", html_page({"pure-3.0-py3-none-any.whl": b"pure"}))
        behind = Upstream(f"{server.url}/up/", PipSettings(retries=0))
        with running(make_app(made.root / "site", upstream=behind)) as client:
            yield client

    def test_own_files_come_first(self, both: Client, server: Server, snapshot: SnapshotAssertion) -> None:
        page = both.get("/simple/demo/", headers={"Accept": JSON}).json()
        files = {file["filename"]: file["url"] for file in page["files"]}
        assert list(files)[:3] == sorted(list(files)[:3])
        assert files[WHEEL] == f"../../files/demo/{WHEEL}", "ours, not theirs of the same name"
        assert files["demo-1.0.tar.gz"] == f"{server.url}/files/demo-1.0.tar.gz"
        assert page["versions"] == ["1.0", "2.0"]
        assert page["meta"]["tracks"] == [f"{server.url}/up/demo/"]
        text = both.get("/simple/demo/").text
        assert text.replace(server.url, "URL") == snapshot

    def test_other_projects_are_theirs(self, both: Client) -> None:
        page = both.get("/simple/pure/", headers={"Accept": JSON}).json()
        assert [file["filename"] for file in page["files"]] == ["pure-3.0-py3-none-any.whl"]
        assert "tracks" not in page["meta"]
        assert both.get("/simple/neither/").status_code == 404

    def test_it_is_asked_once_for_a_while(self, both: Client, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        for _ in range(3):
            assert both.get("/simple/pure/").status_code == 200
        assert server.asked.count("/up/pure/") == 1
        monkeypatch.setattr(upstream_module, "FRESH", -1)
        server.put("/up/pure/", Answer(status=500))
        assert both.get("/simple/pure/").status_code == 200, "what was known counts while upstream is down"
        assert server.asked.count("/up/pure/") == 2

    def test_it_is_down(self, both: Client, server: Server) -> None:
        server.put("/up/demo/", Answer(status=500))
        server.put("/up/pure/", Answer(status=500))
        page = both.get("/simple/demo/", headers={"Accept": JSON}).json()
        assert len(page["files"]) == 3, "own files do not depend on it"
        assert both.get("/simple/pure/").status_code == 502

    def test_a_page_that_is_no_page(self, both: Client, server: Server) -> None:
        server.put("/up/pure/", Answer(b"[1]", headers={"Content-Type": JSON}))
        assert both.get("/simple/pure/").status_code == 502


@pytest.mark.parametrize(
    ("name", "version"),
    [("demo-1.0.tar.gz", "1.0"), (WHEEL, "1.0"), ("a-b-2.1.zip", "2.1"), ("demo-1.0.exe", ""), ("x", "")],
)
def test_versions(name: str, version: str) -> None:
    assert version_of(name) == version


class TestCommand:
    @pytest.mark.parametrize(
        "arguments",
        [("nowhere",), (".",), ("site", "--upstream", "ftp://x"), ("site", "--tokens", "tokens"),
         ("site", "--host", "192.0.2.1")],
        ids=" ".join,
    )  # fmt: skip
    def test_what_cannot_be(self, made: Forge, arguments: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
        (made.root / "tokens").write_text("ada:secret\nbob\n")
        said = made("index", "serve", *arguments)
        assert (said.code, said.err) == snapshot
        assert "secret" not in said.err
