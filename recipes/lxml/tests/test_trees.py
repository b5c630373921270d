"""XML and HTML parsed, searched, validated and transformed by libxml2 and libxslt."""

from io import BytesIO

import pytest
from lxml import etree, html, objectify

_TREE = etree.fromstring('<a xmlns:n="urn:n"><b n:id="1">one</b><b n:id="2">tw\xf6</b><c/></a>')


def test_the_libraries_are_those_of_the_recipes():
    assert etree.LIBXML_VERSION == etree.LIBXML_COMPILED_VERSION >= (2, 15)
    assert etree.LIBXSLT_VERSION == etree.LIBXSLT_COMPILED_VERSION >= (1, 1, 45)
    assert {"html", "iconv", "schematron", "xmlschema", "xpath", "zlib"} <= etree.LIBXML_FEATURES


def test_xpath():
    assert _TREE.xpath("string(b[@n:id = $id])", namespaces={"n": "urn:n"}, id="2") == "tw\xf6"
    assert _TREE.xpath("count(//b) * 2") == 4.0


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1", "windows-1252", "KOI8-R"])
def test_encodings(encoding):
    data = etree.tostring(_TREE, encoding=encoding, xml_declaration=True)
    assert etree.fromstring(data).findall("b")[1].text == "tw\xf6"


def test_an_encoding_of_iconv_alone():
    text = "\u65e5\u672c\u8a9e"
    data = f'<?xml version="1.0" encoding="EUC-JP"?><a>{text}</a>'.encode("euc-jp")
    assert etree.fromstring(data).text == text


def test_what_is_not_well_formed():
    with pytest.raises(etree.XMLSyntaxError) as caught:
        etree.fromstring("<a>\n<b></a>")
    assert caught.value.lineno == 2


def test_events():
    events = [
        (event, node.tag) for event, node in etree.iterparse(BytesIO(etree.tostring(_TREE)), events=("start", "end"))
    ]
    assert events[0] == ("start", "a")
    assert events[-1] == ("end", "a")
    assert len(events) == 8


def test_html():
    document = html.fromstring("<ul><li class=x>one<li>two &amp; three")
    assert [item.text for item in document.iter("li")] == ["one", "two & three"]
    assert document.xpath("//li[@class='x']")[0].text == "one"
    assert html.tostring(html.fragment_fromstring("<p>a<br>b</p>")) == b"<p>a<br>b</p>"


def test_transformation():
    transform = etree.XSLT(
        etree.XML(
            """\
            <xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                            xmlns:str="http://exslt.org/strings" extension-element-prefixes="str">
              <xsl:output method="text"/>
              <xsl:param name="mark"/>
              <xsl:template match="/a">
                <xsl:for-each select="b"><xsl:value-of select="concat(., $mark)"/></xsl:for-each>
                <xsl:value-of select="str:padding(3, '-')"/>
              </xsl:template>
            </xsl:stylesheet>"""
        )
    )
    assert str(transform(_TREE, mark="'!'")) == "one!tw\xf6!---"


def test_schemas():
    namespace = "http://relaxng.org/ns/structure/1.0"
    relaxng = etree.RelaxNG(
        etree.XML(
            f'<element name="a" xmlns="{namespace}">'
            '<oneOrMore><element name="b"><text/></element></oneOrMore></element>'
        )
    )
    assert relaxng.validate(etree.XML("<a><b>one</b></a>"))
    assert not relaxng.validate(etree.XML("<a><c/></a>"))
    namespace = "http://www.w3.org/2001/XMLSchema"
    schema = etree.XMLSchema(
        etree.XML(f'<s:schema xmlns:s="{namespace}"><s:element name="n" type="s:integer"/></s:schema>')
    )
    assert schema.validate(etree.XML("<n>12</n>"))
    assert not schema.validate(etree.XML("<n>twelve</n>"))


def test_objects():
    root = objectify.fromstring("<r><n>4</n><n>5</n><f>0.5</f><t>true</t></r>")
    assert sum(root.n[:]) * root.f == 4.5
    assert bool(root.t) is True
    assert isinstance(root.n.pyval, int)


def test_canonical_form():
    file = BytesIO()
    etree.ElementTree(etree.XML('<b  z="1" a="2"/>')).write_c14n(file)
    assert file.getvalue() == b'<b a="2" z="1"></b>'


def test_nodes_outlive_their_document():
    node = etree.fromstring("<a><b><c>text</c></b></a>")[0][0]
    assert node.getparent().tag == "b"
    assert node.getroottree().getroot().tag == "a"
