"""HTTP as the machine and pip are set up for it: proxies, certificates, credentials, and which failures may pass."""

from __future__ import annotations

import base64
import netrc
import os
import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from forge.base.errors import NetworkError
from forge.source.keyrings import from_keyring
from forge.source.model import redacted
from forge.source.pip_settings import PipSettings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which trying again may help (RFC 9110, 15.5.9 and 15.6; RFC 8470; RFC 6585)."""

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

    @classmethod
    def of(cls, settings: PipSettings) -> Patience:
        """As pip is configured: its time-out and number of retries, where they are set."""
        attempts = cls.attempts if settings.retries is None else max(1, settings.retries + 1)
        return cls(read=max(1.0, settings.timeout or cls.read), attempts=attempts)

    def wait(self, attempt: int, asked: str | None = None) -> float:
        """Seconds to wait after an attempt.

        Args:
            attempt: Its number, from 1.
            asked: A ``Retry-After`` header in seconds (RFC 9110, 10.2.3); a date is not honoured.
        """
        own = self.backoff * float(2 ** (attempt - 1))
        return min(_LONGEST_WAIT, max(own, float(asked))) if asked and asked.isdecimal() else min(_LONGEST_WAIT, own)


def certificate_authorities(settings: PipSettings | None = None) -> Path | None:
    """The bundle of certificate authorities that pip or the environment names, or None for the system's own.

    The variables are those of OpenSSL, requests, curl and pip, in this order.

    Raises:
        NetworkError: One names a file that is not there.
    """
    named = [("pip's option cert", settings.cert if settings else "")]
    named += [(variable, os.environ.get(variable, "")) for variable in _CA_VARIABLES]
    for what, place in named:
        if place:
            if not Path(place).exists():
                raise NetworkError(f"{what} names {place}, which does not exist", hint=f"fix or unset {what}")
            return Path(place)
    return None


def client(patience: Patience, settings: PipSettings | None = None) -> httpx.Client:
    """An HTTP client that follows redirects and reaches servers as pip would.

    It honours ``HTTPS_PROXY``, ``NO_PROXY`` and their like, ``~/.netrc``, and pip's options for proxies, certificates
    and trusted hosts.

    Args:
        patience: Time-outs.
        settings: Pip's options.

    Raises:
        NetworkError: The bundle of certificate authorities or the client's certificate cannot be read.
    """
    settings = settings or PipSettings()
    return httpx.Client(
        transport=_Transport(settings, _ssl_context(settings)),
        auth=_Credentials(settings),
        timeout=httpx.Timeout(patience.read, connect=patience.connect),
        follow_redirects=True,
        trust_env=False,  # the transport looks at the environment itself: httpx raises on much that others accept
        # The hash is of the file as it lies on the server: no compression on the way.
        headers={"User-Agent": "forge", "Accept-Encoding": "identity"},
    )


def _ssl_context(settings: PipSettings) -> ssl.SSLContext:
    authorities = certificate_authorities(settings)
    try:
        if authorities is None:
            context = ssl.create_default_context()
        elif authorities.is_dir():
            context = ssl.create_default_context(capath=authorities)
        else:
            context = ssl.create_default_context(cafile=authorities)
    except OSError as error:  # ssl's errors are OSErrors
        raise NetworkError(f"cannot read the certificate authorities in {authorities}: {error}") from error
    if settings.client_cert:
        try:
            context.load_cert_chain(settings.client_cert)
        except OSError as error:
            raise NetworkError(
                f"cannot read the client certificate {settings.client_cert}: {error}", hint="see pip's client-cert"
            ) from error
    return context


class _Transport(httpx.BaseTransport):
    """Sends each request directly or through a proxy, with its server's certificate verified or not."""

    def __init__(self, settings: PipSettings, context: ssl.SSLContext) -> None:
        self._settings = settings
        self._context = context
        self._transports: dict[tuple[str, bool], httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it.

        Raises:
            NetworkError: The proxy that is to be used cannot be.
        """
        proxy = self._proxy(request.url)
        trusted = self._is_trusted(request.url)
        if (proxy, trusted) not in self._transports:
            verify = False if trusted else self._context
            try:
                made = httpx.HTTPTransport(verify=verify, proxy=proxy or None, trust_env=False)
            except ImportError as error:
                raise NetworkError(
                    f"the proxy {redacted(proxy)} is a SOCKS proxy, which takes the package socksio",
                    hint="install 'httpx[socks]' beside forge, or name an HTTP proxy",
                ) from error
            except (ValueError, httpx.InvalidURL) as error:
                raise NetworkError(
                    f"cannot use the proxy {redacted(proxy)}: {error}",
                    hint="fix HTTP_PROXY, HTTPS_PROXY, ALL_PROXY or pip's option proxy",
                ) from error
            self._transports[proxy, trusted] = made
        return self._transports[proxy, trusted].handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for transport in self._transports.values():
            transport.close()

    def _proxy(self, url: httpx.URL) -> str:
        """The proxy for a URL, or an empty string; ``NO_PROXY`` is read leniently, as by curl and requests."""
        proxies = urllib.request.getproxies()
        if urllib.request.proxy_bypass_environment(url.host, proxies):  # type: ignore[attr-defined] # the stubs lack it
            return ""
        named = self._settings.proxy or proxies.get(url.scheme) or proxies.get("all") or ""
        return named if not named or "://" in named else f"http://{named}"

    def _is_trusted(self, url: httpx.URL) -> bool:
        port = url.port or {"https": 443, "http": 80}.get(url.scheme)
        return bool({url.host, f"{url.host}:{port}"} & set(self._settings.trusted_hosts))


class _Credentials(httpx.Auth):
    """User and password: the URL's, else those of ``~/.netrc`` (or ``NETRC``) for its host, else the keyring's.

    The keyring is asked as pip asks it: only where ``--keyring-provider`` names it, since nobody may be there to unlock
    one, only once the server has asked for credentials (RFC 9110, 15.5.2), and for the index before the host.

    Args:
        settings: Pip's options.
    """

    def __init__(self, settings: PipSettings) -> None:
        self._settings = settings
        self._kept: dict[tuple[str, str], tuple[str, str] | None] = {}  # by host and user

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the header."""
        user, password = request.url.username, request.url.password
        if not user and (found := from_netrc(request.url.host)):
            user, password = found
        if not password and (found := self._kept.get((request.url.host, user))):
            user, password = found
        if user:
            request.headers["Authorization"] = _basic(user, password)
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED or password:
            return
        key = request.url.host, user
        if key not in self._kept:
            self._kept[key] = from_keyring(self._settings.keyring_provider, self._services(request.url), user)
        if found := self._kept[key]:
            request.headers["Authorization"] = _basic(*found)
            yield request

    def _services(self, url: httpx.URL) -> Iterator[str]:
        for index in self._settings.index_urls:
            try:
                bare = httpx.URL(index).copy_with(username=None, password=None)
            except httpx.InvalidURL:  # whoever asks that index is told
                continue
            if bare.host == url.host:
                yield str(bare)
        yield url.netloc.rpartition(b"@")[2].decode("ascii")


def _basic(user: str, password: str) -> str:
    """The header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def from_netrc(host: str) -> tuple[str, str] | None:
    """The user and password that ``~/.netrc`` (or ``NETRC``) has for a host, or None; either may be empty."""
    named = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")  # noqa: PTH111 - never raises
    try:
        entry = netrc.netrc(named).authenticators(host)
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        return None  # as requests does: a file of another program's
    return (entry[0], entry[2] or "") if entry else None


def is_transient(error: Exception) -> bool:
    """Whether trying again may help."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in TRANSIENT
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return False
    return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)


def reason(error: Exception) -> str:
    """A failure in a few words."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code} {error.response.reason_phrase}".rstrip()
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate cannot be verified (is there a proxy? set SSL_CERT_FILE or pip's cert to its bundle)"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return (str(error) or type(error).__name__).splitlines()[0][:200]
