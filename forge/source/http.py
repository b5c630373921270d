"""HTTP as the machine is set up for it: proxies, certificate authorities, and which failures may pass."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import httpx

from forge.base.errors import NetworkError

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}  # RFC 9110, 15.5.9 and 15.6; RFC 8470; RFC 6585
_LONGEST_WAIT = 30.0  # seconds


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Args:
        connect: Seconds to connect.
        read: Seconds between two pieces of an answer.
        attempts: How often one address is tried if its failure may pass.
        backoff: Seconds before the second attempt; doubles with each further one.
        max_bytes: The largest file that is taken.
    """

    connect: float = 20.0
    read: float = 60.0
    attempts: int = 3
    backoff: float = 1.0
    max_bytes: int = 2 * 1024**3

    def wait(self, attempt: int, asked: str | None = None) -> float:
        """Seconds to wait after an attempt.

        Args:
            attempt: Its number, from 1.
            asked: A ``Retry-After`` header in seconds (RFC 9110, 10.2.3); a date is not honoured.
        """
        own = self.backoff * float(2 ** (attempt - 1))
        return min(_LONGEST_WAIT, max(own, float(asked))) if asked and asked.isdecimal() else min(_LONGEST_WAIT, own)


def certificate_authorities() -> Path | None:
    """The bundle of certificate authorities that the environment names, or None for the system's own.

    The variables are those of OpenSSL, requests, curl and pip, in this order.

    Raises:
        NetworkError: One names a file that is not there.
    """
    for variable in _CA_VARIABLES:
        named = os.environ.get(variable)
        if named:
            if not Path(named).exists():
                raise NetworkError(f"{variable} names {named}, which does not exist", hint=f"mend or unset {variable}")
            return Path(named)
    return None


def client(patience: Patience) -> httpx.Client:
    """An HTTP client that follows redirects and honours ``HTTPS_PROXY``, ``NO_PROXY`` and their like.

    Raises:
        NetworkError: The bundle of certificate authorities cannot be read.
    """
    authorities = certificate_authorities()
    try:
        if authorities is None:
            context = ssl.create_default_context()
        elif authorities.is_dir():
            context = ssl.create_default_context(capath=authorities)
        else:
            context = ssl.create_default_context(cafile=authorities)
        return httpx.Client(
            verify=context,
            timeout=httpx.Timeout(patience.read, connect=patience.connect),
            follow_redirects=True,
            # The hash is of the file as it lies on the server: no compression on the way.
            headers={"User-Agent": "forge", "Accept-Encoding": "identity"},
        )
    except (ssl.SSLError, OSError) as error:
        raise NetworkError(f"cannot read the certificate authorities in {authorities}: {error}") from error
    except ValueError as error:
        raise NetworkError(
            f"cannot use the proxy that the environment names: {error}", hint="see HTTPS_PROXY"
        ) from error


def is_transient(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in _TRANSIENT
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return False
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def reason(error: Exception) -> str:
    """A failure in a few words."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code} {error.response.reason_phrase}".rstrip()
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate cannot be verified (is there a proxy? set SSL_CERT_FILE to its bundle)"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return (str(error) or type(error).__name__).splitlines()[0][:200]
