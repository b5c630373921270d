"""How a new recipe's wheel is tried: the project's own tests, and the examples of its README."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from forge.authoring.project_metadata import ProjectMetadata
from forge.authoring.readme import check_examples, readme_examples, readme_test
from forge.authoring.trials import find_suite, imports_of
from tests.unit.authoring.source_trees import tree


def test_imports() -> None:
    assert imports_of(("demo", "other"), ("demo._a", "other")) == ("demo", "other", "demo._a")


def test_suite(tmp_path: Path) -> None:
    pyproject = "[dependency-groups]\ntest = ['hypothesis>=6', 'pytest-asyncio', 'pytest-cov']\n"
    test = "import os, demo, hypothesis, numpy\nfrom tests import help\nfrom . import more\nimport helper\n"
    found = tree(
        tmp_path, pyproject_dot_toml=pyproject, tests__test_a_dot_py=test, tests__helper_dot_py="broken (",
        tests__test_b_dot_py="def test(): import optional",
    )  # fmt: skip
    suite = find_suite(found, ProjectMetadata(), ["demo"])
    assert suite is not None
    assert suite.source == "tests"
    assert suite.requires == ("hypothesis", "numpy", "pytest-asyncio")
    assert suite.guessed == ("numpy",)


def test_what_tests_import_by_another_name_than_the_projects(tmp_path: Path) -> None:
    """PIL is Pillow's, and what the package requires is there."""
    found = tree(tmp_path, tests__test_a_dot_py="import numpy, scipy, yaml\nfrom PIL import Image\n")
    required = ("NumPy>=2", 'scipy; extra == "all"')
    suite = find_suite(found, ProjectMetadata(requires_dist=required), ["demo"])
    assert suite is not None
    assert suite.requires == ("pillow", "scipy", "pyyaml")


def test_scripts_of_the_source_are_no_projects(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    for module in ("__init__", "numpy"):
        (tmp_path / "demo" / f"{module}.py").touch()
    test = "import make_data, numpy\n"
    found = tree(tmp_path, tests__test_a_dot_py=test, tools__make_data_dot_py="")
    suite = find_suite(found, ProjectMetadata(), ["demo"])
    assert suite is not None
    assert suite.requires == ("numpy",)


def test_no_suite(tmp_path: Path) -> None:
    assert find_suite(tree(tmp_path, tests__data_dot_txt=""), ProjectMetadata(), ["demo"]) is None


@pytest.mark.parametrize("text", ["", "no examples", ">>> 1\n1\n", ">>> import other\n>>> other.x\n1\n", ">>>bad"])
def test_without_examples(text: str) -> None:
    assert readme_examples(text, ["demo"]) == ()


@pytest.mark.parametrize("text", [">>> import demo\n>>> demo.x()\n", '>>> import demo\n>>> """x"""\n"x"\n'])
def test_with_none_that_makes_a_test(text: str) -> None:
    assert readme_test(readme_examples(text, ["demo"]), "demo") is None


def test_those_that_hold(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "demo.py").write_text("x = 1\nprint('hello')\n")
    readme = (
        ">>> import demo\nhello\n>>> demo.x\n1\n```\n>>> demo.x\n2\n>>> y = demo.z\n>>> y\n3\n>>> z = 4\n"
        ">>> while z < 6:\n...     z += 1\n>>> z\n6\n"
    )
    examples = readme_examples(readme, ["demo"])
    found = check_examples(examples, tmp_path / "here", Path(sys.executable), tmp_path)
    assert [each.source for each in found] == [
        "import demo\n", "demo.x\n", "z = 4\n", "while z < 6:\n    z += 1\n", "z\n",
    ]  # fmt: skip


def test_the_file_passes_and_fails(tmp_path: Path) -> None:
    readme = "```python\n>>> from json import dumps\n>>> dumps(\n...     [1])\n'[1]'\n```\n\n>>> dumps(2)\n'2'\n"
    text = readme_test(readme_examples(readme, ["json"]), "json")
    assert text is not None
    file = tmp_path / "test_readme.py"
    file.write_text(text)
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)]
    assert subprocess.run(run, check=False, capture_output=True).returncode == 0
    file.write_text(text.replace("'2'", "'3'"))
    assert subprocess.run(run, check=False, capture_output=True).returncode == 1
