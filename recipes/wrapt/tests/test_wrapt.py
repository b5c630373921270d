"""Proxies and decorators, in compiled code."""

import wrapt
import wrapt._wrappers


def test_the_compiled_code_is_taken():
    assert (
        wrapt.FunctionWrapper.__module__ == "wrapt._wrappers"
        or wrapt.FunctionWrapper is wrapt._wrappers.FunctionWrapper
    )


def test_proxies():
    proxy = wrapt.ObjectProxy([1, 2])
    proxy += [3]
    assert isinstance(proxy, list)
    assert (proxy, len(proxy), proxy[2], proxy.__wrapped__) == ([1, 2, 3], 3, 3, [1, 2, 3])


def test_decorators():
    calls = []

    @wrapt.decorator
    def logged(wrapped, instance, args, kwargs):
        calls.append((wrapped.__name__, type(instance).__name__, args, kwargs))
        return wrapped(*args, **kwargs)

    class Thing:
        @logged
        def twice(self, x):
            return 2 * x

    assert Thing().twice(x=4) == 8
    assert calls == [("twice", "Thing", (), {"x": 4})]
