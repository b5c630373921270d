"""A short piece of real work for each project whose macOS wheel is tried (tools/macos_wheels/run.py)."""

# ruff: noqa: D103, N806, S101 - a pytest file, though it is no test of forge's, and classes imported by name
from __future__ import annotations

import io
from importlib import import_module as need

import pytest


def test_numpy() -> None:
    numpy = need("numpy")
    random = numpy.random.default_rng(7)
    matrix = random.normal(size=(60, 60))
    system = matrix @ matrix.T + 60 * numpy.eye(60)
    right = random.normal(size=60)
    assert numpy.allclose(system @ numpy.linalg.solve(system, right), right)
    values, vectors = numpy.linalg.eigh(system)
    assert numpy.allclose(vectors @ numpy.diag(values) @ vectors.T, system)
    signal = random.normal(size=1000)
    assert numpy.allclose(numpy.fft.irfft(numpy.fft.rfft(signal), 1000), signal)
    assert numpy.array_equal(numpy.sort(signal)[::-1], -numpy.sort(-signal))


def test_pandas() -> None:
    pandas = need("pandas")
    text = "day,shop,sold\n2024-01-01,a,3\n2024-01-01,b,4\n2024-01-02,a,5\n"
    table = pandas.read_csv(io.StringIO(text), parse_dates=["day"])
    assert table.groupby("shop").sold.sum().to_dict() == {"a": 8, "b": 4}
    assert table.pivot(index="day", columns="shop", values="sold").loc["2024-01-01", "b"] == 4
    assert table.set_index("day").sold.resample("D").sum().tolist() == [7, 5]
    assert pandas.read_json(io.StringIO(table.to_json(orient="records"))).sold.tolist() == [3, 4, 5]


def test_scikit_learn() -> None:
    load_iris = need("sklearn.datasets").load_iris
    RandomForestClassifier = need("sklearn.ensemble").RandomForestClassifier
    LogisticRegression = need("sklearn.linear_model").LogisticRegression
    SVC = need("sklearn.svm").SVC

    data, kinds = load_iris(return_X_y=True)
    for model in (LogisticRegression(max_iter=500), RandomForestClassifier(20, random_state=0), SVC()):
        assert model.fit(data, kinds).score(data, kinds) > 0.95


def test_cryptography() -> None:
    InvalidSignature = need("cryptography.exceptions").InvalidSignature
    Fernet = need("cryptography.fernet").Fernet
    InvalidToken = need("cryptography.fernet").InvalidToken
    Ed25519PrivateKey = need("cryptography.hazmat.primitives.asymmetric.ed25519").Ed25519PrivateKey
    AESGCM = need("cryptography.hazmat.primitives.ciphers.aead").AESGCM

    key = Fernet.generate_key()
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"text")) == b"text"
    with pytest.raises(InvalidToken):
        Fernet(Fernet.generate_key()).decrypt(Fernet(key).encrypt(b"text"))
    signer = Ed25519PrivateKey.generate()
    signer.public_key().verify(signer.sign(b"text"), b"text")
    with pytest.raises(InvalidSignature):
        signer.public_key().verify(signer.sign(b"text"), b"other")
    secret = AESGCM(AESGCM.generate_key(256))
    assert secret.decrypt(b"n" * 12, secret.encrypt(b"n" * 12, b"text", b"more"), b"more") == b"text"


def test_pydantic() -> None:
    pydantic = need("pydantic")

    fields = {"name": (str, ...), "price": (float, pydantic.Field(gt=0)), "tags": (list[str], [])}
    Item = pydantic.create_model("Item", **fields)
    item = Item.model_validate_json('{"name": "a", "price": "2.5", "tags": ["x"]}')
    assert (item.price, item.tags) == (2.5, ["x"])
    with pytest.raises(pydantic.ValidationError) as caught:
        Item(name=1, price=-1)
    assert [error["type"] for error in caught.value.errors()] == ["string_type", "greater_than"]


def test_lxml() -> None:
    etree = need("lxml.etree")

    root = etree.fromstring("<a><b n='1'>x</b><b n='2'>y</b></a>")
    assert root.xpath("//b[@n='2']/text()") == ["y"]
    sheet = (
        "<xsl:stylesheet version='1.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'><xsl:template match='/'>"
        "<r><xsl:value-of select='count(//b)'/></r></xsl:template></xsl:stylesheet>"
    )
    assert str(etree.XSLT(etree.fromstring(sheet))(root)).endswith("<r>2</r>\n")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring("<a><b></a>")
