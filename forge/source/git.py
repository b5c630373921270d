"""One commit of a git repository as an archive: fetched alone where allowed, always the same bytes."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from forge.base.atomic import atomic_file, locked, storage_error
from forge.base.errors import NetworkError, SourceError, ToolchainError
from forge.base.hashing import file_sha256
from forge.base.process import output
from forge.source.model import checked_filename, redacted

if TYPE_CHECKING:
    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.source.model import GitSource

_KIND = "git-2"
"""The directory of these archives; its number counts how they are made."""

_NO_SHALLOW = re.compile(
    "unadvertised object|not our ref|does not support shallow|dumb http transport|shallow file has changed",
    re.IGNORECASE,
)
"""What git says of a server that does not hand out single commits."""

_KEPT_VARIABLES = ("GIT_SSH", "GIT_SSL_", "GIT_HTTP_", "GIT_CONFIG_", "GIT_ASKPASS", "GIT_PROXY", "GIT_EXEC_PATH")
"""Which of git's variables say how to reach a server; the others are about the user's own repository."""

_TIMEOUT = 1800.0  # seconds for one git command; a large repository takes minutes


def fetch_git(source: GitSource, home: ForgeHome, progress: Progress) -> Path:
    """The archive of a commit, as ``git archive`` makes it; submodules are not in it.

    It is kept at ``sources/git-2/<revision>/<name>-<revision>.tar``, with its sha256 beside it.

    Args:
        source: The repository and commit.
        home: The cache.
        progress: Is told what is fetched.

    Raises:
        SourceError: The revision is not a commit's, or the repository does not have it.
        NetworkError: The repository cannot be reached.
        ToolchainError: There is no git.
        StorageError: The cache cannot be written.
    """
    if re.fullmatch(r"[0-9a-f]{40}", source.revision) is None:
        raise SourceError(f"{source.revision[:60]!r} is not a commit", hint="a commit is 40 lower-case hex digits")
    if shutil.which("git") is None:
        raise ToolchainError("the program 'git' is missing", hint="install it, e.g. with your package manager")
    archive = _place(source, home)
    name = archive.name
    digest = archive.with_suffix(".tar.sha256")
    try:
        with locked(home.locks, f"source-git-{source.revision}"):
            if archive.is_file() and digest.is_file() and digest.read_text() == file_sha256(archive):
                return archive
            progress.phase(source.name, f"fetch {source.revision[:12]} with git")
            home.sources.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".git.", dir=home.sources) as scratch:
                _archive(source, Path(scratch), archive, progress)
            with atomic_file(digest, "w") as file:
                file.write(file_sha256(archive))
    except OSError as error:
        raise storage_error(error) or SourceError(f"cannot keep {name}: {error}") from error
    return archive


def has_commit(source: GitSource, home: ForgeHome) -> bool:
    """Whether the archive of a commit is there, be it damaged: quick, for plans.

    Args:
        source: The repository and commit.
        home: The cache.
    """
    return _place(source, home).is_file()


def _place(source: GitSource, home: ForgeHome) -> Path:
    name = checked_filename(f"{source.name}-{source.revision}.tar")
    return home.sources / _KIND / source.revision / name


def _archive(source: GitSource, repository: Path, archive: Path, progress: Progress) -> None:
    """Fetch a commit into an empty repository and write its archive."""
    _git(repository, "init", "--quiet", "--bare")
    # The project's attributes would change the archive by how it was fetched ('export-subst': the names of tags), or
    # leave files out of it; this file has the last word (gitattributes(5)).
    attributes = repository / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("* -export-subst -export-ignore\n", encoding="ascii")
    _fetch(repository, source)
    if _git(repository, "ls-tree", "--name-only", source.revision, ".gitmodules").strip():
        progress.note(source.name, "has git submodules, which are not in the archive")
    made = repository / "forge.tar"
    # What git's own settings could change in the archive is fixed here; its times are the commit's.
    _git(
        repository,
        *("-c", "core.autocrlf=false", "-c", "core.attributesFile=", "-c", "tar.umask=0022"),
        *("archive", "--format=tar", f"--prefix={source.name}-{source.revision[:12]}/"),
        *(f"--output={made}", source.revision),
    )
    archive.parent.mkdir(parents=True, exist_ok=True)
    made.replace(archive)


def _fetch(repository: Path, source: GitSource) -> None:
    """Get the commit: alone, or with everything where a server serves only what branches and tags name."""
    try:
        _fetch_alone(repository, source)
    except ToolchainError as error:
        if not _NO_SHALLOW.search(error.message):
            raise _unreachable(source, error) from error
        try:
            branches = ("+refs/heads/*:refs/forge/heads/*", "+refs/tags/*:refs/forge/tags/*")
            _git(repository, "fetch", "--quiet", "--", source.url, *branches)
        except ToolchainError as second:
            raise _unreachable(source, second) from second
    try:
        _git(repository, "rev-parse", "--quiet", "--verify", f"{source.revision}^{{commit}}")
    except ToolchainError as error:
        raise SourceError(
            f"{redacted(source.url)} has no commit {source.revision}",
            hint="was it rewritten? look for the tag's commit",
        ) from error


def _fetch_alone(repository: Path, source: GitSource) -> None:
    _git(repository, "fetch", "--quiet", "--no-tags", "--depth=1", "--", source.url, source.revision)


def _unreachable(source: GitSource, error: ToolchainError) -> NetworkError:
    said = error.message.replace(source.url, redacted(source.url))
    password = urlsplit(source.url).password
    return NetworkError(
        f"cannot fetch {redacted(source.url)}\n{said.replace(password, '***') if password else said}",
        hint="check the repository's URL, your access to it, and the network",
    )


def _git(repository: Path, *arguments: str) -> str:
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith(_KEPT_VARIABLES)
    }
    environment = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return output(["git", "-C", repository, *arguments], env=environment, timeout=_TIMEOUT)
