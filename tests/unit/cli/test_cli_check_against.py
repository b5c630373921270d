"""``forge check --against``: another builder's wheels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from tests.unit.frameworks.modules import DEVICE, INTEL, module, suffix, wheel

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

SCHEMA = Path(__file__).parents[3] / "schemas" / "check.schema.json"


@pytest.fixture
def wheels(forge: Forge) -> tuple[Path, Path]:
    """Ours, and a directory of theirs: another export, another file, an older release, another target."""
    theirs = forge.root / "theirs"
    ours = wheel(forge.root, DEVICE, {"pkg/__init__.py": b"", f"pkg/_x{suffix(DEVICE)}": module(name="_x")})
    body = module(name="_x", exports=("_PyInit__x", "_extra"), install_name="@rpath/pkg._x.framework/pkg._x")
    files = {"pkg/__init__.py": b"", f"pkg/_x{suffix(DEVICE)}": body, "pkg/more.py": b""}
    wheel(theirs, tag="cp313-cp313-ios_13_0_arm64_iphoneos", files=files)
    wheel(theirs, tag="cp313-cp313-ios_13_0_arm64_iphoneos", files={"pkg/__init__.py": b""}, version="0.9")
    wheel(theirs, INTEL)
    return ours, theirs


def test_differences(forge: Forge, wheels: tuple[Path, Path], snapshot: SnapshotAssertion) -> None:
    ours, theirs = wheels
    said = forge("check", str(ours), "--against", str(theirs))
    assert (said.code, said.err) == (9, "")
    assert forge.plain(said.out) == snapshot
    data = json.loads(forge("check", str(ours), "--against", str(theirs), "--json").out)
    jsonschema.validate(data, json.loads(SCHEMA.read_text()))
    (compared,) = data["comparisons"]
    assert compared["other"] == "pkg-1.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl"
    assert {each["kind"] for each in compared["differences"]} == {"files", "exported symbols", "install name"}


def test_the_same(forge: Forge, wheels: tuple[Path, Path]) -> None:
    ours, _ = wheels
    said = forge("check", str(ours), "--against", str(ours))
    assert said.code == 0
    assert said.out.endswith(f"{ours.name} and {ours.name} agree\n")


def test_what_is_not_compared_is_told_and_stops_nothing(forge: Forge, wheels: tuple[Path, Path]) -> None:
    ours, theirs = wheels
    (other,) = theirs.glob("*x86_64*")
    (theirs / "junk.whl").write_bytes(b"")
    broken = forge.root / "w" / other.name
    broken.parent.mkdir()
    broken.write_bytes(b"no zip file")
    said = forge("check", str(broken), str(ours), "--against", str(other))
    assert said.code == 9
    assert "IOS001" in said.out
    lines = said.out.splitlines()[-2:]
    assert lines[0].startswith(f"{broken.name} is not compared: {broken.name}")
    assert lines[1] == f"{ours.name} is not compared: there is no other wheel for the same Python and target"
    data = json.loads(forge("check", str(broken), str(ours), "--against", str(theirs), "--json").out)
    jsonschema.validate(data, json.loads(SCHEMA.read_text()))
    assert [each["other"] is None for each in data["comparisons"]] == [True, False]
