from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import Tag, compatible_tags, cpython_tags, ios_platforms, parse_tag

from forge.base.errors import WheelError
from forge.base.target import Abi, Target, select_targets
from forge.wheel.extension import SuffixKind, expected_suffix, extension_suffixes, parse_extension
from forge.wheel.name import compress_tags, parse_wheel_name
from forge.wheel.tags import installs, parse_platform_tag

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion


def test_wheel_name() -> None:
    name = parse_wheel_name("MarkupSafe-3.0.4-2a-py2.py3-none-ios_12_0_arm64_iphoneos.whl")
    assert (name.distribution, name.canonical_distribution) == ("MarkupSafe", "markupsafe")
    assert (str(name.version), name.build) == ("3.0.4", "2a")
    assert (name.pythons, name.abis) == (("py2", "py3"), ("none",))
    assert name.platforms == ("ios_12_0_arm64_iphoneos",)


BAD_NAMES = [
    "",
    "x",
    "x.zip",
    "x-1.0.whl",
    "x-1.0-py3-none.whl",
    "x-1.0-b-py3-none-any.whl",
    "x-1.0-1-2-py3-none-any.whl",
    "x-one-py3-none-any.whl",
    "x y-1.0-py3-none-any.whl",
    "x__y-1.0-py3-none-any.whl",
]


def test_bad_wheel_names(snapshot: SnapshotAssertion) -> None:
    said = {}
    for name in BAD_NAMES:
        with pytest.raises(WheelError) as caught:
            parse_wheel_name(name)
        said[name] = caught.value.message
    assert said == snapshot


@given(st.text(max_size=40) | st.from_regex(r"[a-z]{1,3}-[0-9.]{1,5}-[a-z0-9.-]{0,20}\.whl", fullmatch=True))
def test_any_name_is_read_or_refused(name: str) -> None:
    with contextlib.suppress(WheelError):
        assert parse_wheel_name(name).tags


@given(st.text(max_size=40) | st.from_regex(r"ios_[0-9]{1,4}_[0-9]{1,4}_[a-z0-9_]{1,30}"))
def test_a_platform_tag_that_is_read_is_written_the_same(tag: str) -> None:
    with contextlib.suppress(WheelError):
        assert parse_platform_tag(tag).platform_tag == tag


@pytest.mark.parametrize("target", select_targets())
def test_every_tag_that_packaging_gives_is_read(target: Target) -> None:
    for tag in ios_platforms((15, 3), target.multiarch):
        read = parse_platform_tag(tag)
        assert (read.platform_tag, read.multiarch) == (tag, target.multiarch)


BAD_TAGS = [
    "any",
    "ios",
    "macosx_11_0_arm64",
    "ios_12_0_iphoneos_arm64",
    "ios_12_0_arm64",
    "ios_12_0_arm64_iphoneos ",
    "ios_12_0_arm64_iphoneos\n",
    "xios_12_0_arm64_iphoneos",
    "ios_13_0_x86_64_iphoneos",
    "ios_1_0_arm64_iphoneos",
    "ios_11_9_arm64_iphoneos",
    "ios_12_10_arm64_iphoneos",
    "ios_12_00_arm64_iphoneos",
    "ios_012_0_arm64_iphoneos",
    "ios_12_0_armv7_iphoneos",
    "ios_12_0_arm64_watchos",
    "ios_12_0_ARM64_iphoneos",
    "ios_\N{ARABIC-INDIC DIGIT ONE}2_0_arm64_iphoneos",
]


def test_bad_platform_tags(snapshot: SnapshotAssertion) -> None:
    said = {}
    for tag in BAD_TAGS:
        with pytest.raises(WheelError) as caught:
            parse_platform_tag(tag)
        said[tag] = f"{caught.value.message} [{caught.value.hint}]"
    assert said == snapshot


def test_compressed_tags() -> None:
    assert compress_tags(parse_tag("py2.py3-none-any")) == "py2.py3-none-any"
    with pytest.raises(WheelError, match="no file name can hold"):
        compress_tags({Tag("cp313", "cp313", "any"), Tag("py3", "none", "any")})
    with pytest.raises(WheelError, match="at least one tag"):
        compress_tags([])


@pytest.mark.parametrize(
    ("member", "module", "kind", "python", "abi"),
    [
        ("x.so", "x", SuffixKind.PLAIN, None, None),
        ("p/_x.abi3.so", "p._x", SuffixKind.ABI3, None, None),
        ("p/_x.abi3-iphoneos.so", "p._x", SuffixKind.ABI3, None, Abi.IPHONEOS),
        ("p/_x.abi3t.so", "p._x", SuffixKind.ABI3T, None, None),
        ("p/_x.abi3t-iphonesimulator.so", "p._x", SuffixKind.ABI3T, None, Abi.IPHONESIMULATOR),
        ("p/_x.abi3-darwin.so", "p._x", SuffixKind.FOREIGN, None, None),
        ("p/_x.abi4.so", "p._x", SuffixKind.FOREIGN, None, None),
        ("p/_x.cpython-313-iphoneos.so", "p._x", SuffixKind.VERSIONED, "cp313", Abi.IPHONEOS),
        (
            "p/q/_x.cpython-314t-iphonesimulator.so",
            "p.q._x",
            SuffixKind.VERSIONED,
            "cp314t",
            Abi.IPHONESIMULATOR,
        ),
        ("e-1.data/platlib/p/_x.so", "p._x", SuffixKind.PLAIN, None, None),
        ("_x.cpython-313-arm64-iphoneos.so", "_x", SuffixKind.FOREIGN, None, None),
        ("_x.cpython-313-darwin.so", "_x", SuffixKind.FOREIGN, None, None),
        ("_x.cpython-313-x86_64-linux-gnu.so", "_x", SuffixKind.FOREIGN, None, None),
        ("p/x.1.so", "p.x", SuffixKind.FOREIGN, None, None),
        ("p/q/__init__.cpython-313-iphoneos.so", "p.q", SuffixKind.VERSIONED, "cp313", Abi.IPHONEOS),
        ("__init__.so", "__init__", SuffixKind.PLAIN, None, None),
    ],
)
def test_extension_names(member: str, module: str, kind: SuffixKind, python: str | None, abi: Abi | None) -> None:
    extension = parse_extension(member)
    assert extension is not None
    assert (extension.module, extension.kind, extension.python, extension.abi) == (module, kind, python, abi)
    if kind is SuffixKind.VERSIONED and python and abi:
        assert extension.suffix == expected_suffix(python, abi)


@pytest.mark.parametrize(
    ("python", "suffixes"),
    [
        ("cp313", ".cpython-313-iphoneos.so .abi3.so .so"),
        ("cp314", ".cpython-314-iphoneos.so .abi3.so .so"),
        ("cp314t", ".cpython-314t-iphoneos.so .so"),
        (
            "cp315",
            ".cpython-315-iphoneos.so .abi3-iphoneos.so .abi3.so .abi3t-iphoneos.so .abi3t.so .so",
        ),
        ("cp315t", ".cpython-315t-iphoneos.so .abi3t-iphoneos.so .abi3t.so .so"),
    ],
)
def test_suffixes_that_a_python_looks_for(python: str, suffixes: str) -> None:
    assert extension_suffixes(python, Abi.IPHONEOS) == tuple(suffixes.split())


@pytest.mark.parametrize(
    ("python", "tags"),
    [
        ("cp313", "cp313-cp313 cp313-abi3 cp39-abi3 cp313-none py3-none py313-none py312-none"),
        ("cp315", "cp315-cp315 cp315-abi3 cp313-abi3 cp315-none py3-none"),
        ("cp315t", "cp315-cp315t cp315-abi3t cp314-abi3t cp315-none py3-none"),
    ],
)
def test_tags_that_a_python_installs(python: str, tags: str) -> None:
    every = "cp312-cp312 cp313-cp313 cp313-cp313t cp313-abi3 cp39-abi3 cp316-abi3 cp315-cp315 cp315-cp315t cp315-abi3"
    every += (
        " cp315-abi3t cp314-abi3t cp315t-abi3t cp313-none cp315-none py3-none py2-none py313-none py312-none py314-none"
    )
    for text in {*every.split(), *tags.split()}:
        (tag,) = parse_tag(f"{text}-any")
        oracle = tag in set(
            itertools.chain(
                cpython_tags((3, int(python[3:].rstrip("t"))), [python], ["any"]),
                compatible_tags((3, int(python[3:].rstrip("t"))), python.rstrip("t"), ["any"]),
            )
        )
        assert installs(python, tag) is oracle, text
        assert text not in tags.split() or oracle


def test_no_extensions_and_init_symbols() -> None:
    assert parse_extension("x.py") is None
    assert parse_extension("libx.so.1") is None
    init = {"p/_x.so": "_PyInit__x", "p/b\u00fc.so": "_PyInitU_b_eha", "p/q/__init__.abi3.so": "_PyInit_q"}
    for member, symbol in init.items():
        extension = parse_extension(member)
        assert extension is not None
        assert extension.init_symbol == symbol
