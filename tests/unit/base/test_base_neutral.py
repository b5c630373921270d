"""Where a directory's name is replaced in a text, and where the same letters are something else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge.base.neutral import neutral

NAMES = {Path("/srv"): "/forge", Path("/srv/builds"): "/usr/src/build", Path("/srv/builds/a.1"): "/usr/src/a"}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("/srv", "/forge"),
        ("'/srv/x'", "'/forge/x'"),
        ('"/srv"', '"/forge"'),
        ("prefix=/srv/lib", "prefix=/forge/lib"),
        ("a:/srv:/srv/b", "a:/forge:/forge/b"),
        ("-I/srv/include -L/srv/lib -F/srv", "-I/forge/include -L/forge/lib -F/forge"),
        ("file:///srv/x", "file:///forge/x"),
        ("/srv/builds/a.1/x.c", "/usr/src/a/x.c"),
        ("/srv/builds/a.12/x.c", "/usr/src/build/a.12/x.c"),
        ("/srv/buildsx", "/forge/buildsx"),
        # Something else.
        ("http://x/srvs", None),
        ("http://x/srv/items", None),
        ("/srvs /srv-old /srv.old /srv~ /srv_2", None),
        ("x/srv ../srv ./srv ~/srv //srv", None),
    ],
)
def test_places(text: str, changed: str | None) -> None:
    assert neutral(text.encode(), NAMES).decode() == (text if changed is None else changed)


@given(st.text(alphabet="/srvbuild.a1 '\":=-", max_size=60))
def test_what_is_neutral_stays_so(text: str) -> None:
    once = neutral(text.encode(), NAMES)
    assert neutral(once, NAMES) == once
