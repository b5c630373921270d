"""Which form of a page a client gets: by its ``Accept`` header (RFC 9110, 12.5.1) or by ``?format=`` (PEP 691)."""

from __future__ import annotations

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
OLD_HTML = "text/html"

_SERVED = (OLD_HTML, HTML, JSON)
"""What there is; of what a client likes equally well the first counts: HTML is the default (PEP 691)."""

_SAME = {
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}
"""``latest`` is the version that is served."""


def chosen_type(accept: str | None, asked: str | None) -> str | None:
    """The content type to answer with, or None if the client takes none of those that there are (406).

    Args:
        accept: The ``Accept`` header, or None if there is none.
        asked: ``?format=``, which counts before it, or None.
    """
    if asked is not None:
        found = _SAME.get(asked, asked)
        return found if found in _SERVED else None
    if accept is None or not accept.strip():
        return OLD_HTML
    ranges = _ranges(accept)
    best: tuple[float, str] | None = None
    for name in _SERVED:
        quality = _quality(name, ranges)
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, name)
    return best[1] if best else None


def _ranges(accept: str) -> dict[str, float]:
    """The media ranges of a header with their weights; what is malformed is passed over, as servers do."""
    found: dict[str, float] = {}
    for item in accept.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        if "/" not in name:
            continue
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                quality = _weight(value.strip())
        name = _SAME.get(name, name)
        found[name] = max(quality, found.get(name, 0.0))
    return found


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(1.0, max(0.0, value)) if value == value else 0.0  # noqa: PLR0124 - not a number


def _quality(name: str, ranges: dict[str, float]) -> float:
    """The weight of the most specific range that a type falls under."""
    for pattern in (name, f"{name.partition('/')[0]}/*", "*/*"):
        if pattern in ranges:
            return ranges[pattern]
    return 0.0
