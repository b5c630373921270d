"""Rust crates that call Security, and Foundation through objc2: linked for all targets, checked, and run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from forge.audit.check import check_wheel
from forge.base.severity import Severity
from forge.macho.reader import read_macho
from forge.wheel.contents import read_wheel
from tests.integration.crossbuild.own_recipes import forge
from tests.integration.targets import runs_here

pytestmark = pytest.mark.toolchain

PROBE = Path(__file__).parent / "rust-apple-probe"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheels of all targets."""
    made = tmp_path_factory.mktemp("frameworks")
    shutil.copytree(PROBE, made / "recipes" / PROBE.name)
    forge(made, "build", PROBE.name, timeout=1500)
    return made


def test_what_is_imported_is_what_ios_has(root: Path) -> None:
    wheels = sorted((root / "dist").glob("*.whl"))
    assert len(wheels) == 3
    for wheel in wheels:
        findings = check_wheel(wheel).findings
        assert all(f.severity is Severity.INFO and f.name != "unknown-symbol" for f in findings), findings
        contents = read_wheel(wheel)
        (extension,) = contents.extensions
        data = next(data for member, data in contents.read_all() if member == extension.member)
        (one,) = read_macho(data).slices
        bound = {i.name: (i.library or "").rpartition("/")[2] for i in one.imports}
        assert bound["_SecItemCopyMatching"] == bound["_kSecClass"] == "Security"
        assert bound["_CFRelease"] == "CoreFoundation"
        assert bound["_objc_msgSend"] == "libobjc.A.dylib"
        assert "/System/Library/Frameworks/Foundation.framework/Foundation" in {d.name for d in one.dylibs}


@runs_here
def test_it_is_imported_and_gets_random_bytes(root: Path) -> None:
    (trial,) = json.loads(forge(root, "test", PROBE.name, "--json", timeout=1500))["trials"]
    assert trial["good"], trial
