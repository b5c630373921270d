"""The environment that a build for a target runs in: made from nothing, so that nothing of the machine leaks in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from forge.base.hashing import file_sha256
from forge.toolchain.build_tools import tools_identity, tools_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forge.base.target import Target
    from forge.toolchain.base import Toolchain

PASSED_THROUGH = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT",
    "TMPDIR", "DEVELOPER_DIR",
)  # fmt: skip
"""What a build may know of the machine: how to reach the network, where to put temporary files, which Xcode."""

TOOLS_DIRECTORY = ".tools"
"""Below a build's HOME: links to the build machine's tools."""

SOURCE_DATE_EPOCH = 315532800
"""Seconds since 1970 of 1980-01-01, the earliest time that a zip archive can carry; the date of everything built."""


def environment_identity() -> dict[str, object]:
    """What of the environment can change what is built in it: this module's rules, and the machine's tools."""
    return {"code": file_sha256(Path(__file__)), "tools": tools_identity()}


def build_environment(
    home: Path, path: Iterable[Path] = (), variables: Mapping[str, str] | None = None
) -> dict[str, str]:
    """An environment for programs of the build machine.

    PATH has the directories that are given and one of links to the machine's own tools
    (`forge.toolchain.build_tools`), which is made below *home*.

    Args:
        home: A directory of the build's own for HOME: no user's configuration files are read.
        path: Directories that come before the machine's tools on PATH.
        variables: What is set besides; the last word.
    """
    environment = {name: os.environ[name] for name in PASSED_THROUGH if name in os.environ}
    environment |= {
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, [*path, *tools_path(home / TOOLS_DIRECTORY)])),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }
    return environment | dict(variables or {})


def cross_environment(
    toolchain: Toolchain,
    target: Target,
    home: Path,
    *,
    path: Iterable[Path] = (),
    prefix_map: Mapping[Path, str] | None = None,
    pkg_config: Iterable[Path] = (),
    variables: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """An environment for compiling for *target*.

    Args:
        toolchain: Whose ``xcrun`` comes first on PATH.
        target: What is compiled for; sets the deployment target.
        home: A directory for HOME.
        path: Further directories before the machine's tools on PATH.
        prefix_map: Directories and what compiled files call them instead.
        pkg_config: The only directories that pkg-config looks in; the build machine's own are hidden.
        variables: What is set besides; the last word.
    """
    own = {
        "IPHONEOS_DEPLOYMENT_TARGET": str(target.ios_version),
        "PKG_CONFIG_LIBDIR": os.pathsep.join(map(str, pkg_config)) or "/nonexistent",
        "PKG_CONFIG_PATH": "",
        "ZERO_AR_DATE": "1",  # Apple's ar and libtool; LLVM's are deterministic by default
    }
    if prefix_map:
        own |= prefix_map_variable(prefix_map)
    return build_environment(home, [*path, *toolchain.path], own | dict(variables or {}))


def prefix_map_variable(prefix_map: Mapping[Path, str]) -> dict[str, str]:
    """What tells the programs that forge puts before the compilers how compiled files are to call directories.

    Args:
        prefix_map: Directories and their names, the longer path before its parent.
    """
    return {"FORGE_PREFIX_MAP": ":".join(f"{path}={name}" for path, name in prefix_map.items())}
