"""Who signed, where Sigstore vouches for it, and whether that holds.

Nobody keeps a key. A CI service says in a token which workflow runs (OpenID Connect); Sigstore's certificate authority
makes a certificate out to that workflow for ten minutes, and its public log keeps the signature with its time. PEP 740
has the certificate and the log's entry as ``verification_material``. The work is that of the packages ``sigstore`` and
``pypi-attestations``.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forge.index.attestation import PAYLOAD_TYPE
from forge.index.model import PackageIndexError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.x509 import Certificate
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

    from forge.index.attestation import Attestation

# What fails, and what to do then.
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


def verified_identity(attestation: Attestation, config: Path | None) -> Identity | str:
    """Who signed a statement: an identity, or in words why nobody did.

    Args:
        attestation: One with a certificate.
        config: The trust configuration of a private Sigstore; None for the public one.

    Raises:
        PackageIndexError: sigstore is not installed, or the configuration cannot be read.
    """
    with told(*_VERIFYING):
        from pydantic import ValidationError  # noqa: PLC0415 - with an optional package, which is slow to import
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


def _asn1_text(der: bytes) -> str:
    """A UTF8String of ASN.1's distinguished encoding rules (X.690): a tag, a length in one or more bytes, the text."""
    first = der[1] if len(der) > 1 else 0
    start = 2 if first < 0x80 else 2 + (first & 0x7F)
    return der[start:].decode(errors="replace")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:300]


@contextlib.contextmanager
def told(what: str, hint: str) -> Iterator[None]:
    """What sigstore raises in the block, as this room's error.

    It has an exception for each service, and passes on those of its HTTP client.

    Args:
        what: What failed.
        hint: What to do then.

    Raises:
        PackageIndexError: Something failed, or a package is not installed.
    """
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
