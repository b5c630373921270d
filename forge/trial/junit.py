"""pytest's JUnit XML read back: for tests that run where their results cannot be told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from forge.base.errors import TrialError
from forge.emulate.session import Case

if TYPE_CHECKING:
    from pathlib import Path

FAMILY = "xunit1"
"""pytest's ``junit_family`` that names each test's file, from which its node id is put together."""

_OUTCOMES = {"failure": "failed", "error": "error", "skipped": "skipped"}


def read_junit(path: Path) -> tuple[Case, ...]:
    """Every test of a file that pytest wrote with `FAMILY`, in its order.

    One that is there twice (a test that fails, and whose fixture then cannot be torn down) has the worse outcome.
    ``xpassed`` is not told apart from ``passed`` there (pytest's ``_pytest/junitxml.py``).

    Raises:
        TrialError: The file is cut off or no JUnit XML.
    """
    found: dict[str, Case] = {}
    try:
        root = ET.parse(path).getroot()  # noqa: S314 - the file of a process of ours
        for element in root.iter("testcase"):
            case = read_case(element, _node_id(element))
            earlier = found.get(case.id)
            if earlier is None or not earlier.is_bad:
                found[case.id] = case
    except (ET.ParseError, ValueError) as error:
        raise TrialError(f"{path.name} is not a valid JUnit report from pytest: {error}") from error
    return tuple(found.values())


def read_case(element: ET.Element, name: str) -> Case:
    """A ``testcase`` element, of pytest's or of another writer's.

    Args:
        element: With a child of its outcome, unless it passed.
        name: What the test is called.

    Raises:
        ValueError: Its time is no number.
    """
    child = next((child for child in element if child.tag in _OUTCOMES), None)
    seconds = float(element.get("time", "0"))
    if child is None:
        return Case(name, "passed", seconds)
    outcome = "xfailed" if child.get("type") == "pytest.xfail" else _OUTCOMES[child.tag]
    return Case(name, outcome, seconds, child.text or child.get("message") or "")


def _node_id(element: ET.Element) -> str:
    """``tests/test_it.py::TestThat::test_this``; the class name is the module's, dotted, and the classes' after it."""
    name, class_name, file = (element.get(key, "") for key in ("name", "classname", "file"))
    if not file:
        return "::".join(part for part in (class_name, name) if part)
    module = file.removesuffix(".py").replace("/", ".")
    if not class_name and name == module:  # a file that could not be collected
        return file
    classes = class_name.removeprefix(module).strip(".").split(".") if class_name.startswith(module) else []
    return "::".join([file, *filter(None, classes), name])
