"""Rules on a recipe's source and its patches, as far as they need no network."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from forge.lint.about_checks import value_fix
from forge.lint.rules import finding
from forge.recipe.diagnostics import shown_path
from forge.recipe.model import PathPin, SdistPin, UrlPin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from forge.lint.model import Finding
    from forge.lint.subject import Neighbours, Subject
    from forge.recipe.document import Path as DataPath

_EMPTY = hashlib.sha256().hexdigest()
_FEWEST_DIGITS = 5
"""A true sha256 has nearly all of the 16 digits; not one in 10^30 has fewer different ones than this."""

_MUTABLE = (
    (re.compile(r"/refs/heads/"), "it is of a branch"),
    (re.compile(r"/(?:archive|tarball|zipball|raw|-/archive)/(?:main|master|develop|devel|dev|trunk|HEAD)\b"),
     "it is of a branch"),
    (re.compile(r"(?:^|[/._-])(?:latest|nightly|snapshot|current)(?:[/._-]|$)", re.IGNORECASE),
     "it is of whatever release is the newest"),
)  # fmt: skip
_DIFF = re.compile(r"^(?:--- |diff |Index: |From [0-9a-f]{40} )", re.MULTILINE)
_MAIL_HEADER = re.compile(r"^(?:From|Date|Signed-off-by|Co-authored-by|Message-Id|MIME-Version|Content-[\w-]+):")
_MOST_PATCH_BYTES = 64 * 1024


def placeholder_hash(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC301: hashes that no source has."""
    recipe = subject.recipe
    if recipe is None or not isinstance(recipe.source, SdistPin | UrlPin):
        return
    sha256 = recipe.source.sha256
    path = ("source", "sdist", "sha256") if isinstance(recipe.source, SdistPin) else ("source", "sha256")
    if sha256 == _EMPTY:
        message = "the sha256 is that of an empty file"
    elif len(set(sha256)) < _FEWEST_DIGITS or sha256[:16] * 4 == sha256:
        message = "the sha256 is made up"
    else:
        return
    hint = "replace it by the sha256 that the index or the project gives"
    yield finding("placeholder-hash", recipe.place(*path), message, hint)


def addresses(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC302 to REC304: where the source comes from."""
    recipe = subject.recipe
    if recipe is None:
        return
    named: list[tuple[DataPath, str]] = []
    match recipe.source:
        case UrlPin(urls):
            named = [(("source", "url", number), url) for number, url in enumerate(urls)]
            for path, url in named:
                if why := _why_mutable(url, recipe.version):
                    message = f"what is at this address changes: {why}"
                    hint = "take the address of one release, with ${version} in it"
                    yield finding("mutable-source", recipe.place(*path), message, hint)
        case SdistPin(filename=str(filename)):
            named = [(("source", "sdist", "filename"), filename)]
        case PathPin(path=text):
            place = recipe.place("source", "path")
            if not (recipe.directory / text).resolve().is_relative_to(recipe.directory.resolve()):
                message = f"the source {text[:80]!r} is outside the recipe's directory"
                yield finding("local-source", place, message, "take it from an index, an address or a repository")
    for path, text in named:
        yield from _literal_version(subject, path, text, recipe.version)


def _why_mutable(url: str, version: str) -> str:
    bare = url.replace("${version}", version)
    for pattern, why in _MUTABLE:
        if pattern.search(bare):
            return why
    digits = re.sub(r"\D", "", version)
    commit = re.search(r"(?<![0-9a-f])[0-9a-f]{40}(?![0-9a-f])", bare)
    if digits in re.sub(r"\D", "", bare) or commit:
        return ""
    return "it names no version"


def _literal_version(subject: Subject, path: DataPath, text: str, version: str) -> Iterator[Finding]:
    if "." not in version or "${version}" in text or subject.recipe is None:
        return
    found = re.search(rf"(?<![\d.]){re.escape(version)}(?!\d|\.\d)", text)
    if found is None:
        return
    pattern = rf"(?<![\d.]){re.escape(version)}(?!\d|\.\d)"
    fix = value_fix(subject, path, re.sub(pattern, "${version}", text))
    where = subject.recipe.place(*path).within(text, found.start(), len(version))
    yield finding("literal-version", where, "the version is written out", "write ${version}", fix=fix)


def patches(subject: Subject, _neighbours: Neighbours) -> Iterator[Finding]:
    """REC305 and REC306: patches without a reason, and such that nothing names."""
    recipe = subject.recipe
    if recipe is None:
        return
    for value in recipe.patches:
        file = recipe.directory / value.text
        if "${" not in value.text and not subject.has_comment(value.where) and not _says_why(file):
            message = f"nothing says why {value.text[:80]!r} is needed"
            hint = "write the reason above the first '---' in the patch, or as a comment here"
            yield finding("patch-without-reason", value.where, message, hint)
    named = {(recipe.directory / value.text).resolve() for value in recipe.patches}
    if any("${" in value.text for value in recipe.patches):
        return  # which files these are is known only for a target
    for file in _files(recipe.directory / "patches"):
        if file.resolve() not in named:
            where = subject.key("source", "patches")
            message = f"the recipe does not name {shown_path(file)}"
            hint = "add it to source.patches, or delete it"
            yield finding("unused-patch", where, message, hint)


def _says_why(patch: Path) -> bool:
    """Whether a patch has words before its first file; those of a mail's header do not count."""
    try:
        with patch.open("rb") as opened:
            text = opened.read(_MOST_PATCH_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return True  # recipes are not blamed for what cannot be read
    head = text
    for found in _DIFF.finditer(text):
        if not found[0].startswith("From "):
            head = text[: found.start()]
            break
    lines = [line.strip() for line in head.splitlines()]
    words = [line for line in lines if line and not _MAIL_HEADER.match(line) and not line.startswith(("From ", "---"))]
    return any(re.search(r"\w{2}", line) for line in words)


def _files(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError:
        return []
