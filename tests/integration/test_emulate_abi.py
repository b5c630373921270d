"""What the shim says of Darwin's headers, compiled against the headers themselves."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.target import Target, select_targets
from forge.emulate.shim_compile import NATIVE

if TYPE_CHECKING:
    from pathlib import Path

    from forge.toolchain.llvm import LLVMToolchain

pytestmark = pytest.mark.toolchain

HEADERS = (
    "sys/types.h", "ctype.h", "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "fenv.h", "fts.h", "glob.h", "ifaddrs.h",
    "langinfo.h", "locale.h", "mach-o/loader.h", "mach/mach.h", "math.h", "net/if.h", "netdb.h", "netinet/in.h",
    "netinet/tcp.h", "poll.h", "pthread.h", "pwd.h", "regex.h", "runetype.h", "sched.h", "semaphore.h", "setjmp.h",
    "signal.h", "spawn.h", "stddef.h", "stdio.h", "stdlib.h", "sys/event.h", "sys/filio.h", "sys/ioctl.h", "sys/mman.h",
    "sys/mount.h", "sys/resource.h", "sys/select.h", "sys/socket.h", "sys/stat.h", "sys/statvfs.h", "sys/sysctl.h",
    "sys/time.h", "sys/utsname.h", "sys/wait.h", "termios.h", "time.h", "unistd.h", "wchar.h", "xlocale.h",
)  # fmt: skip
# libdispatch's and libclosure's own headers are not public.
PRIVATE = {"struct Block_layout"}


def spelled(name: str) -> str:
    """The header's name of a constant: the shim's has no leading underscore."""
    private = name.startswith(("SC_", "PC_", "CS_", "CTYPE_")) or name.endswith("_SIG_init")
    return f"_{name}" if private else name


def assertions() -> list[str]:
    """One ``_Static_assert`` on Darwin's headers for each constant and each layout that the shim relies on."""
    constants = re.findall(
        r"^#define DARWIN_(\w+) (.+)$", (NATIVE / "darwin_abi.h").read_text(encoding="utf-8"), re.MULTILINE
    )
    made = [f'_Static_assert((long long)({spelled(n)}) == (long long)({v}), "{n}");' for n, v in constants]
    for path in sorted(NATIVE.glob("darwin_*.[ch]")):
        text = path.read_text(encoding="utf-8")
        for size, said in re.findall(r'_Static_assert\(sizeof\(struct \w+\) == (\d+), "([^"]+)"\)', text):
            kinds = [kind for kind in said.partition(" (")[0].split(", ") if kind not in PRIVATE]
            made.extend(f'_Static_assert(sizeof({kind}) == {size}, "sizeof {kind}");' for kind in kinds)
        for offset, said in re.findall(r'_Static_assert\(offsetof\(struct \w+, \w+\) == (\d+), "([^"]+)"\)', text):
            kind, _, member = said.partition(" (")[0].rpartition(".")
            made.append(f'_Static_assert(offsetof({kind}, {member}) == {offset}, "{kind}.{member}");')
    return made


@pytest.fixture(scope="module")
def xcrun(toolchain: LLVMToolchain) -> Path:
    return toolchain.path[0] / "xcrun"


@pytest.mark.parametrize("target", select_targets(), ids=str)
def test_constants_and_layouts_are_the_headers(xcrun: Path, target: Target) -> None:
    checks = assertions()
    if target.arch == "arm64":
        # The floating-point environment's numbers are the CPU's own; arm64 uses none of these.
        checks = [check for check in checks if '"FE_' not in check]
    assert len(checks) > 500
    source = "\n".join(["#define __APPLE_USE_RFC_3542", *(f"#include <{header}>" for header in HEADERS), *checks])
    command = [str(xcrun), "--sdk", target.abi, "clang", "-target", target.clang_triple, "-fsyntax-only", "-w", "-xc"]
    done = subprocess.run([*command, "-ferror-limit=0", "-"], input=source, check=False, capture_output=True, text=True)
    assert done.returncode == 0, "\n".join(line for line in done.stderr.splitlines() if "error:" in line)


def test_a_wrong_number_would_be_found(xcrun: Path) -> None:
    source = '#include <errno.h>\n_Static_assert(EAGAIN == 11, "EAGAIN");\n'
    command = [str(xcrun), "--sdk", "iphoneos", "clang", "-target", "arm64-apple-ios12.0", "-fsyntax-only", "-xc", "-"]
    assert subprocess.run(command, input=source, check=False, capture_output=True, text=True).returncode != 0
