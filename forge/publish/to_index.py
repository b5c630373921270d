"""Publishing to an index that forge makes: a directory, or a bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forge.index.evidence import Witness
from forge.index.make import make_index
from forge.index.model import PackageIndexError
from forge.index.reading import problem
from forge.index.state import read_state
from forge.plan.shared.model import CacheError
from forge.plan.shared.places import open_place
from forge.publish.model import PublishError, Sent
from forge.source.index import IndexFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.base.paths import ForgeHome
    from forge.base.progress import Progress
    from forge.index.add import NewFile
    from forge.index.signing import Signer
    from forge.publish.readback import PublicIndex
    from forge.recipe.store import RecipeStore


class MadeIndex:
    """An index made of files; `forge.index.make` writes it.

    Args:
        where: A directory, or an ``s3`` URL.
        home: The cache; its locks keep two writers on one machine apart.
        public: The index as users see it, or None to read back from the place itself.
        signer: Makes signed statements about what is published; None makes none.
        store: The recipes, beside which the results of suites are kept; None for none.

    Raises:
        PackageIndexError: It is neither, or what is there cannot be read.
    """

    def __init__(
        self, where: str, home: ForgeHome, public: PublicIndex | None, signer: Signer | None = None,
        store: RecipeStore | None = None,
    ) -> None:  # fmt: skip
        self._where, self._home, self._public, self._signer, self._store = where, home, public, signer, store
        try:
            self._place = open_place(where, "--to")
        except CacheError as error:
            raise PackageIndexError(error.message, hint="name a directory, an s3 URL or an https URL") from error
        self.name = self._place.name
        self._state = read_state(self._place)

    def files(self, project: str) -> Sequence[IndexFile]:
        """See `forge.publish.model.Destination`."""
        if self._state is None:
            return ()
        return [
            IndexFile(
                held.filename, str(held.version), False, held.path, held.sha256, is_yanked=held.yanked is not None
            )
            for held in self._state.projects.get(project, ())
        ]  # fmt: skip

    def sha256(self, file: IndexFile) -> str:
        """See `forge.publish.model.Destination`."""
        assert file.sha256 is not None  # noqa: S101 - what an index holds has one
        return file.sha256

    def send(self, files: Sequence[NewFile], progress: Progress) -> Sent:
        """See `forge.publish.model.Destination`: the set goes in as one, and other bytes are looked for once more."""
        found = {file.held.filename: file.findings for file in files if file.findings is not None}
        made = make_index(
            self._where, [file.path for file in files], self._home, progress,
            signer=self._signer, witness=Witness(self._store, found),
        )  # fmt: skip
        return Sent(made.added, made.same)

    def read_back(self, files: Sequence[NewFile], progress: Progress) -> str:
        """See `forge.publish.model.Destination`."""
        if self._public is not None:
            self._public.read_back(files, progress)
            return self._public.name
        for number, file in enumerate(files, 1):
            progress.phase("publish", f"read back {number} of {len(files)}: {file.held.filename}")
            if wrong := problem(self._place, file.held.path, file.held.size, file.held.sha256):
                raise PublishError(
                    f"{self.name}: {file.held.path}: {wrong}",
                    hint="find out what else writes there ('forge index verify')",
                )
        return self.name
