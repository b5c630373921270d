"""What ``forge cache`` says about the cache of this machine, as text and JSON."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from forge.plan.cache import read_inputs
from forge.plan.explain import changed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forge.base.paths import ForgeHome
    from forge.plan.inventory import StoredWheel

JSON_VERSION = 1
SHOWN_DIGITS = 12
"""Of a fingerprint, in tables: as many as logs and work directories have in their names."""

_MINUTE, _HOUR, _DAY = 60, 3600, 24 * 3600


def render_table(wheels: Sequence[StoredWheel], now: float) -> str:
    """Wheels, one a line.

    Args:
        wheels: The wheels.
        now: Seconds since the epoch.
    """
    if not wheels:
        return "no wheels\n"
    rows = [("NAME", "VERSION", "TARGET", "PYTHON", "SIZE", "AGE", "USED", "FINGERPRINT")]
    rows += [
        (
            wheel.name, wheel.version, wheel.target, wheel.python, shown_bytes(wheel.size), _age(now - wheel.built),
            _age(now - wheel.used), wheel.fingerprint[:SHOWN_DIGITS],
        )
        for wheel in wheels
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def to_json(home: ForgeHome, wheels: Sequence[StoredWheel]) -> str:
    """Wheels as JSON, as ``schemas/cache.schema.json`` has it."""
    data = {
        "version": JSON_VERSION,
        "wheels": [
            {
                "name": wheel.name, "version": wheel.version, "target": wheel.target, "python": wheel.python,
                "fingerprint": wheel.fingerprint, "wheel": str(wheel.directory / wheel.filename),
                "sha256": wheel.sha256, "size": wheel.size, "built": round(wheel.built), "used": round(wheel.used),
                "latest": wheel.latest(home) == wheel.fingerprint,
                "shared": {"place": wheel.place, "key": wheel.signer} if wheel.place else None,
            }
            for wheel in wheels
        ],
    }  # fmt: skip
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def explain(home: ForgeHome, wheel: StoredWheel) -> str:
    """What a wheel was made from, and against the latest build of its name what differs."""
    stored = time.strftime("%Y-%m-%d %H:%M", time.localtime(wheel.built))
    lines = [wheel.filename, f"fingerprint {wheel.fingerprint}", f"sha256 {wheel.sha256}"]
    if wheel.place:
        lines.append(f"taken from the shared cache {wheel.place} on {stored}, signed by {wheel.signer}")
    else:
        lines.append(f"built on {stored}")
    lines += ["", "made from", *(f"  {line}" for line in _flat(wheel.inputs)), ""]
    latest = wheel.latest(home)
    if latest is None:
        return "\n".join([*lines, "no later build of it is known"]) + "\n"
    if latest == wheel.fingerprint:
        return "\n".join([*lines, "it is the latest build of its name"]) + "\n"
    before = read_inputs(home, latest)
    if before is None:
        return "\n".join([*lines, f"the latest build {latest[:SHOWN_DIGITS]} is not in the cache any more"]) + "\n"
    lines.append(f"the latest build {latest[:SHOWN_DIGITS]} differs in")
    lines += [
        f"  {change.what}: {change.before or '(nothing)'} -> {change.now or '(nothing)'}"
        for change in changed(wheel.inputs, before)
    ]
    return "\n".join(lines) + "\n"


def render_stats(home: ForgeHome, wheels: Sequence[StoredWheel], rooms: Mapping[str, int]) -> str:
    """How much room everything takes."""
    rows = [(name, shown_bytes(size)) for name, size in sorted(rooms.items(), key=lambda item: -item[1]) if size]
    rows.append(("total", shown_bytes(sum(rooms.values()))))
    width, right = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = [str(home.root), *(f"  {name.ljust(width)}  {size.rjust(right)}" for name, size in rows)]
    superseded = [wheel for wheel in wheels if wheel.latest(home) not in (None, wheel.fingerprint)]
    lines.append(f"wheels: {len(wheels)}, {shown_bytes(sum(wheel.size for wheel in wheels))}")
    lines.append(f"  from a shared cache: {sum(bool(wheel.place) for wheel in wheels)}")
    lines.append(f"  with a later build: {len(superseded)}, {shown_bytes(sum(wheel.size for wheel in superseded))}")
    return "\n".join(lines) + "\n"


def shown_bytes(size: int) -> str:
    """A number of bytes for people, e.g. ``1.2 GB``; 1 GB is 1000³ bytes, as disks are sold."""
    value = float(size)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _age(seconds: float) -> str:
    if seconds < _MINUTE:
        return "now"
    for unit, length in (("d", _DAY), ("h", _HOUR)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / _MINUTE:.0f} min"


def _flat(value: Any, path: str = "") -> Iterator[str]:
    """JSON data, a line for each value that is no object; what is empty is left out."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif value not in (None, [], ""):
        yield f"{path}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
