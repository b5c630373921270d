from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from forge.audit import docs
from forge.audit.check import check_paths, check_wheel, missing_targets, promised_target
from forge.audit.check_report import render_text, to_json
from forge.audit.content import foreign_program
from forge.audit.policy import LibraryKind, private_symbol, stable_abi, system_library
from forge.base.severity import Severity
from forge.base.target import IOSVersion
from forge.toolchain.frameworks import framework_entries, framework_path
from forge.wheel.openssl import openssl_version
from tests.unit.audit.broken import DEVICE, MODULE, PAGE_ZERO, SOUND, imports, loads, sound
from tests.unit.macho import builder
from tests.unit.macho.builder import LOAD, PYTHON, SYSTEM, WEAK, macho
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from forge.audit.finding import Finding

FRAMEWORKS = "/System/Library/Frameworks"
SOURCES = b"crypto/err/err.c\0crypto/evp/evp_enc.c\0"


def names(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.name for finding in findings]


def test_documentation_is_current() -> None:
    page = Path(__file__).parents[3] / "docs" / "checks.md"
    assert page.read_text(encoding="utf-8") == docs.render(), "run: python -m forge.audit.docs > docs/checks.md"


@pytest.mark.parametrize(
    ("platforms", "target"),
    [
        (("ios_13_0_arm64_iphoneos",), "arm64-iphoneos 13.0"),
        (("ios_12_0_x86_64_iphonesimulator",), "x86_64-iphonesimulator 12.0"),
        (("ios_13_0_arm64_iphoneos", "ios_12_4_arm64_iphoneos"), "arm64-iphoneos 12.4"),
        (("ios_13_0_arm64_iphoneos", "macosx_11_0_arm64"), "arm64-iphoneos 13.0"),
        (("ios_13_0_iphoneos_arm64",), "arm64-iphoneos 12.0"),
        (("ios_9_0_arm64_iphonesimulator",), "arm64-iphonesimulator 12.0"),
        (("ios_13_0_x86_64_iphoneos",), None),
        (("ios_13_0_arm64",), None),
        (("macosx_11_0_arm64",), None),
    ],
)
def test_promised_target(platforms: tuple[str, ...], target: str | None) -> None:
    found = promised_target(platforms)
    assert (None if found is None else f"{found} {found.ios_version}") == target


def test_the_page_zero_of_an_executable_is_not_mapped(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"file_type": 2, "install_name": None, "extra_commands": PAGE_ZERO, "extra_count": 1}
    wheel = make_wheel(tmp_path, {MODULE: SOUND, "example/run": macho(**changes)}, tag=f"cp313-cp313-{DEVICE}")
    assert "refused-by-dyld" not in names(check_wheel(wheel).findings)


def test_a_wrong_tag_does_not_hide_the_rest(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, loads("/opt/x.dylib"), tag="cp313-cp313-ios_13_0_x86_64_iphoneos")
    assert names(check_wheel(path).findings) == ["invalid-platform-tag", "foreign-library"]


def test_newer_symbols_are_fine_where_the_tag_allows_them(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, imports("_aligned_alloc"), tag="cp313-cp313-ios_13_0_arm64_iphoneos")
    assert check_wheel(path).findings == ()
    path = make_wheel(tmp_path, imports("_aligned_alloc"), tag=f"cp313-cp313-{DEVICE}")
    (finding,) = check_wheel(path).findings
    assert finding.message == "imports from libSystem.B.dylib what is newer than iOS 12.0: _aligned_alloc (iOS 13.0)"


@pytest.mark.parametrize("library", [f"{FRAMEWORKS}/Accelerate.framework/Accelerate", "/usr/lib/libobjc.A.dylib"])
def test_lists_that_are_not_whole_say_nothing_about_what_they_lack(tmp_path: Path, library: str) -> None:
    path = make_wheel(tmp_path, imports("_CFNobodyListedThis", library=library), tag=f"cp313-cp313-{DEVICE}")
    assert check_wheel(path).findings == ()


@pytest.mark.parametrize(
    ("framework", "symbol", "severity", "message"),
    [
        ("Security", "_SecRandomCopyBytes", None, ""),
        ("Foundation", "_CFRelease", None, ""),  # Foundation gives CoreFoundation as its own
        ("CoreFoundation", "_OBJC_CLASS_$_NSArray", None, ""),  # Foundation's header declares it
        (
            "Security",
            "_SecKeychainCopyDefault",
            Severity.WARNING,
            "imports from Security what macOS's headers declare, and no known header of iOS: _SecKeychainCopyDefault",
        ),
        (
            "Foundation",
            "_NSNobodyListedThis",
            Severity.INFO,
            "imports from Foundation what no list of its names has: _NSNobodyListedThis",
        ),
        (
            "Security",
            "_SecTrustCopyCertificateChain",
            Severity.ERROR,
            "imports from Security what is newer than iOS 12.0: _SecTrustCopyCertificateChain (iOS 15.0)",
        ),
    ],
)
def test_names_of_frameworks(
    tmp_path: Path, framework: str, symbol: str, severity: Severity | None, message: str
) -> None:
    library = f"{FRAMEWORKS}/{framework}.framework/{framework}"
    path = make_wheel(tmp_path, imports(symbol, library=library), tag=f"cp313-cp313-{DEVICE}")
    found = [(finding.severity, finding.message) for finding in check_wheel(path).findings]
    assert found == ([] if severity is None else [(severity, message)])


def test_every_stub_is_of_a_public_framework() -> None:
    kinds = {name: system_library(framework_path(name)).kind for name in framework_entries()}
    listed = yaml.safe_load(resources.files("forge.audit.data").joinpath("system_libraries.yaml").read_text())[
        "frameworks"
    ]
    assert kinds.keys() == listed.keys()
    assert {name for name, kind in kinds.items() if kind is not LibraryKind.PUBLIC} == set()


def test_symbols_that_python_added_after_the_list_was_made(tmp_path: Path) -> None:
    files = imports("_PyNobody_KnowsThis", ordinal=1, module="example/x.abi3.so")
    assert names(check_wheel(make_wheel(tmp_path, files, tag=f"cp313-abi3-{DEVICE}")).findings) == [
        "outside-limited-api"
    ]
    assert check_wheel(make_wheel(tmp_path, files, tag=f"cp316-abi3-{DEVICE}")).findings == ()


def test_severities(tmp_path: Path) -> None:
    files = {**sound(), "numpy/_core/lib/libnpymath.a": b"!<arch>\n", "example/libz.a": b"!<arch>\n"}
    findings = check_wheel(make_wheel(tmp_path, files, tag=f"cp313-cp313-{DEVICE}")).findings
    assert [(finding.name, finding.severity) for finding in findings] == [
        ("static-archive", Severity.WARNING),
        ("static-archive", Severity.INFO),
    ]


def test_missing_targets() -> None:
    three = ["ios_12_0_arm64_iphoneos", "ios_13_0_arm64_iphonesimulator", "ios_12_0_x86_64_iphonesimulator"]
    wheels = [f"Demo_Name-1.0-cp313-cp313-{platform}.whl" for platform in three]
    assert missing_targets([*wheels, "demo-1.0-py3-none-any.whl", "nonsense.whl"]) == []
    wheels = [*wheels[:2], "demo.name-1.0-cp314-cp314-ios_12_0_x86_64_iphonesimulator.whl"]
    assert [finding.message for finding in missing_targets(wheels)] == [
        "demo-name 1.0 for cp313-cp313 lacks x86_64-iphonesimulator",
        "demo-name 1.0 for cp314-cp314 lacks arm64-iphoneos, arm64-iphonesimulator",
    ]


def test_a_directory_and_a_wheel_in_it_are_checked_once(tmp_path: Path) -> None:
    path = make_wheel(tmp_path, {MODULE: SOUND}, tag=f"cp313-cp313-{DEVICE}")
    report = check_paths([path, tmp_path])
    assert [wheel.path for wheel in report.wheels] == [path]
    assert report.fails(Severity.WARNING)
    assert not report.fails(Severity.ERROR)


@pytest.mark.parametrize(
    ("path", "kind", "since"),
    [
        ("/usr/lib/libSystem.B.dylib", LibraryKind.PUBLIC, None),
        ("/usr/lib/libm.dylib", LibraryKind.PUBLIC, None),
        ("/usr/lib/libcrypto.46.dylib", LibraryKind.MACOS, None),
        ("/usr/lib/libnobody.dylib", LibraryKind.UNKNOWN, None),
        ("/usr/lib/swift/libswiftCore.dylib", LibraryKind.PUBLIC, "12.2"),
        ("/usr/lib/swift/libswift_Concurrency.dylib", LibraryKind.PUBLIC, "15.0"),
        (f"{FRAMEWORKS}/Accelerate.framework/Accelerate", LibraryKind.PUBLIC, None),
        (f"{FRAMEWORKS}/Network.framework/Network", LibraryKind.PUBLIC, None),
        (f"{FRAMEWORKS}/Metal.framework/Versions/A/Metal", LibraryKind.PUBLIC, None),
        (f"{FRAMEWORKS}/UniformTypeIdentifiers.framework/UniformTypeIdentifiers", LibraryKind.PUBLIC, "14.0"),
        (f"{FRAMEWORKS}/Carbon.framework/Versions/A/Carbon", LibraryKind.MACOS, None),
        ("/System/Library/PrivateFrameworks/CoreUI.framework/CoreUI", LibraryKind.PRIVATE, None),
        ("/System/Library/Extensions/x", LibraryKind.UNKNOWN, None),
    ],
)
def test_system_libraries(path: str, kind: LibraryKind, since: str | None) -> None:
    found = system_library(path)
    assert (found.kind, found.since) == (kind, IOSVersion.parse(since) if since else None)


def test_policies_are_consistent() -> None:
    abi = stable_abi()
    assert abi.newest >= max(abi.since.values())
    assert abi.since["PyModule_Create2"] == (3, 2)
    assert abi.since["_Py_NoneStruct"] == (3, 2)  # data
    assert "_Py_NegativeRefcount" not in abi.since  # of debug builds only
    assert "PyUnicode_READY" not in abi.since  # a macro
    type_symbol = private_symbol("_ffi_type_longdouble")
    assert type_symbol is not None
    assert type_symbol.what == "libffi"
    assert private_symbol("_ffi_") is None


def test_formats() -> None:
    assert foreign_program(b"\x7fELF\2\1\1\0") == "ELF, for Linux and the like"
    assert foreign_program(b"\x7fELF is a magic number") is None
    assert foreign_program(b"MZ".ljust(60, b"\0") + b"\x40\0\0\0PE\0\0") == "PE, for Windows"
    assert foreign_program(b"MZ".ljust(64, b"\xff")) is None
    assert foreign_program(b"MZ") is None
    assert foreign_program(b"") is None


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (b"OpenSSL 1.1.1w  11 Sep 2023\0OPENSSLDIR: ", "OpenSSL 1.1.1w  11 Sep 2023"),
        (SOURCES + b"OpenSSL 3.5.0-beta1 8 Apr 2025\0", "OpenSSL 3.5.0-beta1 8 Apr 2025"),
        (b"OpenSSL 1.1.1 (compatible; BoringSSL)\0" + SOURCES, "OpenSSL 1.1.1 (compatible; BoringSSL)"),
        (SOURCES, "OpenSSL"),
        (b"crypto/evp/x.c\0", None),
        (b"OpenSSL 3.0.16 11 Feb 2025", None),
        (b"needs OpenSSL 1.1.1 or later, OPENSSLDIR: ", None),
    ],
)
def test_openssl(data: bytes, version: str | None) -> None:
    assert openssl_version(data) == version


def test_libraries_that_the_package_opens_are_no_faulty_modules(tmp_path: Path) -> None:
    files = {
        "example/_raw.abi3.so": macho(exports=("_AES_start",), imports=()),
        "example/api.py": b'import cffi\nload("example._raw", "int AES_start(void);")\n',
    }
    path = make_wheel(tmp_path, files, tag=f"cp39-abi3-{DEVICE}")
    assert check_wheel(path).findings == ()
    files["example/api.py"] = b"import cffi\n"
    path = make_wheel(tmp_path, files, tag=f"cp39-abi3-{DEVICE}")
    assert [finding.name for finding in check_wheel(path).findings] == ["no-init-function"]


def test_flat_lookups_that_something_answers_are_one_line(tmp_path: Path) -> None:
    flat = builder.DYNAMIC_LOOKUP
    files = {
        MODULE: macho(imports=(("_PyList_New", flat, False), ("_free", flat, False), ("_helper", flat, False))),
        "example/helper.so": macho(exports=("_PyInit_helper", "_helper"), imports=()),
    }
    (finding,) = check_wheel(make_wheel(tmp_path, files, tag=f"cp313-cp313-{DEVICE}")).findings
    assert (finding.name, finding.severity) == ("unbound-symbols", Severity.INFO)
    assert finding.symbols == ("_PyList_New", "_free", "_helper")


def test_flat_lookups_that_nothing_answers_are_named(tmp_path: Path) -> None:
    names = tuple((f"_gone{number}", builder.DYNAMIC_LOOKUP, False) for number in range(7))
    weak = ("_maybe", builder.DYNAMIC_LOOKUP, True)
    path = make_wheel(tmp_path, {MODULE: macho(imports=(*names, weak))}, tag=f"cp313-cp313-{DEVICE}")
    (finding,) = check_wheel(path).findings
    assert (finding.name, finding.severity) == ("missing-symbol", Severity.ERROR)
    assert finding.symbols == tuple(name for name, _, _ in names)
    assert "_gone0" in finding.message


def test_names_from_files_cannot_speak_to_a_terminal_or_a_ci_system(tmp_path: Path) -> None:
    name = "/x\n::error file=x::pwned\n\x1b[31mRED"
    path = make_wheel(tmp_path, {MODULE: macho(install_name=name)}, tag=f"cp313-cp313-{DEVICE}")
    said = render_text(check_paths([path]))
    assert "\x1b" not in said
    assert "\n::error" not in said
    assert "/x\\n::error file=x::pwned\\n\\x1b[31mRED" in said


def test_what_is_loaded_and_by_which_files(tmp_path: Path) -> None:
    other = macho(loads=((PYTHON, LOAD), ("@rpath/SDL3.framework/SDL3", WEAK)), exports=("_PyInit_y",))
    files = {"example/x.cpython-313-iphoneos.so": macho(), "example/y.cpython-313-iphoneos.so": other}
    path = make_wheel(tmp_path, files, tag=f"cp313-cp313-{DEVICE}")
    report = check_paths([path], provided=frozenset({"SDL3"}))
    loaded = {library.name: (library.is_weak, library.members) for library in report.wheels[0].libraries}
    both = ("example/x.cpython-313-iphoneos.so", "example/y.cpython-313-iphoneos.so")
    assert loaded == {PYTHON: (False, both), SYSTEM: (False, both[:1]), "@rpath/SDL3.framework/SDL3": (True, both[1:])}
    said = render_text(report, libraries=True)
    assert f"  loads   {PYTHON}: {both[0]} and 1 more\n" in said
    assert f"  loads   @rpath/SDL3.framework/SDL3 (weakly): {both[1]}\n" in said
    assert "  loads " not in render_text(report)
    rows = json.loads(to_json(report))["wheels"][0]["libraries"]
    assert rows[0] == {"name": SYSTEM, "weak": False, "members": [both[0]]}


@pytest.mark.parametrize(("loaded", "expected"), [(True, []), (False, ["no-init-function"])])
def test_a_library_that_a_module_of_the_wheel_loads_is_no_module(
    tmp_path: Path, loaded: bool, expected: list[str]
) -> None:
    framework = "@rpath/example._dylibs.libomp.framework/example._dylibs.libomp"
    library = macho(install_name=framework, loads=((SYSTEM, LOAD),), imports=(), exports=("_omp_get_max_threads",))
    files = {**(loads(framework) if loaded else sound()), "example/_dylibs/libomp.so": library}
    wheel = make_wheel(tmp_path, files, tag=f"cp313-cp313-{DEVICE}")
    assert names(check_wheel(wheel).findings) == expected


def test_a_shared_library_for_builds(tmp_path: Path) -> None:
    """Of a native library's wheel an app gets nothing; beside modules it would be left where it is."""
    library = macho(install_name="@rpath/libomp.dylib", loads=((SYSTEM, LOAD),), imports=(), exports=("_omp_x",))
    files = {"opt/lib/libomp.dylib": library}
    assert check_wheel(make_wheel(tmp_path, files, tag=f"py3-none-{DEVICE}")).findings == ()
    both = make_wheel(tmp_path, {**sound(), **files}, tag=f"cp313-cp313-{DEVICE}")
    assert names(check_wheel(both).findings) == ["file-not-for-apps"]
