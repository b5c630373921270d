from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import ios_platforms

from forge.base.target import (
    DEFAULT_IOS_VERSION,
    Abi,
    Arch,
    IOSVersion,
    Target,
    TargetError,
    parse_multiarch,
    select_targets,
)

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

VERSIONS = st.builds(IOSVersion, st.integers(12, 99), st.integers(0, 9))
TARGETS = st.builds(
    lambda target, version: Target(target.abi, target.arch, version), st.sampled_from(select_targets()), VERSIONS
)


@given(VERSIONS)
def test_a_version_reads_back(version: IOSVersion) -> None:
    assert IOSVersion.parse(str(version)) == version


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_numbers(one: IOSVersion, other: IOSVersion) -> None:
    assert (one < other) is ((one.major, one.minor) < (other.major, other.minor))


def test_a_major_version_alone() -> None:
    assert IOSVersion.parse("13") == IOSVersion(13, 0)


@pytest.mark.parametrize(
    "text", ["", "12.", ".0", "12.0.1", "v12", " 12.0", "12.0\n", "1e3", "-12", "١٢", "1234", "11.4", "12.10"]
)
def test_what_is_no_version(text: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(TargetError) as error:
        IOSVersion.parse(text)
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot


@given(TARGETS)
def test_installers_look_for_the_tag(target: Target) -> None:
    later = (target.ios_version.major + 1, 0)
    assert target.platform_tag in set(ios_platforms(later, target.multiarch))
    # Tags write `_` where multiarchs write `-`; packaging does the same.
    assert (
        next(ios_platforms((target.ios_version.major, target.ios_version.minor), target.multiarch))
        == target.platform_tag
    )


@given(TARGETS)
def test_a_multiarch_reads_back(target: Target) -> None:
    assert parse_multiarch(target.multiarch, target.ios_version) == target
    assert str(target) == target.multiarch


@given(TARGETS)
def test_names_agree(target: Target) -> None:
    assert target.clang_triple.startswith(f"{target.arch}-apple-ios{target.ios_version}")
    assert target.clang_triple.endswith("-simulator") is target.is_simulator
    assert target.host_triple.endswith("-simulator") is target.is_simulator
    assert target.slice_name.endswith("-simulator") is target.is_simulator
    assert target.arch in target.slice_name
    assert target.effective_ios_version >= target.ios_version


def test_arm64_simulators_start_at_ios_14() -> None:
    versions = {str(t): str(t.effective_ios_version) for t in select_targets(ios_version=IOSVersion(13, 0))}
    assert versions == {
        "arm64-iphoneos": "13.0",
        "arm64-iphonesimulator": "14.0",
        "x86_64-iphonesimulator": "13.0",
    }
    assert Target(Abi.IPHONESIMULATOR, Arch.ARM64, IOSVersion(15, 0)).effective_ios_version == IOSVersion(15, 0)


def test_what_is_selected() -> None:
    assert [str(t) for t in select_targets()] == ["arm64-iphoneos", "arm64-iphonesimulator", "x86_64-iphonesimulator"]
    assert [str(t) for t in select_targets("iphonesimulator")] == ["arm64-iphonesimulator", "x86_64-iphonesimulator"]
    assert [str(t) for t in select_targets(arch="x86_64")] == ["x86_64-iphonesimulator"]
    assert {t.ios_version for t in select_targets()} == {DEFAULT_IOS_VERSION}


def test_there_is_no_x86_64_device(snapshot: SnapshotAssertion) -> None:
    with pytest.raises(TargetError) as error:
        select_targets("iphoneos", "x86_64")
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot


@pytest.mark.parametrize("text", ["", "arm64", "arm64_iphoneos", "x86_64-iphoneos", "arm64-iphoneos "])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(TargetError, match="is not a valid target"):
        parse_multiarch(text)
