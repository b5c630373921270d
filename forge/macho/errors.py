"""The one error of this room."""

from __future__ import annotations

from forge.base.errors import WheelError


class MachOError(WheelError):
    """A file is no Mach-O file, or contradicts itself.

    Args:
        problem: What is wrong, without the file's name.
        file: The file's name, where there is one; put in front of the message.
        hint: What to do next.
    """

    title = "mach-o"

    def __init__(self, problem: str, *, file: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{file}: {problem}" if file else problem, hint=hint)
        self.problem = problem
        self.file = file
