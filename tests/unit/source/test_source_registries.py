"""Debian packages without Debian's tools, and Maven's repositories by Maven's own configuration."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import SourceError
from forge.source import debian
from forge.source.deb import unpack_deb
from forge.source.maven import maven_repositories
from forge.source.places import resolve_urls

if TYPE_CHECKING:
    from pathlib import Path


def tar(files: dict[str, bytes], mode: str = "w:xz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]  # mode is one of tarfile's
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def ar(members: dict[str, bytes]) -> bytes:
    out = b"!<arch>\n"
    for name, content in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) % 2)
    return out


def deb(data: bytes, name: str = "data.tar.xz") -> bytes:
    return ar({"debian-binary": b"2.0\n", "control.tar.xz": tar({"./control": b"x"}), name: data})


@pytest.mark.parametrize(("ending", "mode"), [(".xz", "w:xz"), (".gz", "w:gz"), ("", "w")])
def test_a_package_s_files_are_unpacked(tmp_path: Path, ending: str, mode: str) -> None:
    package = tmp_path / "x.deb"
    package.write_bytes(deb(tar({"./usr/include/a.h": b"A", "./etc/b": b"B"}, mode), f"data.tar{ending}"))
    unpack_deb(package, tmp_path / "tree")
    assert (tmp_path / "tree" / "usr" / "include" / "a.h").read_bytes() == b"A"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a Debian package"),
        (b"!<arch>\n", "contains no data.tar"),
        (deb(b"", "data.tar.zst"), "compressed with zst"),
        (deb(tar({"a": b"x"}))[:-20], "ends too early"),
        (b"!<arch>\n" + b"x" * 60, "table of members"),
        (deb(tar({"../outside": b"x"})), "outside"),
    ],
)
def test_another_file_is_an_error(tmp_path: Path, content: bytes, said: str) -> None:
    package = tmp_path / "x.deb"
    package.write_bytes(content)
    with pytest.raises(SourceError, match=said):
        unpack_deb(package, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


GOOD = deb(tar({"./usr/a": b"A" * 100}))


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_damaged_byte_is_an_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    directory = tmp_path_factory.mktemp("deb")
    package = directory / "x.deb"
    package.write_bytes(GOOD[:place] + bytes([byte]) + GOOD[place + 1 :])
    try:
        unpack_deb(package, directory / "tree")
    except SourceError:
        assert not (directory / "tree").exists()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("FORGE_MAVEN_MIRROR", raising=False)
    return tmp_path


def test_a_named_repository_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_MAVEN_MIRROR", "https://a.example.org/maven/  file:///b")
    assert maven_repositories() == (("https://a.example.org/maven", "file:///b"), "")


def test_then_the_mirrors_of_settings_xml(home: Path) -> None:
    (home / ".m2").mkdir()
    (home / ".m2" / "settings.xml").write_text(
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0"><mirrors>'
        "<mirror><mirrorOf>other</mirrorOf><url>https://other.example.org</url></mirror>"
        "<mirror><mirrorOf>central, x</mirrorOf><url>https://m.example.org/repo/</url></mirror>"
        "</mirrors></settings>"
    )
    assert maven_repositories() == (("https://m.example.org/repo",), "")


def test_then_the_default_of_an_installed_maven(home: Path) -> None:
    (home / "maven" / "bin").mkdir(parents=True)
    (home / "maven" / "lib").mkdir()
    program = home / "maven" / "bin" / "mvn"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (home / "bin").mkdir()
    (home / "bin" / "mvn").symlink_to(program)
    pom = '<project xmlns="http://maven.apache.org/POM/4.0.0"><repositories><repository><url>https://d.example.org/r</url>'
    with zipfile.ZipFile(home / "maven" / "lib" / "maven-model-builder-3.8.7.jar", "w") as jar:
        jar.writestr("org/apache/maven/model/pom-4.0.0.xml", pom + "</repository></repositories></project>")
    assert maven_repositories() == (("https://d.example.org/r",), "")


@pytest.mark.parametrize("settings", [None, "<settings", "<settings/>"])
def test_none_of_these_is_said(home: Path, settings: str | None) -> None:
    if settings is not None:
        (home / ".m2").mkdir()
        (home / ".m2" / "settings.xml").write_text(settings)
    repositories, why = maven_repositories()
    assert repositories == ()
    assert "FORGE_MAVEN_MIRROR is not set" in why


def test_registries_are_replaced_by_their_addresses(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_MAVEN_MIRROR", "https://m.example.org")
    monkeypatch.setenv("FORGE_DEBIAN_MIRROR", "https://d1.example.org https://d2.example.org/debian/")
    given_urls = ("https://x.example.org/a", "maven:org/a/a.jar", "debian:pool/main/a/a.deb", "debian:../a", "maven:/a")
    urls, skipped = resolve_urls(given_urls)
    assert urls == (
        "https://x.example.org/a",
        "https://m.example.org/org/a/a.jar",
        "https://d1.example.org/pool/main/a/a.deb",
        "https://d2.example.org/debian/pool/main/a/a.deb",
    )
    assert [attempt.where for attempt in skipped] == ["debian:../a", "maven:/a"]
    assert debian.debian_mirrors()[0][0] == "https://d1.example.org"
