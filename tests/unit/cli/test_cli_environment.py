"""Environments that people have: no traceback, and no 'internal error', for any of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import forge

CHECKOUT = str(Path(forge.__file__).parent.parent)

RECIPE = """\
schema: 2
package: {name: demo, version: "1.0"}
source:
  url: [https://example.invalid/x.tar.gz]
  sha256: %s
build: {backend: setuptools}
""" % ("ab" * 32)


def run(directory: Path, *arguments: str, env: dict[str, str], **options: object) -> subprocess.CompletedProcess[str]:
    base = {"PATH": os.environ["PATH"], "PYTHONPATH": CHECKOUT, "PIP_RETRIES": "0"}
    return subprocess.run(
        [sys.executable, "-m", "forge", *arguments],
        env={**base, **env}, cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    recipe = tmp_path / "recipes" / "demo" / "recipe.yaml"
    recipe.parent.mkdir(parents=True)
    recipe.write_text(RECIPE)
    return tmp_path


@pytest.mark.parametrize(
    ("env", "code", "said"),
    [
        ({"FORGE_HOME": "~nosuchuser-forge/x"}, 10, "error[storage]: cannot determine the cache directory"),
        ({"FORGE_RECIPES": "~nosuchuser-forge/x"}, 3, "error[recipe]: ~nosuchuser-forge/x (FORGE_RECIPES)"),
        ({"FORGE_HOME": "/dev/null"}, 10, "error[storage]: part of the path is not a directory"),
        ({"PIP_INDEX_URL": "https://[bad", "FORGE_HOME": "home"}, 5, "error[network]: "),
        ({"HTTPS_PROXY": "http://[::1", "FORGE_HOME": "home"}, 5, "cannot use the proxy"),
        ({"HTTPS_PROXY": "http://proxy:80a", "FORGE_HOME": "home"}, 5, "cannot use the proxy"),
        ({"ALL_PROXY": "gopher://x", "FORGE_HOME": "home"}, 5, "cannot use the proxy"),
        ({"NO_PROXY": "localhost,[::1],fe80::/10,host:*,http://x:y", "FORGE_HOME": "home"}, 5, "error[network]: "),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_forge_lock(directory: Path, env: dict[str, str], code: int, said: str) -> None:
    if "PIP_INDEX_URL" in env:
        recipe = directory / "recipes" / "demo" / "recipe.yaml"
        recipe.write_text(
            RECIPE.replace("  url: [https://example.invalid/x.tar.gz]\n  sha256: ", "  sdist:\n    sha256: ")
        )
    done = run(directory, "lock", "demo", env={"HOME": str(directory), **env})
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("where", ["--recipes", "source"])
def test_a_home_directory_of_nobody(directory: Path, where: str) -> None:
    recipe = directory / "recipes" / "demo" / "recipe.yaml"
    if where == "source":
        lines = "source:\n  url: [https://example.invalid/x.tar.gz]\n  sha256: " + "ab" * 32
        recipe.write_text(RECIPE.replace(lines, "source: {path: ~nosuchuser-forge/x}"))
    recipes = "~nosuchuser-forge/x" if where == "--recipes" else "recipes"
    done = run(directory, "build", "demo", "--recipes", recipes, env={"FORGE_HOME": "home"})
    assert done.returncode == 3
    assert "error[recipe]: " in done.stderr


@pytest.mark.parametrize("home", [None, "home"])
def test_a_user_without_a_name(directory: Path, home: str | None) -> None:
    # As in a container that runs with any uid: neither HOME nor an entry in passwd.
    script = (
        "import pwd, sys\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "from forge.cli.main import main\n"
        "main(['lock', 'demo'])"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": CHECKOUT, "PIP_RETRIES": "0"} | (
        {"FORGE_HOME": home} if home else {}
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, cwd=directory, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    # With a cache it gets as far as the network; without one the message says what to set.
    assert done.returncode == (5 if home else 10), done.stderr
    assert home or "hint: set FORGE_HOME" in done.stderr


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    script = f"cd {tmp_path}/gone && rmdir ../gone && exec {sys.executable} -m forge python list"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": CHECKOUT}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 10
    assert "error[storage]: the current directory no longer exists" in done.stderr


def test_letters_that_the_terminals_encoding_lacks(directory: Path) -> None:
    done = run(
        directory, "build", "nosuch", "--recipes", "Müller",
        env={"FORGE_HOME": "home", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 3
    assert "there is no directory of recipes M\\xfcller" in done.stderr


def test_an_interruption_while_forge_is_imported(tmp_path: Path) -> None:
    # A module that takes its time, in the way of the first import.
    (tmp_path / "click.py").write_text("import time; print('importing', flush=True); time.sleep(60)")
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path}:{CHECKOUT}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "forge"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell starts what it runs in the background with the signal ignored, which is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "error[interrupted]: interrupted\n")
