"""Builds under a job server (`forge.base.jobserver`): what make, ninja and cargo are told."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from forge.crossbuild.context import Support
from forge.toolchain.build_tools import find_tool

if TYPE_CHECKING:
    from pathlib import Path

    from forge.base.jobserver import JobServer

_MAKE = """\
#!/bin/sh
# GNU make under forge's job server. With -j on its command line make would leave the server; and before release 4.4 it
# knows the server's pipe only as two open files.
skip=
for argument do
  shift
  case $argument in
    -j | --jobs) skip=number; continue ;;
    -j[0-9]* | --jobs=*) skip=; continue ;;
    [0-9]*) [ -n "$skip" ] && skip= && continue ;;
  esac
  skip=
  set -- "$@" "$argument"
done
case $MAKEFLAGS in
  *--jobserver-auth=fifo:*)
    exec 8<{pipe} 9>{pipe}
    MAKEFLAGS='-j{jobs} --jobserver-auth=8,9'
    export MAKEFLAGS
    ;;
esac
exec {make} "$@"
"""


def support_jobs(server: JobServer | None, directory: Path) -> Support:
    """The variables of a build under a job server, and a directory with a ``make`` that takes part, for PATH.

    Args:
        server: The server; None if there is none.
        directory: Where to put that ``make``; it is made.
    """
    if server is None:
        return Support()
    directory.mkdir(parents=True, exist_ok=True)
    if (make := find_tool("make")) is not None:
        script = directory / "make"
        pipe = shlex.quote(str(server.path))
        script.write_text(_MAKE.format(pipe=pipe, jobs=server.jobs, make=make), encoding="utf-8")
        script.chmod(0o755)
    return Support({"MAKEFLAGS": server.makeflags}, (directory,))


def entered_jobs(server: JobServer | None) -> dict[str, str]:
    """What is different in a shell that is opened after the server is gone: make counts its processes itself.

    Args:
        server: The server; None if there was none.
    """
    return {} if server is None else {"MAKEFLAGS": f"-j{server.jobs}"}
