"""What an app would miss: symbols, requirements, frameworks of its own, privacy manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.frameworks.modules import DEVICE, make, module, suffix, told, wheel
from tests.unit.macho import builder

if TYPE_CHECKING:
    from pathlib import Path

X = f"pkg/_x{suffix(DEVICE)}"
PLACE = "iphoneos/Frameworks/pkg._x.framework/pkg._x"
OPENSSL = b'OpenSSL 3.0.16 11 Feb 2025\0OPENSSLDIR: "/usr"\0'
FLAT = builder.DYNAMIC_LOOKUP


def test_a_symbol_that_nothing_has(tmp_path: Path) -> None:
    names = (("_gone", FLAT, False), ("_PyList_New", FLAT, False), ("_free", FLAT, False), ("_maybe", FLAT, True))
    made = make(tmp_path, [wheel(tmp_path, DEVICE, {X: module(imports=names)})])
    assert made.directory is None
    assert told(made) == [f"FW213 {PLACE}"]
    assert made.findings[0].message.endswith("nor a framework here has: _gone")


def test_a_symbol_that_another_wheel_has(tmp_path: Path) -> None:
    other = wheel(
        tmp_path, DEVICE, {f"lib/_y{suffix(DEVICE)}": module(name="_y", exports=("_PyInit__y", "_f"))}, name="lib"
    )
    made = make(tmp_path, [wheel(tmp_path, DEVICE, {X: module(imports=(("_f", FLAT, False),))}), other])
    assert made.findings == ()


def test_files_that_the_package_opens_by_path(tmp_path: Path) -> None:
    raw = module(exports=("_AES_start",), imports=())
    files = {"pkg/_raw.abi3.so": raw, "pkg/api.py": b"import ctypes\nload('pkg._raw')\n"}
    assert make(tmp_path, [wheel(tmp_path, DEVICE, files)], xcframeworks=True).findings == ()
    files["pkg/api.py"] = b"import pkg._raw\n"
    assert told(make(tmp_path, [wheel(tmp_path, DEVICE, files)])) == [
        "FW210 iphoneos/Frameworks/pkg._raw.framework/pkg._raw"
    ]


def test_a_framework_that_the_app_brings(tmp_path: Path) -> None:
    load = "@rpath/SDL3.framework/SDL3"
    given = [wheel(tmp_path, DEVICE, {X: module(loads=((load, builder.LOAD),), imports=())})]
    assert told(make(tmp_path, given)) == [f"FW207 {PLACE}"]
    assert make(tmp_path, given, provided=("SDL3",), xcframeworks=True).findings == ()


@pytest.mark.parametrize(
    ("tag", "suffixes"),
    [
        ("cp314-cp314", (".cpython-314-iphoneos", ".abi3", "")),
        ("cp315-cp315", (".cpython-315-iphoneos", ".abi3-iphoneos", ".abi3t-iphoneos")),
        ("cp315-abi3", (".abi3-iphoneos", ".abi3", ".abi3t")),
        ("cp315-abi3.abi3t", (".abi3t-iphoneos", ".abi3t", "")),
    ],
)
def test_modules_of_each_python(tmp_path: Path, tag: str, suffixes: tuple[str, ...]) -> None:
    modules = [(f"_{letter}", f"pkg/_{letter}{end}") for letter, end in zip("xyz", suffixes, strict=True)]
    files = {f"{path}.so": module(name=name) for name, path in modules}
    made = make(tmp_path, [wheel(tmp_path, DEVICE, files, tag=f"{tag}-{DEVICE.platform_tag}")])
    assert made.findings == ()
    for name, path in modules:
        fwork = tmp_path / "out" / "iphoneos" / "app_packages" / f"{path}.fwork"
        assert fwork.read_text() == f"Frameworks/pkg.{name}.framework/pkg.{name}\n"


@pytest.mark.parametrize(
    ("tag", "end", "due"),
    [
        ("cp313-abi3", ".abi3-iphoneos.so", ".abi3.so"),
        ("cp314-cp314", ".abi3t.so", ".cpython-314-iphoneos.so"),
        ("cp315-abi3.abi3t", ".abi3.so", ".abi3t-iphoneos.so"),
        ("cp315-cp315", ".cpython-314-iphoneos.so", ".cpython-315-iphoneos.so"),
    ],
)
def test_suffixes_that_the_python_does_not_know(tmp_path: Path, tag: str, end: str, due: str) -> None:
    files = {f"pkg/_x{end}": module()}
    made = make(tmp_path, [wheel(tmp_path, DEVICE, files, tag=f"{tag}-{DEVICE.platform_tag}")])
    assert told(made) == [f"FW211 iphoneos/app_packages/pkg/_x{end}"]
    assert made.findings[0].message == f"the suffix is {end}; a wheel for {tag} needs {due}"


def test_a_module_may_export_its_slots(tmp_path: Path) -> None:
    files = {"pkg/_x.abi3t.so": module(exports=("_PyModExport__x",))}
    tag = f"cp315-abi3.abi3t-{DEVICE.platform_tag}"
    assert make(tmp_path, [wheel(tmp_path, DEVICE, files, tag=tag)]).findings == ()


def test_files_that_python_reads_at_its_start(tmp_path: Path) -> None:
    files = {"pkg.start": b"pkg:run\n", "pkg.pth": b"lib\nimport pkg\n", "pkg/x.pth": b"import pkg\n"}
    made = make(tmp_path, [wheel(tmp_path, None, files)])
    assert [(one.rule.id, one.place, one.message) for one in made.findings] == [
        ("FW110", f"{abi}/app_packages/{name}", message)
        for abi in ("iphoneos", "iphonesimulator")
        for name, message in (
            ("pkg.pth", "adds directories to Python's path"),
            ("pkg.pth", "runs code when Python starts"),
            ("pkg.start", "runs code when Python starts; Pythons before 3.15 do not know such files"),
        )
    ]
    assert made.directory is not None


def test_openssl_without_a_manifest(tmp_path: Path) -> None:
    files = {X: module(strings=OPENSSL)}
    assert told(make(tmp_path, [wheel(tmp_path, DEVICE, files)])) == ["FW310 iphoneos/Frameworks/pkg._x.framework"]


def test_requirements_that_no_wheel_meets(tmp_path: Path) -> None:
    metadata = "Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\nRequires-Dist: a; sys_platform == 'ios'\n"
    path = wheel(tmp_path, DEVICE, metadata=metadata + "Requires-Dist: b; sys_platform == 'linux'\n")
    made = make(tmp_path, [path])
    assert made.directory is not None
    assert told(made) == [f"FW109 {path.name}"]
    assert made.findings[0].message == "requires a, which no given wheel is"


def test_a_library_in_another_wheel(tmp_path: Path) -> None:
    load = "@rpath/lib.libarrow.framework/lib.libarrow"
    user = wheel(tmp_path, DEVICE, {X: module(loads=((load, builder.LOAD),), imports=(("_f", 1, False),))})
    library = wheel(tmp_path, DEVICE, {"lib/libarrow.so": module(exports=("_f",), imports=())}, name="lib")
    assert make(tmp_path, [user, library]).findings == ()
