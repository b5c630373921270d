from __future__ import annotations

from typing import Any

import pytest
import yaml

from forge.base.target import IOSVersion, select_targets
from forge.toolchain.frameworks import CLASS_SYMBOLS
from forge.toolchain.sdk.tbd import TBD_TARGETS, render_stub
from forge.toolchain.symbols import Library, Symbol, libraries

LIBRARIES = {library.file.rpartition("/")[2].removesuffix(".tbd"): library for library in libraries()}
SYMBOLS = {name: {s.name: s for s in library.symbols} for name, library in LIBRARIES.items()}
every_library = pytest.mark.parametrize("library", libraries(), ids=lambda library: library.file)

SMALL = Library(
    file="usr/lib/libx.tbd",
    install_name="/usr/lib/libx.1.dylib",
    current_version="1.2.3",
    compatibility_version="1",
    aliases=("libx.1",),
    symbols=(
        Symbol("_a$VARIANT"),
        Symbol("_new", IOSVersion(13, 4)),
        Symbol("_newest", IOSVersion(17, 0)),
        Symbol("_only_x86", only=frozenset({"x86_64-iphonesimulator"})),
        Symbol("__Znwm", weak=True),
        Symbol("on: yes"),
    ),
    unavailable=frozenset({"_gone"}),
)


class _Loader(yaml.SafeLoader):
    """Reads the stubs' tag as a plain mapping."""


def _construct(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("!tapi-tbd", _construct)


def parse(library: Library, newest: IOSVersion | None = None) -> tuple[dict[str, object], dict[tuple[str, str], bool]]:
    """A stub's head, and (target, symbol) to whether it is weak."""
    stub = yaml.load(render_stub(library, newest), Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    found: dict[tuple[str, str], bool] = {}
    for group in stub.pop("exports", []):
        classes = [f"{prefix}{name}" for name in group.get("objc-classes", []) for prefix in CLASS_SYMBOLS]
        listed = [(False, [*group.get("symbols", []), *classes]), (True, group.get("weak-symbols", []))]
        for weak, names in listed:
            for name in names:
                for target in group["targets"]:
                    assert (target, name) not in found
                    found[target, name] = weak
    return stub, found


def test_a_stub_says_what_the_library_is() -> None:
    assert render_stub(SMALL).startswith("--- !tapi-tbd\n")
    head, exports = parse(SMALL)
    assert head == {
        "tbd-version": 4,
        "targets": ["arm64-ios", "arm64-ios-simulator", "x86_64-ios-simulator"],
        "install-name": "/usr/lib/libx.1.dylib",
        "current-version": "1.2.3",
        "compatibility-version": 1,
    }
    everywhere = {"_a$VARIANT": False, "_new": False, "_newest": False, "__Znwm": True, "on: yes": False}
    expected = {(target, name): weak for target in TBD_TARGETS.values() for name, weak in everywhere.items()}
    assert exports == expected | {("x86_64-ios-simulator", "_only_x86"): False}


@pytest.mark.parametrize(
    ("newest", "left"),
    [((12, 0), set()), ((13, 3), set()), ((13, 4), {"_new"}), ((17, 0), {"_new", "_newest"})],
)
def test_a_stub_leaves_out_what_came_later(newest: tuple[int, int], left: set[str]) -> None:
    _, exports = parse(SMALL, IOSVersion(*newest))
    assert {name for _, name in exports} & {"_new", "_newest"} == left


def test_a_stub_without_symbols_is_valid() -> None:
    empty = Library("x.tbd", "/x", "1", "1", (), (), frozenset())
    assert parse(empty)[1] == {}


def test_a_class_is_two_symbols_and_a_library_may_give_others_as_its_own() -> None:
    names = ["_OBJC_CLASS_$_NSOne", "_OBJC_METACLASS_$_NSOne", "_OBJC_CLASS_$_NSHalf", "_NSLog"]
    symbols = tuple(map(Symbol, sorted(names)))
    library = Library("x.tbd", "/x", "1", "1", (), symbols, frozenset(), reexports=("/y", "/z"))
    head, exports = parse(library)
    assert head["reexported-libraries"] == [{"targets": list(TBD_TARGETS.values()), "libraries": ["/y", "/z"]}]
    assert {name for _, name in exports} == set(names)
    text = render_stub(library)
    assert text.count("NSOne") == 1
    assert '"_OBJC_CLASS_$_NSHalf"' in text


@every_library
def test_every_stub_lists_its_symbols(library: Library) -> None:
    _, exports = parse(library)
    for multiarch, target in TBD_TARGETS.items():
        expected = {s.name: s.weak for s in library.symbols if not s.only or multiarch in s.only}
        assert {name: weak for (t, name), weak in exports.items() if t == target} == expected


@every_library
def test_the_data_contradicts_itself_nowhere(library: Library) -> None:
    names = [symbol.name for symbol in library.symbols]
    assert names == sorted(set(names))
    assert not (library.unavailable | library.elsewhere) & set(names)
    multiarchs = {t.multiarch for t in select_targets()}
    for symbol in library.symbols:
        assert symbol.only < multiarchs
        assert symbol.since is None or symbol.since > IOSVersion(12, 0)
    assert library.install_name.startswith(("/usr/lib/lib", "/System/Library/Frameworks/"))


def test_every_stub_has_its_own_name() -> None:
    names = [name for library in libraries() for name in (library.file.removesuffix(".tbd"), *library.aliases)]
    assert len(names) == len(set(names))
    assert len({library.install_name for library in libraries()}) == len(libraries())


def test_what_ios_has() -> None:
    system = SYMBOLS["libSystem"]
    assert system["_pipe2"].since == IOSVersion(27, 0)
    assert system["_aligned_alloc"].since == IOSVersion(13, 0)
    assert {"_fopen", "_fopen$DARWIN_EXTSN", "_stat", "_printf", "_sin", "_pthread_create"} <= system.keys()
    assert {"___stack_chk_fail", "dyld_stub_binder", "__tlv_bootstrap", "__os_log_impl", "_openpty"} <= system.keys()
    assert SYMBOLS["libc++"]["__ZNSt3__14coutE"].since is None
    assert SYMBOLS["libc++abi"]["__Znwm"].weak
    assert SYMBOLS["libc++"]["__Znwm"].weak
    assert "_deflateInit_" in SYMBOLS["libz"]
    assert "_BZ2_bzCompress" in SYMBOLS["libbz2"]
    assert "_libiconv_open" in SYMBOLS["libiconv"] or "_iconv_open" in SYMBOLS["libiconv"]
    assert "_CFStringGetLength" in SYMBOLS["CoreFoundation"]
    assert "_objc_msgSend" in SYMBOLS["libobjc"]


def test_what_ios_has_not() -> None:
    system = LIBRARIES["libSystem"]
    assert "_system" in system.unavailable
    for name in ("_system", "_csr_check", "_proc_pidinfo"):
        assert name not in SYMBOLS["libSystem"]
    suffixes = ("$INODE64", "$1050", "$UNIX2003")
    assert not [s.name for library in libraries() for s in library.symbols if s.name.endswith(suffixes)]


def test_frameworks_have_what_ios_declares() -> None:
    security = SYMBOLS["Security"]
    assert {
        "_SecItemCopyMatching",
        "_SecRandomCopyBytes",
        "_kSecClass",
        "_SecTrustEvaluateWithError",
    } <= security.keys()
    assert security["_SecTrustCopyCertificateChain"].since == IOSVersion(15, 0)
    assert {"_OBJC_CLASS_$_NSURLSession", "_OBJC_METACLASS_$_NSString", "_NSCocoaErrorDomain", "_NSLog"} <= SYMBOLS[
        "Foundation"
    ].keys()
    assert "_OBJC_CLASS_$_UIView" in SYMBOLS["UIKit"]
    assert "_MTLCreateSystemDefaultDevice" in SYMBOLS["Metal"]
    assert "_AudioUnitRender" in SYMBOLS["AudioToolbox"]
    assert SYMBOLS["AudioToolbox"].keys() == SYMBOLS["AudioUnit"].keys()
    assert SYMBOLS["AVFAudio"].keys() <= SYMBOLS["AVFoundation"].keys()
    assert "___CFConstantStringClassReference" in SYMBOLS["CoreFoundation"]
    assert LIBRARIES["Foundation"].reexports == (
        "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation",
        "/usr/lib/libobjc.A.dylib",
    )


def test_frameworks_have_nothing_that_is_macos_own() -> None:
    for framework, name in [
        ("Security", "_SecKeychainCopyDefault"),
        ("Security", "_kSecPropertyTypeTitle2"),
        ("SystemConfiguration", "_SCDynamicStoreCreate"),
        ("Foundation", "_OBJC_CLASS_$_NSTask"),
        ("CoreGraphics", "_CGDisplayBounds"),
        ("CoreFoundation", "_CFMakeCollectable"),
        ("CoreGraphics", "_CGRectMake"),  # defined in a header
        ("Accelerate", "_dgemm_"),  # the recipe accelerate has it
    ]:
        assert name not in SYMBOLS[framework]
    assert "_SecKeychainCopyDefault" in LIBRARIES["Security"].elsewhere
    assert "_OBJC_CLASS_$_NSTask" in LIBRARIES["Foundation"].elsewhere
    assert not any(library.elsewhere for library in libraries() if not library.is_framework)


def test_other_libraries() -> None:
    assert {"_sqlite3_open_v2", "_sqlite3_mprintf"} <= SYMBOLS["libsqlite3"].keys()
    assert SYMBOLS["libsqlite3"]["_sqlite3_create_window_function"].since == IOSVersion(13, 0)
    assert "_compression_encode_buffer" in SYMBOLS["libcompression"]
    assert "_res_9_ninit" in SYMBOLS["libresolv"]
    assert not LIBRARIES["libresolv"].is_whole


def test_message_sends_that_return_structures() -> None:
    """objc4's message.h keeps them from arm64 alone (OBJC_ARM64_UNAVAILABLE): a simulator on an Intel Mac has them."""
    (objc,) = (library for library in libraries() if library.install_name == "/usr/lib/libobjc.A.dylib")
    only = {symbol.name: symbol.only for symbol in objc.symbols if symbol.name.endswith("_stret")}
    names = ("_objc_msgSend_stret", "_objc_msgSendSuper_stret", "_class_getMethodImplementation_stret")
    assert only.keys() >= set(names)
    assert set(only.values()) == {frozenset({"x86_64-iphonesimulator"})}
    assert not {name for name in objc.unavailable if name.endswith("_stret")}
