"""Signing files of an index."""

from __future__ import annotations

import hashlib
import io
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from forge.index.attestation import ProvenanceError, provenance_text, signed, statement
from forge.index.model import PackageIndexError
from forge.index.reading import MOST_BESIDE, fetch, problem, state_of
from forge.index.trust import Trust, provenance_problem
from forge.index.writing import put, write_pages, writing
from forge.index.yank import chosen_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.index.attestation import Attestation
    from forge.index.build_facts import BuildFacts
    from forge.index.model import HeldFile
    from forge.plan.shared.keys import SigningKey
    from forge.plan.shared.places import Place


class Signatory(Protocol):
    """Who signs statements."""

    def attest(self, content: bytes) -> Attestation:
        """Sign a statement.

        Raises:
            PackageIndexError: That takes a service, which does not answer, or refuses.
        """

    def has_signed(self, provenance: bytes, filename: str, sha256: str) -> bool:
        """Whether a provenance object has a statement about a file that this one has signed already."""


@dataclass(frozen=True)
class KeySignatory:
    """Signs with a key.

    Args:
        key: The key.
    """

    key: SigningKey

    def attest(self, content: bytes) -> Attestation:
        """See `Signatory`."""
        return signed(content, self.key)

    def has_signed(self, provenance: bytes, filename: str, sha256: str) -> bool:
        """See `Signatory`."""
        return not provenance_problem(provenance, filename, sha256, Trust({self.key.name: self.key.public}))

    def __str__(self) -> str:
        return str(self.key.public)


@dataclass(frozen=True)
class Signer:
    """Makes signed statements about wheels.

    Args:
        signatory: Signs them.
        facts: What they say.
    """

    signatory: Signatory
    facts: BuildFacts

    def provenance(self, wheel: Path, filename: str, sha256: str, before: bytes | None = None) -> bytes:
        """The provenance object of a wheel.

        Args:
            wheel: The file.
            filename: Its name in the index.
            sha256: Its hash.
            before: The object that there is; None if there is none.

        Raises:
            WheelError: It cannot be read.
            PackageIndexError: What there is cannot be read, or it cannot be signed.
        """
        content = statement(filename, sha256, *self.facts.of(wheel, sha256))
        try:
            return provenance_text([self.signatory.attest(content)], before)
        except ProvenanceError as error:
            raise PackageIndexError(
                f"{filename} {error}", hint="remove what is damaged, after a look at how it came about"
            ) from error


def sign_files(where: str, what: Iterable[str], signer: Signer, home: ForgeHome, progress: Progress) -> tuple[str, ...]:
    """Sign files that an index holds and that the signatory has not signed.

    Args:
        where: A directory, or an ``s3`` URL.
        what: ``NAME``, ``NAME==VERSION`` or names of files; all files if there is none.
        signer: Signs them.
        home: The cache; its locks keep two writers on one machine apart.
        progress: Receives progress updates.

    Returns:
        The names of those that were signed.

    Raises:
        PackageIndexError: There is no index, it has no such file, or one of them is damaged; or the place fails.
    """
    with writing(where, home) as place:
        state = state_of(place)
        texts = tuple(what)
        chosen = {file.filename: file for each in texts for file in chosen_files(state, each, any_version=True)}
        if not texts:
            chosen = dict(state.files)
        new: dict[str, HeldFile] = {}
        for number, name in enumerate(sorted(chosen), 1):
            progress.phase("index", f"sign {number} of {len(chosen)}: {name}")
            if (content := _signed_anew(place, chosen[name], signer)) is not None:
                put(place, f"{chosen[name].path}.provenance", content)
                new[name] = replace(chosen[name], provenance_sha256=hashlib.sha256(content).hexdigest())
        if new:
            write_pages(place, state, replace(state, files={**state.files, **new}), every=False)
        return tuple(new)


def _signed_anew(place: Place, file: HeldFile, signer: Signer) -> bytes | None:
    """The provenance of a file with this signatory's statement; None if that is there.

    Raises:
        PackageIndexError: The file, or what lies beside it, is not what the index says.
    """
    before: bytes | None = None
    if file.provenance_sha256 is not None:
        path, out = f"{file.path}.provenance", io.BytesIO()
        wrong = problem(place, path, MOST_BESIDE, file.provenance_sha256, out)
        before = out.getvalue()
        if signer.signatory.has_signed(before, file.filename, file.sha256):
            # What is signed already, and not what the index says, was written by a run that was interrupted.
            return before if wrong else None
        if wrong:
            raise PackageIndexError(
                f"{place.name}: {path}: {wrong}", hint="restore the file, or find out who has changed it"
            )
    with tempfile.TemporaryDirectory(prefix="forge-sign-") as temporary:
        wheel = Path(temporary) / file.filename
        with wheel.open("w+b") as opened:
            fetch(place, file.path, file.size, file.sha256, opened)
        return signer.provenance(wheel, file.filename, file.sha256, before)
