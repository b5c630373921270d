"""Programs that must compile, and programs that must not, with the SDK that forge assembles."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.base.target import Abi, Arch, IOSVersion, Target, select_targets
from forge.macho.model import Binding, Platform
from forge.macho.reader import read_macho
from forge.toolchain.environment import cross_environment
from forge.toolchain.sdk.assemble import assemble_toolchain

if TYPE_CHECKING:
    from pathlib import Path

    from forge.toolchain.llvm import LLVMToolchain
    from tests.integration.toolchain.conftest import Bench

pytestmark = pytest.mark.toolchain

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
SIMULATOR_X86 = Target(Abi.IPHONESIMULATOR, Arch.X86_64)
every_target = pytest.mark.parametrize("target", select_targets(), ids=str)


def at(target: Target, version: str) -> Target:
    return Target(target.abi, target.arch, IOSVersion.parse(version))


HELLO = r"""
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
    struct stat s;
    char text[64];
    strncpy(text, argv[0], sizeof text - 1);
    printf("%s %f %d\n", text, sin(argc) + cos(argc), stat("/", &s));
    return pthread_self() == 0;
}
"""

CXX = r"""
#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <typeinfo>
#include <vector>
int main() {
    std::mutex m;
    std::map<std::string, int> seen;
    std::thread t([&] { std::lock_guard<std::mutex> guard(m); seen["x"]++; });
    t.join();
    thread_local std::vector<double> v{3, 1, 2};
    std::sort(v.begin(), v.end());
    auto shared = std::make_shared<std::ostringstream>();
    *shared << v.front() << typeid(v).name();
    try {
        if (!std::regex_match(shared->str(), std::regex("[0-9.]+"))) throw std::runtime_error("no");
        std::cout << std::stoi("12") << std::endl;
    } catch (const std::exception &error) {
        std::cerr << error.what();
    }
    return static_cast<int>(dynamic_cast<std::ostream *>(shared.get()) == nullptr);
}
"""

FILESYSTEM = r"""
#include <filesystem>
int main() { return std::filesystem::exists(std::filesystem::temp_directory_path() / "x"); }
"""

CORE_FOUNDATION = r"""
#include <CoreFoundation/CFString.h>
#include <CoreFoundation/CoreFoundation.h>
int main(void) {
    CFStringRef s = CFStringCreateWithCString(kCFAllocatorDefault, "x", kCFStringEncodingUTF8);
    CFIndex length = CFStringGetLength(s);
    CFRelease(s);
    return (int)length;
}
"""


@every_target
def test_a_c_program_links_for_the_target_it_was_compiled_for(bench: Bench, target: Target) -> None:
    made = bench.compile(HELLO, target, "-O2", "-Wall", "-Wextra", "-Werror").slice
    assert made.cpu.value == target.arch.value
    assert made.platform is (Platform.IOS_SIMULATOR if target.is_simulator else Platform.IOS)
    assert made.build is not None
    assert str(made.build.minos) == str(target.effective_ios_version)
    assert {d.name for d in made.dylibs} == {"/usr/lib/libSystem.B.dylib"}
    assert {i.binding for i in made.imports} <= {Binding.LIBRARY}


@every_target
@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20", "c++23"])
def test_a_cxx_program_links(bench: Bench, target: Target, standard: str) -> None:
    made = bench.compile(CXX, target, f"-std={standard}", "-O1", "-Werror", name="snippet.cpp").slice
    assert {d.name for d in made.dylibs} == {"/usr/lib/libSystem.B.dylib", "/usr/lib/libc++.1.dylib"}


@every_target
def test_std_filesystem_is_there_from_ios_13(bench: Bench, target: Target) -> None:
    assert bench.compile(FILESYSTEM, at(target, "13.0"), "-std=c++17", name="snippet.cpp").ok


def test_std_filesystem_does_not_compile_for_ios_12(bench: Bench) -> None:
    compiled = bench.compile(FILESYSTEM, DEVICE, "-std=c++17", name="snippet.cpp")
    assert not compiled.ok
    assert "is unavailable: introduced in iOS 13.0" in compiled.output


@every_target
def test_a_core_foundation_program_links(bench: Bench, target: Target) -> None:
    made = bench.compile(CORE_FOUNDATION, target, "-framework", "CoreFoundation", "-Wall", "-Werror").slice
    assert "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation" in {d.name for d in made.dylibs}


def test_what_ios_lacks_does_not_compile(bench: Bench) -> None:
    compiled = bench.compile('#include <stdlib.h>\nint main(void) { return system("ls"); }', DEVICE)
    assert not compiled.ok
    assert "'system' is unavailable: not available on iOS" in compiled.output


@every_target
@pytest.mark.parametrize("symbol", ["system", "proc_pidinfo", "csr_check", "sandbox_init_with_parameters"])
def test_what_ios_lacks_or_keeps_private_does_not_link(bench: Bench, target: Target, symbol: str) -> None:
    # As autoconf asks: AC_CHECK_FUNC declares the function itself and links.
    compiled = bench.compile(f"char {symbol}();\nint main(void) {{ return {symbol}(); }}", target, "-fno-builtin")
    assert not compiled.ok
    assert f"undefined symbol: {symbol}" in compiled.output


NEWER = r"""
#include <stdlib.h>
int main(void) { return aligned_alloc(16, 16) == NULL; }
"""

NEWER_CHECKED = r"""
#include <stdlib.h>
int main(void) {
    if (__builtin_available(iOS 13.0, *)) return aligned_alloc(16, 16) == NULL;
    return 0;
}
"""


@every_target
def test_a_function_newer_than_the_minimum_is_warned_of(bench: Bench, target: Target) -> None:
    compiled = bench.compile(NEWER, target)
    # Also for arm64 simulators, which start at iOS 14: clang raises the minimum for the linker only.
    assert compiled.imports["_aligned_alloc"] is True
    assert "-Wunguarded-availability-new" in compiled.output
    assert bench.compile(NEWER, at(target, "13.0"), "-Werror").imports["_aligned_alloc"] is False


@every_target
def test_a_checked_function_is_imported_weakly_and_without_a_warning(bench: Bench, target: Target) -> None:
    assert bench.compile(NEWER_CHECKED, target, "-Wall", "-Werror").imports["_aligned_alloc"] is True


@pytest.mark.parametrize("target", [DEVICE, SIMULATOR_X86], ids=str)
@pytest.mark.parametrize("option", ["-Wl,-no_weak_imports", "-Wl,-dead_strip,-no_weak_imports"])
def test_no_weak_imports(bench: Bench, target: Target, option: str) -> None:
    refused = bench.compile(NEWER, target, option)
    assert not refused.ok
    assert "undefined symbol: aligned_alloc" in refused.output
    allowed = bench.compile(NEWER, at(target, "13.0"), option, "-Werror")
    assert allowed.imports["_aligned_alloc"] is False
    assert "no_weak_imports" not in allowed.output  # lld would warn of an option that it lacks


def test_headers_that_an_ios_sdk_lacks(bench: Bench) -> None:
    for header in ("libproc.h", "launch.h", "net/route.h", "sys/kern_control.h"):
        compiled = bench.compile(f"#include <{header}>\nint main(void) {{ return 0; }}", DEVICE)
        assert not compiled.ok
        assert f"'{header}' file not found" in compiled.output


STAT = r"""
#include <dirent.h>
#include <sys/stat.h>
int main(int argc, char **argv) {
    struct stat s;
    return stat(argv[0], &s) + fstat(argc, &s) + lstat(argv[0], &s) + (readdir(opendir(argv[0])) == 0);
}
"""


@every_target
def test_no_variant_of_a_function_that_ios_never_had(bench: Bench, target: Target) -> None:
    imports = bench.compile(STAT, target).imports
    assert {"_stat", "_fstat", "_lstat", "_opendir", "_readdir"} <= imports.keys()
    assert not [name for name in imports if "$" in name]


@every_target
def test_the_variants_that_ios_has(bench: Bench, target: Target) -> None:
    source = '#include <stdio.h>\nint main(void) { return fopen("/", "r") == NULL; }'
    assert "_fopen" in bench.compile(source, target, "-D_POSIX_C_SOURCE=200809L").imports
    compiled = bench.compile(source, target, "-D_POSIX_C_SOURCE=200809L", "-D_DARWIN_C_SOURCE")
    assert "_fopen$DARWIN_EXTSN" in compiled.imports


@pytest.mark.parametrize("standard", ["-std=c++20", "-std=gnu++20", "-std=c++23"])
def test_infinity_is_defined(bench: Bench, standard: str) -> None:
    source = "#include <cmath>\n#include <cfloat>\nint main() { return INFINITY > 1 && NAN != NAN; }"
    assert bench.compile(source, DEVICE, standard, name="snippet.cpp").ok


@every_target
def test_os_log(bench: Bench, target: Target) -> None:
    source = r"""
#include <os/log.h>
int main(int argc, char **argv) {
    os_log_t log = os_log_create("org.example", "test");
    os_log_with_type(log, OS_LOG_TYPE_DEFAULT, "%{public}s %d", argv[0], argc);
    os_log_error(OS_LOG_DEFAULT, "plain");
    return 0;
}
"""
    compiled = bench.compile(source, target, "-Wall", "-Werror")
    assert {"_os_log_create", "_os_log_type_enabled", "__os_log_impl", "__os_log_default"} <= compiled.imports.keys()


def test_util_h_declares_openpty(bench: Bench) -> None:
    source = "#include <util.h>\nint main(int a, char **v) { return openpty(&a, &a, v[0], 0, 0) + login_tty(a); }"
    assert {"_openpty", "_login_tty"} <= bench.compile(source, DEVICE, "-Wall", "-Werror").imports.keys()


STREAMS = r"""
#include <charconv>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
int main(int argc, char **argv) {
    std::ostringstream out;
    out << argc << argv[0] << 1.5;
    std::istringstream in(out.str());
    std::ofstream file(argv[0]);
    std::stringbuf buffer(out.str());
    std::string word;
    in >> word;
    file << word << buffer.str();
    return static_cast<int>(std::cout.good());
}
"""


@pytest.mark.parametrize("target", [DEVICE, SIMULATOR_X86], ids=str)
def test_cxx_streams_import_nothing_that_came_after_ios_12(bench: Bench, target: Target) -> None:
    """libc++ of iOS 15.3 exports ``basic_stringbuf`` and friends; a program for iOS 12 must bring its own."""
    imports = bench.compile(STREAMS, target, "-std=c++17", name="snippet.cpp").imports
    later = ("basic_stringbuf", "basic_ostringstream", "basic_istringstream", "basic_filebuf", "basic_ofstream")
    assert not [name for name in imports if any(member in name for member in later)]


def test_cxx_streams_use_the_system_where_it_has_them(bench: Bench) -> None:
    imports = bench.compile(STREAMS, at(DEVICE, "16.0"), "-std=c++17", name="snippet.cpp").imports
    assert any("basic_stringbuf" in name for name in imports)


def two_places(root: Path) -> tuple[Path, Path]:
    """Directories whose names have nothing in common."""
    places = (root / "one", root / "a/longer/place")
    for place in places:
        place.mkdir(parents=True)
    return places


@every_target
def test_the_place_of_a_build_leaves_no_trace(bench: Bench, target: Target, tmp_path: Path) -> None:
    made = []
    for directory in two_places(tmp_path):
        source = "#include <stdio.h>\nvoid f(void) { puts(__FILE__); }\n"
        compiled = bench.compile(source, target, "-g", "-c", directory=directory, prefix_map={directory: "/build"})
        assert compiled.ok, compiled.output
        (directory / "more.c").write_text("void g(void) {}\n")  # its object file is a temporary one, with a random name
        env = cross_environment(bench.toolchain, target, directory, prefix_map={directory: "/build"})
        clang = ["xcrun", "--sdk", target.abi, "clang", "-target", target.clang_triple, "-g", "-shared"]
        subprocess.run([*clang, "out", "more.c", "-o", "x"], cwd=directory, env=env, check=True)
        content = (directory / "x").read_bytes()
        made.append(content)
        assert str(tmp_path).encode() not in content
    assert made[0] == made[1], "the UUID is made over a debug map as well"
    assert not read_macho(made[0]).slices[0].has_debug_map


@every_target
def test_thin_lto_names_nothing_by_the_place(bench: Bench, target: Target, tmp_path: Path) -> None:
    """A function that is inlined into another file refers to the static one by a name with a hash of its file."""
    made = []
    for directory in two_places(tmp_path):
        (directory / "table.c").write_text("static int table[] = {3, 1, 2};\nint *slot(int i) { return &table[i]; }\n")
        (directory / "use.c").write_text("int *slot(int);\nint use(int i) { return ++*slot(i); }\n")
        env = cross_environment(bench.toolchain, target, directory, prefix_map={directory: "/build"})
        clang = ["xcrun", "--sdk", target.abi, "clang", "-target", target.clang_triple, "-O2", "-flto=thin"]
        for source in ("table", "use"):
            compile_it = [*clang, "-c", str(directory / f"{source}.c"), "-o", f"{source}.o"]
            subprocess.run(compile_it, cwd=directory, env=env, check=True)
        subprocess.run([*clang, "-dynamiclib", "table.o", "use.o", "-o", "x"], cwd=directory, env=env, check=True)
        made.append((directory / "x").read_bytes())
    assert b"_table.llvm." in made[0]
    assert made[0] == made[1]


def test_a_check_for_unused_arguments_passes(bench: Bench) -> None:
    # Meson asks so, and a failure loses features in silence.
    for name in ("snippet.c", "snippet.cpp"):
        flags = ("-Werror=unused-command-line-argument", "-Werror=unknown-warning-option", "-c")
        compiled = bench.compile("int f(void);\nint f(void) { return 0; }", DEVICE, *flags, name=name)
        assert compiled.ok, compiled.output
        assert not compiled.output


@pytest.mark.parametrize(
    ("sdk", "options", "expected"),
    [
        ("iphoneos", ["-arch", "arm64", "-miphoneos-version-min=13.4"], (Platform.IOS, "13.4")),
        ("iphonesimulator", ["-arch", "x86_64", "-mios-simulator-version-min=13.4"], (Platform.IOS_SIMULATOR, "13.4")),
        ("iphoneos", ["-arch", "arm64"], (Platform.IOS, "12.3")),
        ("iphonesimulator", ["-arch", "x86_64"], (Platform.IOS_SIMULATOR, "12.3")),
    ],
)
def test_without_a_target(bench: Bench, sdk: str, options: list[str], expected: tuple[Platform, str]) -> None:
    """CMake says the minimum version with an option, OpenSSL with a variable."""
    source, made = bench.directory / "x.c", bench.directory / "x"
    source.write_text("int main(void) { return 0; }")
    env = cross_environment(bench.toolchain, at(DEVICE, "12.3"), bench.directory)
    output(["xcrun", "--sdk", sdk, "clang", "-Werror", *options, source, "-o", made], env=env)
    build = read_macho(made).slices[0].build
    assert build is not None
    assert (build.platform, str(build.minos)) == expected


def test_two_architectures_at_once(bench: Bench) -> None:
    source, made = bench.directory / "x.c", bench.directory / "x"
    source.write_text("int main(void) { return 0; }")
    env = cross_environment(bench.toolchain, SIMULATOR_X86, bench.directory)
    both = ["-arch", "arm64", "-arch", "x86_64"]
    output(["xcrun", "--sdk", "iphonesimulator", "clang", *both, source, "-o", made], env=env)
    assert {s.cpu.value for s in read_macho(made).slices} == {"arm64", "x86_64"}


def test_assembling_again_gives_the_same(toolchain: LLVMToolchain, ziglang_wheel: Path, tmp_path: Path) -> None:
    made = assemble_toolchain(ForgeHome(tmp_path / "home"), ziglang_wheel)
    assert made.root != toolchain.root
    assert made.id == toolchain.id
    assert assemble_toolchain(ForgeHome(tmp_path / "home"), ziglang_wheel) == made
