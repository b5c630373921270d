"""User and password of a server that takes uploads: never from the command line, and never in a message.

They are looked for in the environment, the keyring, ``~/.netrc`` and ``~/.pypirc``, in this order.
"""

from __future__ import annotations

import base64
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from forge.source.http import from_netrc
from forge.source.keyrings import from_keyring
from forge.source.model import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.publish.pypirc import Repository

TOKEN_USER = "__token__"  # noqa: S105 - the user that stands for a token, as PyPI and others have it
_PREFIXES = ("FORGE_PUBLISH", "TWINE")
HIDDEN = "…"


@dataclass(frozen=True)
class Credentials:
    """A user and a password.

    Args:
        username: The user.
        password: The password, or a token.
        source: Where it is from, for messages.
    """

    username: str
    password: str = field(repr=False)
    source: str

    def scrub(self, text: str) -> str:
        """A text of others without the password, in any of the forms that a server may have seen."""
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        secret = self.password or self.username  # some servers take a token as the user
        forms = {secret, quote(secret), quote(secret, safe=""), pair, pair.rstrip("=")}
        for form in sorted(filter(None, forms), key=len, reverse=True):
            text = text.replace(form, HIDDEN)
        return text

    def into(self, url: str) -> str:
        """A URL with user and password."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(
            parts._replace(netloc=f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@{host}")
        )


def find_credentials(repository: Repository) -> Credentials | None:
    """The user and password for a server, or None if nothing says any.

    Args:
        repository: The server, and what ``.pypirc`` says of it.
    """
    named, at = _variable("USERNAME")
    user = named or repository.username
    password, variable = _variable("PASSWORD")
    if password:
        return Credentials(user or TOKEN_USER, password, f"the environment ({variable})")
    for found in _elsewhere(repository, user):
        # A user that the environment names has no other user's password.
        if not named or found.username == named:
            return found
    return Credentials(named, "", f"the environment ({at})") if named else None


def _elsewhere(repository: Repository, user: str) -> Iterator[Credentials]:
    host = urlsplit(repository.url).hostname or ""
    if found := from_keyring("import", (repository.url, host), user):
        yield Credentials(found[0] or TOKEN_USER, found[1], "the keyring")
    if (found := from_netrc(host)) and found[1]:
        yield Credentials(*found, "the netrc file")
    if repository.password:
        yield Credentials(repository.username or user or TOKEN_USER, repository.password, "the .pypirc file")


def _variable(what: str) -> tuple[str, str]:
    """The value of the first variable that has one, and the variable's name."""
    for prefix in _PREFIXES:
        if value := os.environ.get(f"{prefix}_{what}"):
            return value, f"{prefix}_{what}"
    return "", ""


class _Redacted(logging.Filter):
    """Takes users and passwords out of the addresses that httpx logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a record; all of them pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(redacted(str(each)) if isinstance(each, httpx.URL) else each for each in record.args)
        return True


_REDACTED = _Redacted()


def keep_from_logs() -> None:
    """From now on httpx logs no address with a user or a password."""
    logging.getLogger("httpx").addFilter(_REDACTED)


def split_credentials(url: str) -> tuple[str, str, str]:
    """A URL without user and password, the user, and the password."""
    parts = urlsplit(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, unquote(parts.username or ""), unquote(parts.password or "")
