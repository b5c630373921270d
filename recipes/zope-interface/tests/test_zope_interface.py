"""Looking up adapters is in compiled code."""

from zope.interface import Attribute, Interface, implementer, providedBy
from zope.interface import _zope_interface_coptimizations as compiled
from zope.interface.adapter import AdapterLookup, AdapterRegistry
from zope.interface.interface import SpecificationBase


class IShape(Interface):
    area = Attribute("its area")


class IDrawn(Interface):
    def draw():
        """Draw it."""


@implementer(IShape)
class Square:
    area = 4


def test_the_compiled_code_is_taken():
    assert SpecificationBase is compiled.SpecificationBase
    assert AdapterLookup.lookup1 is compiled.LookupBase.lookup1


def test_adapters():
    registry = AdapterRegistry()
    registry.register([IShape], IDrawn, "", lambda shape: f"drawn {shape.area}")
    assert IShape.providedBy(Square())
    assert registry.queryAdapter(Square(), IDrawn) == "drawn 4"
    assert registry.lookup1(providedBy(object()), IDrawn) is None
