"""The package index: static files that pip, uv and people read (PEP 503, PEP 691 and what came after)."""
