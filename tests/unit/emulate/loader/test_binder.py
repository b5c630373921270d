"""Which definition an import gets, over images that are described but not mapped."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import pytest

from forge.emulate.runtime.binder import Binder
from forge.emulate.runtime.errors import MachOImportError
from forge.emulate.runtime.image import Absent, Image
from forge.emulate.runtime.model import Dependency, Export, ExportKind, Fixups, Import, Link, MachImage, no_binds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forge.emulate.runtime.native import Native
    from forge.emulate.runtime.system_interface import SystemLibrary

TRAPS, THUNK = 0x7000, 0x6000


@dataclass
class Memory:
    """What the binder asks of the shim, with a dictionary for memory."""

    slots: dict[int, int] = field(default_factory=dict)
    trapped: list[tuple[str, str | None]] = field(default_factory=list)

    def address(self, name: str) -> int:
        return THUNK + len(name)

    def apply_slide(self, base: int, at: array[int], slide: int) -> None:
        for place in at:
            self.slots[base + place] = self.slots.get(base + place, 0) + slide

    def store(self, base: int, at: array[int], values: array[int]) -> None:
        self.slots.update(zip((base + place for place in at), values, strict=True))

    def make_traps(self, requests: Sequence[tuple[str, str | None]], image: str) -> list[int]:
        self.trapped += requests
        return [TRAPS + i for i in range(len(requests))]

    def call_resolver(self, function: int) -> int:
        return function + 1


@dataclass(frozen=True)
class Bound:
    address: int
    source: str = "glibc"
    entry: str = "malloc"


@dataclass(frozen=True)
class Library:
    name: str
    symbols: tuple[tuple[str, int], ...]

    def find(self, symbol: str) -> Bound | None:
        address = dict(self.symbols).get(symbol)
        return None if address is None else Bound(address)


SYSTEM = Library("/usr/lib/libSystem.B.dylib", (("_malloc", 0x100),))
PYTHON = Library("@rpath/Python.framework/Python", (("_PyErr_Clear", 0x200),))


def described(
    exports: dict[str, Export] | None = None,
    dependencies: tuple[Dependency, ...] = (),
    fixups: Fixups | None = None,
    *,
    weak: bool = False,
) -> MachImage:
    nothing = Fixups(array("Q"), array("Q"), array("Q"), (), no_binds(), no_binds())
    return MachImage(
        cpu_type=0x01000007, file_type=6, platform=7, minimum_os="13.0", install_name=None, preferred=0, size=0x1000,
        segments=(), sections=(), dependencies=dependencies, rpaths=(), exports=exports or {}, weak_definitions=weak,
        fixups=fixups or nothing, thread_locals=None, symbols=None, routine=None,
    )  # fmt: skip


def image(name: str, base: int, mach: MachImage, *dependencies: Image | Library | Absent) -> Image:
    libraries = cast("list[Image | SystemLibrary | Absent]", list(dependencies))
    return Image(f"/{name}", mach, base, libraries, bound_and_protected=True)


def regular(value: int, *, weak: bool = False) -> Export:
    return Export(ExportKind.REGULAR, value, weak=weak)


def binder(images: list[Image], memory: Memory | None = None) -> Binder:
    return Binder(cast("Native", memory or Memory()), images, [PYTHON, SYSTEM])


def load(name: str, link: Link = Link.LOAD) -> Dependency:
    return Dependency(name, link)


def test_two_level_namespace() -> None:
    first = image("first", 0x1000, described({"_f": regular(1)}))
    second = image("second", 0x2000, described({"_f": regular(2)}))
    user = image("user", 0x3000, described({}, (load("first"), load("second"))), first, second)
    found = binder([user, first, second])
    assert [getattr(found.resolve(user, Import("_f", n, weak=False)), "address", None) for n in (1, 2, 0)] == [
        0x1001,
        0x2002,
        None,
    ]


def test_special_ordinals() -> None:
    other = image("other", 0x1000, described({"_g": regular(1), "_PyErr_Clear": regular(2)}))
    user = image("user", 0x2000, described({"_own": regular(3)}))
    found = binder([user, other])
    addresses = {
        (name, ordinal): getattr(found.resolve(user, Import(name, ordinal, weak=False)), "address", None)
        for name, ordinal in (("_own", 0), ("_g", -2), ("_PyErr_Clear", -2), ("_PyErr_Clear", -1), ("_malloc", -2))
    }
    # Python, the main executable's, is first in load order.
    assert list(addresses.values()) == [0x2003, 0x1001, 0x200, 0x200, 0x100]


def test_reexports_by_library_and_by_name() -> None:
    last = image("last", 0x1000, described({"_f": regular(1), "_renamed": regular(2)}))
    middle = image("middle", 0x2000, described({}, (load("last", Link.REEXPORT),)), last)
    top = image(
        "top",
        0x3000,
        described(
            {"_alias": Export(ExportKind.REEXPORT, 2, "_renamed")}, (load("middle", Link.REEXPORT), load("last"))
        ),
        middle,
        last,
    )
    found = binder([top, middle, last])
    assert [getattr(found.find(top, name), "address", None) for name in ("_f", "_alias", "_none")] == [
        0x1001,
        0x1002,
        None,
    ]


def test_reexports_in_a_circle_end() -> None:
    one = image("one", 0x1000, described({"_a": Export(ExportKind.REEXPORT, 1, "_b")}, (load("two", Link.REEXPORT),)))
    two = image(
        "two", 0x2000, described({"_b": Export(ExportKind.REEXPORT, 1, "_a")}, (load("one", Link.REEXPORT),)), one
    )
    one.dependencies.append(two)
    found = binder([one, two])
    assert found.find(one, "_a") is None
    assert found.find(one, "_c") is None


def test_absolute_symbols_and_resolvers() -> None:
    mach = described({"_a": Export(ExportKind.ABSOLUTE, 0x1234), "_r": Export(ExportKind.RESOLVER, 0x10)})
    one = image("one", 0x1000, mach)
    found = binder([one])
    assert [getattr(found.find(one, name), "address", None) for name in ("_a", "_r")] == [0x1234, 0x1011]


def test_a_resolver_that_cannot_run_yet() -> None:
    one = image("one", 0x1000, described({"_r": Export(ExportKind.RESOLVER, 0x10)}))
    one.bound_and_protected = False
    with pytest.raises(MachOImportError, match="resolver of _r in /one is needed before that image can run"):
        binder([one]).find(one, "_r")


@pytest.mark.parametrize(("second_weak", "expected"), [(True, 0x1001), (False, 0x2002)])
def test_coalescing_takes_the_first_weak_definition_or_a_strong_one(second_weak: bool, expected: int) -> None:
    first = image("first", 0x1000, described({"_w": regular(1, weak=True)}, weak=True))
    second = image("second", 0x2000, described({"_w": regular(2, weak=second_weak)}, weak=True))
    outside = image("outside", 0x3000, described({"_w": regular(3)}))
    found = binder([outside, first, second]).resolve(second, Import("_w", -3, weak=False))
    assert found is not None
    assert found.address == expected


def test_binds_traps_and_missing_ones() -> None:
    imports = (
        Import("_malloc", 1, weak=False),
        Import("_absent", 1, weak=True),
        Import("_nobody", 1, weak=False),
        Import("_weakly", 2, weak=False),
        Import("__tlv_bootstrap", 1, weak=False),
    )
    binds = no_binds()
    for index in range(5):
        binds.at.append(8 * index)
        binds.imports.append(index)
        binds.addends.append(4 if index == 0 else 0)
    fixups = replace(described().fixups, imports=imports, binds=binds, slides=array("Q", [0x80]))
    memory = Memory()
    mach = described({}, (load(SYSTEM.name), load("/gone", Link.WEAK)), fixups)
    user = image("user", 0x5000, mach, SYSTEM, Absent("/gone", weak=True))
    binder([user], memory).apply(user)
    thunk = THUNK + len("forge_loader_tlv_get_addr")
    assert [memory.slots[0x5000 + 8 * index] for index in range(5)] == [0x104, 0, TRAPS, 0, thunk]
    assert memory.slots[0x5080] == 0x5000
    assert memory.trapped == [("_nobody", SYSTEM.name)]
    assert sorted((bound.symbol, bound.source) for bound in user.bound) == [
        ("__tlv_bootstrap", "loader"),
        ("_absent", "missing"),
        ("_malloc", "glibc"),
        ("_nobody", "trap"),
        ("_weakly", "missing"),
    ]


def test_weak_binds_that_nobody_has_stay() -> None:
    weak = no_binds()
    for index in range(2):
        weak.at.append(8 * index)
        weak.imports.append(index)
        weak.addends.append(0)
    imports = (Import("_w", -3, weak=False), Import("_x", -3, weak=False))
    memory = Memory({0x5000: 1, 0x5008: 2})
    user = image("user", 0x5000, described({"_w": regular(9, weak=True)}, (), replace(
        described().fixups, imports=imports, weak_binds=weak), weak=True))  # fmt: skip
    binder([user], memory).apply(user)
    assert memory.slots == {0x5000: 0x5009, 0x5008: 2}


def test_what_is_forgotten_is_looked_up_again() -> None:
    gone = image("gone", 0x1000, described({"_f": regular(1)}))
    found = binder([gone])
    assert found.find(gone, "_f") is not None
    found.forget([gone])
    gone.base = 0x9000
    again = found.find(gone, "_f")
    assert again is not None
    assert again.address == 0x9001
