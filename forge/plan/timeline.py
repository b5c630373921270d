"""What became of each build of a run, and when it ran: a page with a drawing, and a summary in Markdown."""

from __future__ import annotations

import html
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW, _LABEL, _WIDTH = 22, 16, 1000
"""Pixels: a lane's height, what a label may stand over its bar's edge, the drawing's width."""


class Ending(StrEnum):
    """How a build ended."""

    BUILT = "built"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Span:
    """One build of a run.

    Args:
        name: What was built.
        ending: How it ended.
        started: Seconds from the run's start.
        seconds: How long it ran.
        because: The build that failed, for one that was skipped because of it.
    """

    name: str
    ending: Ending
    started: float = 0.0
    seconds: float = 0.0
    because: str = ""


def lanes(spans: Sequence[Span]) -> list[list[Span]]:
    """Spans in as few rows as have room for them, each row in order of time; those that did not run are left out."""
    rows: list[list[Span]] = []
    for span in sorted((s for s in spans if s.ending is not Ending.SKIPPED), key=lambda s: s.started):
        row = next((row for row in rows if row[-1].started + row[-1].seconds <= span.started), None)
        if row is None:
            rows.append([span])
        else:
            row.append(span)
    return rows


def render_html(spans: Sequence[Span], title: str) -> str:
    """A page that draws who ran when. It needs no script, and is light or dark as the reader's system is.

    Args:
        spans: The run.
        title: Its title.
    """
    rows = lanes(spans)
    end = max((span.started + span.seconds for row in rows for span in row), default=0.0) or 1.0
    bars = "\n".join(_bar(span, place, end) for place, row in enumerate(rows) for span in row)
    height = _ROW * max(len(rows), 1)
    table = "\n".join(
        f"<tr class={span.ending}><td>{html.escape(span.name)}</td><td>{html.escape(_said(span))}</td>"
        f"<td class=number>{span.seconds:.1f} s</td></tr>"
        for span in sorted(spans, key=lambda span: -span.seconds)
    )
    return _PAGE.format(
        title=html.escape(title), width=_WIDTH, height=height, bars=bars, table=table, end=f"{end:.1f}",
        summary=html.escape(counted(spans)),
    )  # fmt: skip


def render_markdown(spans: Sequence[Span]) -> str:
    """A summary for a CI system's page: a line for each build, the longest first."""
    lines = [f"**forge build**: {counted(spans)}", "", "| build | result | time |", "| --- | --- | ---: |"]
    for span in sorted(spans, key=lambda span: (span.ending is not Ending.FAILED, -span.seconds)):
        name = span.name.replace("|", "\\|")
        said = _said(span).replace("|", "\\|")
        lines.append(f"| {name} | {said} | {span.seconds:.1f} s |")
    return "\n".join(lines) + "\n"


def counted(spans: Sequence[Span]) -> str:
    """How many builds ended how, e.g. ``3 built, 1 cached``."""
    counts = {ending: sum(span.ending is ending for span in spans) for ending in Ending}
    return ", ".join(f"{count} {ending}" for ending, count in counts.items() if count) or "nothing to build"


def _said(span: Span) -> str:
    because = f": {span.because} failed" if span.because else ""
    return f"{span.ending}{because}"


def _bar(span: Span, row: int, end: float) -> str:
    left, width = span.started / end * _WIDTH, max(span.seconds / end * _WIDTH, 1.0)
    name = html.escape(span.name)
    # A bar that is too narrow for its name has it in its title alone.
    label = f'<text x="{left + 4:.1f}" y="{row * _ROW + _LABEL}">{name}</text>' if width > 6.5 * len(span.name) else ""
    return (
        f'<g class="{span.ending}"><title>{name}: {span.ending}, {span.seconds:.1f} s</title>'
        f'<rect x="{left:.1f}" y="{row * _ROW + 1}" width="{width:.1f}" height="{_ROW - 3}" rx="3"/>{label}</g>'
    )


_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; --built: #4a90d9; --cached: #9aa5b1; --failed: #d9534f; }}
  body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 1040px; margin: 2em auto; padding: 0 1em; }}
  svg {{ width: 100%; height: auto; }}
  svg text {{ font: 12px system-ui, sans-serif; fill: #fff; }}
  .built rect {{ fill: var(--built); }} .cached rect {{ fill: var(--cached); }} .failed rect {{ fill: var(--failed); }}
  table {{ border-collapse: collapse; width: 100%; }}
  td {{ padding: .2em .6em; border-bottom: 1px solid #8884; }}
  .number {{ text-align: right; font-variant-numeric: tabular-nums; }}
  tr.failed td:nth-child(2) {{ color: var(--failed); }}
</style>
<h1>{title}</h1>
<p>{summary}; {end} s in all</p>
<svg viewBox="0 0 {width} {height}" role="img" aria-label="When each build ran">
{bars}
</svg>
<table>
{table}
</table>
</html>
"""
