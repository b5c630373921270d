"""RECORD: the list of a wheel's files with their hashes (PEP 376, and the binary distribution format)."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Files of the dist-info that sign RECORD and so cannot be in it."""

_STRONG = frozenset({"sha256", "sha384", "sha512"})
"""The format: "hash algorithm must be sha256 or better"."""


@dataclass(frozen=True)
class RecordEntry:
    """One line: a path, its hash as it stands (``sha256=…``, or empty), its size as it stands."""

    path: str
    digest: str
    size: str


@dataclass(frozen=True)
class RecordProblem:
    """Where RECORD and the wheel disagree.

    Args:
        member: The file in question.
        text: What is wrong with it, e.g. ``is not in RECORD``.
    """

    member: str
    text: str


def record_digest(data: bytes, algorithm: str = "sha256") -> str:
    """A hash as RECORD writes it: ``sha256=`` and url-safe base64 without padding."""
    digest = hashlib.new(algorithm, data, usedforsecurity=False).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode('ascii')}"


def parse_record(data: bytes) -> tuple[RecordEntry, ...]:
    """Read RECORD's lines.

    Raises:
        ValueError: It is not UTF-8 or not CSV, or a line does not have three fields.
    """
    entries: list[RecordEntry] = []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(data.decode("utf-8"), newline="")), 1):
            if not row:
                continue
            if len(row) != 3:
                raise ValueError(f"line {number} has {len(row)} fields instead of path, hash, size")
            entries.append(RecordEntry(row[0], row[1], row[2]))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return tuple(entries)


def format_record(files: Iterable[tuple[str, bytes]], record: str) -> bytes:
    """Write RECORD for *files* (path and contents) in their order, its own line (*record*) last."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for path, data in files:
        writer.writerow((path, record_digest(data), len(data)))
    writer.writerow((record, "", ""))
    return out.getvalue().encode("utf-8")


def verify_record(
    entries: Iterable[RecordEntry], members: Iterable[str], record: str, read: Callable[[str], bytes]
) -> tuple[RecordProblem, ...]:
    """Compare RECORD with the files.

    Args:
        entries: RECORD's lines.
        members: The wheel's files.
        record: RECORD's own path.
        read: Gives a member's bytes.

    Returns:
        Every disagreement, in RECORD's order, files that it lacks last.
    """
    files = set(members)
    exempt = {record, *(record.removesuffix("RECORD") + name for name in SIGNATURES)}
    problems: list[RecordProblem] = []
    listed: set[str] = set()
    for entry in entries:
        if entry.path in listed:
            problems.append(RecordProblem(entry.path, "is in RECORD twice"))
            continue
        listed.add(entry.path)
        if entry.path not in files:
            problems.append(RecordProblem(entry.path, "is in RECORD but not in the wheel"))
        elif entry.path not in exempt:
            text = _compare(entry, read(entry.path))
            if text:
                problems.append(RecordProblem(entry.path, text))
    problems += [RecordProblem(path, "is not in RECORD") for path in sorted(files - listed - exempt)]
    return tuple(problems)


def _compare(entry: RecordEntry, data: bytes) -> str | None:
    algorithm, _, digest = entry.digest.partition("=")
    if not digest:
        return "has no hash in RECORD"
    if algorithm not in _STRONG:
        return f"has a hash of the kind {algorithm!r} in RECORD; sha256 or better is due"
    if record_digest(data, algorithm) != entry.digest:
        return f"does not have the {algorithm} that RECORD says"
    if entry.size and entry.size != str(len(data)):
        return f"has {len(data)} bytes, RECORD says {entry.size}"
    return None
