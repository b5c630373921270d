"""Wheels for each Python: tags, suffixes, the stable ABI, what runs at the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.tags import parse_tag

from forge.audit.check import check_wheel
from forge.base.severity import Severity
from tests.unit.audit.broken import DEVICE, imports
from tests.unit.macho.builder import macho
from tests.unit.wheel.wheels import make_wheel, wheel_text

if TYPE_CHECKING:
    from pathlib import Path

    from forge.audit.finding import Finding


def names(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings]


@pytest.mark.parametrize(
    ("tag", "module", "expected"),
    [
        ("cp313-cp313", "x.cpython-313-iphoneos.so", []),
        ("cp314-cp314t", "x.cpython-314t-iphoneos.so", ["free-threaded"]),
        ("cp314-cp314t", "x.cpython-314-iphoneos.so", ["wrong-suffix", "free-threaded"]),
        ("cp315-cp315", "x.cpython-315-iphoneos.so", []),
        ("cp315-cp315", "x.abi3-iphoneos.so", []),
        ("cp315-cp315", "x.abi3-iphonesimulator.so", ["wrong-suffix"]),
        ("cp315-cp315", "x.abi3t.so", []),
        ("cp315-abi3", "x.abi3-iphoneos.so", []),
        ("cp315-abi3", "x.abi3.so", []),
        ("cp315-abi3", "x.abi3t-iphoneos.so", []),
        ("cp315-abi3.abi3t", "x.abi3t-iphoneos.so", []),
        ("cp315-abi3.abi3t", "x.abi3t.so", []),
        ("cp315-abi3.abi3t", "x.so", []),
        ("cp315-abi3.abi3t", "x.abi3-iphoneos.so", ["wrong-suffix"]),
        ("cp315-abi3.abi3t", "x.cpython-315-iphoneos.so", ["wrong-suffix"]),
        ("cp315-abi3t", "x.abi3t-iphoneos.so", ["free-threaded"]),
        ("cp315-abi3t", "x.abi3.so", ["wrong-suffix", "free-threaded"]),
        ("cp315-cp315t", "x.cpython-315t-iphoneos.so", ["free-threaded"]),
        ("cp315t-abi3t", "x.abi3t.so", ["wrong-python-tag", "free-threaded"]),
        ("cp314-cp314", "x.abi3-iphoneos.so", ["wrong-suffix"]),
        ("cp314-cp314", "x.abi3t.so", ["wrong-suffix"]),
        ("cp313-abi3", "x.abi3-iphoneos.so", ["wrong-suffix"]),
        ("py3-none", "x.abi3-iphoneos.so", ["wrong-python-tag", "wrong-suffix"]),
        ("cp313-cp313", "x.cpython-314-iphoneos.so", ["wrong-suffix"]),
        ("cp39-abi3", "x.abi3.so", []),
        ("cp38.cp39-abi3", "x.abi3.so", []),
        ("py3-none", "x.so", []),
        ("py313-none", "x.so", []),
        ("py3-none", "x.cpython-314-iphoneos.so", ["wrong-python-tag"]),
        ("pp310-pypy310_pp73", "x.so", ["wrong-python-tag"]),
    ],
)
def test_python_tags(tmp_path: Path, tag: str, module: str, expected: list[str]) -> None:
    files = imports(module=f"example/{module}")
    whole = f"{tag}-{DEVICE}"
    text = wheel_text(*map(str, parse_tag(whole)))
    assert names(check_wheel(make_wheel(tmp_path, files, tag=whole, wheel=text)).findings) == expected


@pytest.mark.parametrize(
    ("tag", "module", "due"),
    [
        (
            "cp313-abi3",
            "x.abi3-iphoneos.so",
            ", for which not every Python that installs cp313-abi3 looks; due is .abi3.so",
        ),
        ("cp315-abi3.abi3t", "x.abi3.so", "installs cp315-abi3.abi3t looks; due is .abi3t-iphoneos.so or .abi3t.so"),
        ("cp315-abi3", "x.cpython-315-iphoneos.so", "of one Python only; due is .abi3-iphoneos.so or .abi3.so"),
        ("cp315-cp315", "x.cpython-314-iphoneos.so", "is .cpython-314-iphoneos.so; due is .cpython-315-iphoneos.so"),
        ("cp315-cp315", "x.abi3-iphonesimulator.so", "abi3-iphonesimulator.so; due is .cpython-315-iphoneos.so"),
    ],
)
def test_messages_name_the_suffix_that_is_due(tmp_path: Path, tag: str, module: str, due: str) -> None:
    whole = f"{tag}-{DEVICE}"
    text = wheel_text(*map(str, parse_tag(whole)))
    path = make_wheel(tmp_path, imports(module=f"example/{module}"), tag=whole, wheel=text)
    (finding,) = check_wheel(path).findings
    assert finding.message.endswith(due)


@pytest.mark.parametrize(
    ("tag", "module", "symbol", "said"),
    [
        ("cp313-abi3", "x.abi3.so", "_PyIter_NextItem", "Python 3.13 does not have: PyIter_NextItem (Python 3.14)"),
        ("cp314-abi3", "x.abi3.so", "_PyIter_NextItem", None),
        ("cp314-abi3", "x.abi3.so", "_PySys_GetAttr", "Python 3.14 does not have: PySys_GetAttr (Python 3.15)"),
        ("cp315-abi3", "x.abi3-iphoneos.so", "_PySys_GetAttr", None),
        ("cp315-abi3.abi3t", "x.abi3t-iphoneos.so", "_PySys_GetAttr", None),
        ("cp315-abi3.abi3t", "x.abi3t-iphoneos.so", "__PyNobody", "Python 3.15 does not have: _PyNobody"),
        ("cp314-abi3", "x.so", "_PySys_GetAttr", "Python 3.14 does not have: PySys_GetAttr (Python 3.15)"),
        ("cp313-cp313", "x.so", "_PySys_GetAttr", None),
    ],
)
def test_the_stable_abi_of_each_python(tmp_path: Path, tag: str, module: str, symbol: str, said: str | None) -> None:
    whole = f"{tag}-{DEVICE}"
    files = imports(symbol, ordinal=1, module=f"example/{module}")
    path = make_wheel(tmp_path, files, tag=whole, wheel=wheel_text(*map(str, parse_tag(whole))))
    assert [finding.message.removeprefix("uses what the stable ABI of ") for finding in check_wheel(path).findings] == (
        [] if said is None else [said]
    )


def test_a_module_may_export_its_slots_from_python_3_15_on(tmp_path: Path) -> None:
    for python, expected in (("cp314", ["no-init-function"]), ("cp315", [])):
        files = {f"example/x.cpython-{python[2:]}-iphoneos.so": macho(exports=("_PyModExport_x",))}
        path = make_wheel(tmp_path, files, tag=f"{python}-{python}-{DEVICE}")
        assert names(check_wheel(path).findings) == expected


@pytest.mark.parametrize(
    ("tag", "member", "text", "expected"),
    [
        ("cp313-cp313", "x.pth", "lib\n", ["adds directories to Python's path"]),
        ("cp313-cp313", "x.pth", "# a comment\nimport x\n", ["runs code when Python starts"]),
        ("cp313-cp313", "example-1.0.data/purelib/x.pth", "import x", ["runs code when Python starts"]),
        ("cp313-cp313", "x.pth", "", []),
        ("cp313-cp313", ".x.pth", "import x", []),
        ("cp313-cp313", "example/x.pth", "import x", []),
        ("cp315-cp315", "x.start", "example.a:b\n", ["runs code when Python starts"]),
        (
            "cp314-cp314",
            "x.start",
            "example:b",
            ["runs code when Python starts; Pythons before 3.15 do not know such files"],
        ),
        ("cp315-cp315", "x.start", "import x\n", ["import x is not package.module:callable"]),
        ("cp315-cp315", "x.start", "\udcff", ["is not UTF-8"]),
    ],
)
def test_files_that_python_reads_at_its_start(
    tmp_path: Path, tag: str, member: str, text: str, expected: list[str]
) -> None:
    data = text.encode("utf-8", errors="surrogateescape")
    files = {**imports(module="example/x.so"), member: data}
    found = check_wheel(make_wheel(tmp_path, files, tag=f"{tag}-{DEVICE}")).findings
    assert [(finding.name, finding.severity, finding.message) for finding in found] == [
        ("startup-file", Severity.WARNING, said) for said in expected
    ]
