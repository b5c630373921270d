"""The loader's exceptions. An ``ImportError``, because that is what dyld's refusal is to who imports a module."""

from __future__ import annotations


class MachOImportError(ImportError):
    """A Mach-O file cannot be loaded: damaged, for another machine, or in need of what is not there.

    Args:
        problem: What is wrong, in dyld's words where it has any.
        path: The file; None while only its bytes are looked at.
    """

    def __init__(self, problem: str, *, path: str | None = None) -> None:
        super().__init__(f"{path}: {problem}" if path else problem, path=path)
        self.problem = problem

    def at(self, path: str) -> MachOImportError:
        """The same error, with the file it is about."""
        return self if self.path else MachOImportError(self.problem, path=path)


class AddressTakenError(MachOImportError):
    """An address that Darwin keeps for itself is in use in this process; in another one it may be free."""
