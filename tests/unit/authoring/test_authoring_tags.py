"""Versions by a repository's tags."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from forge.authoring.tags import Tagged, remote_tags, scheme, tagged_by, versions
from forge.base.errors import NetworkError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("url", "found"), [
    ("https://example.org/a/b/archive/refs/tags/${version}.tar.gz", Tagged("https://example.org/a/b", "", "")),
    ("https://example.org/a/b/archive/refs/tags/v${version}-R.zip", Tagged("https://example.org/a/b", "v", "-R")),
    ("https://example.org/o/openssl/releases/download/openssl-${version}/openssl-${version}.tar.gz",
     Tagged("https://example.org/o/openssl", "openssl-", "")),
    ("https://example.org/a/b/-/archive/${version}/b-${version}.tar.bz2", Tagged("https://example.org/a/b", "", "")),
    ("https://example.org/files/demo-${version}.tar.gz", None),
    ("https://example.org/a/b/archive/refs/tags/1.0.tar.gz", None),
    ("debian:pool/main/d/demo/demo_${version}.orig.tar.gz", None),
])  # fmt: skip
def test_where_versions_are_tags(url: str, found: Tagged | None) -> None:
    assert tagged_by(("https://example.org/other.tar.gz", url)) == found


def test_versions() -> None:
    tags = dict.fromkeys(("v1.0", "v1.10", "v2.0rc1", "v1.0-2", "1.5", "vnext", "v"), "ab" * 20)
    assert versions(tags, "v", "") == {Version("1.0"): "v1.0", Version("1.10"): "v1.10", Version("2.0rc1"): "v2.0rc1"}


def test_what_is_around_a_version() -> None:
    tags = {"release-1.0": "a", "release-1.1": "b", "1.0": "c", "v1.0": "d"}
    assert scheme(tags, "a", "1.0") == ("release-", "")
    assert scheme(tags, "nowhere", "1.0") == ("v", "")
    assert scheme({"1.0": "c"}, "nowhere", "1.0") == ("", "")


def test_tags_of_a_repository(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "--message=x")
    git("tag", "light")
    git("tag", "--annotate", "--message=x", "heavy")
    commit = git("rev-parse", "HEAD")
    assert remote_tags(str(tmp_path), tmp_path) == {"light": commit, "heavy": commit}
    with pytest.raises(NetworkError, match="cannot list the tags of") as caught:
        remote_tags(str(tmp_path / "none"), tmp_path)
    assert "NAME==VERSION" in str(caught.value.hint)
