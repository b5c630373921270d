"""Quoting is in compiled code."""

from yarl import URL
from yarl._quoting import _Quoter


def test_the_compiled_code_is_taken():
    assert _Quoter.__module__ == "yarl._quoting_c"


def test_quoting():
    url = URL("https://user:pä ss@exämple.org:8443/a b/ü?q=1&q=é&x=a+b#frag ment")
    assert str(url) == "https://user:p%C3%A4%20ss@xn--exmple-cua.org:8443/a%20b/%C3%BC?q=1&q=%C3%A9&x=a+b#frag%20ment"
    assert (url.host, url.path, url.query.getall("q")) == ("exämple.org", "/a b/ü", ["1", "é"])


def test_joining():
    base = URL("http://example.org/a/b/")
    assert str(base / "c d" % {"k": "v&w"}) == "http://example.org/a/b/c%20d?k=v%26w"
    assert str(base.join(URL("../x"))) == "http://example.org/a/x"
