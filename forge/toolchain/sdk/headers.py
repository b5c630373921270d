"""The Darwin headers of the pinned ``ziglang`` wheel, made those of an iOS SDK.

They are Apple's open-source headers (APSL and BSD licences, see ``docs/toolchain.md``) as the Zig project collects
them from a macOS SDK. ``data/headers.yaml`` says which of them iOS lacks and what differs.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forge.base.errors import ToolchainError
from forge.toolchain.data import load_yaml

if TYPE_CHECKING:
    from pathlib import Path

HEADERS_PREFIX = "ziglang/lib/libc/include/any-darwin-any/"
"""Where the wheel keeps the headers."""

LIBSYSTEM_STUB = "ziglang/lib/libc/darwin/libSystem.tbd"
"""Where the wheel keeps macOS's libSystem stub."""


@dataclass(frozen=True)
class HeaderEdit:
    """A replacement of text in one header.

    Args:
        file: The header, relative to ``usr/include``.
        find: Text that occurs exactly once.
        replace: What takes its place.
    """

    file: str
    find: str
    replace: str

    def apply(self, text: str) -> str:
        """The text with the replacement made.

        Raises:
            ToolchainError: The text to find is not there exactly once.
        """
        if (count := text.count(self.find)) != 1:
            raise ToolchainError(
                f"{self.file}: the text to edit occurs {count} times instead of once",
                hint="the Darwin headers are not the pinned ones: delete the cached wheel, or update headers.yaml",
            )
        return text.replace(self.find, self.replace)


@dataclass(frozen=True)
class HeaderRules:
    """What ``data/headers.yaml`` says."""

    absent: tuple[str, ...]
    edits: tuple[HeaderEdit, ...]

    @classmethod
    def load(cls) -> HeaderRules:
        """Read the data file."""
        data: dict[str, Any] = load_yaml("headers.yaml")
        return cls(
            absent=tuple(data["absent"]),
            edits=tuple(HeaderEdit(e["file"], e["find"], e["replace"]) for e in data["edits"]),
        )

    def ships(self, header: str) -> bool:
        """Whether an iOS SDK has this header (a path relative to ``usr/include``)."""
        return not any(header == name or header.startswith(f"{name}/") for name in self.absent)


def write_headers(wheel: Path, include: Path) -> None:
    """Unpack the wheel's Darwin headers into *include*, as an iOS SDK has them.

    Raises:
        ToolchainError: The wheel has no such headers, or not those that the edits were made for.
    """
    rules = HeaderRules.load()
    pending = set(rules.edits)
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [m for m in archive.namelist() if m.startswith(HEADERS_PREFIX) and not m.endswith("/")]
            for member in members:
                relative = member.removeprefix(HEADERS_PREFIX)
                if not rules.ships(relative):
                    continue
                content = archive.read(member)
                for edit in (e for e in rules.edits if e.file == relative):
                    content = edit.apply(content.decode()).encode()
                    pending.discard(edit)
                path = include / relative
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    except zipfile.BadZipFile as error:
        raise ToolchainError(f"{wheel}: {error}", hint="delete the file; forge downloads it again") from error
    if not members or pending:
        raise ToolchainError(
            f"{wheel.name}: has no Darwin headers, or not all that need an edit", hint="is it the pinned version?"
        )


def read_libsystem_stub(wheel: Path) -> str:
    """The text of macOS's ``libSystem.tbd`` in the wheel.

    Raises:
        ToolchainError: It is not there.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(LIBSYSTEM_STUB).decode()
    except (zipfile.BadZipFile, KeyError) as error:
        raise ToolchainError(f"{wheel}: {error}", hint="is it the pinned version?") from error
