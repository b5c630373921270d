"""``forge index``: what installers and people read, and that it is whole at every moment."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mousebender import simple
from pypi_simple import ProjectPage

from forge.index import make as make_module
from forge.index.add import next_build_number
from forge.index.model import HeldFile, IndexState, PackageIndexError
from forge.index.simple import project_pages
from forge.index.state import parse_state, state_text
from forge.plan.shared.filesystem import FilesystemPlace
from tests.unit.index.interruption import interrupted
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

TAGS = {
    "device": "cp313-cp313-ios_12_0_arm64_iphoneos",
    "arm": "cp313-cp313-ios_12_0_arm64_iphonesimulator",
    "x86": "cp313-cp313-ios_12_0_x86_64_iphonesimulator",
}


def wheel(
    root: Path, name: str = "demo", version: str = "1.0", tag: str = "device", *, body: bytes = b"", **said: str
) -> Path:
    headers = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in said.items())
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{headers}"
    return make_wheel(
        root / "wheels", {f"{name}/__init__.py": body}, name=name, version=version, tag=TAGS.get(tag, tag),
        metadata=metadata,
    )  # fmt: skip


def tree(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


@pytest.fixture
def made(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Forge:
    monkeypatch.setattr(make_module, "now", lambda: "2026-11-29T12:00:00Z")
    for tag in TAGS:
        wheel(forge.root, tag=tag, Summary="A demonstration", Requires_Python=">=3.9", Requires_Dist="other<2")
    wheel(forge.root, "other", "1.5", License_Expression="MIT OR Apache-2.0", Summary="<b>& bold</b>")
    assert (
        forge("index", "make", "site", "wheels", "--name", "My wheels", "--url", "https://example.org/simple").code == 0
    )
    return forge


def test_the_pages(made: Forge, snapshot: SnapshotAssertion) -> None:
    site = made.root / "site"
    assert sorted(tree(site)) == snapshot(name="files")
    for path in ("simple/index.html", "simple/index.json", "simple/demo/index.html", "simple/other/index.json"):
        text = re.sub(r"[0-9a-f]{64}", "HASH", (site / path).read_text())
        assert text == snapshot(name=path)


def test_readers_of_others_see_the_same(made: Forge) -> None:
    site = made.root / "site"
    base = "https://example.org/simple/demo/"
    html = (site / "simple/demo/index.html").read_text()
    data = json.loads((site / "simple/demo/index.json").read_text())
    pages = (ProjectPage.from_html("demo", html, base_url=base), ProjectPage.from_json_data(data, base_url=base))
    seen = [
        [(p.filename, p.url.partition("#")[0], p.digests, p.requires_python, p.has_metadata, p.metadata_digests,
          p.is_yanked) for p in page.packages]
        for page in pages
    ]  # fmt: skip
    assert seen[0] == seen[1]
    assert len(seen[0]) == 3
    assert pages[1].versions == ["1.0"]
    assert {p.size for p in pages[1].packages} == {file.stat().st_size for file in (made.root / "wheels").glob("demo*")}
    assert all(p.upload_time is not None for p in pages[1].packages)
    details = simple.parse_project_details(json.dumps(data), "application/vnd.pypi.simple.v1+json", "demo")
    assert [file["filename"] for file in details["files"]] == [row[0] for row in seen[0]]


def test_a_wheel_more(made: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what differs is written; what was there keeps its time."""
    before = tree(made.root / "site")
    monkeypatch.setattr(make_module, "now", lambda: "2026-12-24T12:00:00Z")
    written: list[str] = []
    put = FilesystemPlace.put

    def noted(self: FilesystemPlace, path: str, *rest: object) -> None:
        written.append(path)
        put(self, path, *rest)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(FilesystemPlace, "put", noted)
    assert "0 added, 4 were there already" in made("index", "make", "site", "wheels").err
    assert written == []
    wheel(made.root, version="1.1")
    assert made("index", "make", "site", "wheels").out == "added: demo-1.1-cp313-cp313-ios_12_0_arm64_iphoneos.whl\n"
    name = "files/demo/demo-1.1-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
    assert written == [
        name, f"{name}.metadata", "simple/demo/index.html", "simple/demo/index.json", "packages/demo/index.html",
        "index.html", "forge-index.json",
    ]  # fmt: skip
    after = tree(made.root / "site")
    assert {path for path in before if after[path] != before[path]} == set(written[2:])
    times = {file["filename"]: file["upload-time"] for file in json.loads(after["simple/demo/index.json"])["files"]}
    assert sorted(times.values()) == ["2026-11-29T12:00:00Z"] * 3 + ["2026-12-24T12:00:00Z"]


def test_thousands_of_wheels_are_not_told_one_by_one(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_module, "_LINES", 3)
    for number in range(10):
        wheel(forge.root, version=f"1.{number}")
    told = re.findall(r"add (\d+) of 10", forge("index", "make", "site", "wheels").err)
    assert told == ["3", "6", "9"]


@pytest.mark.parametrize(("tags", "python"), [(("cp313", "cp315"), "3.13"), (("cp315",), "3.15"), (("py3",), "3.13")])
def test_commands_name_a_python_that_has_wheels(forge: Forge, tags: tuple[str, ...], python: str) -> None:
    for tag in tags:
        abi = "none-any" if tag == "py3" else f"{tag}-ios_12_0_arm64_iphoneos"
        wheel(forge.root, tag=f"{tag}-{abi}")
    assert forge("index", "make", "site", "wheels").code == 0
    for page in ("index.html", "packages/demo/index.html"):
        text = (forge.root / "site" / page).read_text()
        assert set(re.findall(r"--python-version (\S+)", text)) == {python}


def test_an_index_made_in_one_go_is_the_same(made: Forge) -> None:
    for file in sorted((made.root / "wheels").iterdir()):
        said = made("index", "make", "other", str(file), "--name", "My wheels", "--url", "https://example.org/simple/")
        assert said.code == 0
    assert tree(made.root / "other") == tree(made.root / "site")


@pytest.mark.parametrize("number", range(1, 20))
def test_interrupted(made: Forge, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Whenever it ends: every file that a page names is there, and the next run ends the work."""
    site = made.root / "site"
    wheel(made.root, version="1.1")
    wheel(made.root, "more")
    with interrupted(monkeypatch, number) as left:
        code = made("index", "make", "site", "wheels").code
    assert code == (130 if left[0] <= 0 else 0)
    for page in site.glob("simple/*/index.json"):
        for file in json.loads(page.read_text())["files"]:
            assert (page.parent / file["url"]).resolve().is_file()
            assert (page.parent / f"{file['url']}.metadata").resolve().is_file()
    for project in json.loads((site / "simple/index.json").read_text())["projects"]:
        assert (site / "simple" / project["name"] / "index.html").is_file()
    assert made("index", "make", "site", "wheels").code == 0
    assert (
        made("index", "make", "whole", "wheels", "--name", "My wheels", "--url", "https://example.org/simple/").code
        == 0
    )
    assert tree(site) == tree(made.root / "whole")


class TestRefused:
    def test_other_bytes(self, made: Forge, snapshot: SnapshotAssertion) -> None:
        before = tree(made.root / "site")
        wheel(made.root, body=b"x = 1\n")
        wheel(made.root, version="2.0")
        said = made("index", "make", "site", "wheels")
        assert (said.code, re.sub(r"[0-9a-f]{64}", "HASH", said.err)) == snapshot
        assert tree(made.root / "site") == before, "nor was the other one added"

    def test_other_things_in_the_directory(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        (forge.root / "site").mkdir()
        (forge.root / "site" / "notes.txt").touch()
        wheel(forge.root)
        said = forge("index", "make", "site", "wheels")
        assert (said.code, said.err) == snapshot
        assert [path.name for path in (forge.root / "site").iterdir()] == ["notes.txt"]

    def test_a_web_server(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        said = forge("index", "make", "https://user:secret@example.org/x")
        assert (said.code, said.err) == snapshot
        assert "secret" not in said.err

    def test_metadata_of_another_project(self, forge: Forge, snapshot: SnapshotAssertion) -> None:
        make_wheel(forge.root / "wheels", metadata="Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n")
        said = forge("index", "make", "site", "wheels")
        assert (said.code, said.err) == snapshot
        assert not (forge.root / "site").exists()

    @pytest.mark.parametrize(
        "content",
        [b"", b"{}", b'{"version": 99, "files": []}', b"\xff",
         b'{"version": 1, "name": "x", "files": [{"filename": "../../x.whl"}]}'],
    )  # fmt: skip
    def test_a_damaged_index(self, made: Forge, content: bytes, snapshot: SnapshotAssertion) -> None:
        (made.root / "site" / "forge-index.json").write_bytes(content)
        before = tree(made.root / "site")
        said = made("index", "make", "site", "wheels")
        assert (said.code, said.err) == snapshot
        assert tree(made.root / "site") == before

    def test_native_libraries_stay_out(self, forge: Forge) -> None:
        make_wheel(forge.root / "wheels", {"opt/lib/libx.a": b""}, name="libx", tag="py3-none-ios_12_0_arm64_iphoneos")
        said = forge("index", "make", "site", "wheels")
        assert (said.code, said.out) == (0, "")
        assert "native library" in said.err
        assert json.loads((forge.root / "site/simple/index.json").read_text())["projects"] == []


class TestYank:
    def test_and_back(self, made: Forge) -> None:
        site = made.root / "site"
        before = tree(site)
        said = made("index", "yank", "site", "demo==1.0", "--reason", "crashes on <iOS 13> & later")
        assert (said.code, said.out.count("yanked: demo-1.0")) == (0, 3)
        files = json.loads((site / "simple/demo/index.json").read_text())["files"]
        assert [file["yanked"] for file in files] == ["crashes on <iOS 13> & later"] * 3
        html = (site / "simple/demo/index.html").read_text()
        assert html.count('data-yanked="crashes on &lt;iOS 13&gt; &amp; later"') == 3
        assert made("index", "unyank", "site", "demo==1.0").code == 0
        assert tree(site) == before

    def test_one_file(self, made: Forge) -> None:
        name = "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
        assert made("index", "yank", "site", name).out == f"yanked: {name}\n"
        files = json.loads((made.root / "site/simple/demo/index.json").read_text())["files"]
        assert {file["filename"]: file["yanked"] for file in files}[name] is True
        assert sum(file["yanked"] is not False for file in files) == 1

    @pytest.mark.parametrize("what", ["demo", "demo==9", "nothing==1", "demo>=1", "demo==", "x.whl"])
    def test_what_is_not_there(self, made: Forge, what: str, snapshot: SnapshotAssertion) -> None:
        before = tree(made.root / "site")
        said = made("index", "yank", "site", what)
        assert (said.code, said.err) == snapshot
        assert tree(made.root / "site") == before


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_nothing_in_a_wheel_is_markup(made: Forge) -> None:
    bad = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    wheel(
        made.root, "evil", "6", Summary=bad, License_Expression=bad, Requires_Python='>=3"><script>', Requires_Dist=bad
    )
    assert made("index", "make", "site", "wheels").code == 0
    assert made("index", "yank", "site", "evil==6", "--reason", bad).code == 0
    assert made("index", "make", "site", "--name", bad).code == 0
    for page in (made.root / "site").rglob("*.html"):
        seen = Tags(page.read_text())
        assert not {"script", "img"} & {tag for tag, _ in seen.seen}, page
        assert not any(key.startswith("on") for _, attributes in seen.seen for key in attributes), page


@pytest.mark.parametrize("path", ["index.html", "packages/demo/index.html"])
def test_every_link_of_a_page_leads_somewhere(made: Forge, path: str) -> None:
    page = made.root / "site" / path
    links = [attributes["href"] for tag, attributes in Tags(page.read_text()).seen if tag == "a"]
    assert len(links) >= 3
    for link in links:
        target = (page.parent / str(link)).resolve()
        assert target.is_file() or (target / "index.html").is_file(), link


def test_the_home_page_says_what_is_missing(made: Forge) -> None:
    text = " ".join(Tags((made.root / "site/index.html").read_text()).text.split())
    assert "demo 1.0 all A demonstration" in text
    assert "other 1.5 lacks arm64-iphonesimulator, x86_64-iphonesimulator <b>& bold</b>" in text
    assert "--index https://example.org/simple/ demo" in text


@given(
    st.lists(
        st.builds(
            HeldFile, filename=st.integers(0, 99).map("demo-{}.0-py3-none-any.whl".format), size=st.integers(0, 2**40),
            sha256=st.just("ab" * 32), uploaded=st.just("2026-11-29T12:00:00Z"), metadata_sha256=st.just("cd" * 32),
            requires_python=st.none() | st.text(), requires_dist=st.lists(st.text()).map(tuple), summary=st.text(),
            license=st.text(), yanked=st.none() | st.text(st.characters(exclude_categories=["C"])),
        ),
        unique_by=lambda file: file.filename,
    ),
    st.text(),
)  # fmt: skip
def test_what_is_written_is_read(files: list[HeldFile], name: str) -> None:
    state = IndexState({file.filename: file for file in files}, name)
    assert parse_state(state_text(state).encode(), "x") == state
    held = state.projects.get("demo", ())
    page, data = project_pages("demo", held)
    assert json.loads(data)["name"] == "demo"
    seen = Tags(page).seen
    assert [attributes.get("data-yanked") for tag, attributes in seen if tag == "a"] == [file.yanked for file in held]
    assert [attributes.get("data-requires-python") for tag, attributes in seen if tag == "a"] == [
        None if file.requires_python is None else re.sub(r"\r\n?", "\n", file.requires_python).replace("\0", "\ufffd")
        for file in held
    ] or any(file.requires_python and re.search(r"[\x00-\x1f]", file.requires_python) for file in held)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        state = parse_state(content, "x")
    except PackageIndexError:
        return
    assert isinstance(state, IndexState)


BUILDS = [
    ([], 1),
    (["demo-1.0-py3-none-any.whl"], 1),
    (["demo-1.0-3-py3-none-any.whl", "demo-1.0-12b-py3-none-any.whl"], 13),
    (["demo-1.1-7-py3-none-any.whl", "demo-1.0-7-cp313-none-any.whl"], 1),
]


@pytest.mark.parametrize(("held", "number"), BUILDS)
def test_the_next_build_number(held: list[str], number: int) -> None:
    files = {name: HeldFile(name, 1, "", "", "") for name in held}
    assert next_build_number("demo-1.0-py3-none-any.whl", files) == number
