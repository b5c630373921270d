"""Whether an index has what was built: its files beside the wheels in this machine's cache."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from forge.index.faults import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forge.base.paths import ForgeHome
    from forge.index.model import IndexState
    from forge.plan.inventory import StoredWheel


def not_as_built(state: IndexState, wheels: Iterable[StoredWheel], home: ForgeHome) -> Iterator[Fault]:
    """Files of the index that the cache has built otherwise, or has built anew since.

    Args:
        state: What the index holds. Files that the cache has no wheel of are not looked at.
        wheels: The wheels in the cache.
        home: The cache.
    """
    built: dict[str, list[StoredWheel]] = defaultdict(list)
    for wheel in wheels:
        built[wheel.filename].append(wheel)
    for name, file in sorted(state.files.items()):
        found = built.get(name, [])
        if not found:
            continue
        newest = [wheel for wheel in found if wheel.latest(home) == wheel.fingerprint]
        for wheels_there, said in ((found, "the cache has"), (newest, "it was built anew since:")):
            hashes = sorted({wheel.sha256 for wheel in wheels_there})
            if hashes and file.sha256 not in hashes:
                message = f"its sha256 is {file.sha256}, and {said} {', '.join(hashes)}"
                yield Fault(Kind.BUILT, name, message)
                break
