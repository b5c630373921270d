"""What the integration tests share: a real toolchain."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.source.fetch import fetch
from forge.source.model import SdistSource
from forge.toolchain.data import load_yaml
from forge.toolchain.sdk.assemble import assemble_toolchain

if TYPE_CHECKING:
    from forge.toolchain.llvm import LLVMToolchain


@pytest.fixture(scope="session")
def ziglang_wheel() -> Path:
    """The pinned wheel with the Darwin headers: the one that the environment names, else fetched into the cache."""
    if named := os.environ.get("FORGE_TEST_ZIGLANG"):
        return Path(named)
    pin = load_yaml("sdk.yaml")["ziglang"]
    source = SdistSource(pin["name"], pin["version"], pin["sha256"], pin["filename"])
    return fetch(source, ForgeHome.from_environment(), SilentProgress())


@pytest.fixture(scope="session")
def toolchain() -> LLVMToolchain:
    """The LLVM toolchain, made as forge makes it, or from the wheel that FORGE_TEST_ZIGLANG names."""
    home = ForgeHome.from_environment()
    if named := os.environ.get("FORGE_TEST_ZIGLANG"):
        return assemble_toolchain(home, Path(named))
    # Imported when asked for: the unit tests of a room must not depend on the rooms above it.
    provision = importlib.import_module("forge.plan.provision")
    made: LLVMToolchain = provision.ensure_toolchain(home, SilentProgress())
    return made
