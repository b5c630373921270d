"""Rust for iOS, with programs of a few lines in place of rustc, cargo and rustup."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import BuildError, ToolchainError
from forge.base.paths import ForgeHome
from forge.base.target import Abi, Arch, Target
from forge.toolchain.rust import Rust, cargo_home, ensure_std, find_rust, rust_environment, rust_triple
from tests.unit.ios_python.fakes import Recorder, make_toolchain

if TYPE_CHECKING:
    from pathlib import Path

DEVICE = Target(Abi.IPHONEOS, Arch.ARM64)
ARM_SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.ARM64)
X86_SIMULATOR = Target(Abi.IPHONESIMULATOR, Arch.X86_64)

RUSTC = """\
#!/bin/sh
case $1 in
    -vV) printf '%s\\n' "commit-hash: abc" "host: x86_64-unknown-linux-gnu" "release: {version}" ;;
    --print) echo {sysroot} ;;
esac
"""
CARGO = """\
#!/bin/sh
echo "cargo $*"
echo "bootstrap=$RUSTC_BOOTSTRAP target=$CARGO_BUILD_TARGET ios=$IPHONEOS_DEPLOYMENT_TARGET"
mkdir -p target/x86_64-apple-ios/release/deps
cd target/x86_64-apple-ios/release/deps
touch libstd-1.rlib libcore-2.rlib libforge_std-3.rlib libstd-1.rmeta
"""


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def install(root: Path, version: str = "1.90.0", cargo: str = CARGO, *, source: bool = True) -> Path:
    """A Rust below *root*; the directory of its programs."""
    program(root / "bin" / "rustc", RUSTC.format(version=version, sysroot=root))
    program(root / "bin" / "cargo", cargo)
    if source:
        (root / "lib/rustlib/src/rust/library").mkdir(parents=True)
    return root / "bin"


def add_std(root: Path, triple: str) -> None:
    library = root / "lib" / "rustlib" / triple / "lib" / "libstd-0.rlib"
    library.parent.mkdir(parents=True)
    library.touch()


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """PATH's directories, to be filled."""
    directories = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, [*(d / "bin" for d in directories), "/bin"])))
    monkeypatch.delenv("FORGE_RUSTC", raising=False)
    monkeypatch.setattr("os.get_exec_path", lambda: [str(d / "bin") for d in directories])
    return directories


def find_here(monkeypatch: pytest.MonkeyPatch) -> Rust:
    """`find_rust`, blind to what this machine has in /usr/bin."""
    real = os.access
    monkeypatch.setattr("os.access", lambda p, mode: not str(p).startswith("/usr/bin") and real(p, mode))
    return find_rust()


@pytest.mark.parametrize(
    ("target", "triple"),
    [(DEVICE, "aarch64-apple-ios"), (ARM_SIMULATOR, "aarch64-apple-ios-sim"), (X86_SIMULATOR, "x86_64-apple-ios")],
)
def test_triples(target: Target, triple: str) -> None:
    assert rust_triple(target) == triple


class TestFind:
    def test_the_first_that_can_serve_ios(self, path: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        install(path[0], source=False)
        install(path[1], "1.91.0")
        found = find_here(monkeypatch)
        assert (found.version, found.commit, found.host) == ("1.91.0", "abc", "x86_64-unknown-linux-gnu")
        assert found.rustc == path[1] / "bin" / "rustc"
        assert found.rustup is None

    def test_too_old(self, path: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        install(path[0], "1.63.0")
        with pytest.raises(ToolchainError, match=r"Rust 1\.83 or newer .* not found") as error:
            find_here(monkeypatch)
        assert "rust-src" in str(error.value.hint)

    def test_without_library_or_source(self, path: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
        install(path[0], source=False)
        with pytest.raises(ToolchainError, match="neither iOS's standard library nor its source"):
            find_here(monkeypatch)

    def test_named(self, path: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        install(path[0])
        named = install(tmp_path / "named", "1.95.0")
        monkeypatch.setenv("FORGE_RUSTC", str(named / "rustc"))
        assert find_rust().version == "1.95.0"

    def test_of_rustup(self, path: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        toolchain = tmp_path / "toolchains" / "stable"
        install(toolchain, source=False)
        program(path[0] / "bin" / "rustc", RUSTC.format(version="1.90.0", sysroot=toolchain))
        rustup = program(path[0] / "bin" / "rustup", "#!/bin/sh\n")
        found = find_here(monkeypatch)
        assert found.rustup == (rustup, "stable")
        assert found.rustc == toolchain / "bin" / "rustc"


class TestStd:
    @pytest.fixture
    def rust(self, tmp_path: Path) -> Rust:
        root = tmp_path / "rust"
        programs = install(root)
        (root / "lib/rustlib/x86_64-unknown-linux-gnu").mkdir(parents=True)
        return Rust(programs / "rustc", programs / "cargo", "1.90.0", "abc", "x86_64-unknown-linux-gnu", root)

    def ensure(self, tmp_path: Path, rust: Rust, progress: Recorder | None = None) -> Path | None:
        return ensure_std(
            ForgeHome(tmp_path / "home"), rust, make_toolchain(tmp_path / "toolchain"), X86_SIMULATOR,
            tmp_path / "wrappers", progress or Recorder(),
        )  # fmt: skip

    def test_the_compilers_own(self, tmp_path: Path, rust: Rust) -> None:
        add_std(rust.sysroot, "x86_64-apple-ios")
        assert self.ensure(tmp_path, rust) is None

    def test_built_from_source_once(self, tmp_path: Path, rust: Rust) -> None:
        sysroot = self.ensure(tmp_path, rust)
        assert sysroot is not None
        libraries = sysroot / "lib" / "rustlib" / "x86_64-apple-ios" / "lib"
        assert sorted(file.name for file in libraries.iterdir()) == ["libcore-2.rlib", "libstd-1.rlib"]
        assert (sysroot / "lib/rustlib/x86_64-unknown-linux-gnu").is_dir()
        said = next((tmp_path / "home" / "logs").glob("rust-*.log")).read_text()
        assert "-Zbuild-std=std,panic_unwind --target x86_64-apple-ios" in said
        assert "bootstrap=1 target=x86_64-apple-ios ios=12.0" in said
        rust.cargo.write_text("#!/bin/sh\nexit 1\n")
        assert self.ensure(tmp_path, rust) == sysroot

    def test_a_failed_build_leaves_nothing(self, tmp_path: Path, rust: Rust) -> None:
        rust.cargo.write_text("#!/bin/sh\necho words; exit 101\n")
        with pytest.raises(BuildError, match="exited with code 101"):
            self.ensure(tmp_path, rust)
        assert not list((tmp_path / "home" / "toolchains").glob("rust-*"))

    def test_rustup_comes_first(self, tmp_path: Path, rust: Rust) -> None:
        fetched = rust.sysroot / "lib" / "rustlib" / "x86_64-apple-ios" / "lib"
        rustup = program(
            tmp_path / "rustup", f'#!/bin/sh\necho "$@"\nmkdir -p {fetched}; touch {fetched}/libstd-9.rlib\n'
        )
        progress = Recorder()
        assert self.ensure(tmp_path, replace(rust, rustup=(rustup, "stable")), progress) is None
        undo = "rustup target remove x86_64-apple-ios --toolchain stable"
        assert progress.said[-1].endswith(f"added x86_64-apple-ios to your toolchain stable (to undo: {undo})"), (
            "what is the user's was changed"
        )
        said = (tmp_path / "home" / "logs" / "rustup.1.log").read_text()
        assert "target add x86_64-apple-ios --toolchain stable" in said

    def test_rustup_out_of_reach(self, tmp_path: Path, rust: Rust) -> None:
        rustup = program(tmp_path / "rustup", "#!/bin/sh\nexit 1\n")
        assert self.ensure(tmp_path, replace(rust, rustup=(rustup, "stable"))) is not None
        (rust.source).rmdir()
        with pytest.raises(ToolchainError, match=r"source of Rust 1\.90\.0 was not found") as error:
            ensure_std(
                ForgeHome(tmp_path / "other"), replace(rust, rustup=(rustup, "stable")),
                make_toolchain(tmp_path / "toolchain"), X86_SIMULATOR, tmp_path, Recorder(),
            )  # fmt: skip
        assert error.value.hint == "run 'rustup target add x86_64-apple-ios' or 'rustup component add rust-src'"


def test_the_environment_is_cargos(tmp_path: Path) -> None:
    home = ForgeHome(tmp_path)
    rust = Rust(tmp_path / "rustc", tmp_path / "cargo", "1.90.0", "abc", "x86_64-unknown-linux-gnu", tmp_path)
    env = rust_environment(rust, ARM_SIMULATOR, tmp_path / "sysroot", home, ["-Clink-arg=-x"])
    assert env["CARGO_BUILD_TARGET"] == "aarch64-apple-ios-sim"
    assert env["CARGO_TARGET_AARCH64_APPLE_IOS_SIM_LINKER"] == "arm64-apple-ios-simulator-clang"
    assert env["CC_aarch64_apple_ios_sim"] == "arm64-apple-ios-simulator-clang"
    assert env["CARGO_TARGET_AARCH64_APPLE_IOS_SIM_RUSTFLAGS"] == f"--sysroot={tmp_path}/sysroot -Clink-arg=-x"
    assert env["CARGO_HOME"] == str(cargo_home(home))
    assert "CARGO_TARGET_AARCH64_APPLE_IOS_SIM_RUSTFLAGS" not in rust_environment(rust, ARM_SIMULATOR, None, home)
