"""Servers that take uploads: by address, or by the name of a section of ``~/.pypirc``."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from forge.publish.credentials import split_credentials
from forge.publish.model import PublishError
from forge.source.model import redacted

PYPI = "pypi"
"""The name that needs no section."""


@dataclass(frozen=True)
class Repository:
    """A server that takes uploads.

    Args:
        url: Its address for uploads, without user and password.
        index_url: The address of its ``simple/``, or an empty string where that is not known.
        username: The user that ``.pypirc`` names, or an empty string.
        password: The password that ``.pypirc`` holds, or an empty string.
    """

    url: str
    index_url: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


def repository_at(url: str) -> Repository:
    """The server at an address.

    Raises:
        PublishError: It is none, or holds a user or password.
    """
    _check(url, "what was given with --to")
    refuse_credentials(url)
    return Repository(url)


def refuse_credentials(url: str) -> None:
    """No address on the command line holds a user or password: others see what a program is called with.

    Raises:
        PublishError: One does.
    """
    try:
        user, password = split_credentials(url)[1:]
    except ValueError:
        raise PublishError("an address is malformed", hint="correct --to and --index-url") from None
    if user or password:
        raise PublishError(
            f"there is a user or a password in the address of {redacted(url)}",
            hint="leave them out, since others see the command line; put them into FORGE_PUBLISH_USERNAME and "
            "FORGE_PUBLISH_PASSWORD, the keyring, ~/.netrc or ~/.pypirc",
        )


def repository_named(name: str) -> Repository:
    """The server of a section of ``~/.pypirc``; ``pypi`` needs none.

    Args:
        name: The section.

    Raises:
        PublishError: There is no such section, it has no address, or the file cannot be read.
    """
    file = Path(os.path.expanduser("~/.pypirc"))  # noqa: PTH111 - never raises
    sections = configparser.RawConfigParser()
    try:
        sections.read_string(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        pass
    except OSError as error:
        raise PublishError(f"cannot read {file}: {error.strerror}", hint="check its permissions") from error
    except (configparser.Error, UnicodeDecodeError) as error:
        # Their messages quote lines, which may hold a password.
        line = getattr(error, "lineno", None) or next((n for n, _ in getattr(error, "errors", ())), None)
        where = f"{file}:{line}" if line else str(file)
        raise PublishError(f"{where}: cannot be read: it is not an INI file", hint="correct the file") from None
    known = sorted({*sections.sections(), PYPI} - {"distutils", "server-login"})
    if name not in known:
        raise PublishError(f"{file} has no section [{name}]", hint=f"there is: {', '.join(known)}")
    section = sections[name] if sections.has_section(name) else {}
    url, index_url = section.get("repository", "").strip(), ""
    if name == PYPI and not url:
        url, index_url = _pypi()
    if not url:
        raise PublishError(f"{file}: the section [{name}] has no 'repository'", hint="add its address for uploads")
    _check(url, f"{file}: 'repository' of [{name}]")
    bare, user, password = split_credentials(url)
    return Repository(
        bare, index_url, section.get("username", "").strip() or user, section.get("password", "").strip() or password
    )


def _check(url: str, what: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        # It is not quoted: where it is malformed, nobody can tell which part is the password.
        raise PublishError(f"{what} is not an address for uploads", hint="expected e.g. https://pypi.example.org/")


def _pypi() -> tuple[str, str]:
    """Where the package index that is pip's default takes uploads, and its ``simple/``."""
    from pypi_simple import PYPI_SIMPLE_ENDPOINT  # noqa: PLC0415 - takes a third of a second

    return f"https://upload.{urlsplit(PYPI_SIMPLE_ENDPOINT).hostname}/legacy/", PYPI_SIMPLE_ENDPOINT
