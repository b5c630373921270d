"""Sources by kind: URLs with Debian's archive among them, paths, git."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import NetworkError, SourceError, ToolchainError
from forge.source.debian import debian_mirrors
from forge.source.fetch import fetch, prepare
from forge.source.mirror import file_names
from forge.source.model import GitSource, PathSource, UrlSource, checked_filename

from .conftest import QUICK, Recorder, Server, plain, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.base.paths import ForgeHome

BODY = b"archive"


def fake_apt(directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    directory.mkdir()
    program = directory / "apt-get"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_debian_by_variable(
    server: Server, home: ForgeHome, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_DEBIAN_MIRROR", f"{server.url}/gone/ {server.url}/debian/")
    server.put("/debian/pool/main/x/x_1.orig.tar.gz", BODY)
    source = UrlSource(("debian:pool/main/x/x_1.orig.tar.gz",), sha256(BODY))
    file = fetch(source, home, progress, patience=QUICK)
    assert (file.name, file.read_bytes()) == ("x_1.orig.tar.gz", BODY)
    assert server.asked == ["/gone/pool/main/x/x_1.orig.tar.gz", "/debian/pool/main/x/x_1.orig.tar.gz"]
    monkeypatch.delenv("FORGE_DEBIAN_MIRROR")
    assert fetch(source, home, progress) == file


def test_debian_by_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "Debian http://a.example.org/debian/",
        "Debian http://a.example.org/debian-security/",
        "Debian cdrom://x/debian/",
        "Ubuntu http://b.example.org/debian/",
        " http://c.example.org/mirror/debian",
        "Debian http://a.example.org/debian/",
        "",
    ]
    fake_apt(tmp_path / "bin", "\n".join(f"echo '{line}'" for line in lines), monkeypatch)
    assert debian_mirrors() == (("http://a.example.org/debian", "http://c.example.org/mirror/debian"), "")


@pytest.mark.parametrize("script", ["echo 'Ubuntu http://b.example.org/ubuntu/'", "echo no >&2; exit 1", None])
def test_no_debian(
    *,
    script: str | None,
    tmp_path: Path,
    home: ForgeHome,
    progress: Recorder,
    monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:
    if script:
        fake_apt(tmp_path / "bin", script, monkeypatch)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    urls = ("debian:pool/main/x/x.tar.gz", "debian:dists/x", "debian:pool/../x")
    with pytest.raises(NetworkError) as caught:
        fetch(UrlSource(urls, sha256(BODY)), home, progress, patience=QUICK)
    assert (plain(caught.value.message, tmp_path), caught.value.hint) == snapshot


@pytest.mark.parametrize(
    ("urls", "name"),
    [
        (["https://example.org/a/x-1.tar.gz?download=1#frag"], "x-1.tar.gz"),
        (["https://example.org/a%20b.zip"], "a b.zip"),
        (["https://example.org/a%2F..%2Fb.zip"], "b.zip"),
        (["https://example.org/.hidden", "https://example.org/x.zip"], "x.zip"),
        (["https://example.org/", "debian:pool/main/x/x.tar.xz"], "x.tar.xz"),
        (["https://example.org/"], None),
        (["http://[bad", "https://example.org/x.zip"], "x.zip"),
        ([], None),
    ],
)
def test_an_archives_name(urls: list[str], name: str | None) -> None:
    assert next(iter(file_names(urls)), None) == name


@given(st.lists(st.text() | st.text().map("https://example.org/".__add__), max_size=3))
def test_an_archives_name_is_always_a_good_one(urls: list[str]) -> None:
    assert all(checked_filename(name) == name for name in file_names(urls))


def test_path(tmp_path: Path, home: ForgeHome, progress: Recorder) -> None:
    assert fetch(PathSource(tmp_path), home, progress) == tmp_path
    with pytest.raises(SourceError, match="there is no source"):
        fetch(PathSource(tmp_path / "none"), home, progress)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "someone")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "someone@example.org")
        monkeypatch.setenv(f"GIT_{role}_DATE", "2020-01-02T03:04:05Z")
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet")
    (root / "a").write_text("A")
    (root / ".gitmodules").touch()
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "first")
    return root


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_git(repository: Path, tmp_path: Path, home: ForgeHome, progress: Recorder) -> None:
    first = git(repository, "rev-parse", "HEAD")
    (repository / "a").write_text("B")
    git(repository, "commit", "--quiet", "-am", "second")
    source = GitSource("demo", repository.as_uri(), first)
    archive = fetch(source, home, progress)
    content = archive.read_bytes()
    assert progress.notes == ["demo: has git submodules, which are not in the archive"]
    archive.write_bytes(b"damaged")
    assert fetch(source, home, progress).read_bytes() == content
    os.rename(repository, tmp_path / "moved")  # noqa: PTH104 - to show that the cache suffices
    assert fetch(source, home, progress) == archive
    prepare(archive, [], tmp_path / "out", progress)
    assert (tmp_path / "out" / "a").read_text() == "A"
    assert (tmp_path / "out" / "a").stat().st_mtime == 1_577_934_245


def test_git_without_the_commit(repository: Path, home: ForgeHome, progress: Recorder) -> None:
    with pytest.raises(SourceError, match=f"has no commit {'1a' * 20}"):
        fetch(GitSource("demo", repository.as_uri(), "1a" * 20), home, progress)


def test_git_out_of_reach(tmp_path: Path, home: ForgeHome, progress: Recorder) -> None:
    url = (tmp_path / "none").as_uri().replace("file://", "file://user:secret@localhost")
    with pytest.raises(NetworkError, match="cannot fetch file://localhost") as caught:
        fetch(GitSource("demo", url, "1a" * 20), home, progress)
    assert "secret" not in caught.value.message


def test_git_needs_a_whole_commit_and_a_git(
    home: ForgeHome, progress: Recorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match="not a commit"):
        fetch(GitSource("demo", "https://example.org", "v1.0"), home, progress)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainError, match="'git' is missing"):
        fetch(GitSource("demo", "https://example.org", "1a" * 20), home, progress)


def test_a_commits_archive_is_the_same_however_it_is_fetched(
    repository: Path, home: ForgeHome, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / ".gitattributes").write_text("describe export-subst\nhidden export-ignore\n")
    (repository / "describe").write_text("$Format:%d %(describe:tags=true)$")
    (repository / "hidden").touch()
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "attributes")
    source = GitSource("demo", repository.as_uri(), git(repository, "rev-parse", "HEAD"))
    contents = []
    for step in ("alone", "with a tag", "whole"):
        if step == "with a tag":
            git(repository, "tag", "v1.1")
        elif step == "whole":
            # As of a server that does not serve single commits.
            monkeypatch.setattr("forge.source.git._fetch_alone", refuse)
        archive = fetch(source, home, progress)
        contents.append(archive.read_bytes())
        archive.unlink()
    assert contents[0] == contents[1] == contents[2]
    assert b"$Format:" in contents[0]
    assert b"hidden" in contents[0]


def refuse(*_: object) -> None:
    raise ToolchainError("fatal: remote error: Server does not allow request for unadvertised object")


def test_pull_requests_are_not_fetched(
    repository: Path, home: ForgeHome, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "commit", "--quiet", "--allow-empty", "-m", "of a stranger")
    second = git(repository, "rev-parse", "HEAD")
    git(repository, "update-ref", "refs/pull/1/head", second)
    git(repository, "reset", "--quiet", "--hard", first)
    monkeypatch.setattr("forge.source.git._fetch_alone", refuse)
    assert fetch(GitSource("demo", repository.as_uri(), first), home, progress).is_file()
    with pytest.raises(SourceError, match="has no commit"):
        fetch(GitSource("demo", repository.as_uri(), second), home, progress)


def test_a_failure_that_a_second_fetch_would_not_mend(
    repository: Path, home: ForgeHome, progress: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise ToolchainError("fatal: Authentication failed for 'https://user:secret@example.org/x?token=t'")

    monkeypatch.setattr("forge.source.git._fetch_alone", denied)
    url = "https://user:secret@example.org/x?token=t"
    with pytest.raises(NetworkError, match="Authentication failed") as caught:
        fetch(GitSource("demo", url, git(repository, "rev-parse", "HEAD")), home, progress)
    assert "secret" not in caught.value.message
    assert "token" not in caught.value.message


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_INDEX_FILE", "GIT_WORK_TREE"]
)
def test_the_users_git_variables_do_not_matter(
    repository: Path, tmp_path: Path, home: ForgeHome, progress: Recorder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert fetch(GitSource("demo", repository.as_uri(), first), home, progress).is_file()
