"""The environment that a build for a target runs in: made from nothing, so that nothing of the machine leaks in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from forge.base.target import Target
    from forge.toolchain.base import Toolchain

SYSTEM_PATH = ("/usr/bin", "/bin", "/usr/sbin", "/sbin")
"""Where the build machine's own tools are (CPython's ``iOS/README.rst`` uses the same)."""

PASSED_THROUGH = (
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT",
    "TMPDIR", "DEVELOPER_DIR",
)  # fmt: skip
"""What a build may know of the machine: how to reach the network, where to put temporary files, which Xcode."""

SOURCE_DATE_EPOCH = 315532800
"""Seconds since 1970 of 1980-01-01, the earliest time that a zip archive can carry; the date of everything built."""


def build_environment(
    home: Path, path: Iterable[Path] = (), variables: Mapping[str, str] | None = None
) -> dict[str, str]:
    """An environment for programs of the build machine.

    Args:
        home: A directory for HOME: no user's configuration files are read.
        path: Directories that come before the system's on PATH.
        variables: What is set besides; the last word.
    """
    environment = {name: os.environ[name] for name in PASSED_THROUGH if name in os.environ}
    environment |= {
        "HOME": str(home),
        "PATH": os.pathsep.join([*map(str, path), *SYSTEM_PATH]),
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
        path: Further directories before the system's on PATH.
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
        own["FORGE_PREFIX_MAP"] = ":".join(f"{path}={name}" for path, name in prefix_map.items())
    return build_environment(home, [*path, *toolchain.path], own | dict(variables or {}))
