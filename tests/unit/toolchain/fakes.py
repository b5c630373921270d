"""A build machine, an LLVM and an Xcode that are not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forge.base.errors import ToolchainError
from forge.toolchain.llvm import TOOLS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


ECHO = r"""printf '%s\0' "${0##*/}" "$@" """


def write_llvm(
    root: Path, version: str = "Debian clang version 19.1.7 (3)", lacks: Sequence[str] = (), *, libcxx: bool = True
) -> Path:
    """A directory that looks like an installation of LLVM."""
    for tool in TOOLS:
        if tool not in lacks:
            write_program(root / "bin" / tool, ECHO)
    if "clang" not in lacks:
        said = f"""case $1 in
            --version) echo '{version}'; echo 'Target: x86_64' ;;
            -print-resource-dir) echo '{root}/lib/clang' ;;
        esac"""
        write_program(root / "bin" / "clang", said)
    if libcxx:
        site = root / "include" / "c++" / "v1" / "__config_site"
        site.parent.mkdir(parents=True)
        site.write_text("#define _LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS\n")
    return root


@dataclass
class Says:
    """Answers commands: the answer of the longest known beginning; others fail."""

    answers: dict[str, str | ToolchainError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> str:
        text = " ".join(command)
        self.asked.append(text)
        for beginning in sorted(self.answers, key=len, reverse=True):
            if text.startswith(beginning):
                answer = self.answers[beginning]
                if isinstance(answer, ToolchainError):
                    raise answer
                return answer
        raise ToolchainError(f"{text} exited with code 1\n  details")
