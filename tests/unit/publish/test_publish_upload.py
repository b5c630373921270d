"""``forge publish`` to a server with the upload API."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import ForgeError
from forge.base.hashing import file_sha256
from forge.base.progress import SilentProgress
from forge.index.add import new_file
from forge.publish.model import PublishError, Sent
from forge.publish.pypirc import Repository
from forge.publish.to_repository import UploadServer
from forge.publish.upload import Uploader
from forge.source.http import Patience, client
from forge.source.pip_settings import PipSettings
from forge.wheel.contents import read_wheel
from tests.unit.publish.conftest import PASSWORD, wheel
from tests.unit.publish.server import served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from forge.index.add import NewFile
    from tests.unit.cli.runner import Forge, Said
    from tests.unit.publish.server import Server

    Publish = Callable[..., Said]
    Plain = Callable[[Said], tuple[int, str]]

NAME = "demo-1.0-py3-none-any.whl"


@pytest.fixture
def to(server: Server) -> tuple[str, ...]:
    return "--to", server.url, "--index-url", server.simple


def offered(path: Path) -> NewFile:
    file = new_file(path, file_sha256(path), "")
    assert file is not None
    return file


@pytest.mark.usefixtures("login")
class TestASet:
    def test_each_after_what_it_requires(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...], snapshot: SnapshotAssertion
    ) -> None:
        wheel(forge.root, "app", Requires_Dist="demo>=1")
        wheel(forge.root, "base")
        wheel(
            forge.root, Requires_Dist="base", Summary="A demonstration", Requires_Python=">=3.9", Keywords="a,b",
            License_Expression="MIT", Project_URL="Source, https://example.org", Platform="ios",
        )  # fmt: skip
        said = publish("wheels", *to)
        assert (said.code, said.out) == snapshot(name="out")
        assert "3 published to http://" in said.err
        assert "read back from http://" in said.err
        assert server.names() == ["base-1.0-py3-none-any.whl", NAME, "app-1.0-py3-none-any.whl"]
        form = {**server.forms[1], "sha256_digest": "HASH"}
        assert form == snapshot(name="form")
        assert server.files[NAME] == (forge.root / "wheels" / NAME).read_bytes()

    def test_circles(self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...]) -> None:
        wheel(forge.root, "one", Requires_Dist="two")
        wheel(forge.root, "two", Requires_Dist="one")
        assert publish("wheels", *to).code == 0
        assert len(server.files) == 2

    def test_twice(self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...]) -> None:
        wheel(forge.root)
        assert publish("wheels", *to).out == f"published: {NAME}\n"
        said = publish("wheels", *to)
        assert (said.code, said.out) == (0, f"there already: {NAME}\n")
        assert "nothing to do" in said.err
        assert server.names() == [NAME]

    def test_twice_where_the_index_has_no_hashes(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...]
    ) -> None:
        server.hashes = False
        wheel(forge.root)
        assert publish("wheels", *to).code == 0
        assert publish("wheels", *to).out == f"there already: {NAME}\n"
        wheel(forge.root, body=b"x = 1\n")
        assert publish("wheels", *to).code == PublishError.exit_code
        assert server.names() == [NAME]

    def test_a_run_that_failed_is_done_again(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...]
    ) -> None:
        wheel(forge.root, Requires_Dist="base")
        wheel(forge.root, "base")
        publish("wheels/base-1.0-py3-none-any.whl", *to)
        server.answers = [(400, "", "bad day")]
        assert publish("wheels", *to).code == PublishError.exit_code
        said = publish("wheels", *to)
        assert said.out == f"there already: base-1.0-py3-none-any.whl\npublished: {NAME}\n"
        assert server.names() == ["base-1.0-py3-none-any.whl", NAME]

    def test_what_would_become_of_it(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...], snapshot: SnapshotAssertion
    ) -> None:
        wheel(forge.root)
        publish("wheels", *to)
        wheel(forge.root, version="1.1")
        wheel(forge.root, "other", Requires_Dist="nowhere>=2")
        said = publish("wheels", *to, "--dry-run")
        assert (said.code, said.out) == snapshot
        assert server.names() == [NAME]


@pytest.mark.usefixtures("login")
class TestOtherBytes:
    def test_are_refused(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...],
        snapshot: SnapshotAssertion,
    ) -> None:  # fmt: skip
        server.overwrites = True  # forge looks before it sends
        wheel(forge.root)
        publish("wheels", *to)
        wheel(forge.root, body=b"x = 1\n")
        wheel(forge.root, version="2.0")
        assert plain(publish("wheels", *to)) == snapshot
        assert server.names() == [NAME], "nor was the other one sent"
        assert publish("wheels", *to, "--dry-run").out.startswith(f"refused: {NAME}\n")

    def test_go_under_the_next_build_number(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...]
    ) -> None:
        wheel(forge.root)
        publish("wheels", *to, "--build-number", "+1")
        assert list(server.files) == [NAME], "the first needs none"
        for number in (1, 2):
            path = wheel(forge.root, body=b"x = %d\n" % number)
            name = f"demo-1.0-{number}-py3-none-any.whl"
            before = path.read_bytes()
            assert publish("wheels", *to, "--build-number", "+1").out == f"published: {name}\n"
            assert path.read_bytes() == before
            assert publish("wheels", *to, "--build-number", "+1").out == f"there already: {name}\n", "it resumes"
            (forge.root / name).write_bytes(server.files[name])
            contents = read_wheel(forge.root / name)
            assert (contents.wheel.build, contents.name.build, contents.record_problems) == (str(number),) * 2 + ((),)
            assert contents.read("demo/__init__.py") == b"x = %d\n" % number
        assert list(server.files) == [NAME, "demo-1.0-1-py3-none-any.whl", "demo-1.0-2-py3-none-any.whl"]

    def test_two_of_one_name(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...],
        snapshot: SnapshotAssertion,
    ) -> None:  # fmt: skip
        wheel(forge.root / "one")
        wheel(forge.root / "two", body=b"x = 1\n")
        assert plain(publish("one", "two", *to)) == snapshot
        assert not server.forms
        wheel(forge.root / "two")
        assert publish("one", "two", *to).code == 0
        assert server.names() == [NAME]

    @pytest.mark.parametrize("case", ["same", "other", "unlisted", "unseen"])
    def test_published_by_somebody_else_meanwhile(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...], case: str,
        snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        content = wheel(forge.root).read_bytes()
        send = UploadServer.send

        def late(self: UploadServer, *rest: object) -> Sent:
            server.files[NAME] = content if case == "same" else b"other"
            server.lists = case != "unlisted"
            return send(self, *rest)  # type: ignore[arg-type]  # passed on as they come

        monkeypatch.setattr(UploadServer, "send", late)
        where = to if case != "unseen" else (*to[:3], "none")
        said = publish("wheels", *where)
        assert (said.out, plain(said)) == snapshot
        assert not server.forms


class TestRefused:
    def test_a_wrong_password(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, login: None, snapshot: SnapshotAssertion
    ) -> None:
        """The server's answer quotes the request's header, and the message does not."""
        server.login = "me:another"
        wheel(forge.root)
        assert plain(publish("wheels", "--to", server.url, "--index-url", "none")) == snapshot(name="upload")
        assert plain(publish("wheels", "--to", server.url, "--index-url", server.simple)) == snapshot(name="index")
        assert not server.files

    def test_no_password(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, snapshot: SnapshotAssertion
    ) -> None:
        server.login = "me:another"
        wheel(forge.root)
        assert plain(publish("wheels", "--to", server.url, "--index-url", "none")) == snapshot

    @pytest.mark.parametrize(
        "answer",
        [
            (400, "", "<html><style>b {}</style><h1>Bad</h1>Invalid value for <b>license</b></html>"),
            (400, "The name 'demo' is too similar to another", ""), (403, "", "not your project"), (404, "", ""),
            (405, "", ""), (413, "", ""), (422, "", "x" * 1000), (302, "", ""), (507, "", ""), (501, "", ""),
            (500, "", "Oops, in demo.py"), (503, "", ""),
        ],
        ids=lambda answer: f"{answer[0]}-{answer[1][:3]}",
    )  # fmt: skip
    def test_what_servers_say(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...], login: None,
        answer: tuple[int, str, str], snapshot: SnapshotAssertion,
    ) -> None:  # fmt: skip
        server.answers, server.location = [answer] * 3, "https://me:pw@elsewhere.example.org/?token=x"
        wheel(forge.root)
        said = publish("wheels", *to)
        assert plain(said) == snapshot
        assert "pw" not in said.err
        server.answers = []
        assert publish("wheels", *to).code == 0

    @pytest.mark.parametrize(
        "answer",
        [(400, "File already exists.", ""), (400, "", "cannot be updating asset"), (403, "", "no permission to "
         "overwrite artifact"), (409, "", "")],
    )  # fmt: skip
    def test_how_servers_say_that_a_file_is_there(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...], answer: tuple[int, str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        content = wheel(forge.root).read_bytes()
        send = UploadServer.send

        def late(self: UploadServer, *rest: object) -> Sent:
            server.files[NAME], server.answers = content, [answer]
            return send(self, *rest)  # type: ignore[arg-type]  # passed on as they come

        monkeypatch.setattr(UploadServer, "send", late)
        assert publish("wheels", *to).out == f"there already: {NAME}\n"

    def test_what_may_pass_is_tried_again(
        self, forge: Forge, server: Server, publish: Publish, to: tuple[str, ...]
    ) -> None:
        server.answers = [(503, "", ""), (429, "", "")]
        wheel(forge.root)
        assert publish("wheels", *to).code == 0
        assert server.names() == [NAME]


@pytest.mark.usefixtures("login")
class TestTheNetwork:
    def test_a_connection_cut_half_way(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...]
    ) -> None:
        wheel(forge.root, body=bytes(range(256)) * 20000)
        server.cuts = 3
        code, text = plain(publish("wheels", *to))
        assert code == PublishError.exit_code
        assert text.startswith(f"error[publish]: cannot upload {NAME} to SERVER/: ")
        assert text.endswith("hint: run the same command again: what has arrived is not sent again")
        assert not server.files, "nothing half is there"
        server.cuts = 1
        assert publish("wheels", *to).out == f"published: {NAME}\n"

    def test_a_server_that_keeps_half(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...],
        snapshot: SnapshotAssertion,
    ) -> None:  # fmt: skip
        """As pypiserver does on wsgiref; forge finds it out, at once or in the next run."""
        wheel(forge.root)
        server.cuts, server.halves = 1, {NAME: b"half"}
        assert plain(publish("wheels", *to)) == snapshot
        assert publish("wheels", *to).code == PublishError.exit_code
        server.files.clear()
        assert publish("wheels", *to).out == f"published: {NAME}\n"

    def test_nobody_there(self, forge: Forge, publish: Publish) -> None:
        with served() as gone:
            url = gone.url
        wheel(forge.root)
        said = publish("wheels", "--to", url, "--index-url", "none")
        assert said.code == PublishError.exit_code
        assert f"cannot upload {NAME} to {url}" in said.err
        assert publish("wheels", "--to", url, "--index-url", f"{url}simple/").code == 5

    def test_no_answer_in_time(self, forge: Forge, server: Server) -> None:
        server.hold.clear()
        patience = Patience(read=0.2, attempts=1)
        with client(patience) as http, pytest.raises(PublishError, match="no answer in time"):
            Uploader(http, server.url, None, patience).upload(offered(wheel(forge.root)))

    def test_what_the_server_changed_is_found(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...],
        snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        send = UploadServer.send

        def changing(self: UploadServer, *rest: object) -> Sent:
            sent = send(self, *rest)  # type: ignore[arg-type]  # passed on as they come
            server.files[NAME] += b"more"
            return sent

        monkeypatch.setattr(UploadServer, "send", changing)
        wheel(forge.root)
        assert plain(publish("wheels", *to)) == snapshot

    def test_what_is_never_listed(
        self, forge: Forge, server: Server, publish: Publish, plain: Plain, to: tuple[str, ...],
        snapshot: SnapshotAssertion,
    ) -> None:  # fmt: skip
        server.lists = False
        wheel(forge.root)
        assert plain(publish("wheels", *to)) == snapshot

    @pytest.mark.parametrize("same", [True, False])
    def test_two_publishers_at_once(self, forge: Forge, server: Server, same: bool) -> None:
        """Both looked before either sent."""
        server.login = ""
        files = [offered(wheel(forge.root / str(n), body=b"" if same else b"%d" % n)) for n in range(2)]
        repository = Repository(server.url, server.simple)
        outcomes: list[Sent | ForgeError] = []
        both = threading.Barrier(2)

        def run(file: NewFile) -> None:
            target = UploadServer(repository, "", PipSettings())
            assert target.files("demo") == ()
            both.wait(20)
            try:
                outcomes.append(target.send([file], SilentProgress()))
            except ForgeError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=run, args=(file,)) for file in files]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        won = [one for one in outcomes if isinstance(one, Sent) and one.new]
        assert len(won) == len(server.forms) == 1
        other = next(one for one in outcomes if one is not won[0])
        if same:
            assert other == Sent((), (NAME,))
        else:
            assert isinstance(other, PublishError)
            assert all(file.held.sha256 in other.message for file in files)


class TestTheCommandLine:
    @pytest.mark.parametrize(
        "arguments",
        [
            (), ("--to", "x", "--repository", "pypi"), ("--to", f"https://me:{PASSWORD.replace('/', '')}@example.org/"),
            ("--to", "https://example.org/"), ("--to", "https://"), ("--to", "ftp://me:pw@example.org/"),
            ("--to", "site", "--index-url", "https://me:pw@example.org/simple/"), ("--to", "site", "--index-url", "x"),
            ("--repository", "nothing"), ("--to", "https://[/"), ("--to", "site", "--index-url", "https://[/"),
        ],
        ids=range(11),
    )  # fmt: skip
    def test_is_wrong(
        self, forge: Forge, publish: Publish, plain: Plain, arguments: tuple[str, ...], snapshot: SnapshotAssertion
    ) -> None:
        wheel(forge.root)
        said = publish("wheels", *arguments)
        assert plain(said) == snapshot
        assert "pw" not in said.err
        assert not (forge.root / "site").exists()

    def test_no_wheels(self, forge: Forge, publish: Publish, plain: Plain, snapshot: SnapshotAssertion) -> None:
        (forge.root / "empty").mkdir()
        assert plain(publish("empty", "--to", "site")) == snapshot
