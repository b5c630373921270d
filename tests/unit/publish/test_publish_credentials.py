"""Where user and password come from, and that neither is ever said."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.publish.credentials import TOKEN_USER, Credentials, find_credentials, split_credentials
from forge.publish.model import PublishError
from forge.publish.pypirc import Repository, repository_named
from tests.unit.publish.conftest import PASSWORD, USER, wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge, Said
    from tests.unit.publish.server import Server

URL = "https://wheels.example.org/upload/"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return tmp_path / "user"


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str | None], tuple[str, str]]:
    """The package keyring, with what the test puts in."""
    held: dict[tuple[str, str | None], tuple[str, str]] = {}

    def get_credential(service: str, username: str | None) -> object:
        found = held.get((service, username))
        return found and types.SimpleNamespace(username=found[0], password=found[1])

    module = types.ModuleType("keyring")
    module.get_credential = get_credential  # type: ignore[attr-defined]  # a module made here
    monkeypatch.setitem(sys.modules, "keyring", module)
    return held


class TestOrder:
    def test_each_place_before_the_next(
        self, user: Path, keyring: dict[tuple[str, str | None], tuple[str, str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository = Repository(URL)

        def found(at: Repository = repository) -> tuple[str, str, str] | None:
            one = find_credentials(at)
            return (one.username, one.password, one.source) if one else None

        assert found() is None
        with_file = Repository(URL, username="filed", password="p4")  # noqa: S106
        assert found(with_file) == ("filed", "p4", "the .pypirc file")
        (user / ".netrc").write_text("machine wheels.example.org login netted password p3\n")
        assert found(with_file) == ("netted", "p3", "the netrc file")
        keyring["wheels.example.org", "filed"] = ("filed", "p2")
        keyring["wheels.example.org", None] = ("ringed", "p2")
        assert found(with_file) == ("filed", "p2", "the keyring")
        assert found() == ("ringed", "p2", "the keyring")
        keyring[URL, None] = ("addressed", "p2")
        assert found() == ("addressed", "p2", "the keyring")
        monkeypatch.setenv("TWINE_PASSWORD", "p1")
        assert found() == (TOKEN_USER, "p1", "the environment (TWINE_PASSWORD)")
        assert found(with_file) == ("filed", "p1", "the environment (TWINE_PASSWORD)")
        monkeypatch.setenv("TWINE_USERNAME", "twined")
        monkeypatch.setenv("FORGE_PUBLISH_PASSWORD", "p0")
        assert found() == ("twined", "p0", "the environment (FORGE_PUBLISH_PASSWORD)")
        monkeypatch.setenv("FORGE_PUBLISH_USERNAME", "forged")
        assert found() == ("forged", "p0", "the environment (FORGE_PUBLISH_PASSWORD)")

    def test_a_user_of_the_environment_gets_no_other_ones_password(
        self, user: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FORGE_PUBLISH_USERNAME", "token-as-user")
        (user / ".netrc").write_text("machine wheels.example.org login netted password p3\n")
        found = find_credentials(Repository(URL))
        assert found is not None
        assert (found.username, found.password) == ("token-as-user", "")
        assert found.scrub("I know token-as-user") == "I know …"

    def test_a_keyring_that_is_locked_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def locked(*_: object) -> object:
            raise RuntimeError("locked")

        module = types.ModuleType("keyring")
        module.get_credential = locked  # type: ignore[attr-defined]  # a module made here
        monkeypatch.setitem(sys.modules, "keyring", module)
        assert find_credentials(Repository(URL)) is None

    @pytest.mark.parametrize("content", [b"machine", b"\xff\xfe", b"machine wheels.example.org login x"])
    def test_a_damaged_netrc_says_nothing(self, user: Path, content: bytes) -> None:
        (user / ".netrc").write_bytes(content)
        assert find_credentials(Repository(URL)) is None


class TestPypirc:
    def write(self, user: Path, text: str) -> None:
        (user / ".pypirc").write_text(text, encoding="utf-8")

    def test_a_section(self, user: Path) -> None:
        self.write(user, f"[mine]\nrepository = {URL}\nusername = me\npassword = 50%-off;really\n")
        assert repository_named("mine") == Repository(URL, "", "me", "50%-off;really")
        self.write(user, f"[mine]\nrepository = https://me:{'a%2Fb'}@wheels.example.org/upload/\n")
        assert repository_named("mine") == Repository(URL, "", "me", "a/b")

    def test_pypi_needs_none(self, user: Path) -> None:
        known = repository_named("pypi")
        assert known.url.startswith("https://upload.")
        assert known.index_url.endswith("/simple/")
        self.write(user, "[pypi]\nusername = __token__\npassword = x\n")
        assert repository_named("pypi").password == "x"  # noqa: S105

    @pytest.mark.parametrize(
        "text",
        [
            f"password = {PASSWORD}\n[mine]\n", f"[mine]\n{PASSWORD}\n", f"[mine]\npassword={PASSWORD}\n[mine]\n",
            f"[mine]\npassword = {PASSWORD}\n", f"[mine]\nrepository = me:{PASSWORD}@example.org\n",
            f"[other]\npassword = {PASSWORD}\n[distutils]\nindex-servers = mine\n",
            f"[mine]\nrepository = https://me:{PASSWORD}@[::1\n",
        ],
        ids=range(7),
    )  # fmt: skip
    def test_a_wrong_one(
        self, forge: Forge, user: Path, publish: Callable[..., Said], plain: Callable[[Said], tuple[int, str]],
        text: str, snapshot: SnapshotAssertion,
    ) -> None:  # fmt: skip
        self.write(user, text)
        wheel(forge.root)
        assert plain(publish("wheels", "--repository", "mine")) == snapshot

    def test_not_text(self, user: Path) -> None:
        (user / ".pypirc").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(PublishError, match="not an INI file"):
            repository_named("mine")

    def test_publishes(self, forge: Forge, user: Path, server: Server, publish: Callable[..., Said]) -> None:
        server.login = f"{USER}:{PASSWORD}"
        self.write(user, f"[mine]\nrepository = {server.url}\nusername = {USER}\npassword = {PASSWORD}\n")
        wheel(forge.root)
        assert publish("wheels", "--repository", "mine", "--index-url", server.simple).code == 0
        assert len(server.files) == 1

    def test_no_other_server_gets_the_password(
        self, forge: Forge, user: Path, server: Server, publish: Callable[..., Said]
    ) -> None:
        """The index is asked with the user of the upload only if it is on the same server."""
        server.login = f"{USER}:{PASSWORD}"
        self.write(user, f"[mine]\nrepository = {server.url}\nusername = {USER}\npassword = {PASSWORD}\n")
        wheel(forge.root)
        other = server.simple.replace("127.0.0.1", "localhost")
        said = publish("wheels", "--repository", "mine", "--index-url", other)
        assert said.code == 5
        assert "HTTP 401" in said.err


class TestSecrets:
    @given(st.text(), st.text(min_size=1))
    def test_a_password_is_in_no_repr_and_in_nothing_scrubbed(self, user: str, password: str) -> None:
        one = Credentials(user, password, "the tests")
        assert one == Credentials(user, password, "the tests")
        assert "password" not in repr(one)
        assert password not in one.scrub(f"before {password} after") or password in "before … after"  # noqa: S105

    @given(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8"), min_size=1))
    def test_an_address_holds_any_user_and_password(self, user: str, password: str) -> None:
        url = Credentials(user, password, "the tests").into(URL)
        assert split_credentials(url) == (URL, user, password)
