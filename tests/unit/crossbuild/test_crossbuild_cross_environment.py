from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import IOSPythonError
from forge.base.target import IOSVersion, Target, select_targets
from forge.crossbuild.cross_environment import relocated_sysconfig
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, sysconfigdata

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

VERSIONS = st.builds(IOSVersion, st.integers(12, 30), st.integers(0, 9))
NAMES = st.one_of(
    st.text("abcXYZ0189._+-", min_size=1, max_size=12),
    # Names that could be taken for what is replaced.
    st.sampled_from(["forge", "Python", "ios-12.0-arm64", "arm64-apple-ios12.0", "-F", "prefix"]),
).filter(lambda name: name not in {".", ".."})
PLACES = st.lists(NAMES, min_size=1, max_size=5).map(lambda names: "/" + "/".join(names))
# A prefix below which nothing else lies: the words of the text must not be taken for it.
PREFIXES = PLACES.filter(lambda place: place not in "/usr/src/python" and place.count("/") > 1)


def variables(text: str) -> dict[str, str]:
    tree = ast.parse(text)
    (assignment,) = (node for node in tree.body if isinstance(node, ast.Assign))
    found: dict[str, str] = ast.literal_eval(assignment.value)
    return found


@given(target=st.sampled_from(select_targets()), built_for=VERSIONS, raised=VERSIONS, old=PREFIXES, new=PLACES)
def test_reads_as_if_it_had_been_built_there_for_that_version(
    target: Target, built_for: IOSVersion, raised: IOSVersion, old: str, new: str
) -> None:
    built, wanted = (Target(target.abi, target.arch, version) for version in (built_for, raised))
    got = variables(relocated_sysconfig(sysconfigdata(built, old), Path(new), wanted))
    expected = variables(sysconfigdata(wanted, new))
    for name in ("LDSHARED", "LINKFORSHARED"):
        expected[name] = expected[name].replace("-F .", f"-F {new}")
    assert got == expected


@pytest.mark.parametrize("quote", ["'", '"'])
def test_either_quote(quote: str) -> None:
    text = sysconfigdata(DEVICE).replace("'", quote)
    got = variables(relocated_sysconfig(text, Path("/new"), Target(DEVICE.abi, DEVICE.arch, IOSVersion(13, 4))))
    assert (got["prefix"], got["IPHONEOS_DEPLOYMENT_TARGET"], got["LINKFORSHARED"]) == ("/new", "13.4", "-F /new")
    assert got["_PYTHON_HOST_PLATFORM"] == "ios-13.4-arm64-iphoneos"


@pytest.mark.parametrize("quote", ["'", '"'])
def test_no_platform_for_the_suffixes_of_the_stable_abi(quote: str) -> None:
    """setuptools would give it to modules of wheels for 3.13, which does not look for that suffix."""
    entry = "'SOABI': 'cpython-315-iphoneos',\n 'SOABI_PLATFORM': 'iphoneos',\n 'prefix'"
    text = sysconfigdata(DEVICE).replace("'prefix'", entry, 1).replace("'", quote)
    got = variables(relocated_sysconfig(text, Path("/new"), DEVICE))
    assert (got["SOABI"], got["SOABI_PLATFORM"]) == ("cpython-315-iphoneos", "")


def test_only_the_frameworks_directory_is_meant() -> None:
    text = sysconfigdata(ARM_SIMULATOR).replace("-Wall", "-Wall -F ./own -F .. -I . -DF .")
    flags = variables(relocated_sysconfig(text, Path("/new"), ARM_SIMULATOR))["PY_CFLAGS"]
    assert flags.endswith("-Wall -F ./own -F .. -I . -DF .")


@pytest.mark.parametrize("lost", ["prefix", "IPHONEOS_DEPLOYMENT_TARGET"])
def test_sysconfig_data_of_another_kind(lost: str, snapshot: SnapshotAssertion) -> None:
    text = sysconfigdata(DEVICE).replace(f"'{lost}'", f"'no {lost}'")
    with pytest.raises(IOSPythonError) as error:
        relocated_sysconfig(text, Path("/new"), DEVICE)
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot
