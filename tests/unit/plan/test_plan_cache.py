from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from forge.audit.rules import rule
from forge.base.errors import StorageError
from forge.base.hashing import file_sha256
from forge.base.paths import ForgeHome
from forge.plan import cache as cache_module
from forge.plan.cache import CachedWheel, entry_directory, find_wheel, new_entry, store_checked, write_checked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "ab12" * 16
NAME = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def home(tmp_path: Path) -> ForgeHome:
    return ForgeHome(tmp_path / "home")


def store(home: ForgeHome, content: bytes = b"a wheel") -> Path:
    with new_entry(home, KEY, {"recipe": "demo"}) as entry:
        (entry / NAME).write_bytes(content)
        (entry / "build.log").write_text("log\n")
    return entry_directory(home, KEY)


def everything(home: ForgeHome) -> list[str]:
    return sorted(path.name for path in home.root.rglob("*") if path.is_file())


def test_nothing_there(home: ForgeHome) -> None:
    assert find_wheel(home, KEY) is None
    assert not home.root.exists()


def test_stored_and_found(home: ForgeHome) -> None:
    directory = store(home)
    found = find_wheel(home, KEY)
    assert found == CachedWheel(directory / NAME, file_sha256(directory / NAME))
    assert found.path.read_bytes() == b"a wheel"
    assert everything(home) == ["build.json", "build.log", NAME]
    assert json.loads((directory / "build.json").read_text())["inputs"] == {"recipe": "demo"}
    assert find_wheel(home, KEY.replace("a", "b")) is None


def test_a_second_wheel_takes_the_firsts_place(home: ForgeHome) -> None:
    store(home)
    directory = store(home, b"another")
    assert find_wheel(home, KEY) == CachedWheel(directory / NAME, file_sha256(directory / NAME))
    assert everything(home) == ["build.json", "build.log", NAME]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "wheel changed": lambda entry: (entry / NAME).write_bytes(b"a whee1"),
    "wheel cut off": lambda entry: (entry / NAME).write_bytes(b""),
    "wheel lost": lambda entry: (entry / NAME).unlink(),
    "record lost": lambda entry: (entry / "build.json").unlink(),
    "record empty": lambda entry: (entry / "build.json").write_bytes(b""),
    "record not text": lambda entry: (entry / "build.json").write_bytes(b"\xff"),
    "record a list": lambda entry: (entry / "build.json").write_text("[]"),
    "record of nothing": lambda entry: (entry / "build.json").write_text("{}"),
    "record of no file": lambda entry: (entry / "build.json").write_text('{"wheel": 3, "sha256": 4}'),
    "record of the entry": lambda entry: (entry / "build.json").write_text('{"wheel": "", "sha256": ""}'),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_none_and_replaced(home: ForgeHome, damage: str) -> None:
    directory = store(home)
    DAMAGE[damage](directory)
    assert find_wheel(home, KEY) is None
    store(home)
    assert find_wheel(home, KEY) is not None


WARNING = rule("large").finding("it is large", "demo/_x.so", symbols=("_a", "_b"))


def test_warnings_are_kept(home: ForgeHome) -> None:
    with new_entry(home, KEY, {}) as entry:
        (entry / NAME).write_bytes(b"a wheel")
        write_checked(entry, [WARNING], "checks")
    found = find_wheel(home, KEY)
    assert found is not None
    assert (found.checks, found.warnings) == ("checks", (WARNING,))


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "{}x",
        "{}",
        '{"checks": "x", "warnings": [{"severity": "odd", "symbols": []}]}',
        '{"checks": "x", "warnings": [{"severity": "warning", "symbols": [], "x": 1}]}',
    ],
)
def test_damaged_warnings_cost_another_check_alone(home: ForgeHome, text: str) -> None:
    (store(home) / "checked.json").write_text(text)
    found = find_wheel(home, KEY)
    assert found is not None
    assert (found.checks, found.warnings) == ("", ())


def test_what_another_check_found(home: ForgeHome) -> None:
    store(home)
    found = find_wheel(home, KEY)
    assert found is not None
    assert store_checked(found, [WARNING], "newer") == find_wheel(home, KEY)
    again = find_wheel(home, KEY)
    assert again is not None
    assert (again.checks, again.warnings) == ("newer", (WARNING,))


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_an_entry_that_cannot_be_read_now_stays(home: ForgeHome, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A network file system that does not answer must not cost hours of building."""
    directory = store(home)

    def failing(path: Path) -> str:
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(cache_module, "file_sha256", failing)
        with pytest.raises(StorageError, match=re.escape(str(directory)) if number != errno.EACCES else "permission"):
            find_wheel(home, KEY)
    assert find_wheel(home, KEY) is not None


@pytest.mark.parametrize("error", [ValueError("no"), OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_entry_that_was_not_finished_is_not_there(home: ForgeHome, error: BaseException) -> None:
    with pytest.raises(type(error)), new_entry(home, KEY, {}) as entry:  # noqa: PT012 - the body is what is tested
        (entry / NAME).write_bytes(b"half a whe")
        raise error
    assert everything(home) == []
    assert find_wheel(home, KEY) is None


def test_an_entry_that_was_not_finished_leaves_the_one_before(home: ForgeHome) -> None:
    directory = store(home)
    with pytest.raises(KeyboardInterrupt), new_entry(home, KEY, {}) as entry:  # noqa: PT012 - as above
        (entry / NAME).write_bytes(b"half a whe")
        raise KeyboardInterrupt
    assert find_wheel(home, KEY) == CachedWheel(directory / NAME, file_sha256(directory / NAME))


def test_an_entry_takes_one_wheel(home: ForgeHome) -> None:
    with pytest.raises(ValueError, match="unpack"), new_entry(home, KEY, {}):
        pass
    assert everything(home) == []


STORE_FOREVER = f"""
import sys, time
from pathlib import Path
from forge.base.paths import ForgeHome
from forge.plan.cache import new_entry
with new_entry(ForgeHome(Path(sys.argv[1])), {KEY!r}, {{}}) as entry:
    (entry / {NAME!r}).write_bytes(b"half a whe")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_a_process_that_is_killed_leaves_nothing_that_is_taken_for_a_wheel(home: ForgeHome) -> None:
    command = [sys.executable, "-c", STORE_FOREVER, str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)
    assert list(home.wheels.glob("*/[!.]*")) == []
    assert find_wheel(home, KEY) is None
    store(home)
    assert find_wheel(home, KEY) is not None
