"""``forge index verify`` finds what is wrong, and nothing in an index that is whole."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import SourceError
from forge.base.hashing import file_sha256
from forge.base.progress import SilentProgress
from forge.index.faults import Kind
from forge.index.verify import Against, verify_index
from forge.source.index import IndexFile
from forge.source.pip_settings import PipSettings
from tests.unit.index.test_index_make import TAGS, made, wheel
from tests.unit.source.conftest import Server, server
from tests.unit.source.test_source_index import html as html_page
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

__all__ = ["made", "server"]

DEMO = "files/demo/demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"


def whole(made: Forge) -> Path:
    for tag in list(TAGS)[1:]:
        wheel(made.root, "other", "1.5", tag=tag)
    assert made("index", "make", "site", "wheels").code == 0
    return made.root / "site"


def edit(file: Path, change: Callable[[bytes], bytes]) -> None:
    file.write_bytes(change(file.read_bytes()))


FAULTS: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda site: edit(site / DEMO, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    "a longer file": lambda site: edit(site / DEMO, lambda data: data + b"x"),
    "a file that is gone": lambda site: (site / DEMO).unlink(),
    "metadata that is gone": lambda site: (site / f"{DEMO}.metadata").unlink(),
    "other metadata": lambda site: (site / f"{DEMO}.metadata").write_text("Name: x\n"),
    "a stale page": lambda site: edit(site / "simple/demo/index.html", lambda data: data.replace(b">=", b">")
                                      if b">=" in data else data.replace(b"&gt;=", b"&gt;")),
    "a page that is gone": lambda site: (site / "simple/other/index.json").unlink(),
    "a list without a project": lambda site: (site / "simple/index.json").write_text('{"projects": []}'),
}  # fmt: skip


def test_nothing_is_wrong(made: Forge) -> None:
    whole(made)
    said = made("index", "verify", "site", "--offline")
    assert (said.code, said.out) == (0, "")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault(made: Forge, fault: str, snapshot: SnapshotAssertion) -> None:
    site = whole(made)
    FAULTS[fault](site)
    said = made("index", "verify", "site", "--offline")
    assert (said.code, said.out) == snapshot
    assert said.code == 16


@pytest.mark.parametrize("record", ["demo/__init__.py,sha256=AAAA,0\n", '"'])
def test_a_wheel_that_was_unsound_when_it_was_added(forge: Forge, record: str, snapshot: SnapshotAssertion) -> None:
    """The index was made without a look at what its files hold."""
    make_wheel(forge.root / "wheels", {"demo/__init__.py": b""}, name="demo", tag="py3-none-any", record=record)
    assert forge("index", "make", "site", "wheels").code == 0
    said = forge("index", "verify", "site", "--offline")
    assert (said.code, said.out) == snapshot
    assert said.code == 16


def test_over_http(made: Forge, server: Server) -> None:
    site = whole(made)
    for file in site.rglob("*"):
        if file.is_file():
            server.put(f"/index/{file.relative_to(site)}", file.read_bytes())
    assert verify_index(f"{server.url}/index", SilentProgress(), Against()) == []
    server.put(f"/index/{DEMO}", b"something else")
    assert [fault.kind for fault in verify_index(f"{server.url}/index", SilentProgress(), Against())] == [Kind.FILE]


@pytest.mark.parametrize("place", ["nowhere", "http://127.0.0.1:9/x", "ftp://example.org/x"])
def test_no_index(forge: Forge, place: str, snapshot: SnapshotAssertion) -> None:
    said = forge("index", "verify", place, "--offline")
    assert (said.code, said.err) == snapshot


def test_a_target_that_is_missing(made: Forge) -> None:
    said = made("index", "verify", "site", "--offline")
    assert said.out == (
        "target: other: 1.5 for Python 3.13 lacks arm64-iphonesimulator, x86_64-iphonesimulator\n"
        "requirement: demo: requires other<2, of which there is no wheel for Python 3.13 on arm64-iphonesimulator\n"
    )


def test_an_index_of_fewer_targets(made: Forge) -> None:
    device = made("index", "verify", "site", "--offline", "--abi", "iphoneos")
    assert (device.code, device.out) == (0, "")
    simulator = made("index", "verify", "site", "--offline", "--arch", "x86_64")
    assert simulator.code == 16
    assert simulator.out.startswith("target: other: 1.5 for Python 3.13 lacks x86_64-iphonesimulator\n")


@dataclass(frozen=True)
class Other:
    """Another index: names of files by project, and where their content is, if anybody is to download it."""

    projects: Mapping[str, Sequence[str]]
    contents: Path | None = None
    yanked: Collection[str] = ()
    got: list[str] = field(default_factory=list)

    def files(self, name: str) -> list[IndexFile]:
        return [
            IndexFile(
                filename, filename.split("-")[1], filename.endswith(".tar.gz"), "https://example.org/x",
                file_sha256(self.contents / filename) if self.contents else "ab" * 32,
                is_yanked=filename in self.yanked,
            )
            for filename in self.projects.get(name, ())
        ]  # fmt: skip

    def get(self, file: IndexFile) -> Path:
        self.got.append(file.filename)
        if self.contents is None:
            raise SourceError(f"the index gives no sha256 of {file.filename}", hint="x")
        return self.contents / file.filename


def faults(made: Forge, **projects: Sequence[str]) -> list[tuple[str, str, str]]:
    return told(made, Other(projects))


def told(made: Forge, other: Other) -> list[tuple[str, str, str]]:
    found = verify_index(str(made.root / "site"), SilentProgress(), Against(other))
    return [(str(fault.kind), fault.subject, fault.message) for fault in found]


def test_requirements_that_upstream_has(made: Forge) -> None:
    for tag in TAGS:
        wheel(made.root, "user", tag=tag, Requires_Dist="pure>=2; sys_platform == 'ios'")
        wheel(made.root, "desktop", tag=tag, Requires_Dist="psutil; sys_platform != 'ios'")
        wheel(made.root, "extra", tag=tag, Requires_Dist="psutil; extra == 'more'")
    whole(made)
    there = ["pure-2.0-py3-none-any.whl"]
    assert faults(made, pure=there) == []
    kinds = faults(made, pure=["pure-1.0-py3-none-any.whl", "pure-2.0.tar.gz", "pure-2.0-cp313-cp313-win_amd64.whl"])
    assert kinds == [
        ("requirement", "user", "requires pure>=2, of which there is no wheel for Python 3.13 on arm64-iphoneos")
    ]


def test_what_is_taken_instead(made: Forge) -> None:
    whole(made)
    assert (
        faults(made, demo=["demo-0.9-py3-none-any.whl", "demo-1.0-py3-none-any.whl", "demo-2.0rc1-py3-none-any.whl"])
        == []
    )
    (fault,) = faults(made, demo=["demo-1.1-py3-none-any.whl", "demo-1.2-cp313-cp313-ios_13_0_arm64_iphoneos.whl"])
    assert fault[:2] == ("shadow", "demo")
    assert "iOS wheels of the project's own of 1.2, which is newer than 1.0" in fault[2]


def test_what_upstream_has_yanked_is_not_taken(made: Forge) -> None:
    for tag in TAGS:
        wheel(made.root, "user", tag=tag, Requires_Dist="pure>=2")
    whole(made)
    newer, pure = "demo-1.1-py3-none-any.whl", "pure-2.0-py3-none-any.whl"
    projects = {"demo": [newer], "pure": [pure]}
    assert [kind for kind, *_ in told(made, Other(projects))] == ["shadow"]
    assert told(made, Other(projects, yanked=[newer])) == []
    assert [kind for kind, *_ in told(made, Other(projects, yanked=[newer, pure]))] == ["requirement"]


def test_what_is_yanked_does_not_count(made: Forge) -> None:
    whole(made)
    assert made("index", "yank", "site", "other==1.5").code == 0
    kinds = {kind for kind, *_ in faults(made)}
    assert kinds == {"requirement"}, "and nothing of what it lacks itself"
    assert json.loads((made.root / "site/simple/other/index.json").read_text())["files"][0]["yanked"] is True


class TestWheelsOfTheProjectsOwn:
    """iOS wheels of a version that the index has."""

    TAG = "cp313-cp313-ios_13_0_arm64_iphoneos"
    NAME = f"demo-1.0-{TAG}.whl"

    def other(self, made: Forge, body: bytes = b"", tag: str = TAG, **files: bytes) -> Other:
        metadata = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n"
        contents = {"demo/__init__.py": body, **{f"demo/{name}.py": data for name, data in files.items()}}
        file = make_wheel(made.root / "upstream", contents, name="demo", tag=tag, metadata=metadata)
        return Other({"demo": [file.name]}, made.root / "upstream")

    def test_they_hold_the_same(self, made: Forge, snapshot: SnapshotAssertion) -> None:
        whole(made)
        other = self.other(made)
        assert told(made, other) == snapshot
        assert other.got == [self.NAME]

    def test_they_differ(self, made: Forge, snapshot: SnapshotAssertion) -> None:
        whole(made)
        assert told(made, self.other(made, more=b"")) == snapshot

    def test_the_index_has_just_these(self, made: Forge) -> None:
        for tag in list(TAGS)[1:]:
            wheel(made.root, "other", "1.5", tag=tag)
        other = self.other(made)
        assert made("index", "make", "site", "wheels", "upstream").code == 0
        made("index", "yank", "site", "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl")
        assert told(made, other) == []
        assert other.got == []

    def test_they_are_for_another_python(self, made: Forge) -> None:
        whole(made)
        other = self.other(made, tag="cp314-cp314-ios_13_0_arm64_iphoneos")
        ((kind, subject, message),) = told(made, other)
        assert (kind, subject, message.rpartition(": ")[2]) == ("note", "demo", "for other Pythons or targets")

    def test_one_that_cannot_be_had(self, made: Forge) -> None:
        whole(made)
        ((_, _, message),) = told(made, Other({"demo": [self.NAME]}))
        assert "what cannot be compared: the index gives no sha256 of" in message

    def test_from_the_index_that_pip_is_configured_for(
        self, made: Forge, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole(made)
        self.other(made, more=b"")
        content = (made.root / "upstream" / self.NAME).read_bytes()
        server.put(f"/files/{self.NAME}", content)
        server.put("/simple/demo/", html_page({self.NAME: content}))
        monkeypatch.setattr(PipSettings, "from_pip", lambda: PipSettings(index_url=f"{server.url}/simple/"))
        said = made("index", "verify", "site")
        assert (said.code, said.err.splitlines()[-1]) == (0, "nothing is wrong; 1 note")
        (line,) = said.out.splitlines()
        assert line.startswith("note: demo: ")
        assert "they differ from the index's in files" in line
