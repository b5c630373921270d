from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.errors import TrialError
from forge.trial.junit import FAMILY, read_junit

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

TESTS = """
import pytest
def test_one(): pass
@pytest.mark.parametrize("value", ["a.b/c", "x::y"])
def test_two(value): assert value == "a.b/c", "not it"
class TestThat:
    class TestInside:
        def test_three(self): pytest.skip("no reason")
    @pytest.mark.xfail
    def test_four(self): assert 0
@pytest.fixture
def broken():
    yield
    1 / 0
def test_five(broken): assert 0, "first"
"""


def test_what_pytest_writes(tmp_path: Path) -> None:
    """Node ids and outcomes as pytest itself has them."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(TESTS)
    (tmp_path / "test_broken.py").write_text("import not_there\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--rootdir=.", "-q", "--continue-on-collection-errors", "-p",
               "no:cacheprovider", "-o", f"junit_family={FAMILY}", "--junit-xml=results.xml"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1, done.stdout
    cases = {case.id: case for case in read_junit(tmp_path / "results.xml")}
    assert {name: case.outcome for name, case in cases.items()} == {
        "test_broken.py": "error",
        "tests/test_it.py::test_one": "passed",
        "tests/test_it.py::test_two[a.b/c]": "passed",
        "tests/test_it.py::test_two[x::y]": "failed",
        "tests/test_it.py::TestThat::TestInside::test_three": "skipped",
        "tests/test_it.py::TestThat::test_four": "xfailed",
        "tests/test_it.py::test_five": "failed",
    }
    assert "not it" in cases["tests/test_it.py::test_two[x::y]"].message
    assert "first" in cases["tests/test_it.py::test_five"].message
    assert all(case.seconds >= 0 for case in cases.values())


@pytest.mark.parametrize(
    "text", ["", "<testsuites><testcase name='a'", "<testsuites><testcase name='a' time='soon'/></testsuites>"]
)
def test_what_it_does_not_write(text: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    (tmp_path / "junit.xml").write_text(text)
    with pytest.raises(TrialError) as caught:
        read_junit(tmp_path / "junit.xml")
    assert caught.value.message == snapshot


@given(st.binary(max_size=200) | st.text("<>/='\" testcasenamefil.", max_size=200).map(str.encode))
def test_anything_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("junit") / "junit.xml"
    path.write_bytes(data)
    with contextlib.suppress(TrialError):
        read_junit(path)
