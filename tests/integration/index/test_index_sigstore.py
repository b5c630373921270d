"""Attestations that projects made with the public Sigstore, in jobs of three CI services, are verified."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.index.identity import Identity
from forge.index.trust import Trust, provenance_problem
from forge.source.fetch import fetch
from forge.source.model import SdistSource

if TYPE_CHECKING:
    from collections.abc import Callable

SDIST = SdistSource("pypi-attestations", "0.0.30", "14ff13c76bbef02a483c2b77532da02bfd746b5141b881f355e06b9807434423")
"""Files with their provenance are among the tests of this project."""

PUBLISHED = {
    "pypi_attestations-0.0.19.tar.gz": Identity(
        "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19",
        "https://token.actions.githubusercontent.com",
    ),
    "gcb_attestation_test-0.0.0.tar.gz": Identity(
        "919436158236-compute@developer.gserviceaccount.com", "https://accounts.google.com"
    ),
    "circleci_sign_publish_example-0.0.1.dev137-py3-none-any.whl": Identity(
        "https://circleci.com/api/v2/projects/fdd9283f-e619-46af-8f9c-851f7d3e8b2b/pipeline-definitions/"
        "8e4f8ab2-8d7c-4827-9f15-de076d6d647f",
        "https://oidc.circleci.com",
    ),
}


@pytest.fixture(scope="module")
def read() -> Callable[[str], bytes]:
    archive = fetch(SDIST, ForgeHome.from_environment(), SilentProgress())

    def content(name: str) -> bytes:
        with tarfile.open(archive) as opened:
            member = opened.extractfile(f"pypi_attestations-0.0.30/test/assets/{name}")
            assert member is not None
            return member.read()

    return content


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_was_published(name: str, read: Callable[[str], bytes]) -> None:
    provenance, sha256 = read(f"{name}.provenance"), hashlib.sha256(read(name)).hexdigest()
    signer, other = PUBLISHED[name], Identity("somebody@example.org", PUBLISHED[name].issuer)
    assert provenance_problem(provenance, name, sha256, Trust(identities=(signer,))) == ""
    assert str(signer) in provenance_problem(provenance, name, sha256, Trust(identities=(other,)))
    assert "something else" in provenance_problem(provenance, name, "ab" * 32, Trust(identities=(signer,)))
    changed = provenance.replace(b'"signature":"M', b'"signature":"N')
    assert changed != provenance
    assert provenance_problem(changed, name, sha256, Trust(identities=(signer,))) != ""
