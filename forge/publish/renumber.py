"""The same wheel under its next build number, for a place that has other bytes under its name."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.hashing import file_sha256
from forge.index.add import next_build_number
from forge.publish.plan import checked_project
from forge.toolchain.environment import SOURCE_DATE_EPOCH
from forge.wheel.contents import read_wheel
from forge.wheel.pack import pack_wheel, unpack_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forge.publish.model import Destination
    from forge.source.index import IndexFile

_BUILD_LINE = re.compile(rb"^Build:[^\n]*\n", flags=re.MULTILINE | re.IGNORECASE)


def renumbered(wheels: Iterable[Path], destination: Destination, directory: Path) -> list[Path]:
    """Wheels, with the next build number for releases of which other bytes are published.

    All wheels of a release get the same number. One that has been published in part, by a run that was interrupted,
    keeps the number that it has there.

    Args:
        wheels: The files.
        destination: Where they are to go.
        directory: Where renumbered wheels are written.

    Raises:
        WheelError: One cannot be read.
        PublishError: One's name holds what has no place there.
        ForgeError: The destination does not answer.
    """
    releases: dict[tuple[str, str], list[Path]] = {}
    for wheel in wheels:
        project = checked_project(wheel.name)
        releases.setdefault((project, wheel.name.split("-")[1]), []).append(wheel)
    found: list[Path] = []
    for (project, version), group in sorted(releases.items()):
        there = {file.filename: file for file in destination.files(project)}
        if not _conflict(group, there, destination):
            found += group
            continue
        highest = max(next_build_number(wheel.name, there) for wheel in group)
        for number in (highest - 1, highest):
            if not number:
                continue
            made = [with_build_number(wheel, number, directory / f"{project}-{version}-{number}") for wheel in group]
            if not _conflict(made, there, destination):
                found += made
                break
    return found


def _conflict(wheels: Sequence[Path], there: Mapping[str, IndexFile], destination: Destination) -> bool:
    return any(wheel.name in there and destination.sha256(there[wheel.name]) != file_sha256(wheel) for wheel in wheels)


def with_build_number(wheel: Path, number: int, directory: Path) -> Path:
    """Pack a wheel again with another build number, in its name, WHEEL and RECORD; the same wheel gives the same bytes.

    Args:
        wheel: The wheel; it stays as it is.
        number: The build number.
        directory: Where the new one goes.

    Returns:
        Its path.

    Raises:
        WheelError: It cannot be read, or is not safe.
    """
    contents = read_wheel(wheel)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".renumber.", dir=directory) as temporary:
        tree = Path(temporary) / "tree"
        unpack_wheel(wheel, tree)
        file = tree / contents.dist_info / "WHEEL"
        data = _BUILD_LINE.sub(b"", file.read_bytes().replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n")
        file.write_bytes(data + f"Build: {number}\n".encode())
        return pack_wheel(tree, directory, source_date_epoch=SOURCE_DATE_EPOCH)
