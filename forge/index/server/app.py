"""The server: an ASGI application over an index in a directory."""

from __future__ import annotations

import base64
import contextlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from forge.index.model import IndexState, PackageIndexError
from forge.index.server.kept import Answers
from forge.index.server.negotiate import JSON, chosen_type
from forge.index.server.pages import merged_files, merged_json
from forge.index.server.upstream import UpstreamError
from forge.index.simple import html_page, root_html, root_json
from forge.index.state import STATE, parse_state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from forge.index.server.kept import Kept
    from forge.index.server.upstream import Upstream

_FOR_EVER = "public, max-age=31536000, immutable"
_SHORTLY = "public, max-age=60"
_CONTENT = {
    ".whl": "application/octet-stream", ".metadata": "application/octet-stream", ".provenance": "application/json",
}  # fmt: skip
"""Types by the end of a file's name; the others' are guessed."""


@dataclass
class Served:
    """An index in a directory, read again when it changes.

    Args:
        directory: Where it is.
    """

    directory: Path
    _stamp: tuple[int, int, int] | None = None
    _state: IndexState = field(default_factory=IndexState)

    def state(self) -> IndexState:
        """What it holds now.

        Raises:
            PackageIndexError: It is damaged, or gone.
        """
        file = self.directory / STATE
        try:
            found = file.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp != self._stamp:
                self._state = parse_state(file.read_bytes(), str(self.directory))
                self._stamp = stamp
        except OSError as error:
            raise PackageIndexError(
                f"{self.directory} is not an index", hint="make one with 'forge index make'"
            ) from error
        return self._state


def make_app(directory: Path, *, upstream: Upstream | None = None, tokens: Collection[str] = ()) -> Starlette:
    """The application.

    Args:
        directory: The index.
        upstream: Another index behind it.
        tokens: ``user:password`` each; who has none of them gets nothing but ``/health``. Empty: everybody may read.

    Raises:
        PackageIndexError: There is no index.
    """
    served = Served(directory)
    served.state()
    handlers = _Handlers(served, upstream)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        if upstream is not None:
            await upstream.close()

    routes = [
        Route("/health", handlers.health),
        Route("/simple", handlers.with_slash),
        Route("/simple/", handlers.root),
        Route("/simple/{name}", handlers.with_slash),
        Route("/simple/{name}/", handlers.project),
        Route("/simple/{name}/index.{kind}", handlers.project_file),
        Route("/files/{project}/{filename}", handlers.file),
        Route("/packages/{name}", handlers.with_slash),
        Route("/packages/{name}/", handlers.package),
        Route("/", handlers.home),
    ]
    middleware = [Middleware(GZipMiddleware, minimum_size=1000)]
    if tokens:
        middleware.insert(0, Middleware(_Guard, tokens=tuple(tokens)))
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


class _Handlers:
    """What answers each kind of address."""

    def __init__(self, served: Served, upstream: Upstream | None) -> None:
        self.served, self.upstream, self.answers = served, upstream, Answers()

    async def health(self, _request: Request) -> Response:
        state = self._state()
        return JSONResponse({"status": "ok", "files": len(state.files)}, headers={"Cache-Control": "no-store"})

    async def with_slash(self, request: Request) -> Response:
        return RedirectResponse(f"{request.url.path.rpartition('/')[2]}/" + _query(request), 301)

    async def root(self, request: Request) -> Response:
        state, kind = self._state(), _kind(request)
        render = root_json if kind == JSON else root_html
        kept = self.answers.get(("", kind), (state,), lambda: render(state.projects).encode())
        return _page(request, kept, kind)

    async def project(self, request: Request) -> Response:
        name = request.path_params["name"]
        normal = canonicalize_name(name)
        if name != normal:
            return RedirectResponse(f"../{normal}/" + _query(request), 301)
        kind = _kind(request)
        state = self._state()
        own = state.projects.get(normal, ())
        others, tracks = None, ""
        if self.upstream is not None:
            try:
                others = await self.upstream.files(normal)
            except UpstreamError as error:
                if not own:
                    raise HTTPException(502, str(error)) from error
            if own and others:
                tracks = f"{self.upstream.url.rstrip('/')}/{normal}/"
        if not own and others is None:
            raise HTTPException(404, f"there is no project {normal} here")
        url = state.url or (f"{request.base_url}simple/" if any(file.provenance_sha256 for file in own) else "")

        def render() -> bytes:
            files = merged_files(own, others, url)
            return (merged_json(normal, files, tracks) if kind == JSON else html_page(normal, files, tracks)).encode()

        return _page(request, self.answers.get((normal, kind, url), (state, others), render), kind)

    async def project_file(self, request: Request) -> Response:
        name, kind = request.path_params["name"], request.path_params["kind"]
        if name not in self._state().projects or kind not in ("html", "json"):
            raise HTTPException(404)
        return _file(self.served.directory / "simple" / name / f"index.{kind}", _SHORTLY)

    async def file(self, request: Request) -> Response:
        filename = request.path_params["filename"]
        held = self._state().files.get(filename.removesuffix(".metadata").removesuffix(".provenance"))
        if held is None or held.project != request.path_params["project"]:
            raise HTTPException(404)
        digest: str | None = held.sha256
        caching = _FOR_EVER
        if filename.endswith(".metadata"):
            digest = held.metadata_sha256
        elif filename.endswith(".provenance"):
            digest, caching = held.provenance_sha256, _SHORTLY  # statements are added
        if digest is None:
            raise HTTPException(404)
        tag = f'"{digest}"'
        if _has(request, tag):
            return Response(status_code=304, headers={"ETag": tag, "Cache-Control": caching})
        path = self.served.directory / "files" / held.project / filename
        if path.suffix == ".metadata" and "range" not in request.headers:
            return self._small(path, digest, {"ETag": tag, "Cache-Control": caching})
        return _file(path, caching, tag)

    def _small(self, path: Path, digest: str, headers: dict[str, str]) -> Response:
        """A file that is asked for often, and is not large."""
        try:
            kept = self.answers.get(path, (digest,), path.read_bytes)
        except OSError as error:
            raise HTTPException(404) from error
        return Response(kept.content, media_type=_CONTENT[path.suffix], headers=headers)

    async def package(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._state().projects:
            raise HTTPException(404)
        return _file(self.served.directory / "packages" / name / "index.html", _SHORTLY)

    async def home(self, _request: Request) -> Response:
        return _file(self.served.directory / "index.html", _SHORTLY)

    def _state(self) -> IndexState:
        try:
            return self.served.state()
        except PackageIndexError as error:
            raise HTTPException(503, error.message) from error


class _Guard:
    """Lets in who has a user and password (RFC 7617); pip, uv and twine send them from the address or the keyring."""

    def __init__(self, app: ASGIApp, tokens: tuple[str, ...]) -> None:
        self.app = app
        self.tokens = tuple(token.encode() for token in tokens)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health" or self._may(dict(scope["headers"])):
            await self.app(scope, receive, send)
            return
        headers = {"WWW-Authenticate": 'Basic realm="index", charset="UTF-8"'}
        await PlainTextResponse("a user and password are needed\n", 401, headers)(scope, receive, send)

    def _may(self, headers: dict[bytes, bytes]) -> bool:
        kind, _, value = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() != b"basic":
            return False
        try:
            given = base64.b64decode(value, validate=True)
        except ValueError:
            return False
        return any([hmac.compare_digest(given, token) for token in self.tokens])  # noqa: C419 - all of them: no timing


def _kind(request: Request) -> str:
    kind = chosen_type(request.headers.get("accept"), request.query_params.get("format"))
    if kind is None:
        raise HTTPException(406, "there are text/html and application/vnd.pypi.simple.v1+json")
    return kind


def _page(request: Request, kept: Kept, kind: str) -> Response:
    tag = f'"{kept.tag}"'
    headers = {"ETag": tag, "Vary": "Accept, Accept-Encoding", "Cache-Control": _SHORTLY}
    if _has(request, tag):
        return Response(status_code=304, headers=headers)
    if kept.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(kept.packed, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(kept.content, media_type=kind, headers=headers)


def _has(request: Request, tag: str) -> bool:
    """Whether the client has that version already (RFC 9110, 13.1.2)."""
    given = [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]
    return tag in given or "*" in given


def _file(path: Path, caching: str, tag: str = "") -> Response:
    if not path.is_file():
        raise HTTPException(404)
    headers = {"Cache-Control": caching, **({"ETag": tag} if tag else {})}
    kind = _CONTENT.get(path.suffix)
    return FileResponse(path, headers=headers, media_type=kind)


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""
