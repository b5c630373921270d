"""A sound tree, changed in one respect on disk: each change is found, by the right rule."""

from __future__ import annotations

import plistlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from forge.frameworks.findings import FrameworksError
from forge.frameworks.verify import verify_frameworks
from forge.macho.fat import join_fat, split_fat
from forge.macho.sign import remove_signature
from tests.unit.frameworks.modules import ARM, INTEL, make, module, wheels

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "pkg._x"
DEVICE_FRAMEWORK = f"iphoneos/Frameworks/{NAME}.framework"
SIMULATOR_FRAMEWORK = f"iphonesimulator/Frameworks/{NAME}.framework"
FWORK = "iphoneos/app_packages/pkg/_x.cpython-313-iphoneos.fwork"
XCFRAMEWORK = f"XCFrameworks/{NAME}.xcframework"
RIGHT = f"@rpath/{NAME}.framework/{NAME}"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound")
    made = make(root, wheels(root), xcframeworks=True)
    assert made.findings == ()
    return root / "out"


@pytest.fixture
def tree(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "tree"))


def write(path: str, data: bytes) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)

    return change


def remove(path: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        if (root / path).is_dir():
            shutil.rmtree(root / path)
        else:
            (root / path).unlink()

    return change


def key(name: str, value: Any, framework: str = DEVICE_FRAMEWORK) -> Callable[[Path], None]:
    """Set a key of an Info.plist, or take it out."""

    def change(root: Path) -> None:
        file = root / framework / "Info.plist"
        plist = plistlib.loads(file.read_bytes())
        plist[name] = value
        if value is None:
            del plist[name]
        file.write_bytes(plistlib.dumps(plist))

    return change


def edit_simulator(edit: Callable[[bytes, bytes], bytes]) -> Callable[[Path], None]:
    """Change the simulator's binary; *edit* gets the slices for x86_64 and arm64."""

    def change(root: Path) -> None:
        file = root / SIMULATOR_FRAMEWORK / NAME
        file.write_bytes(edit(*split_fat(file.read_bytes())))

    return change


def spoil(data: bytes) -> bytes:
    return data[:0x1000] + bytes([data[0x1000] ^ 1]) + data[0x1001:]


def second(name: str, bundle_id: str | None = None) -> Callable[[Path], None]:
    """Copy the device's framework and its module under another name."""

    def change(root: Path) -> None:
        old = root / DEVICE_FRAMEWORK
        new = root / f"iphoneos/Frameworks/{name}.framework"
        shutil.copytree(old, new)
        (new / NAME).rename(new / name)
        (new / f"{NAME}.origin").unlink()
        fwork = f"app_packages/{name.replace('.', '/')}.fwork"
        (new / f"{name}.origin").write_text(f"{fwork}\n")
        (root / "iphoneos" / fwork).write_text(f"Frameworks/{name}.framework/{name}\n")
        key("CFBundleExecutable", name, f"iphoneos/Frameworks/{name}.framework")(root)
        if bundle_id:
            key("CFBundleIdentifier", bundle_id, f"iphoneos/Frameworks/{name}.framework")(root)
        shutil.rmtree(root / "XCFrameworks")

    return change


CHANGES: list[tuple[str, Callable[[Path], None], set[str]]] = [
    ("a module", write("iphoneos/app_packages/x.so", module()), {"FW203"}),
    ("a library", write("iphoneos/app_packages/x", module()), {"FW203"}),
    ("a static library", write("iphoneos/app_packages/x.dat", b"!<arch>\n"), {"FW203"}),
    ("a program", write("iphoneos/app_packages/x", module(file_type=2)), {"FW204"}),
    ("letter case", write("iphoneos/app_packages/PKG/a.py", b""), {"FW103"}),
    ("fwork gone", remove(FWORK), {"FW302"}),
    ("fwork elsewhere", write(FWORK, b"Frameworks/y.framework/y\n"), {"FW301", "FW302"}),
    ("fwork no text", write(FWORK, b"\xff\xfe"), {"FW301", "FW302"}),
    ("another fwork", write("iphoneos/app_packages/y.fwork", b"Frameworks/y.framework/y\n"), {"FW301"}),
    ("fwork below a dotted directory", write("iphoneos/app_packages/a.b/y.fwork", b""), {"FW301"}),
    ("origin gone", remove(f"{DEVICE_FRAMEWORK}/{NAME}.origin"), {"FW301", "FW307"}),
    ("origin elsewhere", write(f"{DEVICE_FRAMEWORK}/{NAME}.origin", b"app_packages/y.fwork\n"), {"FW301", "FW302"}),
    ("origin of another suffix", write(f"{DEVICE_FRAMEWORK}/{NAME}.origin", b"app_packages/pkg/_x.fwork\n"),
     {"FW301", "FW302"}),
    ("framework gone", remove(DEVICE_FRAMEWORK), {"FW301", "FW308"}),
    ("binary gone", remove(f"{DEVICE_FRAMEWORK}/{NAME}"), {"FW301", "FW302", "FW307"}),
    ("binary no Mach-O", write(f"{DEVICE_FRAMEWORK}/{NAME}", b"text"), {"FW205"}),
    ("plist gone", remove(f"{DEVICE_FRAMEWORK}/Info.plist"), {"FW307"}),
    ("plist no plist", write(f"{DEVICE_FRAMEWORK}/Info.plist", b"text"), {"FW303"}),
    ("plist a list", write(f"{DEVICE_FRAMEWORK}/Info.plist", plistlib.dumps([1])), {"FW303"}),
    ("a file more", write(f"{DEVICE_FRAMEWORK}/x.h", b""), {"FW307"}),
    ("a directory more", write(f"{DEVICE_FRAMEWORK}/Headers/x.h", b""), {"FW307"}),
    ("a file beside frameworks", write("iphoneos/Frameworks/libx.dylib", b""), {"FW307"}),
    ("privacy", write(f"{DEVICE_FRAMEWORK}/PrivacyInfo.xcprivacy", b"text"), {"FW305"}),
    ("region", key("CFBundleDevelopmentRegion", None), {"FW303"}),
    ("executable", key("CFBundleExecutable", "x"), {"FW303"}),
    ("package type", key("CFBundlePackageType", "BNDL"), {"FW303"}),
    ("dictionary version", key("CFBundleInfoDictionaryVersion", 6.0), {"FW303"}),
    ("platforms", key("CFBundleSupportedPlatforms", ["iPhoneSimulator"]), {"FW303"}),
    ("version", key("CFBundleVersion", "1.0.0.0"), {"FW303"}),
    ("short version", key("CFBundleShortVersionString", None), {"FW303"}),
    ("identifier with _", key("CFBundleIdentifier", "app.pkg._x"), {"FW304"}),
    ("identifier with a dot at the end", key("CFBundleIdentifier", "app."), {"FW304"}),
    ("identifier gone", key("CFBundleIdentifier", None), {"FW304"}),
    ("identifier a number", key("CFBundleIdentifier", 1), {"FW304"}),
    ("minimum gone", key("MinimumOSVersion", None), {"FW303"}),
    ("minimum a number", key("MinimumOSVersion", 12.0), {"FW303"}),
    ("minimum too low", key("MinimumOSVersion", "13.0", SIMULATOR_FRAMEWORK), {"FW209"}),
    ("CPU", write(f"{DEVICE_FRAMEWORK}/{NAME}", module(INTEL, platform=2, install_name=RIGHT)), {"FW205"}),
    ("platform", write(f"{DEVICE_FRAMEWORK}/{NAME}", module(ARM, install_name=RIGHT)), {"FW205", "FW209"}),
    ("bundle", write(f"{DEVICE_FRAMEWORK}/{NAME}", module(file_type=8, install_name=RIGHT)), {"FW205"}),
    ("install name", write(f"{DEVICE_FRAMEWORK}/{NAME}", module(install_name="/x")), {"FW206"}),
    ("rpath", write(f"{DEVICE_FRAMEWORK}/{NAME}", module(rpaths=("/opt/x",), install_name=RIGHT)), {"FW205"}),
    ("entry point", write(f"{DEVICE_FRAMEWORK}/{NAME}", module(name="y", install_name=RIGHT)), {"FW210"}),
    ("signature", edit_simulator(lambda intel, arm: join_fat([intel, spoil(arm)])), {"FW208"}),
    ("no signature", edit_simulator(lambda intel, arm: join_fat([intel, remove_signature(arm)])), {"FW208"}),
    ("an identifier twice", second("_y", "forge.packages.pkg.-X"), {"FW206", "FW304"}),
    ("letter case of frameworks", second("pkg._X", "forge.packages.other"), {"FW202", "FW206"}),
    ("XCframework gone", remove(XCFRAMEWORK), {"FW308"}),
    ("a slice gone", remove(f"{XCFRAMEWORK}/ios-arm64"), {"FW308"}),
    ("a slice empty", remove(f"{XCFRAMEWORK}/ios-arm64/{NAME}.framework"), {"FW308"}),
    ("XCframework's plist gone", remove(f"{XCFRAMEWORK}/Info.plist"), {"FW308"}),
    ("a slice's binary", write(f"{XCFRAMEWORK}/ios-arm64/{NAME}.framework/{NAME}", b"text"), {"FW205", "FW308"}),
    ("a slice of one CPU", write(f"{XCFRAMEWORK}/ios-arm64_x86_64-simulator/{NAME}.framework/{NAME}",
                                 module(INTEL, install_name=RIGHT)), {"FW308"}),
    ("an XCframework more", write("XCFrameworks/y.xcframework/Info.plist", b""), {"FW308"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "change", "ids"), CHANGES, ids=[what for what, _, _ in CHANGES])
def test_changes_are_found(what: str, change: Callable[[Path], None], ids: set[str], tree: Path) -> None:
    change(tree)
    found = verify_frameworks(tree)
    assert {one.rule.id for one in found} == ids, "\n".join(map(str, found))


def test_one_architecture_less(tree: Path) -> None:
    other = tree / "iphonesimulator/Frameworks/y.framework"
    shutil.copytree(tree / SIMULATOR_FRAMEWORK, other)
    (other / NAME).unlink()
    (other / "y").write_bytes(module(INTEL, install_name="@rpath/y.framework/y"))
    found = verify_frameworks(tree)
    assert "FW205 iphonesimulator/Frameworks/y.framework/y" in {f"{one.rule.id} {one.place}" for one in found}


def test_links_are_found(tree: Path) -> None:
    (tree / "iphoneos/app_packages/link").symlink_to(tree)
    (tree / "iphoneos/Frameworks/link.framework").symlink_to(tree / DEVICE_FRAMEWORK)
    assert {one.rule.id for one in verify_frameworks(tree)} >= {"FW307"}


def test_no_tree(tmp_path: Path) -> None:
    with pytest.raises(FrameworksError, match="no tree of frameworks"):
        verify_frameworks(tmp_path)


def test_a_binary_that_cannot_be_signed(tree: Path) -> None:
    binary = tree / DEVICE_FRAMEWORK / NAME
    binary.write_bytes(binary.read_bytes() + bytes(8))
    assert "FW212" in {one.rule.id for one in verify_frameworks(tree)}
