"""Changed libraries, looked at by LLVM's tools: what they say of code and bindings stays, and lld links with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from forge.base.process import output
from forge.base.target import Abi, Arch, IOSVersion, Target, select_targets
from forge.macho.edit import Edit, apply_edit
from forge.macho.edit_strip import strip_debug
from forge.macho.fat import join_fat, split_fat
from forge.macho.model import FileType
from forge.macho.reader import read_macho
from forge.macho.sign import SignatureStatus, remove_signature, sign_ad_hoc, verify_signature
from forge.toolchain.environment import cross_environment

if TYPE_CHECKING:
    from pathlib import Path

    from forge.macho.model import MachOSlice
    from forge.toolchain.llvm import LLVMToolchain

pytestmark = pytest.mark.toolchain

NEWER = IOSVersion(17)  # with chained fixups on arm64
every_target = pytest.mark.parametrize(
    "target", [*select_targets(), *select_targets(ios_version=NEWER)], ids=lambda t: f"{t}-{t.ios_version}"
)
NAME = "@rpath/pkg._x.framework/pkg._x"

LIBRARY = r"""
#include <stdio.h>
#include <stdlib.h>
static int counter;
static const char *const words[] = {"a", "b", "c"};
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
extern int weakly(void) __attribute__((weak));
int weakly(void) { return counter++; }
int PyInit__x(int *v, size_t n);
int PyInit__x(int *v, size_t n) { qsort(v, n, sizeof *v, compare); puts(words[n % 3]); return weakly(); }
"""


@dataclass(frozen=True)
class Linker:
    """Links snippets and asks LLVM about the result."""

    toolchain: LLVMToolchain
    target: Target
    directory: Path

    def clang(self, source: str, *flags: str, name: str = "made.so") -> bytes:
        (self.directory / "x.c").write_text(source)
        env = cross_environment(self.toolchain, self.target, self.directory)
        made = self.directory / name
        sdk = ["xcrun", "--sdk", self.target.abi.value, "clang", "-target", self.target.clang_triple]
        output([*sdk, str(self.directory / "x.c"), "-g", "-O1", "-o", str(made), *flags], env=env)
        return made.read_bytes()

    def tool(self, name: str, *arguments: str) -> str:
        return output([str(self.toolchain.llvm.bin / name), *arguments])

    def dump(self, data: bytes) -> str:
        """What dyld would do with a file, and what unwinders and debuggers read of it."""
        file = self.directory / "dumped"
        file.write_bytes(data)
        options = ("exports-trie", "bind", "rebase", "lazy-bind", "weak-bind", "function-starts", "data-in-code")
        said = self.tool("llvm-objdump", "--macho", *(f"--{one}" for one in options), str(file))
        said += self.tool("llvm-objdump", "--macho", "--unwind-info", "--chained-fixups", "--dyld-info", str(file))
        # Of each entry the address and the symbol; the index in between changes with the symbol table.
        table = self.tool("llvm-objdump", "--macho", "--indirect-symbols", str(file))
        return said + "\n".join(" ".join(line.split()[::2]) for line in table.splitlines())


@pytest.fixture
def linker(toolchain: LLVMToolchain, target: Target, tmp_path: Path) -> Linker:
    return Linker(toolchain, target, tmp_path)


def only(data: bytes) -> MachOSlice:
    (one,) = read_macho(data).slices
    return one


@every_target
@pytest.mark.parametrize("kind", ["-dynamiclib", "-bundle"])
@pytest.mark.parametrize("local_symbols", [False, True])
def test_edited_stripped_and_signed(linker: Linker, kind: str, local_symbols: bool) -> None:
    before = linker.clang(LIBRARY, kind, "-Wl,-headerpad_max_install_names", "-Wl,-rpath,/build")
    after = strip_debug(apply_edit(before, Edit(NAME, True, rpaths=())), local_symbols=local_symbols)
    if linker.target.arch is Arch.ARM64 and linker.target.is_simulator:
        after = sign_ad_hoc(after)
        assert verify_signature(after).status is SignatureStatus.VALID
    assert linker.dump(before) == linker.dump(after)
    assert only(after).exports == only(before).exports
    assert only(after).imports == only(before).imports
    assert (only(after).file_type, only(after).rpaths) == (FileType.DYLIB, ())
    symbols = linker.tool("llvm-nm", "-ap", str(linker.directory / "dumped"))
    assert symbols
    assert " - " not in symbols
    assert (" t _compare" in symbols) is not local_symbols

    (linker.directory / "pkg._x").write_bytes(after)
    user = "int PyInit__x(int *, long);\nint use(int *v) { return PyInit__x(v, 2); }"
    used = only(linker.clang(user, "-dynamiclib", str(linker.directory / "pkg._x"), name="user"))
    assert NAME in {dylib.name for dylib in used.dylibs}
    assert {i.library for i in used.imports if i.name == "_PyInit__x"} == {NAME}


@every_target
def test_stripping_leaves_the_symbols_that_llvm_strip_leaves(linker: Linker) -> None:
    linker.clang(LIBRARY, "-dynamiclib")
    made = linker.directory / "made.so"
    ours = strip_debug(made.read_bytes())
    linker.tool("llvm-strip", "-S", str(made))
    theirs = linker.tool("llvm-nm", "-ap", str(made))
    (linker.directory / "made.so").write_bytes(ours)
    assert linker.tool("llvm-nm", "-ap", str(made)) == theirs


@every_target
def test_names_change_as_install_name_tool_changes_them(linker: Linker) -> None:
    before = linker.clang(LIBRARY, "-dynamiclib", "-Wl,-headerpad_max_install_names", "-Wl,-rpath,/build")
    ours = only(apply_edit(before, Edit(NAME, loads={"/usr/lib/libSystem.B.dylib": "/x"}, rpaths=("@loader_path",))))
    made = str(linker.directory / "made.so")
    change = ("-id", NAME, "-change", "/usr/lib/libSystem.B.dylib", "/x", "-rpath", "/build", "@loader_path")
    linker.tool("llvm-install-name-tool", *change, made)
    theirs = only((linker.directory / "made.so").read_bytes())
    assert (ours.install_name, ours.dylibs, ours.rpaths) == (theirs.install_name, theirs.dylibs, theirs.rpaths)
    assert ours.segments[:-1] == theirs.segments[:-1]


@pytest.mark.parametrize("target", [Target(Abi.IPHONESIMULATOR, Arch.ARM64, IOSVersion(v)) for v in (14, 17)], ids=str)
@pytest.mark.parametrize("flags", [(), ("-bundle",), ("-install_name", "@rpath/a_name_of_22_letters.x")], ids=str)
def test_signatures_are_llds_to_the_byte(linker: Linker, flags: tuple[str, ...]) -> None:
    linked = linker.clang(
        LIBRARY, "-dynamiclib" if "-bundle" not in flags else "-bundle", *flags[flags == ("-bundle",) :]
    )
    assert verify_signature(linked).status is SignatureStatus.VALID
    assert sign_ad_hoc(linked) == linked
    name = "made.so" if "-install_name" not in flags else "a_name_of_22_letters.x"
    assert sign_ad_hoc(remove_signature(linked), name) == linked
    # Not only its own form renewed: made from nothing, too.
    assert sign_ad_hoc(linked, name) == linked


@pytest.mark.parametrize("target", [Target(Abi.IPHONESIMULATOR, Arch.ARM64)], ids=str)
def test_fat_files_are_lipos_to_the_byte(linker: Linker) -> None:
    other = Linker(linker.toolchain, Target(Abi.IPHONESIMULATOR, Arch.X86_64), linker.directory)
    arm, x86 = linker.clang(LIBRARY, "-dynamiclib", name="arm"), other.clang(LIBRARY, "-dynamiclib", name="x86")
    parts = [str(linker.directory / name) for name in ("arm", "x86")]
    linker.tool("llvm-lipo", "-create", *parts, "-output", str(linker.directory / "fat"))
    joined = (linker.directory / "fat").read_bytes()
    assert join_fat([arm, x86]) == joined
    assert split_fat(joined) == (x86, arm)
