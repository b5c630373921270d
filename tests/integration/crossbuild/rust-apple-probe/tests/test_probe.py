import rust_apple_probe  # type: ignore[import-not-found]


def test_security_is_called() -> None:
    first, second = rust_apple_probe.random(32), rust_apple_probe.random(32)
    assert len(first) == 32
    assert first != second
