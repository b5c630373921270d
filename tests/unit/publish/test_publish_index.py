"""``forge publish`` to an index that forge makes, and what refuses wheels."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from typing import TYPE_CHECKING

import pytest

from forge.base.hashing import file_sha256
from forge.index import make as make_module
from forge.index.model import PackageIndexError
from forge.plan.shared.filesystem import FilesystemPlace
from forge.publish import to_index
from forge.publish.model import PublishError
from forge.wheel.sbom import FILE_NAME, Component, render_sbom
from tests.unit.full_places import fill
from tests.unit.index.interruption import interrupted
from tests.unit.publish.conftest import wheel
from tests.unit.wheel.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge, Said

    Publish = Callable[..., Said]
    Plain = Callable[[Said], tuple[int, str]]

NAME = "demo-1.0-py3-none-any.whl"
TARGETS = ("arm64_iphoneos", "arm64_iphonesimulator", "x86_64_iphonesimulator")


def ios(target: str) -> str:
    return f"cp313-cp313-ios_12_0_{target}"


def tree(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def is_whole(site: Path) -> bool:
    """Whether a reader gets every file that a page lists, with the hash that the page says."""
    for page in site.glob("simple/*/index.json"):
        for file in json.loads(page.read_text())["files"]:
            content = (page.parent / file["url"]).resolve().read_bytes()
            if hashlib.sha256(content).hexdigest() != file["hashes"]["sha256"]:
                return False
    return True


@pytest.fixture(autouse=True)
def one_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_module, "now", lambda: "2026-11-29T12:00:00Z")


class TestADirectory:
    def test_a_set(self, forge: Forge, publish: Publish, snapshot: SnapshotAssertion) -> None:
        wheel(forge.root)
        wheel(forge.root, "app", Requires_Dist="demo")
        assert publish("wheels", "--to", "site", "--dry-run").code == 0
        assert not (forge.root / "site").exists()
        said = publish("wheels", "--to", "site")
        assert (said.code, said.out) == snapshot
        assert said.err.endswith("2 published to site; read back from site\n")
        assert (
            publish("wheels", "--to", "site").out == f"there already: app-1.0-py3-none-any.whl\nthere already: {NAME}\n"
        )
        forge("index", "make", "made", "wheels", "--check")
        assert tree(forge.root / "site") == tree(forge.root / "made")

    def test_read_back_as_users_do(self, forge: Forge, publish: Publish, plain: Plain) -> None:
        wheel(forge.root)
        url = f"{(forge.root / 'site').as_uri()}/simple/"
        said = publish("wheels", "--to", "site", "--index-url", url)
        assert said.code == 0
        assert said.err.endswith(f"read back from {url}\n")
        wheel(forge.root, "other")
        elsewhere = f"{(forge.root / 'elsewhere').as_uri()}/simple/"
        code, text = plain(publish("wheels", "--to", "site", "--index-url", elsewhere))
        assert code == PublishError.exit_code
        assert "does not list other-1.0-py3-none-any.whl" in text

    def test_other_bytes(self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion) -> None:
        wheel(forge.root)
        publish("wheels", "--to", "site")
        before = tree(forge.root / "site")
        wheel(forge.root, body=b"x = 1\n")
        wheel(forge.root, "other")
        assert plain(publish("wheels", "--to", "site")) == snapshot
        assert tree(forge.root / "site") == before, "nor was the other one added"
        assert "demo-1.0-1-py3-none-any.whl" in publish("wheels", "--to", "site", "--build-number", "+1").out

    def test_somebody_else_was_faster(self, forge: Forge, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both looked before either wrote: the second finds out under the index's lock."""
        other = wheel(forge.root / "other", body=b"x = 1\n")
        wheel(forge.root)
        calls: list[bool] = []
        make = make_module.make_index

        def second(where: str, *rest: object, **options: object) -> object:
            if not calls:
                calls.append(True)
                make(where, [other], *rest[1:])  # type: ignore[arg-type]  # passed on as they come
            return make(where, *rest, **options)  # type: ignore[arg-type]  # passed on as they come

        monkeypatch.setattr(to_index, "make_index", second)
        said = publish("wheels", "--to", "site")
        assert said.code == PackageIndexError.exit_code
        assert file_sha256(other) in said.err
        assert is_whole(forge.root / "site")

    @pytest.mark.parametrize("number", range(1, 14))
    def test_interrupted(self, forge: Forge, publish: Publish, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        """A reader finds all whole at every moment, and the next run ends the work."""
        wheel(forge.root)
        publish("wheels", "--to", "site")
        wheel(forge.root, version="1.1")
        wheel(forge.root, "app", Requires_Dist="demo")

        def whole() -> None:
            assert is_whole(forge.root / "site")

        with interrupted(monkeypatch, number, whole) as left:
            assert publish("wheels", "--to", "site").code == (130 if left[0] <= 0 else 0)
        assert is_whole(forge.root / "site")
        assert publish("wheels", "--to", "site").code == 0
        forge("index", "make", "made", "wheels", "--check")
        assert tree(forge.root / "site") == tree(forge.root / "made")

    def test_a_full_disk(
        self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        wheel(forge.root)
        publish("wheels", "--to", "site")
        before = tree(forge.root / "site")
        wheel(forge.root, "big")
        with monkeypatch.context() as patched:
            fill(patched)
            assert plain(publish("wheels", "--to", "site")) == snapshot
        assert tree(forge.root / "site") == before, "nothing half is left"
        assert publish("wheels", "--to", "site").code == 0

    def test_what_was_changed_is_found(
        self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        put = FilesystemPlace.put

        def damaging(self: FilesystemPlace, path: str, content: Path | bytes, *rest: object) -> None:
            put(self, path, b"other" if path.endswith(".whl") else content, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(FilesystemPlace, "put", damaging)
        wheel(forge.root)
        assert plain(publish("wheels", "--to", "site")) == snapshot

    def test_other_things_there(self, forge: Forge, publish: Publish) -> None:
        (forge.root / "site").mkdir()
        (forge.root / "site" / "notes").touch()
        wheel(forge.root)
        assert publish("wheels", "--to", "site").code == PackageIndexError.exit_code
        assert os.listdir(forge.root / "site") == ["notes"]  # noqa: PTH208


def linked(root: Path, *licences: str) -> Path:
    """A wheel whose bill of materials names a native library and a crate."""
    prefix = "demo-1.0.dist-info"
    components = [
        Component("file", "demo-1.0 sdist", sha256="0" * 64),
        Component("library", "libx", "2.0"),
        Component("library", "memchr", "2.7.4", purl="pkg:cargo/memchr@2.7.4"),
        Component("library", "numpy", "2.0", purl="pkg:pypi/numpy@2.0"),
        Component("application", "llvm", "19", linked=False),
    ]
    sbom = render_sbom(Component("library", "demo", "1.0"), components, [])
    files = {f"{prefix}/licenses/{name}": b"Licence of\n  memchr 2.7.4: MIT\n" for name in licences}
    return wheel(root, files={**files, f"{prefix}/sboms/{FILE_NAME}": sbom.encode()})


class TestGates:
    def refused(self, publish: Publish, plain: Plain, *arguments: str) -> tuple[int, str]:
        result = plain(publish("wheels", "--to", "site", *arguments))
        assert result[0] == PublishError.exit_code
        return result

    def test_forge_check(self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion) -> None:
        for target in TARGETS:
            wheel(forge.root, tag=ios(target))
        assert self.refused(publish, plain) == snapshot
        assert not (forge.root / "site").exists()
        assert publish("wheels", "--to", "site", "--allow", "check").code == 0

    def test_targets(self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion) -> None:
        for target in TARGETS[:2]:
            wheel(forge.root, tag=ios(target))
        assert self.refused(publish, plain, "--allow", "check") == snapshot
        assert publish("wheels", "--to", "site", "--allow", "check", "--allow", "targets").code == 0
        (forge.root / "wheels").rename(forge.root / "before")
        wheel(forge.root, tag=ios(TARGETS[2]))
        assert publish("wheels", "--to", "site", "--allow", "check").code == 0, "the others are there"

    def test_requirements(
        self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion, server: object
    ) -> None:
        wheel(forge.root, "app", Requires_Dist="demo>=2")
        assert self.refused(publish, plain) == snapshot(name="missing")
        wheel(forge.root / "base")
        publish("base", "--to", "site")
        assert self.refused(publish, plain, "--self-contained") == snapshot(name="too old")
        wheel(forge.root / "base", version="2.1")
        publish("base", "--to", "site")
        assert publish("wheels", "--to", "site", "--self-contained").code == 0

    def test_what_markers_exclude_is_not_required(self, forge: Forge, publish: Publish) -> None:
        wheel(forge.root, Requires_Dist="nowhere; sys_platform == 'win32'")
        assert publish("wheels", "--to", "site").code == 0

    def test_licences(self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion) -> None:
        linked(forge.root, "LICENSE.other/x")
        assert self.refused(publish, plain) == snapshot
        assert publish("wheels", "--to", "site", "--allow", "licences", "--dry-run").code == 0
        linked(forge.root, "libx/LICENSE", "rust-crates.txt")
        assert publish("wheels", "--to", "site").code == 0

    def test_everything_at_once(
        self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion
    ) -> None:
        linked(forge.root)
        wheel(forge.root, "more", tag=ios(TARGETS[0]), Requires_Dist="nowhere")
        said = publish("wheels", "--to", "site", "--dry-run")
        assert (said.out, plain(said)) == snapshot

    def test_native_libraries_stay_out(self, forge: Forge, publish: Publish) -> None:
        path = forge.root / "wheels"
        wheel(forge.root)
        make_wheel(path, {"opt/lib/libx.a": b""}, name="libx", tag="py3-none-ios_12_0_arm64_iphoneos")
        said = publish("wheels", "--to", "site")
        assert (said.code, said.out) == (0, f"published: {NAME}\n")
        assert "left out, since it is a native library for builds: libx-1.0" in said.err


class TestTricks:
    @pytest.mark.parametrize(
        "name",
        ["..-1.0-py3-none-any.whl", "dëmo-1.0-py3-none-any.whl", "demo-1.0-py3-none-a\ny.whl", "demo.whl",
         "demo-1.0-py3-none-any whl.whl", "_-1.0-py3-none-any.whl", "demo-1.0-py3-none-..%2fany.whl"],
    )  # fmt: skip
    def test_names(self, forge: Forge, publish: Publish, plain: Plain, name: str, snapshot: SnapshotAssertion) -> None:
        path = wheel(forge.root)
        path.rename(path.with_name(name))
        assert plain(publish("wheels", "--to", "site")) == snapshot
        assert publish("wheels", "--to", "site", "--build-number", "+1").code != 0
        assert not (forge.root / "site").exists()

    @pytest.mark.parametrize("member", ["../evil", "/etc/evil", "demo/../../evil"])
    def test_members(
        self, forge: Forge, publish: Publish, plain: Plain, member: str, snapshot: SnapshotAssertion
    ) -> None:
        with zipfile.ZipFile(wheel(forge.root), "a") as archive:
            archive.writestr(member, b"")
        assert plain(publish("wheels", "--to", "site")) == snapshot
        assert not (forge.root / "site").exists()

    @pytest.mark.parametrize("project", ["other", "../demo"])
    def test_metadata_of_another_project(
        self, forge: Forge, publish: Publish, plain: Plain, project: str, snapshot: SnapshotAssertion
    ) -> None:
        make_wheel(
            forge.root / "wheels", name="demo", tag="py3-none-any",
            metadata=f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n",
        )  # fmt: skip
        assert plain(publish("wheels", "--to", "site")) == snapshot

    def test_no_wheel_at_all(self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion) -> None:
        (forge.root / "wheels").mkdir()
        (forge.root / "wheels" / NAME).write_bytes(b"not a zip file")
        assert plain(publish("wheels", "--to", "site")) == snapshot
