from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from forge.base.errors import ToolchainError
from forge.base.paths import ForgeHome
from forge.toolchain import debian
from forge.toolchain.debian import Apt, ask_apt, debian_packages, install_command, llvm_install_command, llvm_packages
from forge.toolchain.doctor import Machine, Status, _free_bytes, examine, missing_packages, remedy, to_json
from forge.toolchain.fortran import Flang
from forge.toolchain.llvm import LLVM, Rejected
from forge.toolchain.rust import Rust
from tests.unit.toolchain.fakes import Says

if TYPE_CHECKING:
    from syrupy.assertion import SnapshotAssertion

HOME = ForgeHome(Path("/cache"))
LLVM_19 = LLVM(Path("/usr/lib/llvm-19/bin"), "Debian clang version 19.1.7", 19, Path("/resource"), Path("/libcxx"))
SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "doctor.schema.json").read_text())


def offered(*releases: int) -> str:
    lines = ["clang-format - tool", "clang-7 - without the others"]
    lines += [f"{package} - text" for release in releases for package in llvm_packages(release)]
    return "\n".join(lines)


def no_rust() -> Rust:
    raise ToolchainError("Rust 1.83 or newer that can compile for iOS not found", hint="install rustup")


def no_flang() -> Flang:
    raise ToolchainError("no Fortran compiler for Mach-O (LLVM's flang) found")


GOOD = Machine(
    platform="linux",
    is_root=True,
    which=lambda name: f"/usr/bin/{name}",
    says=Says({"/usr/bin/cc -E": "", "apt-cache": offered(16, 19, 22)}),
    free_bytes=lambda _: 50 * 1000**3,
    llvm=lambda: [LLVM_19],
    has_ensurepip=True,
    flang=lambda: Flang(Path("/opt/flang"), "19.1.7", "flang version 19.1.7"),
    rust=lambda: Rust(Path("/opt/rustc"), Path("/opt/cargo"), "1.90.0", "abc", "x86_64", Path("/opt")),
)
BARE = dataclasses.replace(
    GOOD,
    which=lambda name: "/usr/bin/apt-get" if name == "apt-get" else None,
    says=Says({"apt-cache": offered(16, 19, 22)}),
    llvm=list,
    has_ensurepip=False,
    rust=no_rust,
    flang=no_flang,
)


def status(machine: Machine) -> dict[str, str]:
    return {check.id: check.status.value for check in examine(HOME, machine)}


def test_a_machine_that_has_everything() -> None:
    checks = examine(HOME, GOOD)
    assert {c.id for c in checks if c.status is not Status.OK} == {"sdk"}
    assert all(c.is_fine for c in checks)
    assert missing_packages(checks) == ()
    assert remedy(checks, GOOD) is None
    assert len({c.id for c in checks}) == len(checks)


def test_a_machine_that_has_nothing(snapshot: SnapshotAssertion) -> None:
    checks = examine(HOME, BARE)
    text = [f"{c.status} {c.id}: {c.title}: {c.found}\n  {c.remedy}" for c in checks]
    assert "\n".join(text) == snapshot
    # Debian's tar is always there, Fortran is for some recipes only, and one command mends everything else.
    assert set(missing_packages(checks)) == set(debian_packages()) - {"flang-19"}
    assert remedy(checks, BARE) == snapshot


def test_json_has_the_documented_form(snapshot: SnapshotAssertion) -> None:
    good = json.loads(to_json(examine(HOME, GOOD), GOOD))
    jsonschema.validate(good, SCHEMA)
    assert (good["version"], good["ok"], good["remedy"]) == (1, True, None)
    bare = to_json(examine(HOME, BARE), BARE)
    jsonschema.validate(json.loads(bare), SCHEMA)
    assert json.loads(bare)["ok"] is False
    assert bare.endswith("}\n")
    assert bare == snapshot


def test_the_schema_is_one_and_refuses_other_forms() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    document = json.loads(to_json(examine(HOME, GOOD), GOOD))
    document["checks"][0]["status"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA)


def test_a_missing_header_names_its_package() -> None:
    says = Says(
        {"/usr/bin/cc -E": "", "/usr/bin/cc -E -x c -include ffi.h": ToolchainError("no"), "apt-cache": offered(19)}
    )
    checks = examine(HOME, dataclasses.replace(GOOD, says=says))
    (check,) = (c for c in checks if not c.is_fine)
    assert (check.id, check.found) == ("header.libffi", "not found by /usr/bin/cc")
    assert check.remedy == "apt-get install --yes libffi-dev"


def test_apt_is_asked_once() -> None:
    says = Says({"apt-cache": offered(19)})
    machine = dataclasses.replace(BARE, says=says)
    remedy(examine(HOME, machine), machine)
    assert len([a for a in says.asked if a.startswith("apt-cache")]) == 1


def test_without_root_sudo_does_it() -> None:
    user = dataclasses.replace(
        BARE, is_root=False, which=lambda n: f"/usr/bin/{n}" if n in {"apt-get", "sudo"} else None
    )
    command = remedy(examine(HOME, user), user)
    assert command is not None
    assert command.startswith("sudo apt-get install --yes clang-19 ")


def test_without_root_and_sudo_it_says_who_must() -> None:
    user = dataclasses.replace(BARE, is_root=False)
    command = remedy(examine(HOME, user), user)
    assert command is not None
    assert command.endswith("  # run this as root")
    assert "sudo" not in command


def test_apt_without_lists_fetches_them_first() -> None:
    says = Says({"apt-cache": ""})
    machine = dataclasses.replace(
        BARE, is_root=False, says=says, which=lambda n: n if n in {"apt-get", "sudo"} else None
    )
    command = remedy(examine(HOME, machine), machine)
    assert command is not None
    assert command.startswith("sudo apt-get update && sudo apt-get install --yes clang-19 ")


def test_without_apt_there_is_no_command() -> None:
    checks = examine(HOME, dataclasses.replace(BARE, which=lambda _: None))
    assert [c.id for c in checks if c.remedy] == ["sdk"]
    assert not all(c.is_fine for c in checks)


@pytest.mark.parametrize(
    ("rejected", "expected"),
    [
        ([Rejected(Path("/usr/lib/llvm-14"), "clang version 14.0.6 is older than 19", outdated=True)], "outdated"),
        ([Rejected(Path("/usr/lib/llvm-19"), "missing: ld64.lld")], "missing"),
        ([], "missing"),
    ],
)
def test_an_llvm_that_will_not_do(rejected: list[Rejected], expected: str) -> None:
    machine = dataclasses.replace(GOOD, llvm=lambda: rejected)
    check = next(c for c in examine(HOME, machine) if c.id == "llvm")
    assert check.status.value == expected
    assert check.found == ("; ".join(f"{r.root}: {r.reason}" for r in rejected) or "not found")
    assert check.packages == llvm_packages(19)


@pytest.mark.parametrize(
    ("releases", "chosen"),
    [((16, 19, 22), 19), ((20,), 20), ((18, 20, 21), 21), ((14, 16), None)],
)
def test_which_release_apt_should_install(releases: tuple[int, ...], chosen: int | None) -> None:
    assert ask_apt(Says({"apt-cache": offered(*releases)})) == Apt(has_lists=True, llvm=chosen)
    machine = dataclasses.replace(BARE, says=Says({"apt-cache": offered(*releases)}))
    check = next(c for c in examine(HOME, machine) if c.id == "llvm")
    if chosen is None:
        assert check.remedy is None
        assert check.found.endswith("apt offers no LLVM 19 or newer: install it manually and set FORGE_LLVM")
    else:
        assert f" clang-{chosen} lld-{chosen} " in (check.remedy or "")


def test_a_release_without_libcxx_is_not_chosen() -> None:
    listing = offered(20) + "\nclang-23 - compiler\nlld-23 - linker\nllvm-23 - tools\n"
    assert ask_apt(Says({"apt-cache": listing})).llvm == 20


@pytest.mark.parametrize("answer", ["", "clang-format - tool\n", ToolchainError("no apt-cache")])
def test_apt_that_knows_nothing(answer: str | ToolchainError) -> None:
    assert ask_apt(Says({"apt-cache": answer})) == Apt(has_lists=False, llvm=19)


def test_little_space_is_a_warning() -> None:
    machine = dataclasses.replace(GOOD, free_bytes=lambda _: 3_200_000_000)
    check = examine(HOME, machine)[-1]
    assert (check.id, check.status, check.found) == ("disk", Status.OPTIONAL, "3.2 GB at /cache")


def test_space_that_cannot_be_told() -> None:
    def fail(_: Path) -> int:
        raise PermissionError(13, "Permission denied")

    check = examine(HOME, dataclasses.replace(GOOD, free_bytes=fail))[-1]
    assert (check.status, check.found) == (Status.MISSING, "/cache: Permission denied")


def test_space_of_a_cache_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert _free_bytes(tmp_path / "not" / "yet") > 0


MAC = dataclasses.replace(
    GOOD,
    platform="darwin",
    says=Says(
        {
            "/usr/bin/xcode-select --print-path": "/Applications/Xcode.app/Contents/Developer\n",
            "/usr/bin/xcrun --sdk": "18.2\n",
        }
    ),
)


def test_a_mac_with_xcode() -> None:
    checks = examine(HOME, MAC)
    assert all(c.status is Status.OK for c in checks)
    assert {"xcode", "xcode-select"} <= {c.id for c in checks}
    assert "llvm" not in {c.id for c in checks}


def test_a_mac_with_the_command_line_tools_only(snapshot: SnapshotAssertion) -> None:
    machine = dataclasses.replace(
        MAC,
        which=lambda name: None if name == "git" else f"/usr/bin/{name}",
        says=Says({"/usr/bin/xcode-select --print-path": "/Library/Developer/CommandLineTools\n"}),
    )
    checks = examine(HOME, machine)
    wrong = [f"{c.status} {c.id}: {c.found}\n  {c.remedy}" for c in checks if not c.is_fine]
    assert "\n".join(wrong) == snapshot
    assert remedy(checks, machine) is None


def test_a_mac_without_either() -> None:
    assert {"xcode": "missing", "xcode-select": "missing"}.items() <= status(
        dataclasses.replace(MAC, says=Says())
    ).items()


def test_the_list_of_packages_is_plain() -> None:
    names = debian_packages()
    assert len(names) == len(set(names))
    assert {"clang-19", "libc++abi-19-dev", "gcc", "python3-venv"} <= set(names)
    assert not [n for n in names if " " in n or "#" in n]
    assert llvm_packages(20) == ("clang-20", "lld-20", "llvm-20", "libc++-20-dev", "libc++abi-20-dev")


def test_nothing_to_install_is_no_command() -> None:
    assert install_command((), is_root=True, has_sudo=False) is None
    assert install_command(("a", "b", "a"), is_root=True, has_sudo=True) == "apt-get install --yes a b"


@pytest.mark.parametrize(
    ("apt", "command"),
    [(Apt(True, 20), "clang-20 lld-20"), (Apt(True, None), None), (Apt(False, 19), "apt-get update")],
)
def test_the_command_for_llvm(monkeypatch: pytest.MonkeyPatch, apt: Apt, command: str | None) -> None:
    monkeypatch.setattr("forge.toolchain.debian.shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(debian, "ask_apt", lambda: apt)
    made = llvm_install_command()
    assert (made is None) if command is None else (made is not None and command in made)


def test_no_command_for_llvm_without_apt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge.toolchain.debian.shutil.which", lambda _: None)
    assert llvm_install_command() is None


def test_the_machine_that_this_runs_on_answers(tmp_path: Path) -> None:
    checks = examine(ForgeHome(tmp_path))
    assert checks[-1].id == "disk"
    json.loads(to_json(checks))
