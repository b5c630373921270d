from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from forge.base.errors import IOSPythonError
from forge.ios_python.native import BUILDERS
from forge.ios_python.releases import DATA, Release, find_release, known_releases

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

RELEASES = known_releases()


@pytest.fixture(params=RELEASES, ids=lambda release: release.version)
def release(request: pytest.FixtureRequest) -> Release:
    chosen: Release = request.param
    return chosen


def test_everything_is_pinned(release: Release) -> None:
    assert release.version.startswith(f"{release.minor}.")
    for source in (release.cpython, *release.libraries):
        assert re.fullmatch("[0-9a-f]{64}", source.source.sha256), source.name
        assert source.source.urls
        for url in source.source.urls:
            assert urlsplit(url).scheme in {"https", "debian"}
            assert source.version in url, "the pinned version and the file's do not agree"
        for patch in source.patches:
            assert patch.parent == DATA / "patches"
            assert patch.read_text().partition("\n--- ")[2]
    hashes = [source.source.sha256 for source in (release.cpython, *release.libraries)]
    assert len(set(hashes)) == len(hashes)


def test_every_library_can_be_built(release: Release) -> None:
    assert {source.name for source in release.libraries} == set(BUILDERS)


def test_found_by_minor_and_by_full_version(release: Release) -> None:
    assert find_release(release.version) == release
    assert find_release(release.minor).minor == release.minor


def test_identity_is_of_contents_not_of_places(release: Release) -> None:
    for source in (release.cpython, *release.libraries):
        identity = str(source.identity)
        assert source.source.sha256 in identity
        assert "http" not in identity
        assert str(DATA) not in identity
        assert len(source.identity["patches"]) == len(source.patches)  # type: ignore[arg-type]  # JSON data


@pytest.mark.parametrize("version", ["3.12", "3.13.99", "3", "", "3.13.5.1"])
def test_an_unknown_version(version: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(IOSPythonError) as error:
        find_release(version)
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot
