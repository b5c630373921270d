"""Signing with the identity of a CI job, and verifying what was signed so (Sigstore).

Nobody keeps a key. A CI service says in a token which workflow runs (OpenID Connect); Sigstore's certificate authority
makes a certificate out to that workflow for ten minutes, and its public log keeps the signature with its time. PEP 740
has the certificate and the log's entry as ``verification_material``. The work is that of the packages ``sigstore`` and
``pypi-attestations``.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.index.attestation import PAYLOAD_TYPE, Attestation
from forge.index.model import PackageIndexError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.x509 import Certificate
    from sigstore.models import Bundle, ClientTrustConfig
    from sigstore.sign import Signer
    from sigstore.verify import Verifier

_GITHUB = "https://token.actions.githubusercontent.com"
_GITLAB = "https://gitlab.com"
_GOOGLE = "https://accounts.google.com"

# What fails, and what to do then.
_SIGNING = (
    "cannot sign as this CI job",
    "check that Sigstore can be reached; in GitHub Actions the job needs 'permissions: id-token: write'",
)
_VERIFYING = ("cannot verify a signature of Sigstore's", "check sigstore-trust-config, if there is one (docs/index.md)")

# Fulcio's extensions (its docs/oid-info.md): the issuer as an ASN.1 string, and as it was written before.
_ISSUER, _OLD_ISSUER = "1.3.6.1.4.1.57264.1.8", "1.3.6.1.4.1.57264.1.1"


@dataclass(frozen=True)
class Identity:
    """Who signed, as a certificate says it.

    Args:
        subject: A workflow's URI with its branch or tag, or an e-mail address.
        issuer: The URI of the service that vouches for it.
    """

    subject: str
    issuer: str

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"


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
        with _told(*_SIGNING):
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
        with _told(*_SIGNING):
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
        from forge.index.trust import Trust, provenance_problem  # noqa: PLC0415 - it verifies with this module

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
    """The token of the CI job that this is; None for none, or for one that may not have any.

    Raises:
        sigstore.oidc.IdentityError: The CI service does not answer.
    """
    from sigstore.oidc import detect_credential  # noqa: PLC0415 - as above

    return detect_credential()


def verified_identity(attestation: Attestation, config: Path | None) -> Identity | str:
    """Who signed a statement: an identity, or in words why nobody did.

    Args:
        attestation: One with a certificate.
        config: The trust configuration of a private Sigstore; None for the public one.

    Raises:
        PackageIndexError: sigstore is not installed, or the configuration cannot be read.
    """
    with _told(*_VERIFYING):
        from pydantic import ValidationError  # noqa: PLC0415
        from pypi_attestations import Attestation as PyPIAttestation  # noqa: PLC0415 - as above
        from pypi_attestations import ConversionError  # noqa: PLC0415
        from sigstore.errors import VerificationError  # noqa: PLC0415

        verifier = _verifier(config)
        try:
            bundle = PyPIAttestation.model_validate(attestation.as_json()).to_bundle()
            kind, content = verifier.verify_dsse(bundle, _Anybody())
        except (VerificationError, ConversionError, ValidationError) as error:
            return f"has a signature of Sigstore's that does not hold: {_first_line(error)}"
        if kind != PAYLOAD_TYPE or content != attestation.statement:
            return "has a signature of Sigstore's for something else"
        return certified_identity(bundle.signing_certificate)


def certified_identity(certificate: Certificate) -> Identity:
    """Whom a certificate of Sigstore's was made out to."""
    from cryptography import x509  # noqa: PLC0415 - as above

    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    subjects = [
        *names.get_values_for_type(x509.UniformResourceIdentifier), *names.get_values_for_type(x509.RFC822Name),
    ]  # fmt: skip
    raw = {each.oid.dotted_string: each.value.public_bytes() for each in certificate.extensions}
    issuer = _asn1_text(raw[_ISSUER]) if _ISSUER in raw else raw.get(_OLD_ISSUER, b"").decode(errors="replace")
    return Identity(subjects[0] if subjects else "", issuer)


def trust_config(file: Path | None) -> ClientTrustConfig:
    """What to trust of Sigstore: the public instance's configuration as it is now, or a private one's.

    Raises:
        PackageIndexError: The file cannot be read.
    """
    from sigstore.errors import Error  # noqa: PLC0415 - as above
    from sigstore.models import ClientTrustConfig  # noqa: PLC0415

    if file is not None:
        try:
            return ClientTrustConfig.from_json(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no trust configuration of Sigstore's"
            raise PackageIndexError(f"cannot read {file}: {reason}", hint=_VERIFYING[1]) from error
    try:
        return ClientTrustConfig.production()
    except Error:  # without the network: what the package carries, without its warning
        logging.getLogger("sigstore").setLevel(logging.ERROR)
        return ClientTrustConfig.production(offline=True)


@functools.cache
def _verifier(config: Path | None) -> Verifier:
    from sigstore.verify import Verifier  # noqa: PLC0415 - as above

    return Verifier(trusted_root=trust_config(config).trusted_root)


class _Anybody:
    """sigstore's policy that takes any identity: whose it has to be is asked afterwards."""

    def verify(self, cert: Certificate) -> None:
        pass


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


def _asn1_text(der: bytes) -> str:
    """A UTF8String of ASN.1's distinguished encoding rules (X.690): a tag, a length in one or more bytes, the text."""
    first = der[1] if len(der) > 1 else 0
    start = 2 if first < 0x80 else 2 + (first & 0x7F)
    return der[start:].decode(errors="replace")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]


@contextlib.contextmanager
def _told(what: str, hint: str) -> Iterator[None]:
    """What sigstore raises, as this room's error: it has an exception for each service, and passes on requests'."""
    try:
        yield
    except ImportError as error:
        raise PackageIndexError(
            f"{what}: it takes the packages sigstore and pypi-attestations", hint="install 'forge-ios[sigstore]'"
        ) from error
    except PackageIndexError:
        raise
    except Exception as error:
        # Fulcio's client tells its reason as the cause alone.
        said = error.__cause__ if not str(error) and isinstance(error.__cause__, Exception) else error
        raise PackageIndexError(f"{what}: {_first_line(said)}", hint=hint) from error
