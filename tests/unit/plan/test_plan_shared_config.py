"""Which shared cache there is: variables before the file; and keys."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from forge.base.errors import StorageError
from forge.plan.shared.config import Settings, read_settings
from forge.plan.shared.keys import make_key, parse_public, read_signing
from forge.plan.shared.model import CacheError, Mode
from forge.plan.shared.places import open_place

if TYPE_CHECKING:
    from pathlib import Path

    from forge.plan.shared.keys import PublicKey


@pytest.fixture
def key(tmp_path: Path) -> PublicKey:
    return make_key("ci.example.org-1", tmp_path / "ci.pem")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("FORGE_CACHE", "FORGE_CACHE_MODE", "FORGE_CACHE_TRUSTED_KEYS", "FORGE_CACHE_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "config.toml"
    path.touch()
    monkeypatch.setenv("FORGE_CONFIG", str(path))
    return path


def test_nothing_is_configured() -> None:
    assert read_settings() == Settings()
    assert read_settings("read").places == ()


def test_the_file(file: Path, key: PublicKey, tmp_path: Path) -> None:
    encoded = str(key).partition(":")[2]
    file.write_text(
        f'[other]\nx = 1\n[cache]\nurl = "https://cache.example.org/forge"\nmode = "write"\n'
        f'signing-key = "{tmp_path / "ci.pem"}"\n[cache.trusted-keys]\n"ci.example.org-1" = "{encoded}"\n'
    )
    settings = read_settings()
    assert (settings.places, settings.mode) == (("https://cache.example.org/forge",), Mode.WRITE)
    assert settings.trusted == {key.name: key}
    assert settings.signing is not None
    assert settings.signing.public == key
    assert read_settings("only").mode is Mode.ONLY


def test_variables_replace_the_file(file: Path, key: PublicKey, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('cache = {url = ["/a", "/b"], mode = "only"}')
    monkeypatch.setenv("FORGE_CACHE_TRUSTED_KEYS", str(key))
    assert read_settings().places == ("/a", "/b")
    monkeypatch.setenv("FORGE_CACHE", " /c\n/d ")
    monkeypatch.setenv("FORGE_CACHE_MODE", "read")
    assert (read_settings().places, read_settings().mode) == (("/c", "/d"), Mode.READ)
    assert read_settings("only").mode is Mode.ONLY
    monkeypatch.setenv("FORGE_CACHE", "")
    assert read_settings().places == (), "none in this run"


def test_who_signs_is_trusted(key: PublicKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_CACHE", "/a")
    monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", str(tmp_path / "ci.pem"))
    assert read_settings("write").trusted == {key.name: key}


@pytest.mark.parametrize(
    ("text", "variables", "said"),
    [
        ("[cache", {}, "is not valid TOML"),
        ("cache = 3", {}, "cache is not a table"),
        ("[cache]\nurls = 'x'", {}, "has no setting 'urls'"),
        ("[cache]\nurl = 3", {}, "url is neither a string nor a list"),
        ("[cache]\nurl = ['']", {}, "url is neither a string nor a list"),
        ("[cache]\nmode = 3", {}, "mode is not a string"),
        ("[cache]\nmode = 'write'", {}, "no shared cache is configured"),
        ("[cache]\nmode = 'wirte'", {}, "there is no mode 'wirte'"),
        ("", {"FORGE_CACHE_MODE": "x"}, "FORGE_CACHE_MODE: there is no mode 'x'"),
        ("[cache]\nurl = '/x'", {}, "no key whose entries are trusted"),
        ("[cache]\nurl = '/x'\nmode = 'write'", {}, "there is no key to sign entries with"),
        ("[cache]\nurl = '/x'\nsigning-key = '/nowhere'", {}, "cannot read the signing key /nowhere"),
        ("[cache]\nurl = '/x'\ntrusted-keys = 'a:b'", {}, "trusted-keys is not a table"),
        ("[cache]\nurl = '/x'\n[cache.trusted-keys]\nci = 'AAAA'", {}, "is not a public key"),
        ("[cache]\nurl = '/x'\n[cache.trusted-keys]\nci.example = 'AAAA'", {}, "is not a public key"),
        ("", {"FORGE_CACHE": "/x", "FORGE_CACHE_TRUSTED_KEYS": "key"}, "is not a public key"),
        ("", {"FORGE_CONFIG": "/nowhere/config.toml"}, "which does not exist"),
    ],
)
def test_wrong(file: Path, text: str, variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(text)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CacheError) as raised:
        read_settings()
    assert said in raised.value.message
    assert raised.value.hint


def test_two_keys_of_one_name(key: PublicKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_key(key.name, tmp_path / "other.pem")
    monkeypatch.setenv("FORGE_CACHE", "/a")
    monkeypatch.setenv("FORGE_CACHE_TRUSTED_KEYS", f"{key} {other}")
    with pytest.raises(CacheError, match="two trusted keys"):
        read_settings()
    monkeypatch.setenv("FORGE_CACHE_TRUSTED_KEYS", str(key))
    monkeypatch.setenv("FORGE_CACHE_SIGNING_KEY", str(tmp_path / "other.pem"))
    with pytest.raises(CacheError, match="is not that of FORGE_CACHE_SIGNING_KEY"):
        read_settings("write")


@pytest.mark.parametrize("text", ["ftp://x/y", "s3://", "https://", "file://elsewhere/x", "http://[x/"])
def test_no_place(text: str) -> None:
    with pytest.raises(CacheError, match="is not a directory or an https, http, s3 or file URL"):
        open_place(text, "FORGE_CACHE")


def test_places(tmp_path: Path) -> None:
    assert open_place(str(tmp_path), "").name == open_place(tmp_path.as_uri(), "").name == str(tmp_path)
    assert open_place("https://me:secret@cache.example.org/x", "").name == "https://cache.example.org/x"


def test_a_private_key_is_its_owner_s_alone(key: PublicKey, tmp_path: Path) -> None:
    path = tmp_path / "ci.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_signing(str(path), "").public == read_signing(path.read_text(), "").public == key
    assert parse_public(str(key), "") == key
    with pytest.raises(StorageError, match="exists already"):
        make_key("x", path)
    with pytest.raises(CacheError, match="cannot be the name of a key"):
        make_key("a:b", tmp_path / "b.pem")


def test_other_private_keys(tmp_path: Path) -> None:
    made = tmp_path / "made-2.pem"
    for arguments, is_one in ((("ed25519",), True), (("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), False)):
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", *arguments, "-out", made],
            check=True,
            capture_output=True,
            env=os.environ,
        )
        if is_one:
            assert read_signing(str(made), "").name == "made-2"
        else:
            with pytest.raises(CacheError, match="is not an Ed25519 private key"):
                read_signing(str(made), "")
    made.write_text("no key")
    with pytest.raises(CacheError):
        read_signing(str(made), "")
