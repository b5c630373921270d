"""Files signed with the identity of a CI job (Sigstore), by the real client and with services of our own."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest
from pypi_attestations import Provenance

from forge.index.attestation import provenance_text, statement
from forge.index.identity import Identity
from forge.index.job_identity import IdentitySignatory, ambient_token, claimed_identity
from forge.index.model import PackageIndexError
from forge.index.trust import Trust, provenance_problem
from tests.unit.cli.conftest import no_toolchain
from tests.unit.index.sigstore_services import GITHUB, WORKFLOW, Sigstore, sigstore_services
from tests.unit.index.test_index_make import made
from tests.unit.index.test_index_signatures import BESIDE, DEMO, flipped, signatures, use_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

__all__ = ["made", "no_toolchain"]

SUBJECT = f"https://github.com/{WORKFLOW}"
SHA256 = "ab" * 32
CONTENT = statement("x.whl", SHA256, "https://slsa.dev/provenance/v1", {})


@pytest.fixture
def services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sigstore]:
    """The services, and an environment in which this is a job of GitHub's."""
    with sigstore_services() as found:
        for name, value in found.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def job(services: Sigstore, tmp_path: Path) -> IdentitySignatory:
    signatory = IdentitySignatory(ambient_token, tmp_path / "sigstore.json")
    assert signatory.begin()
    return signatory


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(identities=(Identity(SUBJECT, GITHUB),), sigstore=tmp_path / "sigstore.json")


class TestAnIndex:
    def test_signed_by_a_job(
        self, made: Forge, services: Sigstore, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        site = made.root / "site"
        assert made("index", "sign", "site", "demo").err.endswith(f"signed with {SUBJECT} of {GITHUB}\n")
        assert made("index", "sign", "site").out.count("signed: ") == 1, "of two files, the one that is not signed"
        assert made("index", "sign", "site").out == ""
        assert services.certificates == 3, "one for each run, however many files"
        assert f'href="../../{BESIDE}"' in (site / "packages/demo/index.html").read_text()
        # What others read: PEP 740 as the package index's own library has it.
        provenance = Provenance.model_validate_json((site / BESIDE).read_bytes())
        (bundle,) = provenance.attestation_bundles
        assert (bundle.publisher.kind, bundle.attestations[0].statement["subject"][0]["name"]) == ("GitHub", DEMO)

        assert signatures(made) == [], "nobody is trusted, and nobody asks Sigstore"
        monkeypatch.setenv("FORGE_INDEX_TRUSTED_IDENTITIES", f"{SUBJECT} {GITHUB}")
        assert signatures(made) == []
        monkeypatch.setenv("FORGE_INDEX_TRUSTED_IDENTITIES", f"{SUBJECT}-2 {GITHUB}")
        assert signatures(made)[0] == snapshot(name="another identity")
        use_key(made.root, "ci-1", monkeypatch)
        monkeypatch.delenv("FORGE_INDEX_TRUSTED_IDENTITIES")
        assert signatures(made)[0] == snapshot(name="a key alone is trusted")

    def test_made_by_a_job(self, made: Forge, services: Sigstore, monkeypatch: pytest.MonkeyPatch) -> None:
        assert made("index", "make", "other", "wheels").code == 0
        monkeypatch.setenv("FORGE_CONFIG", str(made.root / "config.toml"))
        text = f'[index.trusted-identities]\n"{SUBJECT}" = "{GITHUB}"\n'
        (made.root / "config.toml").write_text(text)
        said = made("index", "verify", "other", "--offline").out
        assert "signature: " not in said
        (made.root / "other" / BESIDE).unlink()
        assert f"{DEMO}.provenance: it is not there" in made("index", "verify", "other", "--offline").out

    def test_a_key_where_there_is_no_identity(
        self, made: Forge, services: Sigstore, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        monkeypatch.delenv("GITHUB_ACTIONS")
        refused = made("index", "sign", "site")
        assert refused.code == 16
        assert refused.err == snapshot
        key = use_key(made.root, "ci-1", monkeypatch)
        assert str(key.public) in made("index", "sign", "site").err
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        assert SUBJECT in made("index", "sign", "site").err, "besides the key's statements"
        monkeypatch.setenv("FORGE_INDEX_TRUSTED_IDENTITIES", f"{SUBJECT} {GITHUB}")
        assert signatures(made) == []

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("FORGE_INDEX_SIGSTORE", "perhaps"), ("FORGE_INDEX_TRUSTED_IDENTITIES", SUBJECT),
            ("FORGE_INDEX_TRUSTED_IDENTITIES", f"{SUBJECT} github"),
            ("FORGE_INDEX_SIGSTORE_TRUST_CONFIG", "nowhere.json"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ""),
        ],
    )  # fmt: skip
    def test_settings(
        self, made: Forge, services: Sigstore, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion,
        variable: str, value: str,
    ) -> None:  # fmt: skip
        monkeypatch.setenv(variable, value)
        said = made("index", "sign", "site")
        assert said.code == 16
        assert said.err == snapshot


class TestOneStatement:
    def test_what_holds(self, job: IdentitySignatory, trust: Trust) -> None:
        provenance = provenance_text([job.attest(CONTENT)])
        assert provenance_problem(provenance, "x.whl", SHA256, trust) == ""
        assert "something else: x.whl" in provenance_problem(provenance, "y.whl", SHA256, trust)
        assert job.has_signed(provenance, "x.whl", SHA256)
        assert not job.has_signed(provenance, "x.whl", "cd" * 32)

    @pytest.mark.parametrize("field", ["statement", "signature"])
    def test_what_was_changed(self, job: IdentitySignatory, trust: Trust, field: str) -> None:
        data = json.loads(provenance_text([job.attest(CONTENT)]))
        envelope = data["attestation_bundles"][0]["attestations"][0]["envelope"]
        envelope[field] = base64.b64encode(flipped(base64.b64decode(envelope[field]))).decode()
        problem = provenance_problem(json.dumps(data).encode(), "x.whl", SHA256, trust)
        assert problem.startswith("has a signature of Sigstore's that does not hold: ")

    def test_the_log_of_another_sigstore(self, job: IdentitySignatory, trust: Trust, tmp_path: Path) -> None:
        provenance = provenance_text([job.attest(CONTENT)])
        (tmp_path / "other.json").write_text(Sigstore(url="http://127.0.0.1:9").trust_config())
        other = Trust(identities=trust.identities, sigstore=tmp_path / "other.json")
        assert "does not hold" in provenance_problem(provenance, "x.whl", SHA256, other)

    def test_material_that_is_none(self, services: Sigstore, trust: Trust) -> None:
        attestation = {"envelope": {"statement": "e30=", "signature": "AA=="}, "verification_material": {"x": 1}}
        content = json.dumps({"version": 1, "attestation_bundles": [{"attestations": [attestation]}]}).encode()
        assert "does not hold" in provenance_problem(content, "x.whl", SHA256, trust)

    def test_a_certificate_that_has_run_out(self, services: Sigstore, trust: Trust, tmp_path: Path) -> None:
        """A job that takes longer than its certificate asks for another."""
        services.lifetime = dt.timedelta(seconds=-1)
        job = IdentitySignatory(ambient_token, tmp_path / "sigstore.json")
        assert job.begin()
        services.lifetime = dt.timedelta(minutes=10)
        assert provenance_problem(provenance_text([job.attest(CONTENT)]), "x.whl", SHA256, trust) == ""
        assert services.certificates == 2

    @pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v1/log/entries"])
    def test_a_service_that_refuses(
        self, services: Sigstore, tmp_path: Path, path: str, snapshot: SnapshotAssertion
    ) -> None:
        services.refuses = path
        job = IdentitySignatory(ambient_token, tmp_path / "sigstore.json")
        with pytest.raises(PackageIndexError) as caught:
            job.begin() and job.attest(CONTENT)
        said = f"{caught.value.message}\nhint: {caught.value.hint}"
        assert said.replace(services.url, "URL") == snapshot


def token(**claims: str) -> str:
    return f"x.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


@pytest.mark.parametrize(
    ("claims", "subject"),
    [
        ({"iss": GITHUB, "sub": "repo:a/b", "job_workflow_ref": WORKFLOW}, SUBJECT),
        ({"iss": "https://gitlab.com", "ci_config_ref_uri": "gitlab.com/a/b//.gitlab-ci.yml@refs/heads/main"},
         "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/main"),
        ({"iss": "https://accounts.google.com", "sub": "1", "email": "a@example.org"}, "a@example.org"),
        ({"iss": "https://ci.example.org", "sub": "job"}, "job"),
    ],
)  # fmt: skip
def test_whom_a_certificate_will_name(claims: dict[str, str], subject: str) -> None:
    assert claimed_identity(token(**claims)) == Identity(subject, claims["iss"])


@pytest.mark.parametrize("text", ["", "a.b.c", "x"])
def test_no_token(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        claimed_identity(text)
