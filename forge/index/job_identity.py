"""Signing files with the identity of the CI job that forge runs in (`forge.index.identity` says how that works)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from forge.index.attestation import Attestation
from forge.index.identity import Identity, certified_identity, told, trust_config
from forge.index.trust import Trust, provenance_problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sigstore.models import Bundle
    from sigstore.sign import Signer

_GITHUB = "https://token.actions.githubusercontent.com"
_GITLAB = "https://gitlab.com"
_GOOGLE = "https://accounts.google.com"

# What fails, and what to do then.
_SIGNING = (
    "cannot sign as this CI job",
    "check that Sigstore can be reached; in GitHub Actions the job needs 'permissions: id-token: write'",
)


class IdentitySignatory:
    """Signs as the CI job that it runs in.

    Args:
        token: Asks the CI service for a token; None where there is no identity.
        config: The trust configuration of a private Sigstore; None for the public one.
    """

    def __init__(self, token: Callable[[], str | None], config: Path | None = None) -> None:
        self._token, self._config = token, config
        self._signer: Signer | None = None
        self.identity = Identity("", "")

    def begin(self) -> bool:
        """Get a certificate; whether there is an identity.

        Raises:
            PackageIndexError: The CI service or Sigstore does not answer, or refuses.
        """
        with told(*_SIGNING):
            from sigstore.oidc import IdentityToken  # noqa: PLC0415 - an optional package, and slow to import
            from sigstore.sign import Signer as SigstoreSigner  # noqa: PLC0415
            from sigstore.sign import SigningContext  # noqa: PLC0415

            raw = self._token()
            if raw is None:
                return False
            config = trust_config(self._config)
            config.force_tlog_version = 1  # an attestation of PEP 740 has no place for a later log's timestamps
            self.identity = claimed_identity(raw)
            self._signer = SigstoreSigner(IdentityToken(raw), SigningContext.from_trust_config(config))
        return True

    def attest(self, content: bytes) -> Attestation:
        """Sign a statement.

        Args:
            content: The statement.

        Raises:
            PackageIndexError: Sigstore does not answer, or refuses.
        """
        with told(*_SIGNING):
            from sigstore.dsse import Statement  # noqa: PLC0415 - as above
            from sigstore.errors import Error  # noqa: PLC0415
            from sigstore.oidc import ExpiredIdentity  # noqa: PLC0415
            from sigstore.sign import ExpiredCertificate  # type: ignore[attr-defined] # noqa: PLC0415 - it raises it

            assert self._signer is not None  # noqa: S101 - `begin` comes first
            try:
                bundle = self._signer.sign_dsse(Statement(content))
            except (ExpiredCertificate, ExpiredIdentity):  # after ten minutes
                if not self.begin():
                    raise Error("the CI service gives no further token") from None
                bundle = self._signer.sign_dsse(Statement(content))
            return _attestation(content, bundle)

    def has_signed(self, provenance: bytes, filename: str, sha256: str) -> bool:
        """Whether a provenance object has a statement of this identity's already."""
        trust = Trust(identities=(self.identity,), sigstore=self._config)
        return not provenance_problem(provenance, filename, sha256, trust)

    def __str__(self) -> str:
        return str(self.identity)


def claimed_identity(token: str) -> Identity:
    """Whom Sigstore's certificate for a token will be made out to.

    Args:
        token: A JSON Web Token (RFC 7519), which the CI service has signed; that is for Sigstore to verify.

    Raises:
        ValueError: It is none.
    """
    payload = token.split(".")[1] if token.count(".") == 2 else ""
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    issuer = str(claims.get("iss", ""))
    if issuer == _GITHUB:
        return Identity(f"https://github.com/{claims.get('job_workflow_ref', '')}", issuer)
    if "ci_config_ref_uri" in claims:
        return Identity(f"https://{claims['ci_config_ref_uri']}", issuer)
    return Identity(str(claims.get("email") or claims.get("sub", "")), issuer)


def ambient_token() -> str | None:
    """The token of the CI job that this is; None where this is no such job.

    Raises:
        sigstore.oidc.IdentityError: The job may not have any, or the CI service does not answer.
    """
    from sigstore.oidc import detect_credential  # noqa: PLC0415 - as above

    return detect_credential()


def _attestation(content: bytes, bundle: Bundle) -> Attestation:
    from pypi_attestations import Attestation as PyPIAttestation  # noqa: PLC0415 - as above

    made = PyPIAttestation.from_bundle(bundle).model_dump(mode="json")
    signature = base64.b64decode(made["envelope"]["signature"])
    publisher = _publisher(certified_identity(bundle.signing_certificate))
    return Attestation(content, signature, None, made["verification_material"], publisher)


def _publisher(identity: Identity) -> dict[str, Any]:
    """An identity as PEP 740's readers know publishers: by repository and workflow, where it is one of theirs."""
    path, _, _ = identity.subject.partition("@")
    if identity.issuer == _GITHUB:
        repository, _, workflow = path.removeprefix("https://github.com/").partition("/.github/workflows/")
        return {"kind": "GitHub", "repository": repository, "workflow": workflow, "environment": None, "claims": None}
    if identity.issuer == _GITLAB:
        repository, _, file = path.removeprefix("https://gitlab.com/").partition("//")
        return {
            "kind": "GitLab", "repository": repository, "workflow_filepath": file, "environment": None, "claims": None,
        }  # fmt: skip
    if identity.issuer == _GOOGLE:
        return {"kind": "Google", "email": identity.subject, "claims": None}
    return {"kind": "Sigstore", "identity": identity.subject, "issuer": identity.issuer, "claims": None}
