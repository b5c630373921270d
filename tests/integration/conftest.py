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
from tests.integration.budget import MINUTES, minutes_left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forge.toolchain.llvm import LLVMToolchain

HERE = Path(__file__).parent
FIRST = ("crossbuild/test_numpy.py",)
"""Files whose builds take longest: another process does the other files meanwhile."""
LAST = (
    "crossbuild/test_blas.py", "crossbuild/test_wheels.py", "crossbuild/test_scientific.py",
    "crossbuild/test_fortran.py", "ios_python/test_providers.py", "ios_python/test_ios_python.py",
    "test_emulate_stdlib.py", "test_emulate_testbed.py",
)  # fmt: skip
"""Files that need what those make, or a CPython that is compiled."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the files (`make integration` has pytest-xdist keep that order)."""

    def rank(item: pytest.Item) -> int:
        name = item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else ""
        return -1 if name in FIRST else 1 + LAST.index(name) if name in LAST else 0

    items.sort(key=rank)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what comes too late."""
    if item.get_closest_marker("toolchain") is not None and minutes_left() <= 0:
        pytest.skip(f"the {MINUTES:.0f} minutes of FORGE_TEST_MINUTES are over")


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


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket in S3: moto in place of Amazon's."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        import s3fs  # noqa: PLC0415 - as above

        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().makedirs("team", exist_ok=True)  # moto's buckets are those of the process
        yield "s3://team/forge"
        s3fs.S3FileSystem.clear_instance_cache()
    finally:
        server.stop()
