"""forge's data of each Python version, and the files that it is rendered to."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from forge.base.errors import IOSPythonError
from forge.ios_python.headers import header_archives
from forge.ios_python.interface import (
    INTERFACES,
    TARGETS,
    known_minors,
    read_interface,
    render_pyconfig,
    render_stub,
    render_sysconfigdata,
)
from tests.unit.ios_python.fakes import ARM_SIMULATOR, DEVICE, X86_SIMULATOR

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.base.target import Target
    from forge.ios_python.interface import Interface


@pytest.fixture(params=known_minors())
def interface(request: pytest.FixtureRequest) -> Interface:
    return read_interface(str(request.param))


@pytest.fixture(params=TARGETS, ids=str)
def target(request: pytest.FixtureRequest) -> Target:
    chosen: Target = request.param
    return chosen


def test_the_versions_that_apps_use() -> None:
    assert known_minors() == ("3.13", "3.14", "3.15")


def test_another_version_is_an_error(snapshot: SnapshotAssertion) -> None:
    with pytest.raises(IOSPythonError) as error:
        read_interface("3.9")
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot


def test_every_version_has_headers_to_go_with_it(interface: Interface) -> None:
    archives = header_archives(interface.minor)
    assert archives
    assert all(archive.release.startswith(f"{interface.minor}.") for archive in archives)


def variables(interface: Interface, target: Target, directory: Path) -> dict[str, object]:
    """What Python itself reads of the rendered sysconfig data."""
    name = f"_sysconfigdata__ios_{target.multiarch}"
    (directory / f"{name}.py").write_text(render_sysconfigdata(interface, target))
    code = f"import json, {name.replace('-', '_')} as m" if "-" not in name else "import importlib, json"
    code += f"\nm = importlib.import_module({name!r})\nprint(json.dumps(m.build_time_vars))"
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env={"PYTHONPATH": str(directory)}
    ).stdout
    found: dict[str, object] = json.loads(said)
    return found


def test_sysconfig_data_says_what_builds_ask(interface: Interface, target: Target, tmp_path: Path) -> None:
    found = variables(interface, target, tmp_path)
    tag = interface.minor.replace(".", "")
    tools = f"{target.arch}-apple-ios" + ("-simulator" if target.is_simulator else "")
    assert found["EXT_SUFFIX"] == f".cpython-{tag}-{target.abi}.so"
    assert found["SOABI"] == f"cpython-{tag}-{target.abi}"
    assert found["MULTIARCH"] == target.multiarch
    assert found["VERSION"] == interface.minor
    assert found["CC"] == f"{tools}-clang"
    assert found["CXX"] == f"{tools}-clang++"
    assert found["AR"] == f"{tools}-ar"
    assert str(found["LDSHARED"]).startswith(f"{tools}-clang -dynamiclib -F . -framework Python")
    assert found["IPHONEOS_DEPLOYMENT_TARGET"] == "12.0"
    assert found["prefix"] == "/forge/Python"
    assert found["MACHDEP"] == "ios"
    assert found["SIZEOF_VOID_P"] == 8
    assert found["Py_GIL_DISABLED"] == found["Py_DEBUG"] == 0
    assert "-O3" in str(found["CFLAGS"])
    assert "-DNDEBUG" in str(found["CFLAGS"])


def test_strings_of_pyconfig_are_as_that_version_parses_them(
    interface: Interface, target: Target, tmp_path: Path
) -> None:
    """Python 3.15's parse_config_h takes the quotes off."""
    found = variables(interface, target, tmp_path)
    hashes = "md5,sha1,sha2,sha3,blake2"
    if interface.minor in ("3.13", "3.14"):
        assert found["PY_BUILTIN_HASHLIB_HASHES"] == f'"{hashes}"'
    else:
        assert found["PY_BUILTIN_HASHLIB_HASHES"] == hashes
        assert found["SOABI_PLATFORM"] == str(target.abi)
        assert not any(str(value).startswith('"') for value in found.values())


def test_no_place_of_a_build_machine_is_in_it(interface: Interface) -> None:
    text = (INTERFACES / f"{interface.minor}.json").read_text()
    assert not re.search(r"/(tmp|root|home|Users|private|builds)\b", text)


def test_pyconfig_defines_what_configure_found(interface: Interface, target: Target, tmp_path: Path) -> None:
    header = tmp_path / "pyconfig.h"
    header.write_text(render_pyconfig(interface, [t for t in TARGETS if t.abi is target.abi]))
    macro = {"arm64": "__arm64__", "x86_64": "__x86_64__"}[target.arch]
    command = ["cc", "-undef", f"-D{macro}", "-dM", "-E", "-x", "c", str(header)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = dict(line.split(" ", 2)[1:] for line in said.splitlines() if line.count(" ") > 1)
    assert found.items() >= {"SIZEOF_LONG": "8", "HAVE_PTHREAD_H": "1", "WITH_PYMALLOC": "1"}.items()
    assert {"HAVE_PIPE2", "HAVE_LINK_H", "Py_GIL_DISABLED", "Py_DEBUG", "WORDS_BIGENDIAN"}.isdisjoint(found)


def test_the_stub_is_what_linkers_read(interface: Interface) -> None:
    text = render_stub(interface, [ARM_SIMULATOR, X86_SIMULATOR])
    stub = yaml.safe_load(text.replace("--- !tapi-tbd", "---"))
    assert stub["install-name"] == "@rpath/Python.framework/Python"
    assert stub["targets"] == ["arm64-ios-simulator", "x86_64-ios-simulator"]
    (exports,) = stub["exports"]
    assert {"_PyModule_Create2", "_Py_NoneStruct", "__Py_Dealloc", "__Py_NoneStruct", "_PyExc_ValueError"} <= {
        *exports["symbols"],
        "_Py_NoneStruct",
    }
    assert "_main" not in exports["symbols"]


def test_identity_is_of_the_target_and_the_version() -> None:
    identities = {read_interface(minor).identity(each) for minor in known_minors() for each in TARGETS}
    assert len(identities) == len(known_minors()) * len(TARGETS)
    assert read_interface("3.13").identity(DEVICE) == read_interface("3.13").identity(DEVICE)
