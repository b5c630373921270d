from __future__ import annotations

import itertools
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from forge.plan.timeline import Ending, Span, counted, lanes, render_html, render_markdown

RUN = (
    Span("blas 1.0 arm64-iphoneos", Ending.BUILT, 0.0, 60.0),
    Span("ffi 1.0 arm64-iphoneos", Ending.CACHED, 0.5, 0.1),
    Span("a<b> & c|d", Ending.FAILED, 2.0, 30.0),
    Span("sci 1.0 arm64-iphoneos", Ending.SKIPPED, because="a<b> & c|d"),
    Span("num 1.0 arm64-iphoneos", Ending.BUILT, 60.0, 40.0),
)


def test_markdown() -> None:
    assert render_markdown(RUN).splitlines() == [
        "**forge build**: 2 built, 1 cached, 1 failed, 1 skipped",
        "",
        "| build | result | time |",
        "| --- | --- | ---: |",
        "| a<b> & c\\|d | failed | 30.0 s |",
        "| blas 1.0 arm64-iphoneos | built | 60.0 s |",
        "| num 1.0 arm64-iphoneos | built | 40.0 s |",
        "| ffi 1.0 arm64-iphoneos | cached | 0.1 s |",
        "| sci 1.0 arm64-iphoneos | skipped: a<b> & c\\|d failed | 0.0 s |",
    ]
    assert counted(()) == "nothing to build"


class Reader(HTMLParser):
    """The texts of a page, and how many bars it has; every element must be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.bars = 0
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.bars += tag == "rect"

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page() -> None:
    page = Reader(render_html(RUN, "A <run>"))
    assert page.bars == 4, "what was skipped did not run"
    assert {"A <run>", "a<b> & c|d", "skipped: a<b> & c|d failed"} <= set(page.texts)
    assert "100.0 s in all" in "".join(page.texts)
    assert Reader(render_html((), "nothing")).bars == 0


times = st.floats(0, 100, allow_nan=False)


@given(st.lists(st.builds(Span, st.just("x"), st.sampled_from(Ending), times, times), max_size=12))
def test_no_two_bars_lie_over_each_other(spans: list[Span]) -> None:
    rows = lanes(spans)
    assert sorted(map(id, itertools.chain(*rows))) == sorted(id(s) for s in spans if s.ending is not Ending.SKIPPED)
    for row in rows:
        assert all(one.started + one.seconds <= other.started for one, other in itertools.pairwise(row))
