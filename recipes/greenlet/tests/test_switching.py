"""Stacks are switched, also with an exception on its way: what greenlet's assembly does."""

import greenlet
import pytest


def test_two_stacks_take_turns():
    seen = []

    def count(names):
        for name in names:
            seen.append(name)
            main.switch()

    main = greenlet.getcurrent()
    one, other = greenlet.greenlet(count), greenlet.greenlet(count)
    one.switch("abc")
    other.switch("xyz")
    for _ in range(2):
        one.switch()
        other.switch()
    assert seen == ["a", "x", "b", "y", "c", "z"]


def test_an_exception_goes_to_the_parent():
    def fail(depth):
        if depth:
            fail(depth - 1)
        raise ValueError("deep")

    with pytest.raises(ValueError, match="deep"):
        greenlet.greenlet(fail).switch(50)


def test_many():
    def add(total):
        while True:
            total += greenlet.getcurrent().parent.switch(total)

    workers = [greenlet.greenlet(add) for _ in range(500)]
    for worker in workers:
        worker.switch(1)
    assert [worker.switch(number) for number, worker in enumerate(workers)] == [n + 1 for n in range(500)]
