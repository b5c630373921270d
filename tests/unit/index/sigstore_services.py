"""A Sigstore of our own on the loopback address: a CI service's tokens, a certificate authority, a transparency log.

Each answers as the public one does (Fulcio's and Rekor's version 1 APIs; RFC 6962 for certificates' timestamps), so the
real client signs with it, and verifies what it signed, through the trust configuration of this instance.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import json
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import rfc8785
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GITHUB = "https://token.actions.githubusercontent.com"
WORKFLOW = "ada/wheels/.github/workflows/publish.yml@refs/heads/main"
SECRET = "a secret of this job"  # noqa: S105 - it opens nothing
_ECDSA = ec.ECDSA(hashes.SHA256())


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip


def _id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_public(key)).digest()


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Sigstore:
    """The services' keys, and what they were asked.

    Args:
        workflow: Of the job that asks for tokens.
        refuses: The path of a service that answers 403.
        lifetime: How long its certificates hold.
    """

    workflow: str = WORKFLOW
    refuses: str = ""
    lifetime: dt.timedelta = dt.timedelta(minutes=10)
    authority: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=_new_key)
    certificates: int = 0
    entries: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        now, public = dt.datetime.now(dt.UTC), self.authority.public_key()
        usage = x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        self.root = (
            x509.CertificateBuilder(name, name, public, x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority, hashes.SHA256())
        )  # fmt: skip

    def token(self, audience: str) -> str:
        """A token of the job's, which nobody here verifies."""
        now = int(dt.datetime.now(dt.UTC).timestamp())
        claims = {
            "iss": GITHUB, "aud": audience, "sub": "repo:ada/wheels:ref:refs/heads/main", "iat": now, "exp": now + 300,
            "job_workflow_ref": self.workflow,
        }  # fmt: skip
        parts = [json.dumps({"alg": "RS256", "typ": "JWT"}).encode(), json.dumps(claims).encode(), b"signature"]
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def certify(self, asked: dict[str, str], token: str) -> dict[str, Any]:
        """Fulcio's ``signingCert``: a certificate, in whose extension the certificate log's timestamp is."""
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        request = x509.load_pem_x509_csr(base64.b64decode(asked["certificateSigningRequest"]))
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        subject = x509.UniformResourceIdentifier(f"https://github.com/{claims['job_workflow_ref']}")
        issuer = claims["iss"].encode()
        public = self.authority.public_key()
        builder = (
            x509.CertificateBuilder(self.root.subject, x509.Name([]), request.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(seconds=5)).not_valid_after(now + self.lifetime)
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .add_extension(x509.SubjectAlternativeName([subject]), critical=True)
            .add_extension(_extension("1.3.6.1.4.1.57264.1.1", issuer), critical=False)
            .add_extension(_extension("1.3.6.1.4.1.57264.1.8", bytes([12, len(issuer)]) + issuer), critical=False)
        )  # fmt: skip
        before = builder.sign(self.authority, hashes.SHA256()).tbs_certificate_bytes
        stamped = _extension("1.3.6.1.4.1.11129.2.4.2", self._timestamps(before, int(now.timestamp() * 1000)))
        made = builder.add_extension(stamped, critical=False).sign(self.authority, hashes.SHA256())
        self.certificates += 1
        chain = [each.public_bytes(serialization.Encoding.PEM).decode() for each in (made, self.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _timestamps(self, certificate: bytes, milliseconds: int) -> bytes:
        """RFC 6962's list of one timestamp about a certificate that has none yet."""
        entry = _id(self.authority) + len(certificate).to_bytes(3, "big") + certificate
        said = struct.pack("!BBQH", 0, 0, milliseconds, 1) + entry + b"\0\0"
        signature = self.certificate_log.sign(said, _ECDSA)
        stamp = b"\0" + _id(self.certificate_log) + struct.pack("!QHBBH", milliseconds, 0, 4, 3, len(signature))
        stamps = struct.pack("!H", len(stamp) + len(signature)) + stamp + signature
        whole = struct.pack("!H", len(stamps)) + stamps
        return bytes([4, len(whole)]) + whole

    def enter(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Rekor's ``log/entries``, for a log that has this entry alone: its hash is the tree's."""
        content = asked["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        self.entries.append(envelope)
        body = rfc8785.dumps({
            "apiVersion": "0.0.1", "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": _hash(content["envelope"].encode())},
                "payloadHash": {"algorithm": "sha256", "value": _hash(base64.b64decode(envelope["payload"]))},
                "signatures": [
                    {"signature": each["sig"], "verifier": content["verifiers"][0]} for each in envelope["signatures"]
                ],
            },
        })  # fmt: skip
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"log.example.org - 1\n1\n{_encoded(root)}\n"
        signed = _encoded(_id(self.log)[:4] + self.log.sign(note.encode(), _ECDSA))
        said: dict[str, Any] = {
            "body": _encoded(body), "integratedTime": int(dt.datetime.now(dt.UTC).timestamp()),
            "logID": _id(self.log).hex(), "logIndex": 0,
        }  # fmt: skip
        promise = self.log.sign(rfc8785.dumps(said), _ECDSA)
        proof = {
            "checkpoint": f"{note}\n— log.example.org {signed}\n", "hashes": [], "logIndex": 0, "rootHash": root.hex(),
            "treeSize": 1,
        }  # fmt: skip
        return {"1": {**said, "verification": {"inclusionProof": proof, "signedEntryTimestamp": _encoded(promise)}}}

    def trust_config(self) -> str:
        """What a client has to know of these services."""
        since = {"start": "2020-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            return {
                "baseUrl": self.url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": _encoded(_id(key))},
                "publicKey": {
                    "rawBytes": _encoded(_public(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": since,
                },
            }  # fmt: skip

        root = _encoded(self.root.public_bytes(serialization.Encoding.DER))
        service = {"url": self.url, "majorApiVersion": 1, "validFor": since, "operator": "example.org"}
        return json.dumps({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.log)], "ctlogs": [log(self.certificate_log)],
                "certificateAuthorities": [{
                    "subject": {"organization": "example.org", "commonName": "authority"}, "uri": self.url,
                    "certChain": {"certificates": [{"rawBytes": root}]}, "validFor": since,
                }],
            },
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service], "oidcUrls": [service], "rekorTlogUrls": [service], "tsaUrls": [],
                "rekorTlogConfig": {"selector": "ANY"}, "tsaConfig": {"selector": "ANY"},
            },
        })  # fmt: skip

    def environment(self, directory: Path) -> dict[str, str]:
        """What a job of GitHub Actions has that may sign here; the trust configuration is written."""
        file = directory / "sigstore.json"
        file.write_text(self.trust_config())
        return {
            "GITHUB_ACTIONS": "true", "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.url}/token?version=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET, "FORGE_INDEX_SIGSTORE": "1",
            "FORGE_INDEX_SIGSTORE_TRUST_CONFIG": str(file),
        }  # fmt: skip


def _extension(oid: str, value: bytes) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextlib.contextmanager
def sigstore_services() -> Iterator[Sigstore]:
    """The services, answering at their ``url``."""
    services = Sigstore()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers["Authorization"] != f"bearer {SECRET}":
                return self.send_error(401)
            return self.answer({"value": services.token("sigstore")}) if self.path.startswith("/token") else None

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == services.refuses:
                return self.send_error(403)
            if self.path == "/api/v2/signingCert":
                return self.answer(services.certify(asked, self.headers["Authorization"].removeprefix("Bearer ")))
            return self.answer(services.enter(asked), 201)

        def answer(self, data: dict[str, Any], status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(data).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    services.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield services
    finally:
        server.shutdown()
        server.server_close()
