"""An index whose writing ends at one of its files, as with Ctrl-C."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from forge.plan.shared.filesystem import FilesystemPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest


@contextmanager
def interrupted(
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    before: Callable[[], None] = lambda: None,
    kind: type[FilesystemPlace] = FilesystemPlace,
) -> Iterator[list[int]]:
    """Stop before the write of that number, from 1.

    Args:
        monkeypatch: Pytest's.
        number: Which write is not done.
        before: Called before each write.
        kind: The class of the index's place.

    Yields:
        How many writes were left, in a list of one: 0 or less if it was interrupted.
    """
    put, left = kind.put, [number]

    def stop(self: FilesystemPlace, path: str, *rest: object) -> None:
        before()
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        put(self, path, *rest)  # type: ignore[arg-type]  # passed on as they come

    with monkeypatch.context() as patched:
        patched.setattr(kind, "put", stop)
        yield left
