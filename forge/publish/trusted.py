"""Trusted publishing: a CI job shows who it is, and gets a password for this run alone.

The job's identity is a token (OpenID Connect) that its CI service signs. A server that has trusted publishing says for
whom such tokens are to be made out (``/_/oidc/audience``), and gives a short-lived upload token for one
(``/_/oidc/mint-token``), as PyPI does. Neither token is ever shown or kept.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from forge.publish.credentials import TOKEN_USER, Credentials
from forge.publish.model import PublishError
from forge.source.http import reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge.publish.pypirc import Repository

REQUEST_URL, REQUEST_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
"""What GitHub Actions gives jobs that may show who they are (``permissions: id-token: write``)."""

_LONGEST_REASON = 300
SOURCE = "trusted publishing"


def trusted_credentials(repository: Repository, http: httpx.Client) -> Credentials | None:
    """A user and a token for this run; None if this is no CI job with an identity, or the server has no such thing.

    Args:
        repository: The server.
        http: The client.

    Raises:
        PublishError: The server does not trust this job, or a service does not answer.
    """
    if not _has_identity():
        return None
    audience = _audience(repository.url, http)
    if audience is None:
        return None
    identity = _identity(audience, http)
    if identity is None:
        return None
    url = _beside(repository.url, "/_/oidc/mint-token")
    answer = _asked(lambda: http.post(url, json={"token": identity}, follow_redirects=False), url)
    said = _json(answer)
    token = said.get("token")
    if not answer.is_success or not isinstance(token, str) or not token:
        raise PublishError(
            f"{url} gives no upload token to this job: {_reason(answer, said, identity)}",
            hint="register this repository, workflow and environment there as a trusted publisher of the project, or "
            "set FORGE_PUBLISH_PASSWORD to a token",
        )
    return Credentials(TOKEN_USER, token, SOURCE)


def _has_identity() -> bool:
    github = os.environ.get(REQUEST_URL) and os.environ.get(REQUEST_TOKEN)
    return bool(github) or any(name.endswith("_ID_TOKEN") and value for name, value in os.environ.items())


def _audience(upload_url: str, http: httpx.Client) -> str | None:
    """For whom the server wants tokens made out; None if it has no trusted publishing."""
    url = _beside(upload_url, "/_/oidc/audience")
    answer = _asked(lambda: http.get(url, follow_redirects=False), url)
    audience = _json(answer).get("audience") if answer.is_success else None
    return audience if isinstance(audience, str) and audience else None


def _identity(audience: str, http: httpx.Client) -> str | None:
    """The job's token: asked for on GitHub Actions; GitLab has put it into a variable that the audience names."""
    variable = "".join(letter if letter.isalnum() else "_" for letter in audience).upper()
    if given := os.environ.get(f"{variable}_ID_TOKEN"):
        return given
    url, bearer = os.environ.get(REQUEST_URL), os.environ.get(REQUEST_TOKEN)
    if not url or not bearer:
        return None
    headers = {"Authorization": f"Bearer {bearer}"}
    answer = _asked(
        lambda: http.get(
            httpx.URL(url).copy_merge_params({"audience": audience}), headers=headers, follow_redirects=False
        ),
        "the CI service",
    )  # fmt: skip
    value = _json(answer).get("value")
    if not answer.is_success or not isinstance(value, str) or not value:
        raise PublishError(
            f"the CI service does not say who this job is: HTTP {answer.status_code}",
            hint="give the job 'permissions: id-token: write', or set FORGE_PUBLISH_PASSWORD",
        )
    return value


def _beside(url: str, path: str) -> str:
    """An address on the server of another one."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _asked(ask: Callable[[], httpx.Response], what: str) -> httpx.Response:
    try:
        return ask()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PublishError(
            f"{what} does not answer: {reason(error)}", hint="run the command again, or set FORGE_PUBLISH_PASSWORD"
        ) from None


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        data = answer.json()
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _reason(answer: httpx.Response, said: dict[str, Any], identity: str) -> str:
    """What a server says, without the job's token."""
    errors = said.get("errors")
    rows = [row for row in errors if isinstance(row, dict)] if isinstance(errors, list) else []
    texts = [f"{row.get('code', '')}: {row.get('description', '')}" for row in rows] or [str(said.get("message", ""))]
    text = " ".join(f"HTTP {answer.status_code} {'; '.join(texts)}".split()).replace(identity, "…")
    return text[:_LONGEST_REASON]
