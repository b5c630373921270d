from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from forge.base.target import Abi, Arch, IOSVersion, Target
from forge.toolchain.environment import PASSED_THROUGH, TOOLS_DIRECTORY, build_environment, cross_environment

TARGET = Target(Abi.IPHONESIMULATOR, Arch.X86_64, IOSVersion(13, 2))


@dataclass(frozen=True)
class FakeToolchain:
    kind: str = "llvm"
    id: str = "0"
    description: str = "fake"
    path: tuple[Path, ...] = (Path("/toolchain/bin"),)

    def sdk_path(self, abi: Abi) -> Path:
        return Path("/sdk") / abi


@pytest.fixture(autouse=True)
def leaky_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PASSED_THROUGH:
        monkeypatch.delenv(name, raising=False)
    leaks = (
        "HOME", "PATH", "CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH",
        "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SDKROOT",
        "IPHONEOS_DEPLOYMENT_TARGET", "MACOSX_DEPLOYMENT_TARGET", "RUSTFLAGS", "CMAKE_PREFIX_PATH", "LD_PRELOAD",
        "PIP_CONFIG_FILE", "LANG", "TZ", "SOURCE_DATE_EPOCH", "MAKEFLAGS", "USER", "FORGE_PREFIX_MAP",
    )  # fmt: skip
    for name in leaks:
        monkeypatch.setenv(name, "leak")


def test_nothing_of_the_machine_leaks_into_a_build(tmp_path: Path) -> None:
    environment = build_environment(tmp_path)
    assert "leak" not in environment.values()
    assert environment["HOME"] == str(tmp_path)
    assert environment["PATH"] == str(tmp_path / TOOLS_DIRECTORY)
    assert (environment["LC_ALL"], environment["TZ"], environment["SOURCE_DATE_EPOCH"]) == (
        "C.UTF-8",
        "UTC",
        "315532800",
    )


def test_nothing_of_the_machine_leaks_into_a_cross_build(tmp_path: Path) -> None:
    environment = cross_environment(FakeToolchain(), TARGET, tmp_path)
    assert "leak" not in environment.values()
    assert environment["PATH"] == f"/toolchain/bin:{tmp_path / TOOLS_DIRECTORY}"
    assert environment["IPHONEOS_DEPLOYMENT_TARGET"] == "13.2"
    assert environment["PKG_CONFIG_LIBDIR"] == "/nonexistent"
    assert environment["PKG_CONFIG_PATH"] == ""
    assert "FORGE_PREFIX_MAP" not in environment


def test_how_to_reach_the_network_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in PASSED_THROUGH:
        monkeypatch.setenv(name, f"value of {name}")
    environment = build_environment(tmp_path)
    assert {name: environment[name] for name in PASSED_THROUGH} == {name: f"value of {name}" for name in PASSED_THROUGH}


def test_what_the_caller_sets_is_the_last_word(tmp_path: Path) -> None:
    environment = cross_environment(
        FakeToolchain(),
        TARGET,
        tmp_path,
        path=[Path("/first"), Path("/second")],
        prefix_map={Path("/src/sub"): ".", Path("/src"): "/build"},
        pkg_config=[Path("/a/pkgconfig"), Path("/b/pkgconfig")],
        variables={"TZ": "CET", "CFLAGS": "-O1"},
    )
    assert environment["PATH"].startswith("/first:/second:/toolchain/bin:")
    assert environment["FORGE_PREFIX_MAP"] == "/src/sub=.:/src=/build"
    assert environment["PKG_CONFIG_LIBDIR"] == "/a/pkgconfig:/b/pkgconfig"
    assert (environment["TZ"], environment["CFLAGS"]) == ("CET", "-O1")
