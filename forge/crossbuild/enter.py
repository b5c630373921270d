"""A script with which a person enters a build: its directory, with exactly its environment."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCRIPT = "enter"
"""The script's name, in the work directory."""


def write_enter_script(work: Path, tree: Path, env: Mapping[str, str], subject: str = "") -> Path:
    """Write a script that runs a command, or a shell, in the source tree with the build's environment.

    Args:
        work: The work directory, where the script is put.
        tree: The source tree.
        env: The complete environment.
        subject: The build's name, which a shell shows in its prompt if the user's settings leave that alone.
    """
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in sorted(env.items()))
    prompt = f"{shlex.quote(f'PS1=[{subject}] $ ')} " if subject else ""
    script = work / SCRIPT
    script.write_text(
        "#!/bin/sh\n# Enter this build: ./enter [COMMAND...]\n"
        f"cd {shlex.quote(str(tree))} || exit\n"
        f'[ $# -gt 0 ] || set -- {prompt}"${{SHELL:-/bin/sh}}"\n'
        f'exec env -i TERM="${{TERM:-dumb}}" {variables} "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o700)  # a proxy's password may be in it
    return script
