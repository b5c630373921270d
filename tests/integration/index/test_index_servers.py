"""Real pip and uv install from an index on the servers that docs/index.md names, with what the pages say to paste.

The closure is as scikit-learn's: a project that requires others of the index, which require each other, and one without
compiled code that only another index has. That one is on the loopback address too.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.index.make import make_index
from tests.integration.index.clients import BIN, PIP, TARGETS, UV, for_target, run, snippet
from tests.integration.servers import free_port, nginx, running
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CLOSURE = {
    "closure-learn": ["closure-numeric>=2", "closure-sparse", "closure-jobs>=1; python_version >= '3.9'"],
    "closure-sparse": ["closure-numeric<3"],
    "closure-numeric": [],
}
"""What the index has, with what it requires."""

PURE = "closure-jobs"
PIPS = {"24.3": "pip==24.3.1", "newest": "pip"}
JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Served:
    """An index that is served.

    Args:
        url: Its address: that of its home page.
        log: Where the server tells what is asked for.
        is_merged: Whether it has another index behind it.
    """

    url: str
    log: Path
    is_merged: bool = False

    def asked(self) -> str:
        """What was asked for until now."""
        return self.log.read_text()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheels")
    for name, requirements in CLOSURE.items():
        for target in TARGETS:
            required = "".join(f"Requires-Dist: {each}\n" for each in requirements)
            module = name.replace("-", "_")
            files = {f"{module}/__init__.py": b"", f"{module}/{target}": b"x" * 5000}
            make_wheel(
                directory, files, name=module, version="2.1",
                tag=f"cp313-cp313-ios_12_0_{target}",
                metadata=f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.1\nRequires-Python: >=3.9\n{required}",
            )  # fmt: skip
    return directory


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Another index, which stands for the public one: it has what needs no compiler; the address of its simple/."""
    where = tmp_path_factory.mktemp("pure")
    wheel = make_wheel(
        where, {"closure_jobs.py": b""}, name="closure_jobs", version="1.5", tag="py3-none-any",
        metadata=f"Metadata-Version: 2.1\nName: {PURE}\nVersion: 1.5\n",
    )  # fmt: skip
    make_index(str(where / "site"), [wheel], ForgeHome(where / "home"), SilentProgress())
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "http.server",
        str(port),
        "--bind",
        "127.0.0.1",
        "--directory",
        str(where / "site"),
    ]
    with running(command, f"http://127.0.0.1:{port}/", where / "log"):
        yield f"http://127.0.0.1:{port}/simple/"


@pytest.fixture(scope="module")
def pips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """How pips are called, each in an environment of its own."""
    found: dict[str, list[str]] = {}
    for name, requirement in PIPS.items():
        environment = tmp_path_factory.mktemp("pip")
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = str(environment / "bin" / "python")
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", requirement]
        subprocess.run(command, check=True, timeout=300)
        found[name] = [python, "-m", "pip"]
    return found


def documented(language: str) -> str:
    """A block of docs/index.md."""
    text = (Path(__file__).parents[3] / "docs" / "index.md").read_text()
    block = re.search(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    assert block
    return block[1]


def make(place: str, wheels: Path, where: Path, url: str) -> None:
    make_index(place, wheels.glob("*.whl"), ForgeHome(where / "home"), SilentProgress(), url=f"{url}/simple/")


@contextmanager
def by_nginx(where: Path, wheels: Path, _: str) -> Iterator[Served]:
    """nginx as the documentation configures it."""
    site = where / "site"
    http = documented("nginx").replace("/srv/wheels", str(site)).replace("PORT", "127.0.0.1:PORT")
    with nginx(where / "nginx", http) as url:
        make(str(site), wheels, where, url)
        yield Served(url, where / "nginx" / "access.log")


@contextmanager
def serve(where: Path, wheels: Path, *more: str) -> Iterator[Served]:
    """``forge index serve``."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    make(str(where / "site"), wheels, where, url)
    command = [str(BIN / "forge"), "index", "serve", "site", "--port", str(port), "--access-log", *more]
    with running(command, f"{url}/health", where / "log"):
        yield Served(url, where / "log", is_merged=bool(more))


def by_forge(where: Path, wheels: Path, _: str) -> AbstractContextManager[Served]:
    return serve(where, wheels)


def by_merging_forge(where: Path, wheels: Path, pure: str) -> AbstractContextManager[Served]:
    """With the other index behind it."""
    return serve(where, wheels, "--upstream", pure)


@contextmanager
def by_s3(where: Path, wheels: Path, _: str) -> Iterator[Served]:
    """The plain address of a bucket, by the command and the policy that the documentation names."""
    import s3fs  # noqa: PLC0415 - takes a second

    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    variables = {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }  # fmt: skip
    command = [str(BIN / "moto_server"), "-p", str(port)]
    with running(command, endpoint, where / "log"), pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.makedirs("bucket", exist_ok=True)
        files.call_s3("put_bucket_policy", Bucket="bucket", Policy=documented("json"))
        make("s3://bucket/wheels", wheels, where, f"{endpoint}/bucket/wheels")
        s3fs.S3FileSystem.clear_instance_cache()
        yield Served(f"{endpoint}/bucket/wheels", where / "log")


SERVERS: dict[str, Callable[[Path, Path, str], AbstractContextManager[Served]]] = {
    "nginx": by_nginx, "forge": by_forge, "merging-forge": by_merging_forge, "s3": by_s3,
}  # fmt: skip


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, wheels: Path, pure: str
) -> Iterator[Served]:
    with SERVERS[request.param](tmp_path_factory.mktemp("served"), wheels, pure) as served:
        yield served


def pasted(server: Served, pure: str, client: str, target: str) -> tuple[str, dict[str, str]]:
    """The snippet for a client and target without the project's name at its end, and the variables to run it with.

    The other index is the default one, as if it were public; of a server that has both, no other index is needed.
    """
    page = httpx.get(f"{server.url}/packages/closure-learn/", trust_env=False).text
    command = for_target(snippet(page, UV if client == "uv" else PIP), target).rstrip()
    assert f"{server.url}/simple/" in command
    assert command.endswith(" closure-learn")
    env = {"PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "NO_PROXY": "*"}
    if server.is_merged:
        command = command.replace("--extra-index-url", "--index-url").replace("--index ", "--default-index ")
    else:
        env |= {"PIP_INDEX_URL": pure, "UV_DEFAULT_INDEX": pure}
    return command.removesuffix("closure-learn"), env


def check_installed(directory: Path, target: str) -> None:
    installed = {path.name for path in (directory / "app_packages.iphoneos").rglob("*")}
    assert {"closure_jobs.py", target, *(name.replace("-", "_") for name in CLOSURE)} <= installed
    assert not (set(TARGETS) - {target}) & installed, "the wheels of that target alone"


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("client", [*PIPS, "uv"])
def test_with_hashes(
    server: Served, pure: str, pips: dict[str, list[str]], client: str, target: str, tmp_path: Path
) -> None:
    command, env = pasted(server, pure, client, target)
    pinned = requirements(server, pure, tmp_path)
    run(f"{command} --require-hashes -r {pinned}", tmp_path, pip=pips.get(client, ()), env=env)
    check_installed(tmp_path, target)


@pytest.mark.parametrize("client", [*PIPS, "uv"])
def test_with_hashes_of_other_files(
    server: Served, pure: str, pips: dict[str, list[str]], client: str, tmp_path: Path
) -> None:
    command, env = pasted(server, pure, client, "arm64_iphoneos")
    pinned = requirements(server, pure, tmp_path)
    pinned.write_text(re.sub(r"sha256:\w{60}", f"sha256:{'0' * 60}", pinned.read_text()))
    with pytest.raises(AssertionError, match=r"(?i)hash"):
        run(f"{command} --require-hashes -r {pinned}", tmp_path, pip=pips.get(client, ()), env=env)


@pytest.mark.parametrize("client", [*PIPS, "uv"])
def test_metadata_comes_first(
    server: Served, pure: str, pips: dict[str, list[str]], client: str, tmp_path: Path
) -> None:
    """What wheels require is known before one is downloaded (where hashes are required, pip downloads all at once)."""
    target = "x86_64_iphonesimulator"
    command, env = pasted(server, pure, client, target)
    before = len(server.asked())
    run(f"{command} closure-learn", tmp_path, pip=pips.get(client, ()), env=env)
    check_installed(tmp_path, target)
    asked = server.asked()[before:]
    metadata = [found.start() for found in re.finditer(r"closure_\w+-2\.1[\w.-]+\.whl\.metadata", asked)]
    files = [found.start() for found in re.finditer(r"closure_\w+-2\.1[\w.-]+\.whl[ ?\"]", asked)]
    assert len(metadata) >= len(CLOSURE) <= len(files)
    assert max(metadata) < min(files)


def test_both_forms(server: Served) -> None:
    """JSON where the server negotiates; HTML, with its type, everywhere."""
    url = f"{server.url}/simple/closure-learn/"
    for page in (url, f"{server.url}/simple/"):
        got = httpx.get(page, trust_env=False)
        assert got.headers["content-type"].partition(";")[0] == "text/html"
        assert "closure" in got.text
    got = httpx.get(url, headers={"Accept": f"{JSON}, text/html; q=0.1"}, trust_env=False)
    if "/bucket/" in server.url:
        assert got.headers["content-type"] == "text/html"
    else:
        assert got.headers["content-type"] == JSON
        assert got.json()["name"] == "closure-learn"
        assert "accept" in got.headers["vary"].lower()
    assert httpx.get(f"{server.url}/simple/nothing/", trust_env=False).status_code == 404


def requirements(server: Served, pure: str, directory: Path) -> Path:
    """The closure, pinned, with the hashes that the pages of the indexes have."""
    lines = []
    for name, version, index in (*((name, "2.1", f"{server.url}/simple/") for name in CLOSURE), (PURE, "1.5", pure)):
        page = httpx.get(f"{index}{name}/", trust_env=False).text
        hashes = sorted(set(re.findall(r"#sha256=([0-9a-f]{64})", page)))
        lines.append(" ".join([f"{name}=={version}", *(f"--hash=sha256:{digest}" for digest in hashes)]))
    file = directory / "requirements.txt"
    file.write_text("\n".join(lines) + "\n")
    return file
