"""``forge report``: one comment for a change."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forge.pipeline.comment import MARKER, MOST_CHARACTERS, escaped, fenced, render_comment
from forge.pipeline.report import ChangeReport, Row, State
from forge.pipeline.results import FailedNode
from forge.pipeline.sizes import size_text
from tests.unit.crossbuild.fakes import RECIPE, write_recipe
from tests.unit.macho.builder import Spec, macho
from tests.unit.source.conftest import Server, server
from tests.unit.source.test_source_index import pep691
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

__all__ = ["server"]

SCHEMA = Path(__file__).parents[3] / "schemas" / "report.schema.json"
DEVICE = "cp313-cp313-ios_12_0_arm64_iphoneos"
MODULE = "demo/_x.cpython-313-iphoneos.so"
NEW = Spec(install_name="@rpath/demo._x.framework/demo._x", exports=("_PyInit__x", "_helper"))
OLD = Spec(install_name="@rpath/demo._x.framework/demo._x", exports=("_PyInit__x",), loads=(), imports=())


def write_results(directory: Path, *events: dict[str, object]) -> Path:
    file = directory / "result.jsonl"
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return file


def wheel_event(filename: str, subject: str, *, built: bool = True) -> dict[str, object]:
    return {"event": "wheel", "subject": subject, "path": f"elsewhere/{filename}", "built": built, "warnings": []}


@pytest.fixture
def results(forge: Forge) -> Path:
    root = forge.root
    metadata = "Metadata-Version: 2.1\nName: demo\nVersion: 1.1\n"
    files = {"demo/__init__.py": b"", MODULE: macho(NEW)}
    make_wheel(root / "wheels" / "job", files, name="demo", version="1.1", tag=DEVICE, metadata=metadata)
    make_wheel(root / "wheels" / "job", {"pure/__init__.py": b""}, name="pure", tag="py3-none-any")
    make_wheel(root / "index", {"demo/__init__.py": b"", MODULE: macho(OLD)}, name="demo", version="1.0", tag=DEVICE)
    make_wheel(root / "index", {"pure/__init__.py": b""}, name="pure", tag="py3-none-any")
    subject = "demo 1.1 arm64-iphoneos"
    return write_results(
        root,
        {"event": "ended", "name": subject, "state": "built", "seconds": 130, "because": ""},
        wheel_event(f"demo-1.1-{DEVICE}.whl", subject),
        wheel_event("pure-1.0-py3-none-any.whl", "pure 1.0", built=False),
        wheel_event("gone-2.0-cp311-abi3-ios_12_0_x86_64_iphonesimulator.whl", "gone 2.0 x86_64-iphonesimulator"),
        {"event": "test", "subject": subject, "python": "3.13", "passed": True, "tests": 12, "tests_passed": 12},
        {"event": "test", "subject": "gone 2.0 x86_64-iphonesimulator", "python": "3.14", "passed": False, "tests": 3,
         "tests_passed": 1},
        {"event": "ended", "name": "user 3 arm64-iphoneos", "state": "skipped", "seconds": 0,
         "because": "lib 1 arm64-iphoneos"},
        {"event": "error", "subject": "lib 1 arm64-iphoneos", "exit_code": 8, "hint": "see <b>the log</b>",
         "message": "the build of lib failed\nmore", "first_error": "x.c:3:1: error: ```unknown``` type @team | x"},
    )  # fmt: skip


def test_a_comment(forge: Forge, results: Path, snapshot: SnapshotAssertion) -> None:
    said = forge("report", str(results), "--wheels", "wheels", "--published", "index")
    assert (said.code, said.err) == (0, "")
    assert said.out == snapshot


def test_as_json(forge: Forge, results: Path, snapshot: SnapshotAssertion) -> None:
    said = forge("report", str(results.parent), "--wheels", "wheels", "--published", "index", "--json")
    assert said.code == 0
    data = json.loads(said.out)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(data)
    assert data == snapshot


def test_the_summary_of_a_step(forge: Forge, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(forge.root / "summary.md"))
    (forge.root / "summary.md").write_text("before\n")
    said = forge("report", str(results), "--out", "comment.md")
    assert (said.code, said.out) == (0, "")
    comment = (forge.root / "comment.md").read_text()
    assert comment.startswith(MARKER)
    assert (forge.root / "summary.md").read_text() == f"before\n{comment}"


def test_against_an_index(forge: Forge, results: Path, server: Server) -> None:
    files = {file.name: file.read_bytes() for file in (forge.root / "index").iterdir()}
    server.put("/simple/demo/", pep691({name: body for name, body in files.items() if name.startswith("demo")}))
    server.put("/simple/pure/", pep691({name: body for name, body in files.items() if name.startswith("pure")}))
    for name, body in files.items():
        server.put(f"/files/{name}", body)
    forge("report", str(results), "--wheels", "wheels", "--published", "index", "--out", "directory.md")
    said = forge("report", str(results), "--wheels", "wheels", "--published", f"{server.url}/simple/")
    assert said.code == 0
    assert said.out == (forge.root / "directory.md").read_text()


def test_an_index_that_does_not_answer(forge: Forge, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_RETRIES", "0")
    said = forge("report", str(results), "--wheels", "wheels", "--published", "http://127.0.0.1:9/simple/")
    assert said.code == 0, "the comment is of use without it"
    assert re.search(r"\| 3\.13 \| built, 2 min .*\| cannot look for demo \\|", said.out), said.out


def test_no_change(forge: Forge) -> None:
    said = forge("report")
    assert said.code == 0
    assert "makes no wheel differ" in said.out


def test_something_else_than_results(forge: Forge, snapshot: SnapshotAssertion) -> None:
    (forge.root / "x.jsonl").write_text("Built dist/x.whl\n")
    said = forge("report", "x.jsonl")
    assert (said.code, said.out, said.err) == snapshot


def test_projects_with_wheels_of_their_own(
    forge: Forge, server: Server, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """Of one recipe's project there are wheels for all targets, of one for some, of one none; one is nowhere."""
    wheels: dict[str, bytes] = {}
    for name, platforms in (
        ("whole", ("arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator")),
        ("part", ("arm64_iphoneos",)),
        ("none", ()),
    ):
        offered = {f"{name}-2.0.tar.gz": b"sdist"}
        for platform in platforms:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n"
            files = {f"{name}/__init__.py": b"", f"{name}/_x.cpython-313-{platform.split('_')[-1]}.so": b"no Mach-O"}
            tag = f"cp313-cp313-ios_13_0_{platform}"
            path = make_wheel(forge.root / "w", files, name=name, version="2.0", tag=tag, metadata=metadata)
            offered[path.name] = path.read_bytes()
        server.put(f"/simple/{name}/", pep691(offered))
        wheels |= offered
    for name, body in wheels.items():
        server.put(f"/files/{name}", body)
    for name in ("whole", "part", "none", "own"):
        directory = forge.root / "recipes" / name
        directory.mkdir(parents=True)
        (directory / "recipe.yaml").write_text(
            f"schema: 2\npackage: {{name: {name}, version: '1.0'}}\nsource: {{sdist: {{sha256: {'ab' * 32}}}}}\n"
            "build: {backend: setuptools}\n"
        )
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    said = forge("report", "--upstream")
    assert said.code == 0, said.err
    assert said.out == snapshot
    assert forge("report", "--upstream", "--json").code == 2


@pytest.mark.usefixtures("no_toolchain")
def test_of_a_real_run(forge: Forge, capsys: pytest.CaptureFixture[str]) -> None:
    write_recipe(forge.root / "recipes")
    broken = forge.root / "recipes" / "broken"
    write_recipe(
        forge.root / "other", "raise SystemExit('x.c:1:1: error: no such thing')", text=RECIPE.replace("demo", "broken")
    )
    (forge.root / "other" / "demo").rename(broken)
    said = forge("build", "demo", "broken", "--abi", "iphoneos", "--keep-going", "--json")
    assert said.code == 8
    (forge.root / "run.jsonl").write_text(said.out)
    capsys.readouterr()
    told = forge("report", "run.jsonl").out
    assert re.search(r"\| demo 1\.0 \| arm64-iphoneos \| 3\.13 \| built \|", told.replace("\\", "")), told
    assert "| broken 1.0 | arm64-iphoneos |  | **failed** |" in told.replace("\\", "")
    assert "```text\nx.c:1:1: error: no such thing\n```" in told


class TestMarkdown:
    @given(st.text())
    def test_nothing_formats_or_mentions(self, text: str) -> None:
        safe = escaped(text)
        assert not re.search(r"(?<!\\)(\\\\)*[`*_\[\]|]", safe)
        assert "<" not in safe
        assert not re.search(r"@\w", safe)
        assert "\n" not in safe

    @given(st.text(alphabet=st.sampled_from("`a\n ~")))
    def test_no_text_ends_its_block(self, text: str) -> None:
        first, *inner, last = fenced(text).split("\n")
        fence = first.removesuffix("text")
        assert last == fence
        assert all(not line.strip().startswith(fence) for line in inner)

    @pytest.mark.parametrize("number", [1, 60, 3000])
    def test_what_is_too_long_is_cut(self, number: int) -> None:
        rows = tuple(Row(f"demo{each} 1.0", "arm64-iphoneos", "3.13", State.FAILED) for each in range(number))
        failures = tuple(FailedNode(f"demo{each} 1.0", "failed", first_error="x" * 5000) for each in range(number))
        text = render_comment(ChangeReport(rows, failures))
        assert len(text) < 65_536
        assert text.startswith(MARKER)
        assert ("More is left out" in text) is (number > 1)
        assert text.count("```") % 2 == 0

    def test_sizes(self) -> None:
        assert [size_text(size) for size in (0, 999, 1000, 1_250_000, 123_456_789)] == [
            "0 B", "999 B", "1 kB", "1.25 MB", "123 MB",
        ]  # fmt: skip
        assert MOST_CHARACTERS < 65_536
