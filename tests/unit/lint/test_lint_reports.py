"""What lint prints: text, JSON, SARIF, annotations, explanations; and that it never fails by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from forge.lint import docs
from forge.lint.annotations import to_github, to_sarif
from forge.lint.fix import fixed
from forge.lint.report import explain, render_text, to_json
from forge.lint.rules import BOOK, all_rules
from forge.lint.run import lint_subject
from forge.lint.subject import Neighbours, subject_of
from tests.unit.lint.conftest import CLEAN, changed

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

    from forge.lint.run import Report
    from tests.unit.lint.conftest import Lint

ROOT = Path(__file__).parents[3]
NASTY = "demo\\u001b[31m\\n::error::x%,: é"


@pytest.fixture
def report(lint: Lint) -> Report:
    return lint(
        changed(
            ("license: MIT", "license: mit"),
            ("    - demo\n", "    - demo\n    - demo\n"),
            ("  summary: A demonstration\n", ""),
        ),
        files={"bad/recipe.yaml": f'schema: 2\n"{NASTY}": 1\n'},
    )


def test_text(report: Report, snapshot: SnapshotAssertion) -> None:
    assert render_text(report) == snapshot


def test_json(report: Report) -> None:
    data = json.loads(to_json(report))
    jsonschema.validate(data, json.loads((ROOT / "schemas" / "lint.schema.json").read_text()))
    assert data["recipes"] == 2
    assert {row["id"] for row in data["rules"]} == {row["id"] for row in data["findings"]}


def test_sarif(report: Report) -> None:
    """The essentials of SARIF 2.1.0 (OASIS), and what GitHub's code scanning needs."""
    data = json.loads(to_sarif(report))
    assert data["version"] == "2.1.0"
    (run,) = data["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"]
    assert len(run["results"]) == len(report.findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["endColumn"] > region["startColumn"] >= 1
        assert re.fullmatch(r"[\w./%-]+", location["physicalLocation"]["artifactLocation"]["uri"])
    for rule in rules:
        assert {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"} <= set(rule)


def test_annotations(report: Report, snapshot: SnapshotAssertion) -> None:
    text = to_github(report)
    assert text == snapshot
    lines = text.splitlines()
    assert len(lines) == len(report.findings)
    for line in lines:
        assert re.match(r"::(error|warning|notice) file=[^:,]+,line=\d+,col=\d+,endColumn=\d+,title=[^:,]+::.", line)
        assert line.isprintable()


def test_nothing_found(lint: Lint) -> None:
    report = lint(CLEAN)
    assert render_text(report) == "1 recipe checked, 0 errors, 0 warnings\n"
    assert to_github(report) == ""
    assert json.loads(to_sarif(report))["runs"][0]["results"] == []


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_explain(rule: Any) -> None:
    text = explain(rule)
    assert text.startswith(f"{rule.id} {rule.name} (")
    assert all(f"  {label}" in text for label in ("what:", "why:", "fix:"))
    assert all(sentence.endswith(".") for sentence in (rule.what, rule.why, rule.mend))


def test_ids_and_names_are_unique() -> None:
    rules = all_rules()
    assert len({rule.id for rule in rules}) == len({rule.name for rule in rules}) == len(rules)


def test_select() -> None:
    assert BOOK.select(("REC1", "no-test"), ("REC102",)) == {"REC101", "REC103", "REC104", "REC105", "REC601"}
    with pytest.raises(KeyError):
        BOOK.select(("REC9",), ())


def test_docs_are_made_from_the_rules() -> None:
    page = ROOT / "docs" / "lint.md"
    assert page.read_text(encoding="utf-8") == docs.render(), "run: python -m forge.lint.docs > docs/lint.md"


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["demo", "x>=1"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["schema", "package", "name", "version", "about", "license", "source", "sdist", "sha256", "url", "build",
             "backend", "env", "when", "value", "python", "test", "imports", "wheel", "libraries", "host", "variants"]
        ) | st.text(max_size=5),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=200)
    | TREES.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True).encode())
    | st.text().map(str.encode)
)
@example(content=b"\xef\xbb\xbf")
@example(content=b"# forge: ignore[]\n--- !!map\n{}\n")
@example(content="a: |\n  # forge: ignore[REC101] x\n b\u2028: #\n".encode())
def test_lint_never_raises(content: bytes, tmp_path: Path) -> None:
    subject = subject_of(content, tmp_path / "demo" / "recipe.yaml")
    found = lint_subject(subject, Neighbours.of({subject.file: subject}))
    assert found
    assert fixed(subject, Neighbours({}))[0] == content or subject.recipe is not None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.permutations([part + "\n" for part in CLEAN.removesuffix("\n").split("\n\n")[1:]]), gap=st.integers(0, 3)
)
def test_sections_in_any_order_are_put_in_order(parts: list[str], gap: int, tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir(exist_ok=True)
    text = "schema: 2\n\n" + ("\n" * gap + "# A comment.\n").join(parts)
    subject = subject_of(text.encode(), tmp_path / "demo" / "recipe.yaml")
    content, _ = fixed(subject, Neighbours({}))
    again = subject_of(content, subject.file)
    assert again.recipe == subject.recipe
    assert content.count(b"# A comment.") == text.count("# A comment.")
    assert not any(found.fix for found in lint_subject(again, Neighbours.of({again.file: again})))
    assert fixed(again, Neighbours({}))[0] == content
