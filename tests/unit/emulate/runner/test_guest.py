"""The guest's making with programs that stand for apt, dpkg-deb and qemu."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ForgeError, NetworkError, ToolchainError, TrialError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.base.target import Arch
from forge.emulate.guest import apt_options, ensure_guest, find_qemu, require_qemu, sources_list

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

MIRROR = "https://mirror.example.org/debian"
# Puts two packages where apt puts what it downloads.
APT = """
import pathlib, sys
options = dict(a.split("=", 1) for a in sys.argv if "=" in a and not a.startswith("--"))
pathlib.Path("{log}").open("a").write(" ".join(a for a in sys.argv[1:] if "=" not in a) + "\\n")
if "install" in sys.argv:
    archives = pathlib.Path(options["Dir::Cache"], "archives")
    for name in ("libc6_2.41_arm64.deb", "python3.13_3.13.5_arm64.deb"):
        (archives / name).write_text(name)
"""
DPKG = """
import pathlib, sys
_, option, package, root = sys.argv
assert option == "--extract"
made = pathlib.Path(root, "usr/bin", pathlib.Path(package).name.partition("_")[0])
made.parent.mkdir(parents=True, exist_ok=True)
made.write_text("unpacked")
"""
QEMU = """
import pathlib, sys
pathlib.Path("{log}").open("a").write("qemu " + " ".join(sys.argv[5:8]).replace(sys.argv[4], "ROOT") + "\\n")
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setenv("FORGE_DEBIAN_MIRROR", MIRROR)
    for name, script in (("apt-get", APT), ("dpkg-deb", DPKG), ("qemu-aarch64", QEMU)):
        write(directory / name, script.replace("{log}", str(tmp_path / "log")))
    return directory


def write(path: Path, script: str) -> None:
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)


def test_made_once(tmp_path: Path, programs: Path) -> None:
    home = ForgeHome(tmp_path / "home")
    guest = ensure_guest(home, "3.13", SilentProgress())
    assert guest.python.read_text() == "unpacked"
    assert (guest.root / "lib").resolve() == guest.root / "usr" / "lib"
    assert guest.command[0] == str(programs / "qemu-aarch64")
    assert guest.command[-3:] == ("-L", str(guest.root), str(guest.python))
    assert set(json.loads((guest.root.parent / "packages.json").read_text())) == {
        "libc6_2.41_arm64.deb", "python3.13_3.13.5_arm64.deb",
    }  # fmt: skip
    assert not (guest.root.parent / "state").exists()
    log = (tmp_path / "log").read_text()
    said = log.splitlines()
    assert [line.split()[-1] for line in said[:1]] == ["update"]
    assert "install" in said[1]
    assert said[2] == "qemu ROOT/usr/bin/python3.13 -m compileall"
    assert ensure_guest(home, "3.13", SilentProgress()) == guest
    assert (tmp_path / "log").read_text() == log


def test_the_other_name_of_qemu(programs: Path) -> None:
    (programs / "qemu-aarch64").rename(programs / "qemu-aarch64-static")
    assert find_qemu() == programs / "qemu-aarch64-static"


LISTS = {
    "x86": "Available CPUs:\nx86 486-v1\nx86 Nehalem-v1   Intel Core i7\nx86 Nehalem   (alias)\n\nFlags:\n  avx\n",
    "arm": "Available CPUs:\n  a64fx\n  cortex-a53\n  max\n",
}


@pytest.mark.parametrize("listing", sorted(LISTS))
def test_a_cpu_model_must_be_one_of_qemus(
    listing: str, programs: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """Releases differ in the exit code of ``-cpu help``; features may follow the name."""
    arch = Arch.X86_64 if listing == "x86" else Arch.ARM64
    name = {"x86": "qemu-x86_64", "arm": "qemu-aarch64"}[listing]
    write(programs / name, f"print({LISTS[listing]!r}); raise SystemExit(1)")
    known = {"x86": "Nehalem,-sse4.2", "arm": "cortex-a53"}[listing]
    assert require_qemu(arch, known) == programs / name
    with pytest.raises(TrialError) as caught:
        require_qemu(arch, "Pentium-Pro,+avx")
    assert f"{caught.value.message}\n{caught.value.hint}" == snapshot


def failing(path: Path) -> None:
    write(path, "print('E: Failed to fetch lists'); raise SystemExit(100)")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("no qemu", TrialError), ("another minor", TrialError), ("no apt-get", ToolchainError),
        ("no dpkg-deb", ToolchainError), ("no mirror", ToolchainError), ("no network", NetworkError),
    ],
)  # fmt: skip
def test_where_it_cannot_be_had(
    name: str, kind: type[ForgeError], tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch,
    snapshot: SnapshotAssertion,
) -> None:  # fmt: skip
    if name == "no qemu":
        (programs / "qemu-aarch64").unlink()
    elif name.startswith("no ") and (programs / name.removeprefix("no ")).exists():
        (programs / name.removeprefix("no ")).unlink()
    elif name == "no mirror":
        monkeypatch.delenv("FORGE_DEBIAN_MIRROR")
    elif name == "no network":
        failing(programs / "apt-get")
    home = ForgeHome(tmp_path / "home")
    with pytest.raises(kind) as caught:
        ensure_guest(home, "3.14" if name == "another minor" else "3.13", SilentProgress())
    assert f"{caught.value.message}\n{caught.value.hint}".replace(str(tmp_path), "TMP") == snapshot
    assert list(home.root.glob("emulate/guest/*")) == []


def test_apt_works_in_a_directory_of_its_own(tmp_path: Path) -> None:
    """Whatever has a path, has one below the directory."""
    options = dict(option.split("=", 1) for option in apt_options(tmp_path)[1::2])
    paths = {name: value for name, value in options.items() if name.startswith("Dir::") and value != "-"}
    assert set(paths) >= {"Dir::State", "Dir::State::lists", "Dir::State::status", "Dir::Cache", "Dir::Etc::sourcelist"}
    assert all(Path(value).is_relative_to(tmp_path) for value in paths.values())
    assert options["APT::Architecture"] == "arm64"


def test_sources(tmp_path: Path) -> None:
    keys = tmp_path / "keys.gpg"
    assert sources_list([MIRROR], keys) == f"deb [arch=arm64] {MIRROR} trixie main\n"
    keys.touch()
    assert (
        sources_list([MIRROR, MIRROR], keys).splitlines()
        == [f"deb [signed-by={keys} arch=arm64] {MIRROR} trixie main"] * 2
    )
