from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ToolchainError
from forge.toolchain.sdk.assemble import vendor_availability_on
from forge.toolchain.sdk.headers import (
    HEADERS_PREFIX,
    LIBSYSTEM_STUB,
    HeaderEdit,
    HeaderRules,
    read_libsystem_stub,
    write_headers,
)

if TYPE_CHECKING:
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion


def write_wheel(path: Path, *, without: str = "", extra: dict[str, str] | None = None) -> Path:
    """A wheel with the headers that the rules edit, and a few more."""
    content: dict[str, str] = {
        "stdio.h": "int puts(const char *);\n",
        "libproc.h": "",
        "net/route.h": "",
        "net/if.h": "",
    }
    for edit in HeaderRules.load().edits:
        content[edit.file] = content.get(edit.file, "/* head */\n") + edit.find
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (content | (extra or {})).items():
            if name != without:
                archive.writestr(HEADERS_PREFIX + name, text)
        archive.writestr(HEADERS_PREFIX + "machine/", "")
        archive.writestr(LIBSYSTEM_STUB, "--- !tapi-tbd\n")
        archive.writestr("ziglang/zig", "binary")
    return path


def test_headers_become_those_of_an_ios_sdk(tmp_path: Path) -> None:
    include = tmp_path / "include"
    write_headers(write_wheel(tmp_path / "z.whl"), include)
    made = {p.relative_to(include).as_posix() for p in include.rglob("*") if p.is_file()}
    assert made == {"stdio.h", "net/if.h", *(e.file for e in HeaderRules.load().edits)}
    for edit in HeaderRules.load().edits:
        assert edit.replace in (include / edit.file).read_text()


def test_two_edits_of_one_file_are_both_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = HeaderRules(absent=(), edits=(HeaderEdit("x.h", "one", "1"), HeaderEdit("x.h", "two", "2")))
    monkeypatch.setattr(HeaderRules, "load", classmethod(lambda _cls: rules))
    write_headers(write_wheel(tmp_path / "z.whl", extra={"x.h": "one two"}), tmp_path)
    assert (tmp_path / "x.h").read_text() == "1 2"


@pytest.mark.parametrize("header", ["libproc.h", "net/route.h"])
def test_what_ios_does_not_ship(header: str) -> None:
    rules = HeaderRules.load()
    assert not rules.ships(header)
    assert rules.ships(f"other/{header}")
    assert rules.ships(header + "x")


@pytest.mark.parametrize("text", ["", "xx"])
def test_an_edit_must_match_once(text: str, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(ToolchainError) as error:
        HeaderEdit("math.h", "x", "y").apply(text)
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot


def test_an_edit_is_made() -> None:
    assert HeaderEdit("math.h", "x", "$1\\g<0>").apply("axb") == "a$1\\g<0>b"


def test_a_wheel_without_a_header_that_needs_an_edit(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    with pytest.raises(ToolchainError) as error:
        write_headers(write_wheel(tmp_path / "z.whl", without="math.h"), tmp_path / "include")
    assert str(error.value) == snapshot


def test_a_file_that_is_no_wheel(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    (tmp_path / "z.whl").write_text("<html>")
    with pytest.raises(ToolchainError) as error:
        write_headers(tmp_path / "z.whl", tmp_path / "include")
    assert str(error.value).replace(str(tmp_path), "<tmp>") == snapshot
    with pytest.raises(ToolchainError):
        read_libsystem_stub(tmp_path / "z.whl")


def test_the_stub_of_macos(tmp_path: Path) -> None:
    assert read_libsystem_stub(write_wheel(tmp_path / "z.whl")) == "--- !tapi-tbd\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "#define A 1\n#define _LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS\n#define B\n",
            "#define A 1\n\n#define B\n",
        ),
        ("#define _LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS 1", ""),
        (
            "#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 0\n",
            "#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 1\n",
        ),
        (
            "#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 1\n",
            "#define _LIBCPP_HAS_VENDOR_AVAILABILITY_ANNOTATIONS 1\n",
        ),
    ],
)
def test_availability_annotations_are_switched_on(before: str, after: str) -> None:
    assert vendor_availability_on(before) == after


def test_an_unknown_config_site(snapshot: SnapshotAssertion) -> None:
    with pytest.raises(ToolchainError) as error:
        vendor_availability_on("#define _LIBCPP_HAS_THREADS 1\n")
    assert f"{error.value}\nhint: {error.value.hint}" == snapshot
