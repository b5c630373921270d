from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from forge.base.errors import BuildError, RecipeError
from forge.base.paths import ForgeHome
from forge.base.process import output
from forge.crossbuild import tools as tools_module
from forge.crossbuild.resolve import resolve_lock
from forge.crossbuild.tools import TOOLS_LOCK, Tools, ensure_tools, install, lacking, pip_environment
from forge.ios_python.build_python import BuildPython
from forge.recipe.lock import read_lock
from forge.source.pip_settings import PipSettings

RUNNING = Path(sys.executable)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ForgeHome:
    monkeypatch.setenv("FORGE_HOME", str(tmp_path / "home"))
    return ForgeHome(tmp_path / "home")


def test_pip_knows_the_users_indexes_and_how_to_reach_them(home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@index.example.org/simple")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "index.example.org")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org")
    environment = pip_environment(home)
    assert environment["PIP_INDEX_URL"] == "https://user:secret@index.example.org/simple"
    assert environment["PIP_TRUSTED_HOST"] == "index.example.org"
    assert environment["HTTPS_PROXY"] == "http://proxy.example.org"


FOREIGN = {
    "PIP_TARGET": "x", "PIP_PREFIX": "x", "PIP_ROOT": "x", "PIP_USER": "1", "PIP_NO_DEPS": "1", "PIP_CONSTRAINT": "x",
    "PIP_REQUIRE_HASHES": "1", "PIP_NO_BINARY": ":all:", "PIP_PRE": "1", "PIP_FORMAT": "columns",
    "CFLAGS": "-DEVIL", "LDFLAGS": "-levil", "CC": "evil", "CPATH": "/evil", "PYTHONPATH": "/evil", "PYTHONHOME": "/",
    "PYTHONSTARTUP": "/evil", "VIRTUAL_ENV": "/evil", "__PYVENV_LAUNCHER__": "/evil", "PYTHONUSERBASE": "/evil",
    "XDG_CONFIG_HOME": "/evil",
}  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN)
def test_nothing_else_of_the_user_reaches_pip(home: ForgeHome, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, FOREIGN[name])
    environment = pip_environment(home, PipSettings())
    assert name not in environment
    assert environment["PIP_CONFIG_FILE"] == os.devnull
    assert Path(environment["PIP_CACHE_DIR"]).is_relative_to(home.root)
    assert Path(environment["HOME"]).is_relative_to(home.root)


def test_the_tools_are_pinned_with_hashes() -> None:
    lock = read_lock(TOOLS_LOCK)
    assert {"pip", "crossenv"} <= {pin.name for pin in lock.pins}


def test_nothing_required_is_nothing_to_resolve(tmp_path: Path) -> None:
    lock = resolve_lock(ForgeHome(tmp_path / "home"), (), BuildPython(Path("/nowhere/python"), "3.13.5"))
    assert (lock.requires, lock.pins) == ((), ())
    assert not (tmp_path / "home").exists()


def test_a_url_is_not_resolved(home: ForgeHome) -> None:
    with pytest.raises(RecipeError, match="the build requirement 'leaky' names a URL"):
        resolve_lock(home, ["leaky @ https://example.org/leaky-1.zip"], BuildPython(RUNNING, "3.13.5"))


@pytest.fixture
def venv(tmp_path: Path, home: ForgeHome) -> tuple[Path, Path]:
    """An empty environment, and a lock of one wheel that ``PIP_FIND_LINKS`` has."""
    links = tmp_path / "links"
    links.mkdir()
    wheel = links / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("demo.py", "")
        file.writestr("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        file.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("demo-1.0.dist-info/RECORD", "demo.py,,\n")
    lock = tmp_path / "lock"
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"# requires: demo\ndemo==1.0 --hash=sha256:{digest}\n")
    output([RUNNING, "-m", "venv", "--without-pip", tmp_path / "venv"])
    return tmp_path / "venv" / "bin" / "python", lock


def test_what_was_installed_is_compared_with_the_lock(
    venv: tuple[Path, Path], tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, lock = venv
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))  # must not matter
    home.root.mkdir()
    assert lacking(python, lock) == ("demo is missing",)
    install(Tools(RUNNING), python, lock, log=tmp_path / "log", cwd=home.root)
    assert lacking(python, lock) == ()
    lock.write_text(lock.read_text().replace("demo==1.0", "demo==2.0"))
    assert lacking(python, lock) == ("demo is 1.0 instead of 2.0",)
    monkeypatch.setattr("forge.crossbuild.tools.run", lambda *_, **__: None)  # a pip that says that all is well
    with pytest.raises(BuildError, match=r"does not match lock: demo is 1\.0 instead of 2\.0"):
        install(Tools(RUNNING), python, lock, log=tmp_path / "log", cwd=home.root)


class TestEnvironmentOfTheTools:
    @pytest.fixture
    def done(self, home: ForgeHome, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What is run, instead of running it."""
        done: list[str] = []

        def record(command: list[str | Path], *, log: Path, **_: object) -> None:
            done.append(f"{command[-1]}")
            log.write_text(log.read_text() + f"{len(done)}\n")

        monkeypatch.setattr(tools_module, "run", record)
        monkeypatch.setattr(tools_module, "lacking", lambda *_: ())
        return done

    def test_made_once(self, home: ForgeHome, done: list[str]) -> None:
        first = ensure_tools(home, BuildPython(RUNNING, "3.13.5"))
        assert ensure_tools(home, BuildPython(RUNNING, "3.13.5")) == first
        assert done == [str(first.python.parent.parent), str(TOOLS_LOCK)]
        assert ensure_tools(home, BuildPython(RUNNING, "3.13.6")) != first

    def test_a_failed_one_is_made_anew_elsewhere(
        self, home: ForgeHome, done: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process of the first attempt may still be running, and write there."""
        monkeypatch.setattr(tools_module, "lacking", lambda *_: ("pip is missing",))
        with pytest.raises(BuildError, match="pip is missing"):
            ensure_tools(home, BuildPython(RUNNING, "3.13.5"))
        monkeypatch.setattr(tools_module, "lacking", lambda *_: ())
        ensure_tools(home, BuildPython(RUNNING, "3.13.5"))
        first, again = done[0], done[2]
        assert first != again
        assert not Path(first).exists()
        assert [path.read_text() for path in sorted(home.logs.iterdir())] == ["1\n2\n", "3\n4\n"]


def test_the_log_has_no_credentials(
    venv: tuple[Path, Path], tmp_path: Path, home: ForgeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    python, lock = venv
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    home.root.mkdir()
    with pytest.raises(BuildError):
        install(Tools(RUNNING), python, lock, log=tmp_path / "log", cwd=home.root)
    assert "127.0.0.1:9" in (tmp_path / "log").read_text()
    assert "secret" not in (tmp_path / "log").read_text()
