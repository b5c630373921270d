"""The xcrun script, run with LLVM's tools replaced by ones that print their arguments."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forge.base.target import IOSVersion
from forge.toolchain.llvm import LLVM
from forge.toolchain.sdk.assemble import PATH_TOOLS, PLATFORMS, TOOL_NAMES, _write_xcrun, known_versions
from tests.unit.toolchain.fakes import ECHO, write_program

if TYPE_CHECKING:
    from pathlib import Path

CALLED = (
    "clang", "clang++", "ld64.lld", "dsymutil", "llvm-ar", "llvm-ranlib", "llvm-nm", "llvm-strip", "llvm-lipo",
    "llvm-otool", "llvm-install-name-tool", "llvm-libtool-darwin", "llvm-size", "llvm-strings", "llvm-objdump",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Seam:
    root: Path

    def call(self, *arguments: str, program: str = "bin/xcrun", **env: str) -> Answer:
        environment = {"PATH": "/usr/bin:/bin"} | env
        command = [os.fsencode(self.root / program), *map(os.fsencode, arguments)]
        done = subprocess.run(command, env=environment, cwd=self.root, capture_output=True, check=False)
        # As bytes: text mode would turn a carriage return into a line break.
        return Answer(done.returncode, os.fsdecode(done.stdout), os.fsdecode(done.stderr))

    def argv(self, *arguments: str, program: str = "bin/xcrun", **env: str) -> list[str]:
        """The tool that was run and its arguments."""
        done = self.call(*arguments, program=program, **env)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.split("\0")[:-1]

    def user_argv(self, *arguments: str, **env: str) -> list[str]:
        """What the compiler gets after the options that the script always puts first."""
        argv = self.argv(*arguments, **env)
        return argv[argv.index("--end-no-unused-arguments") + 1 :]

    def sdk(self, platform: str) -> str:
        return f"{self.root}/Platforms/{platform}.platform/Developer/SDKs/{platform}.sdk"


@pytest.fixture(scope="session")
def seam(tmp_path_factory: pytest.TempPathFactory) -> Seam:
    root = tmp_path_factory.mktemp("forge's toolchain")  # with a quote and a space: both must be harmless
    for tool in CALLED:
        write_program(root / "llvm" / "bin" / tool, ECHO)
    llvm = LLVM(root / "llvm" / "bin", "clang version 19.1.7", 19, root / "llvm/lib/clang", root / "llvm/include")
    _write_xcrun(root, root, llvm, "27.0")
    return Seam(root)


@pytest.mark.parametrize(
    ("arguments", "platform"),
    [
        (["--sdk", "iphoneos"], "iPhoneOS"),
        (["-sdk", "iphoneos"], "iPhoneOS"),
        (["--sdk=iphonesimulator"], "iPhoneSimulator"),
        (["--sdk", "iphonesimulator17.2"], "iPhoneSimulator"),
        (["--sdk", "/any/where/iPhoneSimulator.sdk"], "iPhoneSimulator"),
        (["--sdk", "/any/where/iPhoneOS17.0.sdk"], None),
        (["--toolchain", "default", "--sdk", "iphoneos", "--verbose", "--no-cache"], "iPhoneOS"),
        ([], "iPhoneOS"),
    ],
)
def test_the_sdk_is_chosen(seam: Seam, arguments: list[str], platform: str | None) -> None:
    for option in ("--show-sdk-path", "-show-sdk-path"):
        done = seam.call(*arguments, option)
        if platform is None:
            assert done.returncode == 72
        else:
            assert done.stdout == seam.sdk(platform) + "\n"


def test_sdkroot_chooses_where_no_option_does(seam: Seam) -> None:
    simulator = seam.sdk("iPhoneSimulator")
    for root in ("iphonesimulator", simulator, simulator + "/"):
        assert seam.call("--show-sdk-path", SDKROOT=root).stdout == simulator + "\n"
    assert seam.call("--sdk", "iphoneos", "--show-sdk-path", SDKROOT=simulator).stdout == seam.sdk("iPhoneOS") + "\n"


def test_what_it_says_of_the_sdk(seam: Seam) -> None:
    for option in ("--show-sdk-version", "--show-sdk-platform-version", "--show-sdk-build-version"):
        assert seam.call("--sdk", "iphoneos", option).stdout == "27.0\n"
    assert seam.call("--sdk", "iphoneos", "--show-sdk-platform-path").stdout.endswith("/Platforms/iPhoneOS.platform\n")
    assert seam.call("--version").stdout == "xcrun version forge\n"


@pytest.mark.parametrize("tool", TOOL_NAMES)
@pytest.mark.parametrize("abi", PLATFORMS.values())
def test_every_tool_is_found_and_runs(seam: Seam, abi: str, tool: str) -> None:
    for option in ("--find", "-find", "-f"):
        found = seam.call("--sdk", abi, option, tool).stdout
        assert found == f"{seam.root}/tools/{abi}/{tool}\n"
    via_path = seam.argv("a b", program=f"tools/{abi}/{tool}")
    assert via_path == seam.argv("--sdk", abi, tool, "a b")
    assert via_path[-1] == "a b"


@pytest.mark.parametrize("tool", PATH_TOOLS)
def test_tools_on_path(seam: Seam, tool: str) -> None:
    assert seam.argv("--help", program=f"bin/{tool}") == seam.argv(tool, "--help")


@pytest.mark.parametrize(
    ("tool", "program"),
    [
        ("cc", "clang"), ("gcc", "clang"), ("/usr/bin/clang", "clang"), ("c++", "clang++"), ("g++", "clang++"),
        ("cpp", "clang"), ("ld", "ld64.lld"), ("ar", "llvm-ar"), ("libtool", "llvm-libtool-darwin"),
        ("install_name_tool", "llvm-install-name-tool"), ("objdump", "llvm-objdump"), ("dsymutil", "dsymutil"),
    ],
)  # fmt: skip
def test_which_program_does_the_work(seam: Seam, tool: str, program: str) -> None:
    assert seam.argv("--run", tool, "x")[0] == program


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["swiftc"], 72, 'unable to find utility "swiftc", not a developer tool or in PATH'),
        (["--find", "swiftc"], 72, 'unable to find utility "swiftc", not a developer tool or in PATH'),
        (["--sdk", "macosx", "clang"], 72, "SDK 'macosx' cannot be located: there are iphoneos and iphonesimulator"),
        (["--sdk"], 64, "--sdk needs a name"),
        (["--toolchain"], 64, "--toolchain needs a name"),
        (["--nonsense"], 64, "unknown option --nonsense"),
        ([], 64, "no tool named"),
    ],
)
def test_errors(seam: Seam, arguments: list[str], code: int, said: str) -> None:
    done = seam.call(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", f"xcrun: error: {said}\n")


def test_ranlib_does_without_apples_option(seam: Seam) -> None:
    assert seam.argv("ranlib", "-c", "a b.a", "-c") == ["llvm-ranlib", "a b.a"]


def test_the_compiler_is_told_where_everything_is(seam: Seam) -> None:
    argv = seam.argv("--sdk", "iphonesimulator", "clang++", "-target", "arm64-apple-ios14.0-simulator", "x.cpp")
    sdk = seam.sdk("iPhoneSimulator")
    assert argv == [
        "clang++",
        "--start-no-unused-arguments",
        *("-isysroot", sdk, "-resource-dir", f"{seam.root}/resource"),
        *(f"--ld-path={seam.root}/llvm/bin/ld64.lld", "-mlinker-version=1000", "-Wl,-headerpad_max_install_names"),
        *("-stdlib=libc++", "-nostdinc++", "-cxx-isystem", f"{sdk}/usr/include/c++/v1"),
        "--end-no-unused-arguments",
        *("-target", "arm64-apple-ios14.0-simulator", "x.cpp"),
    ]


def test_cpp_preprocesses(seam: Seam) -> None:
    assert seam.user_argv("cpp", "-target", "arm64-apple-ios12.0", "x.h") == [
        "-E", "-target", "arm64-apple-ios12.0", "x.h",
    ]  # fmt: skip


SIMULATOR_SYSROOT = ["-isysroot", "/x/iPhoneSimulator.sdk"]


@pytest.mark.parametrize(
    ("sdk", "arguments", "minimum", "triple"),
    [
        ("iphoneos", [], None, "arm64-apple-ios12.0"),
        ("iphoneos", ["-arch", "arm64"], "13.1", "arm64-apple-ios13.1"),
        ("iphonesimulator", ["-arch", "x86_64"], "13.1", "x86_64-apple-ios13.1-simulator"),
        ("iphonesimulator", [], "", "arm64-apple-ios12.0-simulator"),
        ("iphoneos", ["-arch", "x86_64", *SIMULATOR_SYSROOT], None, "x86_64-apple-ios12.0-simulator"),
        ("iphonesimulator", ["-isysroot", "/x/iPhoneOS.sdk"], None, "arm64-apple-ios12.0"),
        # A version option counts only beside a triple without an OS version.
        ("iphoneos", ["-arch", "arm64", "-miphoneos-version-min=13.0"], "12.0", "arm64-apple-darwin"),
        ("iphoneos", ["-mios-version-min=13.0"], "12.0", "arm64-apple-darwin"),
        ("iphonesimulator", ["-arch", "x86_64", "-mios-simulator-version-min=13.0"], "12.0", "x86_64-apple-darwin"),
        ("iphonesimulator", ["-miphonesimulator-version-min=13.0"], "12.0", "arm64-apple-darwin"),
    ],
)
def test_without_a_target(seam: Seam, sdk: str, arguments: list[str], minimum: str | None, triple: str) -> None:
    env = {} if minimum is None else {"IPHONEOS_DEPLOYMENT_TARGET": minimum}
    assert seam.user_argv("--sdk", sdk, "clang", *arguments, "x.c", **env) == ["-target", triple, *arguments, "x.c"]


@pytest.mark.parametrize("given", [["-target", "x86_64-apple-ios13.0-simulator"], ["--target=arm64-apple-ios12.1"]])
def test_a_target_is_left_as_it_is(seam: Seam, given: list[str]) -> None:
    assert seam.user_argv("clang", *given, "-arch", "arm64", IPHONEOS_DEPLOYMENT_TARGET="15.0") == [
        *given, "-arch", "arm64",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["-Wl,-no_weak_imports"], []),
        (["-Wl,-dead_strip,-no_weak_imports"], ["-Wl,-dead_strip"]),
        (["-Wl,-no_weak_imports,-dead_strip"], ["-Wl,-dead_strip"]),
        (["-Wl,-x,-no_weak_imports,-no_weak_imports,-S", "a"], ["-Wl,-x,-S", "a"]),
        (["-Wl,-no_weak_imports", "-Wl,-rpath,a b", ""], ["-Wl,-rpath,a b", ""]),
    ],
)
def test_no_weak_imports_is_taken_out(seam: Seam, options: list[str], left: list[str]) -> None:
    triple = ["-target", "arm64-apple-ios12.0"]
    argv = seam.user_argv("clang", *triple, *options)
    assert argv == [f"-L{seam.sdk('iPhoneOS')}/usr/lib/versions/12.0", *triple, *left]


def test_other_linker_options_stay(seam: Seam) -> None:
    argv = seam.user_argv("clang", "-target", "arm64-apple-ios12.0", "-Wl,-no_weak_imports_x", "-Wl,", "-Wl,-S,")
    assert argv[2:] == ["-Wl,-no_weak_imports_x", "-Wl,", "-Wl,-S,"]


@pytest.mark.parametrize("suffix", ["", "-simulator"])
@pytest.mark.parametrize("spelling", ["-target", "--target"])
@pytest.mark.parametrize("version", ["12.0", "12.4", "13.0", "13.0.1", "14", "14.9", "17.4", "26.4", "99.9"])
def test_no_weak_imports_links_the_stubs_of_the_minimum(seam: Seam, version: str, spelling: str, suffix: str) -> None:
    triple = f"arm64-apple-ios{version}{suffix}"
    given = [f"--target={triple}"] if spelling == "--target" else ["-target", triple]
    sdk = "iphonesimulator" if suffix else "iphoneos"
    argv = seam.user_argv("--sdk", sdk, "clang", *given, "-Wl,-no_weak_imports")
    major, _, minor = version.partition(".")
    asked = (int(major), int(minor.partition(".")[0] or 0))
    expected = max(v for v in known_versions() if (v.major, v.minor) <= asked)
    assert argv[0] == f"-L{seam.sdk('iPhoneSimulator' if suffix else 'iPhoneOS')}/usr/lib/versions/{expected}"


def test_no_weak_imports_with_other_ways_to_name_the_minimum(seam: Seam) -> None:
    for arguments, expected in (
        (["-miphoneos-version-min=13.0"], "13.0"),
        (["-arch", "arm64"], "14.0"),
        (["-target", "arm64-apple-ios"], "12.0"),
    ):
        argv = seam.user_argv("clang", *arguments, "-Wl,-no_weak_imports", IPHONEOS_DEPLOYMENT_TARGET="14.0")
        assert argv[0] == f"-L{seam.sdk('iPhoneOS')}/usr/lib/versions/{expected}"
    assert IOSVersion(13, 0) in known_versions()


def test_prefix_maps(seam: Seam) -> None:
    triple = ["-target", "arm64-apple-ios12.0"]
    argv = seam.user_argv("clang", *triple, FORGE_PREFIX_MAP="/a b/c=/src:/a b=/work:/x=.")
    # For debug information the last option that matches counts in clang, so the first entry comes last.
    options = ["-ffile-prefix-map=/x=.", "-ffile-prefix-map=/a b=/work", "-ffile-prefix-map=/a b/c=/src"]
    assert argv == [*options, *triple]
    assert seam.user_argv("clang", *triple, FORGE_PREFIX_MAP="") == triple


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("{root}/a b/x.cpp", "a b/x.cpp"),
        ("{root}/../y.c", "../y.c"),
        ("/elsewhere/z.mm", "{up}elsewhere/z.mm"),
        ("a/x.cc", "a/x.cc"),
        ("{root}/x.o", "{root}/x.o"),
    ],
)
def test_with_link_time_optimization_sources_are_named_from_the_working_directory(
    seam: Seam, source: str, named: str
) -> None:
    root = seam.root.resolve()
    up = "../" * (len(root.parts) - 1)
    given = source.format(root=root)
    triple = ["-target", "arm64-apple-ios12.0"]
    for option in ("-flto", "-flto=thin"):
        assert seam.user_argv("clang++", *triple, option, "-c", given, FORGE_PREFIX_MAP="/x=/y") == [
            "-ffile-prefix-map=/x=/y", *triple, option, "-c", named.format(root=root, up=up),
        ]  # fmt: skip
    for others, prefix_map in (([], "/x=/y"), (["-flto", "-fno-lto"], "/x=/y"), (["-flto"], "")):
        assert seam.user_argv("clang++", *triple, *others, "-c", given, FORGE_PREFIX_MAP=prefix_map)[-1] == given


def test_in_a_build_no_place_reaches_the_linker(seam: Seam) -> None:
    given = ["-target", "arm64-apple-ios12.0", "-shared", "-o", "some where/lib x.dylib"]
    rpaths = ["-Wl,-rpath,/a/b", "-Wl,-rpath,@loader_path/..", "-Wl,-rpath,/usr/lib/swift"]

    def own(prefix_map: str) -> list[str]:
        argv = seam.argv("clang", *given, FORGE_PREFIX_MAP=prefix_map)
        return argv[: argv.index("--end-no-unused-arguments")]

    name = ["-Wl,-S", "-Xlinker", "-final_output", "-Xlinker", "@rpath/lib x.dylib"]
    found = own("/elsewhere=/x")
    assert found[found.index("-Wl,-S") :][: len(name)] == name
    assert not {"-Wl,-S", "-final_output"} & set(own(""))
    assert "@rpath/a.out" in seam.argv("clang", "x.o", FORGE_PREFIX_MAP="/elsewhere=/x")

    assert seam.user_argv("clang", *given, *rpaths, FORGE_PREFIX_MAP="/x=/y") == [
        "-ffile-prefix-map=/x=/y", *given, *rpaths[1:],
    ]  # fmt: skip
    assert seam.user_argv("clang", *given, *rpaths) == [*given, *rpaths]


@pytest.mark.parametrize("option", ["-fopenmp", "-fopenmp=libomp"])
def test_openmp_does_not_bring_in_the_libraries_beside_the_compiler(seam: Seam, option: str) -> None:
    """clang puts its own directory after all that is named: the SDK's comes before it, and after the user's."""
    given = ["-target", "arm64-apple-ios12.0", option, "-L/user's", "x.o"]
    assert seam.user_argv("clang++", *given) == [
        *given, "--start-no-unused-arguments", f"-L{seam.sdk('iPhoneOS')}/usr/lib", "--end-no-unused-arguments",
    ]  # fmt: skip


HARD = ["", " ", "*", "?", "[a-z]*", "$HOME", "`id`", "$(id)", "'", '"', "\\", "\n", "a\nb\r", "-n", "--", "~"]
ARGUMENTS = st.lists(
    st.sampled_from(HARD) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
    max_size=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(arguments=ARGUMENTS)
def test_arguments_come_to_no_harm(seam: Seam, arguments: list[str]) -> None:
    triple = ["-target", "arm64-apple-ios12.0"]
    env = {"LC_ALL": "C.UTF-8", "FORGE_PREFIX_MAP": "/a=/b"}
    assert seam.user_argv("clang", *triple, *arguments, **env)[-len(arguments) - 2 :] == [*triple, *arguments]
    assert seam.argv("ar", *arguments, **env) == ["llvm-ar", *arguments]
    assert seam.argv("ranlib", "-c", *arguments, **env) == ["llvm-ranlib", *(a for a in arguments if a != "-c")]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(arguments=ARGUMENTS)
def test_arguments_come_to_no_harm_beside_no_weak_imports(seam: Seam, arguments: list[str]) -> None:
    triple = ["-target", "arm64-apple-ios12.0"]
    argv = seam.user_argv("clang", *triple, *arguments, "-Wl,-no_weak_imports", LC_ALL="C.UTF-8")
    assert argv[1:] == [*triple, *arguments]
