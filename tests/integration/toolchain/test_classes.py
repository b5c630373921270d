"""The type information of C++ classes that clang leaves in a stripped binary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forge.audit.classes import own_classes
from forge.base.target import Target, select_targets

if TYPE_CHECKING:
    from tests.integration.toolchain.conftest import Bench

pytestmark = pytest.mark.toolchain

CLASSES = """
#include <stdexcept>
namespace geo {
struct Shape { virtual ~Shape() {} };
namespace flat { template <typename T> struct Circle : Shape { T radius; }; }
struct Failure : std::runtime_error { using std::runtime_error::runtime_error; };
struct Plain { int number; };
struct Key { virtual ~Key(); };  // its type information is where this function is
Key::~Key() {}
namespace { struct Hidden : Shape {}; }
}
extern "C" __attribute__((visibility("default"))) geo::Shape *make(int what) {
    geo::Plain plain{what};
    if (what == 7) delete new geo::Key;
    if (plain.number < 0) throw geo::Failure("negative");
    return what ? new geo::flat::Circle<double> : static_cast<geo::Shape *>(new geo::Hidden);
}
"""
CLASS_NAMES = {"N3geo3KeyE", "N3geo5ShapeE", "N3geo4flat6CircleIdEE", "N3geo7FailureE"}


@pytest.mark.parametrize("target", select_targets(), ids=str)
@pytest.mark.parametrize("fixups", ["-no_fixup_chains", "-fixup_chains"])
@pytest.mark.parametrize("visibility", ["hidden", "default"])
def test_classes_of_a_binary(bench: Bench, target: Target, visibility: str, fixups: str) -> None:
    """Of default visibility all but Key are compared by name on arm64, and exported on x86_64; so is Key on both."""
    flags = ("-std=c++17", "-dynamiclib", f"-fvisibility={visibility}", "-Wl,-S", "-Wl,-x", f"-Wl,{fixups}")
    made = bench.compile(CLASSES, target, *flags, name="classes.cpp")
    own = CLASS_NAMES if visibility == "hidden" else set()
    assert own_classes(made.file.read_bytes(), made.slice) == own
