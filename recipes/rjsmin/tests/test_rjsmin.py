"""The compiled code does what Python's does."""

import _rjsmin
import rjsmin


def test_both():
    text = "// c\nvar a = 1 ; /* x */ function f ( b ) { return a / b / 'x  y' ; }\n"
    assert _rjsmin.jsmin(text) == rjsmin.jsmin(text) == "var a=1;function f(b){return a/b/'x  y';}"
