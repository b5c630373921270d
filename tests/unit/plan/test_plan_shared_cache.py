"""Machines that share a cache: in a directory, and on a web server; and all that can be wrong with it."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest

from forge.base.errors import BuildError, WheelError
from forge.base.paths import ForgeHome
from forge.base.progress import SilentProgress
from forge.plan import run as run_module
from forge.plan.cache import entry_directory, find_wheel, read_latest
from forge.plan.shared import cache as cache_module
from forge.plan.shared.cache import SharedCache, shared_cache
from forge.plan.shared.config import read_settings
from forge.plan.shared.keys import make_key
from forge.plan.shared.model import CacheError
from forge.plan.shared.places import open_place
from tests.unit.crossbuild.fakes import WHEEL
from tests.unit.plan.shared import TAKEN, Files, Team, WebServer, left, notes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.plan.test_plan_run import Builder


def test_one_builds_and_uploads_the_other_takes_it(team: Team, shared: Files, builder: Builder) -> None:
    first, said = team.build("one", "write")
    assert first.built
    assert said[-1].startswith("shared cache: uploaded 1 wheel to ")
    assert len(shared.all()) == 3, "the wheel, its log, the manifest"
    second, said = team.build("two")
    assert (second.built, second.fingerprint) == (False, first.fingerprint)
    assert said[-1] == TAKEN
    assert second.wheel.read_bytes() == first.wheel.read_bytes()
    assert second.wheel == team.root / "two" / "dist" / WHEEL
    assert len(builder.keys) == 1
    entry = entry_directory_of(team, "two", first.fingerprint)
    assert (entry / "build.log").read_text() == "the whole log\n"
    assert json.loads((entry / "taken.json").read_text())["key"] == "ci-1"
    assert builder.verified[-1].parent.parent == entry.parent, "its check ran here"
    third, said = team.build("two", "only")
    assert said[-1].endswith(": taken from the cache")
    assert not third.built


def entry_directory_of(team: Team, machine: str, fingerprint: str) -> Path:
    return entry_directory(ForgeHome(team.root / machine / "home"), fingerprint)


def test_reading_uploads_nothing(team: Team, shared: Files) -> None:
    assert team.build("one")[0].built
    assert shared.all() == {}


def test_what_is_in_the_local_cache_already_is_uploaded_once(team: Team, shared: Files) -> None:
    team.build("one")
    result, said = team.build("one", "write")
    assert not result.built
    assert said[-1].startswith("shared cache: uploaded 1 wheel to ")
    assert not team.build("two")[0].built
    _, said = team.build("one", "write")
    assert not [line for line in said if "uploaded" in line], "it is there"


def test_what_was_taken_is_not_signed_anew(team: Team, shared: Files, tmp_path: Path) -> None:
    team.build("one", "write")
    team.build("two")
    before = shared.all()
    manifest = shared.one("ac/")
    shared.write(manifest, b"{}")
    team.monkeypatch.setenv("FORGE_CACHE_TRUSTED_KEYS", f"{team.key} {make_key('two', tmp_path / 'two.pem')}")
    team.build("two", "write", key=tmp_path / "two.pem")
    assert shared.all() == {**before, manifest: b"{}"}


def test_only(team: Team, shared: Files, builder: Builder) -> None:
    with pytest.raises(CacheError) as raised:
        team.build("two", "only")
    assert "demo 1.0 arm64-iphoneos is not built" in raised.value.message
    assert raised.value.hint
    assert builder.keys == []
    team.build("one", "write")
    assert not team.build("two", "only")[0].built


def test_only_without_a_shared_cache(team: Team, builder: Builder) -> None:
    team.monkeypatch.delenv("FORGE_CACHE", raising=False)
    with pytest.raises(CacheError, match="it is not in this machine's cache"):
        team.build("one", "only")
    team.build("one")
    assert not team.build("one", "only")[0].built


# What is wrong with an entry: it is told, and built instead.


def edited(**values: object) -> Callable[[bytes], bytes]:
    return lambda text: json.dumps({**json.loads(text), **values}).encode()


def without_signature(text: bytes) -> bytes:
    data = json.loads(text)
    del data["signature"]
    return json.dumps(data).encode()


WRONG: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "unsigned": (without_signature, "is not signed"),
    "a signature of nothing": (edited(signature="AAAA"), "has a wrong signature"),
    "a signature that is no base64": (edited(signature="é"), "has a wrong signature"),
    "another wheel": (edited(wheel={"sha256": "0" * 64, "size": 3}), "has a wrong signature"),
    "another name": (edited(filename="other-1.0-py3-none-any.whl"), "has a wrong signature"),
    "another format": (edited(format=2), "has a wrong signature"),
    "another key's name": (edited(key="ci-2"), "is signed with the key 'ci-2', which is not one of the trusted keys"),
    "no JSON": (lambda text: text[:-20], "is damaged"),
    "a list": (lambda _: b"[]", "is damaged"),
    "very deep": (lambda _: b"[" * 100_000, "is damaged"),
    "not text": (lambda _: b"\xff\xfe", "is damaged"),
    "nothing": (lambda _: b"", "is damaged"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_manifest_that_was_changed(team: Team, shared: Files, wrong: str) -> None:
    team.build("one", "write")
    path = shared.one("ac/")
    change, why = WRONG[wrong]
    shared.write(path, change(shared.all()[path]))
    result, said = team.build("two")
    (note,) = notes(said)
    assert why in note
    assert result.built
    assert left(team.root) == []


def test_an_entry_that_was_moved_to_another_build(team: Team, shared: Files) -> None:
    """The signature is right, but for another fingerprint."""
    team.build("one", "write")
    manifest = shared.all()[shared.one("ac/")]
    (team.recipe / "source" / "new.c").touch()
    key = team.build("three")[0].fingerprint
    shared.write(f"ac/{key[:2]}/{key}.json", manifest)
    result, said = team.build("two")
    assert ("is that of another build" in notes(said)[0], result.built) == (True, True)


def test_a_key_that_nobody_trusts(team: Team, shared: Files, tmp_path: Path) -> None:
    make_key("mallory", tmp_path / "mallory.pem")
    team.build("one", "write", key=tmp_path / "mallory.pem")
    result, said = team.build("two")
    assert "is signed with the key 'mallory', which is not one of the trusted keys" in notes(said)[0]
    assert result.built
    assert result.wheel.read_bytes() == result.fingerprint.encode()


def test_another_key_with_a_trusted_key_s_name(team: Team, shared: Files, tmp_path: Path) -> None:
    impostor = make_key("ci-1", tmp_path / "impostor.pem")
    team.monkeypatch.setenv("FORGE_CACHE_TRUSTED_KEYS", str(impostor))
    team.build("one", "write", key=tmp_path / "impostor.pem")
    team.monkeypatch.setenv("FORGE_CACHE_TRUSTED_KEYS", team.key)
    result, said = team.build("two")
    assert ("has a wrong signature" in notes(said)[0], result.built) == (True, True)


@pytest.mark.parametrize("content", [b"tampered", b"", b"x" * 100_000], ids=["changed", "empty", "larger"])
@pytest.mark.parametrize("which", ["wheel", "log"])
def test_contents_that_were_changed(team: Team, shared: Files, which: str, content: bytes) -> None:
    first, _ = team.build("one", "write")
    original = first.fingerprint.encode() if which == "wheel" else b"the whole log\n"
    shared.write(shared.wheel(original), content)
    result, said = team.build("two")
    (note,) = notes(said)
    assert "is damaged" in note or "larger than was signed" in note
    assert result.built
    assert result.wheel.read_bytes() == first.fingerprint.encode()
    assert not (entry_directory_of(team, "two", first.fingerprint) / "taken.json").exists()
    assert left(team.root) == []


def test_contents_that_are_gone(team: Team, tmp_path: Path) -> None:
    team.place(tmp_path / "shared")
    team.build("one", "write")
    shutil.rmtree(tmp_path / "shared" / "cas")
    result, said = team.build("two", "write")
    assert ("is incomplete" in notes(said)[0], result.built) == (True, True)
    assert not team.build("three")[0].built, "the second has uploaded it again"


def test_a_wheel_that_fails_its_check_is_not_taken(team: Team, shared: Files, builder: Builder) -> None:
    team.build("one", "write")

    def verify(wheel: Path, *_: Any, hint: str, **__: Any) -> tuple[()]:
        if "shared cache" in hint:
            raise WheelError(f"{wheel.name} does not match its recipe")
        return ()

    team.monkeypatch.setattr(run_module, "verify_wheel", verify)
    result, said = team.build("two")
    assert any(line.endswith(f"is not taken: {WHEEL} does not match its recipe") for line in said)
    assert result.built


# Uploads


def test_builds_do_not_wait_for_uploads(team: Team, web: WebServer) -> None:
    team.place(web.url)
    web.hold.clear()
    seen: list[dict[str, bytes]] = []

    def meanwhile() -> None:
        seen.append(dict(web.files))
        web.hold.set()

    result, said = team.build("one", "write", meanwhile=meanwhile)
    assert (result.built, seen) == (True, [{}])
    assert f"shared cache: waiting for uploads to {web.url} (1 left)" in said
    assert len(web.files) == 3, "the end of the run did"


def test_an_interruption_does_not_wait(team: Team, web: WebServer) -> None:
    team.place(web.url)
    web.hold.clear()

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        team.build("one", "write", meanwhile=interrupt)
    assert web.files == {}


def test_what_was_built_before_a_failure_is_uploaded(team: Team, shared: Files) -> None:
    def fail() -> None:
        raise BuildError("another build")

    with pytest.raises(BuildError):
        team.build("one", "write", meanwhile=fail)
    assert len(shared.all()) == 3


def test_a_local_wheel_that_is_damaged_is_not_signed(team: Team, web: WebServer) -> None:
    team.place(web.url)
    offer = SharedCache.offer

    def damaged(self: SharedCache, wanted: Any, wheel: Any, seconds: float | None = None) -> None:
        wheel.path.write_bytes(b"damaged")
        offer(self, wanted, wheel, seconds)

    team.monkeypatch.setattr(SharedCache, "offer", damaged)
    _, said = team.build("one", "write")
    assert any("the wheel in this machine's cache is damaged" in line for line in said)
    assert web.files == {}


def test_several_write_and_read_at_once(team: Team, shared: Files, builder: Builder) -> None:
    builder.seconds = 0.05
    team.build("zero", "write")
    team.monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", str(team.root / "ci.pem"))
    settings = read_settings("write")
    errors: list[BaseException] = []

    def machine(number: int) -> None:
        try:
            for _ in range(3):
                place = open_place(settings.places[0], "")
                home = home_of(team, f"m{number}")
                with shared_cache(settings, home, SilentProgress()) as cache:
                    assert cache is not None
                    wanted = cache_module.Wanted("demo", "demo", key)
                    taken = cache.take(wanted, lambda _: ())
                    assert taken is not None
                    (taken.path.parent / "taken.json").unlink()
                    cache.offer(wanted, taken, 1.0)
                cache_module.fetch_entry(place, key, settings)
                place.close()
        except BaseException as error:  # noqa: BLE001 - of a thread
            errors.append(error)

    key = builder.keys[0]
    threads = [threading.Thread(target=machine, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(shared.all()) == 3
    assert left(team.root) == []


def home_of(team: Team, machine: str) -> ForgeHome:
    return ForgeHome(team.root / machine / "home")


def test_a_fetched_build_is_the_latest_of_its_name(team: Team, shared: Files) -> None:
    first, _ = team.build("one", "write")
    team.build("two")
    home = home_of(team, "two")
    latest = read_latest(home, "demo-arm64-iphoneos-3.13")
    assert latest is not None
    assert latest.fingerprint == first.fingerprint
    assert find_wheel(home, first.fingerprint) is not None
