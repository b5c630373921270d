"""Whether a binary contains OpenSSL, for which Apple asks for a privacy manifest (ITMS-91061)."""

from __future__ import annotations

import re

_OPENSSL = re.compile(
    rb"OpenSSL \d+\.\d+\.\d+"
    rb"(?:[a-z]{0,2}(?:-[a-z0-9]{1,16})? +\d{1,2} [A-Z][a-z]{2} 20\d\d| \(compatible; [A-Za-z-]{1,20}\))"
)
"""``OPENSSL_VERSION_TEXT`` of ``opensslv.h``: ``OpenSSL 3.0.16 11 Feb 2025``; BoringSSL's and AWS-LC's say what they
are compatible with."""
_OPENSSL_SOURCES = (b"crypto/err/", b"crypto/evp/")
_OPENSSL_DIRECTORY = b"OPENSSLDIR: "
"""What only the library itself holds: names of its sources, for its error messages, and its configuration. The version
is also in code that was only compiled with its headers, and not in every part of the library."""


def openssl_version(data: bytes) -> str | None:
    """The version of the OpenSSL that a binary contains, e.g. ``OpenSSL 3.0.16 11 Feb 2025``, or None.

    ``OpenSSL`` alone where the part that is in the binary does not tell its version.
    """
    found = _OPENSSL.search(data)
    if all(name in data for name in _OPENSSL_SOURCES) or (found and _OPENSSL_DIRECTORY in data):
        return found[0].decode("ascii") if found else "OpenSSL"
    return None
