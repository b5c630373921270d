"""Selectors, attributes and changes of a tree."""

from selectolax.lexbor import LexborHTMLParser

HTML = "<p id=a class='x y'>one<b>two</b></p><p>three &amp; fünf</p><script>x()</script>"


def test_selectors():
    tree = LexborHTMLParser(HTML)
    assert [node.text() for node in tree.css("p")] == ["onetwo", "three & fünf"]
    assert tree.css_first("p.x").attributes == {"id": "a", "class": "x y"}
    assert tree.css_first("b").parent.id == "a"


def test_changes():
    tree = LexborHTMLParser(HTML)
    tree.strip_tags(["script"])
    assert tree.css_first("script") is None
    tree.css_first("b").decompose()
    assert tree.body.text(separator="|") == "one|three & fünf"
