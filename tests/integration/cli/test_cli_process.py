"""forge as a process: signals, the network, and what is left afterwards. No toolchain and no network is needed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import forge
from forge.toolchain.data import load_yaml
from tests.loopback import serving
from tests.unit.crossbuild.fakes import RECIPE, WHEEL, write_recipe
from tests.unit.toolchain.fakes import write_llvm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = str(Path(__file__).parents[3])
BUILD = ("build", "demo", "--abi", "iphoneos")

# A compiler that takes long, and one that it has started.
LONG = (
    "import subprocess; child = subprocess.Popen(['sleep', '300']); "
    "(HERE.parent / 'pids').write_text(f'{os.getpid()} {child.pid}\\n'); child.wait()"
)
# One that does not end when it is asked to.
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LONG


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """This machine's environment without what points pip and forge somewhere."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PIP_", "FORGE_")) and not name.lower().endswith("_proxy")
    }
    own = {
        "FORGE_HOME": str(tmp_path / "home"),
        "FORGE_LLVM": str(write_llvm(tmp_path / "llvm")),
        "NO_PROXY": "*",
        "PIP_CONFIG_FILE": os.devnull,
        "PYTHONPATH": CHECKOUT,
    }
    return kept | own


def start(tmp_path: Path, env: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.cli.driver", str(tmp_path), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=env,
    )  # fmt: skip


def forge_says(env: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forge", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env, cwd=cwd, timeout=60)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def runs(pid: int) -> bool:
    """Whether a process is there; one that has ended and that nobody has waited for is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        with contextlib.suppress(ProcessLookupError):  # no /proc: a Mac
            os.kill(pid, 0)
            return True
        return False
    return state != "Z"


def whole_entries(home: Path) -> list[Path]:
    """What a later run could take for a finished wheel."""
    return list((home / "wheels").glob("*/*/*"))


@pytest.mark.parametrize("body", [LONG, STUBBORN], ids=["well-behaved", "stubborn"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_build(tmp_path: Path, env: dict[str, str], number: signal.Signals, body: str) -> None:
    recipe = write_recipe(tmp_path / "recipes", body)
    pids = tmp_path / "home" / "builds"
    process = start(tmp_path, env, *BUILD)
    assert wait_for(lambda: any(p.read_text().endswith("\n") for p in pids.glob("*/pids"))), process.communicate()
    (file,) = pids.glob("*/pids")
    back_end, child = map(int, file.read_text().split())
    assert runs(back_end)
    assert runs(child)

    process.send_signal(number)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.endswith("error[interrupted]: interrupted\nhint: run the command again: what was finished is kept\n")
    assert wait_for(lambda: not runs(back_end) and not runs(child), seconds=5)
    assert whole_entries(tmp_path / "home") == []
    assert [p for p in (tmp_path / "home" / "wheels").rglob("*") if p.is_file()] == []
    assert not (tmp_path / "dist").exists()

    (recipe / "source" / "backend.py").write_text((recipe / "source" / "backend.py").read_text().replace(body, "pass"))
    again = start(tmp_path, env, *BUILD)
    assert again.communicate(timeout=20)[0] == f"dist/{WHEEL}\n", "nothing is locked, nothing is in the way"
    entries = {path.name for path in whole_entries(tmp_path / "home")}
    assert entries == {WHEEL, "build.json", "build.log", "checked.json"}


def test_a_killed_build_is_in_nobodys_way(tmp_path: Path, env: dict[str, str]) -> None:
    recipe = write_recipe(tmp_path / "recipes", LONG)
    process = start(tmp_path, env, *BUILD)
    assert wait_for(lambda: any((tmp_path / "home" / "builds").glob("*/pids"))), process.communicate()
    process.kill()
    process.communicate()
    for file in (tmp_path / "home" / "builds").glob("*/pids"):
        for pid in file.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)  # nobody is left to do it
    assert whole_entries(tmp_path / "home") == []
    (recipe / "source" / "backend.py").write_text((recipe / "source" / "backend.py").read_text().replace(LONG, "pass"))
    again = start(tmp_path, env, *BUILD)
    assert again.communicate(timeout=20)[0] == f"dist/{WHEEL}\n"


def test_the_program_starts(tmp_path: Path, env: dict[str, str]) -> None:
    said = forge_says(env, tmp_path, "--version")
    assert (said.returncode, said.stdout, said.stderr) == (0, f"forge, version {forge.__version__}\n", "")


def test_output_that_nobody_reads_to_its_end(tmp_path: Path, env: dict[str, str]) -> None:
    """``forge … | head -0``."""
    command = f'"{sys.executable}" -m forge --help'
    said = subprocess.run(
        ["sh", "-c", f"{command} | true"], check=False, capture_output=True, text=True, env=env, cwd=tmp_path
    )
    assert said.stderr == ""


class TestNetwork:
    @pytest.mark.parametrize("command", [("build", "demo"), ("toolchain", "install")], ids=" ".join)
    def test_none(self, tmp_path: Path, env: dict[str, str], command: tuple[str, ...]) -> None:
        write_recipe(tmp_path / "recipes")
        said = forge_says(env | {"PIP_INDEX_URL": "http://127.0.0.1:1/simple"}, tmp_path, *command)
        assert said.returncode == 5
        assert said.stdout == ""
        assert "error[network]: " in said.stderr
        assert "127.0.0.1:1" in said.stderr
        assert "hint: " in said.stderr
        assert "Traceback" not in said.stderr
        files = [p.relative_to(tmp_path / "home") for p in (tmp_path / "home").rglob("*") if p.is_file()]
        # Headers of Python, which are no index's, may have come meanwhile.
        assert [p for p in files if p.parts[0] not in {"locks", "latest", "sources", "pythons"}] == []
        assert [p for p in files if p.suffix == ".part"] == []

    def test_no_server_of_a_url(self, tmp_path: Path, env: dict[str, str]) -> None:
        url = f"url: ['http://127.0.0.1:1/demo.tar.gz']\n  sha256: {'ab' * 32}"
        write_recipe(tmp_path / "recipes", text=RECIPE.replace("path: source", url))
        process = start(tmp_path, env, *BUILD)
        err = process.communicate(timeout=60)[1]
        assert process.returncode == 5
        assert "http://127.0.0.1:1/demo.tar.gz: " in err
        assert "Traceback" not in err

    @pytest.fixture
    def index(self) -> Iterator[str]:
        """A package index whose every file has these bytes, and of which it gives no hash."""
        pin = load_yaml("sdk.yaml")["ziglang"]
        page = f"<!DOCTYPE html><html><body><a href='/files/{pin['filename']}'>{pin['filename']}</a></body></html>"

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = page.encode() if self.path.startswith("/simple/") else b"not the wheel that was pinned"
                self.send_response(200)
                self.send_header("Content-Type", "text/html" if self.path.startswith("/simple/") else "application/zip")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        with serving(Handler) as port:
            yield f"http://127.0.0.1:{port}/simple"

    def test_an_index_that_gives_another_file(self, tmp_path: Path, env: dict[str, str], index: str) -> None:
        write_recipe(tmp_path / "recipes")
        said = forge_says(env | {"PIP_INDEX_URL": index}, tmp_path, "build", "demo")
        assert said.returncode == 4
        assert "error[source]: " in said.stderr
        assert "wrong sha256" in said.stderr
        assert load_yaml("sdk.yaml")["ziglang"]["sha256"] in said.stderr
        assert "Traceback" not in said.stderr
        assert [p for p in (tmp_path / "home" / "sources").rglob("*") if p.is_file()] == []
