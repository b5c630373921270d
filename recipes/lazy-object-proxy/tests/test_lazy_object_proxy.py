"""A proxy makes its object when it is needed."""

import lazy_object_proxy
from lazy_object_proxy.cext import Proxy


def test_a_proxy():
    made = []
    proxy = lazy_object_proxy.Proxy(lambda: made.append(1) or [1, 2])
    assert lazy_object_proxy.Proxy is Proxy
    assert made == []
    assert (len(proxy), proxy[0], [*proxy, 3]) == (2, 1, [1, 2, 3])
    assert made == [1]
