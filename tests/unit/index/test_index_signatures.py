"""Signed statements about files: made, served, verified, and of no use to anybody who has changed a byte."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from pypi_simple import ProjectPage

from forge.base.hashing import fingerprint
from forge.index.attestation import (
    Attestation,
    ProvenanceError,
    provenance_text,
    read_provenance,
    signed,
    statement,
)
from forge.index.server.app import make_app
from forge.index.trust import NOBODY, Trust, provenance_problem
from forge.plan.shared.keys import SigningKey, make_key, read_signing
from forge.wheel.sbom import FILE_NAME, Component, render_sbom
from tests.unit.cli.conftest import no_toolchain
from tests.unit.crossbuild.fakes import PURE, write_recipe
from tests.unit.index.interruption import interrupted
from tests.unit.index.test_index_make import made, tree, wheel
from tests.unit.index.test_index_server import running
from tests.unit.publish.conftest import wheel as pure_wheel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from syrupy.assertion import SnapshotAssertion

    from tests.unit.cli.runner import Forge

__all__ = ["made", "no_toolchain"]

DEMO = "demo-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl"
BESIDE = f"files/demo/{DEMO}.provenance"


@pytest.fixture
def key(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> SigningKey:
    """A key that is configured for signing."""
    return use_key(forge.root, "ci-1", monkeypatch)


def use_key(root: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> SigningKey:
    file = root / f"{name}.pem"
    make_key(name, file)
    monkeypatch.setenv("FORGE_INDEX_SIGNING_KEY", str(file))
    return read_signing(str(file), "x")


@pytest.fixture
def site(key: SigningKey, made: Forge) -> Path:
    """An index whose files are signed."""
    return made.root / "site"


def statement_of(site: Path, path: str = BESIDE) -> dict[str, Any]:
    (attestation,) = read_provenance((site / path).read_bytes())
    data: dict[str, Any] = json.loads(attestation.statement)
    return data


def signatures(forge: Forge) -> list[str]:
    """What verify says of signatures and of the files of signed statements."""
    lines = forge("index", "verify", "site", "--offline").out.splitlines()
    return [line for line in lines if line.startswith("signature: ") or ".provenance" in line]


def edit_envelope(site: Path, field: str, change: Callable[[bytes], bytes], *, told: bool) -> None:
    """Change a signed statement; *told*: the index has the new file's hash, as whoever writes there would see to."""
    file = site / BESIDE
    before = file.read_bytes()
    data = json.loads(before)
    envelope = data["attestation_bundles"][0]["attestations"][0]["envelope"]
    envelope[field] = base64.b64encode(change(base64.b64decode(envelope[field]))).decode()
    file.write_text(json.dumps(data))
    if told:
        old, new = hashlib.sha256(before).hexdigest(), hashlib.sha256(file.read_bytes()).hexdigest()
        state = site / "forge-index.json"
        state.write_text(state.read_text().replace(old, new))


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


class TestThePages:
    def test_readers_find_it(self, site: Path) -> None:
        url = f"https://example.org/{BESIDE}"
        data = json.loads((site / "simple/demo/index.json").read_text())
        html = (site / "simple/demo/index.html").read_text()
        base = "https://example.org/simple/demo/"
        pages = (ProjectPage.from_json_data(data, base_url=base), ProjectPage.from_html("demo", html, base_url=base))
        for page in pages:
            assert {package.filename: package.provenance_url for package in page.packages}[DEMO] == url
        assert f'href="../../{BESIDE}"' in (site / "packages/demo/index.html").read_text()

    def test_without_an_address(self, site: Path, made: Forge) -> None:
        """PEP 740 wants an absolute one, and readers refuse a page with another."""
        assert made("index", "make", "other", "wheels").code == 0
        assert (made.root / "other" / BESIDE).is_file()
        assert "provenance" not in (made.root / "other/simple/demo/index.json").read_text()
        assert made("index", "make", "other", "--url", "https://wheels.example.org/x/simple").code == 0
        (url,) = {
            file["provenance"]
            for file in json.loads((made.root / "other/simple/demo/index.json").read_text())["files"]
            if file["filename"] == DEMO
        }
        assert url == f"https://wheels.example.org/x/{BESIDE}"

    def test_from_the_server(self, site: Path) -> None:
        with running(make_app(site)) as client:
            got = client.get(f"/{BESIDE}")
            assert (got.status_code, got.headers["content-type"]) == (200, "application/json")
            assert got.content == (site / BESIDE).read_bytes()
            assert client.get(f"/{BESIDE}", headers={"If-None-Match": got.headers["etag"]}).status_code == 304
            json_type = "application/vnd.pypi.simple.v1+json"
            files = client.get("/simple/demo/", headers={"Accept": json_type}).json()["files"]
        names = [file["provenance"].rpartition("/")[2] for file in files]
        assert names == [f"{file['filename']}.provenance" for file in files]

    def test_the_server_says_its_own_address(self, key: SigningKey, made: Forge) -> None:
        assert made("index", "make", "other", "wheels").code == 0
        with running(make_app(made.root / "other")) as client:
            assert f'data-provenance="http://index.example.org/{BESIDE}"' in client.get("/simple/demo/").text

    def test_nothing_is_signed(self, made: Forge) -> None:
        assert not list((made.root / "site").rglob("*.provenance"))
        assert "provenance" not in (made.root / "site/simple/demo/index.json").read_text()
        with running(make_app(made.root / "site")) as client:
            assert client.get(f"/{BESIDE}").status_code == 404


def test_the_envelope_is_dsse(site: Path, key: SigningKey) -> None:
    """What signs and what verifies are of one module here, so this says it in other words."""
    data = json.loads((site / BESIDE).read_text())
    (bundle,) = data["attestation_bundles"]
    (attestation,) = bundle["attestations"]
    assert (data["version"], attestation["version"]) == (1, 1)
    assert bundle["publisher"] == {"kind": "key", "claims": None, "name": "ci-1"}
    assert attestation["verification_material"] == {"public_key": str(key.public)}
    payload = base64.b64decode(attestation["envelope"]["statement"])
    kind = b"application/vnd.in-toto+json"
    encoded = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])
    Ed25519PublicKey.from_public_bytes(key.public.raw).verify(
        base64.b64decode(attestation["envelope"]["signature"]), encoded
    )
    said = json.loads(payload)
    digest = hashlib.sha256((site / "files/demo" / DEMO).read_bytes()).hexdigest()
    assert said["subject"] == [{"name": DEMO, "digest": {"sha256": digest}}]
    assert said["_type"] == "https://in-toto.io/Statement/v1"


class TestVerify:
    def test_all_is_well(self, site: Path, made: Forge) -> None:
        assert signatures(made) == []

    @pytest.mark.parametrize("told", [False, True])
    @pytest.mark.parametrize("field", ["statement", "signature"])
    def test_a_flipped_byte(self, site: Path, made: Forge, field: str, told: bool, snapshot: SnapshotAssertion) -> None:
        edit_envelope(site, field, flipped, told=told)
        assert [re.sub(r"[0-9a-f]{64}", "HASH", line) for line in signatures(made)] == snapshot
        assert made("index", "verify", "site", "--offline").code == 16

    def test_another_wheel_under_the_name(self, site: Path, made: Forge, snapshot: SnapshotAssertion) -> None:
        """Whoever writes to the index can change the wheel and what the index says of it, but not what was signed."""
        file = site / "files/demo" / DEMO
        before = hashlib.sha256(file.read_bytes()).hexdigest()
        file.write_bytes(flipped(file.read_bytes()))
        after = hashlib.sha256(file.read_bytes()).hexdigest()
        for page in (site / "forge-index.json", site / "simple/demo/index.html", site / "simple/demo/index.json"):
            page.write_text(page.read_text().replace(before, after))
        said = made("index", "verify", "site", "--offline")
        assert not [line for line in said.out.splitlines() if line.startswith(("file: ", "page: "))]
        assert [line.replace(before, "HASH") for line in signatures(made)] == snapshot

    def test_the_statement_of_another_file(self, site: Path, made: Forge) -> None:
        other = DEMO.replace("arm64_iphoneos", "arm64_iphonesimulator")
        shutil.copy(site / "files/demo" / f"{other}.provenance", site / BESIDE)
        assert any(f"is signed with a statement about something else: {other}" in line for line in signatures(made))

    def test_a_foreign_key(
        self, site: Path, made: Forge, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
    ) -> None:
        monkeypatch.delenv("FORGE_INDEX_SIGNING_KEY")
        assert signatures(made) == [], "nobody is trusted, and nothing is damaged"
        monkeypatch.setenv("FORGE_INDEX_TRUSTED_KEYS", str(make_key("others", made.root / "others.pem")))
        assert signatures(made)[0] == snapshot
        assert len(signatures(made)) == 4

    def test_another_key_of_the_same_name(self, site: Path, made: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FORGE_INDEX_SIGNING_KEY")
        monkeypatch.setenv("FORGE_INDEX_TRUSTED_KEYS", str(make_key("ci-1", made.root / "others.pem")))
        assert "another key is called 'ci-1'" in signatures(made)[0]

    def test_damage_needs_no_key(self, site: Path, made: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        edit_envelope(site, "statement", flipped, told=True)
        monkeypatch.delenv("FORGE_INDEX_SIGNING_KEY")
        assert len(signatures(made)) == 1

    def test_what_is_not_signed(
        self, site: Path, key: SigningKey, made: Forge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("FORGE_INDEX_SIGNING_KEY")
        wheel(made.root, "more")
        assert made("index", "make", "site", "wheels").code == 0
        assert signatures(made) == []
        monkeypatch.setenv("FORGE_INDEX_TRUSTED_KEYS", str(key.public))
        assert signatures(made) == ["signature: more-1.0-cp313-cp313-ios_12_0_arm64_iphoneos.whl: is not signed"]

    def test_what_is_gone(self, site: Path, made: Forge) -> None:
        (site / BESIDE).unlink()
        assert signatures(made) == [f"file: {DEMO}.provenance: it is not there"]

    def test_keys_of_the_file(self, site: Path, made: Forge, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FORGE_INDEX_SIGNING_KEY")
        config = made.root / "config.toml"
        monkeypatch.setenv("FORGE_CONFIG", str(config))
        name, _, encoded = str(key.public).partition(":")
        config.write_text(f'[index.trusted-keys]\n"{name}" = "{encoded}"\n')
        assert signatures(made) == []
        config.write_text("[index]\nkey = 3\n")
        said = made("index", "verify", "site", "--offline")
        assert (said.code, "the settings are signing-key, sigstore, " in said.err) == (16, True)


class TestSign:
    def test_what_is_there(self, made: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        site = made.root / "site"
        assert made("index", "sign", "site").code == 16
        key = use_key(made.root, "ci-1", monkeypatch)
        assert made("index", "sign", "site", "other").out.count("signed: ") == 1
        said = made("index", "sign", "site")
        assert (said.out.count("signed: "), str(key.public) in said.err) == (3, True)
        assert signatures(made) == []
        before = tree(site)
        assert made("index", "sign", "site").out == ""
        assert tree(site) == before
        options = ["--name", "My wheels", "--url", "https://example.org/simple"]
        assert made("index", "make", "whole", "wheels", *options).code == 0
        assert tree(site) == tree(made.root / "whole"), "as if they had been signed at once"

    def test_a_second_key(self, site: Path, made: Forge, key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> None:
        second = use_key(made.root, "ci-2", monkeypatch)
        assert made("index", "sign", "site").out.count("signed: ") == 4
        names = [each.key.name for each in read_provenance((site / BESIDE).read_bytes()) if each.key]
        assert names == ["ci-1", "ci-2"]
        monkeypatch.delenv("FORGE_INDEX_SIGNING_KEY")
        for one in (key, second):
            monkeypatch.setenv("FORGE_INDEX_TRUSTED_KEYS", str(one.public))
            assert signatures(made) == []

    @pytest.mark.parametrize("number", range(1, 8))
    def test_interrupted(
        self, site: Path, made: Forge, key: SigningKey, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        use_key(made.root, "ci-2", monkeypatch)
        with interrupted(monkeypatch, number):
            assert made("index", "sign", "site").code == 130
        assert made("index", "sign", "site").code == 0
        assert signatures(made) == []

    def test_a_damaged_wheel_is_not_signed(self, made: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        use_key(made.root, "ci-1", monkeypatch)
        file = made.root / "site/files/demo" / DEMO
        file.write_bytes(flipped(file.read_bytes()))
        said = made("index", "sign", "site", DEMO)
        assert (said.code, "its sha256 is" in said.err) == (16, True)
        assert not (made.root / "site" / BESIDE).exists()

    def test_statements_that_others_have_changed(
        self, site: Path, made: Forge, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_key(made.root, "ci-2", monkeypatch)
        (site / BESIDE).write_text("{}")
        said = made("index", "sign", "site", DEMO)
        assert (said.code, "find out who has changed it" in said.err) == (16, True)


class TestPromotion:
    def test_it_comes_along(self, site: Path, made: Forge) -> None:
        made("index", "promote", "site", "stable", DEMO)
        assert (made.root / "stable" / BESIDE).read_bytes() == (site / BESIDE).read_bytes()

    def test_it_comes_later(self, made: Forge, monkeypatch: pytest.MonkeyPatch) -> None:
        made("index", "promote", "site", "stable")
        use_key(made.root, "ci-1", monkeypatch)
        made("index", "sign", "site", DEMO)
        said = made("index", "promote", "site", "stable")
        assert f"signed statements added: {DEMO}\n" in said.out
        assert (made.root / "stable" / BESIDE).read_bytes() == (made.root / "site" / BESIDE).read_bytes()
        assert made("index", "promote", "site", "stable").out.count("added: ") == 0


class TestWhatIsSaid:
    @pytest.fixture
    def recipe(self, key: SigningKey, no_toolchain: None, forge: Forge) -> Path:
        """A recipe in a git repository, whose wheel was built."""
        directory = write_recipe(forge.root / "recipes", text=PURE, files={}, tag="py3-none-any")
        assert forge("build", "demo").code == 0
        for command in (
            ["init", "--quiet"],
            ["add", "recipes"],
            ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"],
        ):
            subprocess.run(["git", *command], check=True, cwd=forge.root)
        return directory

    @staticmethod
    def said(forge: Forge) -> dict[str, Any]:
        assert forge("index", "make", "site", "dist").code == 0
        return statement_of(forge.root / "site", "files/demo/demo-1.0-py3-none-any.whl.provenance")

    def test_of_what_forge_has_built(self, forge: Forge, recipe: Path) -> None:
        said = self.said(forge)
        assert said["predicateType"] == "https://slsa.dev/provenance/v1"
        definition = said["predicate"]["buildDefinition"]
        assert definition["externalParameters"] == {
            "recipe": "demo", "version": "1.0", "target": "any", "python": "3.13",
        }  # fmt: skip
        inner = definition["internalParameters"]
        (record,) = (forge.root / "home/wheels").glob("*/*/build.json")
        assert inner["fingerprint"] == record.parent.name == fingerprint(inner["inputs"])
        assert {tool["name"] for tool in inner["toolchain"]} >= {"cpython"}
        head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, cwd=recipe, capture_output=True, text=True)
        assert definition["resolvedDependencies"][0] == {
            "name": "recipes", "digest": {"gitCommit": head.stdout.strip()},
        }  # fmt: skip

    def test_of_a_recipe_that_is_not_committed(self, forge: Forge, recipe: Path) -> None:
        (recipe / "notes.txt").touch()
        assert "gitCommit" not in json.dumps(self.said(forge))

    def test_of_a_recipe_that_has_changed_since(self, forge: Forge, recipe: Path) -> None:
        file = recipe / "recipe.yaml"
        file.write_text(file.read_text().replace("setuptools\n", "setuptools\n  env: {LEVEL: '2'}\n"))
        commit = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-am", "x"]
        subprocess.run(commit, check=True, cwd=recipe)
        said = json.dumps(self.said(forge))
        assert "gitCommit" not in said
        assert "fingerprint" in said

    def test_of_a_wheel_of_another_machine(self, forge: Forge, key: SigningKey) -> None:
        """Its bill of materials says it; there is no record of its build."""
        subject = Component("library", "demo", "1.0")
        components = [
            Component("file", "demo-1.0 sdist", sha256="ab" * 32),
            Component("library", "libx", "2", properties={"forge:fingerprint": "cd" * 32}),
            Component("application", "llvm", "19", linked=False, properties={"forge:target": "arm64-apple-ios12.0"}),
        ]
        text = render_sbom(subject, components, [Component("application", "forge", "0.9")])
        self.write(forge, text.encode())
        said = self.said(forge)["predicate"]
        assert said["buildDefinition"]["externalParameters"] == {"recipe": "demo", "version": "1.0"}
        assert said["buildDefinition"]["internalParameters"] == {
            "toolchain": [{"name": "llvm", "version": "19", "target": "arm64-apple-ios12.0"}]
        }
        assert said["buildDefinition"]["resolvedDependencies"] == [
            {"name": "demo-1.0 sdist", "digest": {"sha256": "ab" * 32}},
            {"name": "libx", "annotations": {"version": "2", "forge:fingerprint": "cd" * 32}},
        ]
        assert said["runDetails"]["builder"]["version"] == {"forge": "0.9"}

    @pytest.mark.parametrize(
        "bill", [None, b"", b"[]", b'{"metadata": {"component": 1, "tools": {"components": []}}, "components": []}']
    )
    def test_of_a_wheel_that_forge_did_not_build(self, forge: Forge, key: SigningKey, bill: bytes | None) -> None:
        self.write(forge, bill)
        said = self.said(forge)
        assert said["predicateType"] == "https://in-toto.io/attestation/release/v0.1"
        assert said["predicate"] == {"purl": "pkg:pypi/demo@1.0"}

    @staticmethod
    def write(forge: Forge, bill: bytes | None) -> None:
        beside = {} if bill is None else {f"demo-1.0.dist-info/sboms/{FILE_NAME}": bill}
        pure_wheel(forge.root, files=beside)
        (forge.root / "wheels").rename(forge.root / "dist")


@given(st.binary(min_size=1, max_size=100), st.data())
def test_no_byte_can_be_changed(content: bytes, data: st.DataObject) -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    key = SigningKey("x", private)
    said = statement("x.whl", "ab" * 32, "https://example.org/x", {"text": content.hex()})
    attestation = signed(said, key)
    trusted = Trust({"x": key.public})
    assert provenance_problem(provenance_text([attestation]), "x.whl", "ab" * 32, trusted) == ""
    of_statement = data.draw(st.booleans())
    value = bytearray(attestation.statement if of_statement else attestation.signature)
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    other = Attestation(bytes(value), attestation.signature, key.public)
    if not of_statement:
        other = Attestation(attestation.statement, bytes(value), key.public)
    changed = provenance_text([other])
    assert "wrong signature" in provenance_problem(changed, "x.whl", "ab" * 32, trusted)
    assert provenance_problem(changed, "x.whl", "ab" * 32, NOBODY) != ""


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        assert isinstance(read_provenance(content), tuple)
    except ProvenanceError:
        return


KEYS = st.sampled_from(["attestations", "envelope", "verification_material", "statement", "public_key"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
)


@given(JSON)
def test_any_bundles_are_read_or_refused(bundles: object) -> None:
    content = json.dumps({"version": 1, "attestation_bundles": bundles}).encode()
    assert isinstance(provenance_problem(content, "x.whl", "ab" * 32, NOBODY), str)
