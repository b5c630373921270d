"""Records and the protocol are compiled; no server is asked."""

import asyncio

import asyncpg
import pytest
from asyncpg.pgproto import pgproto


def test_uuids():
    one = pgproto.UUID("12345678-1234-5678-1234-567812345678")
    assert one.bytes.hex() == "12345678123456781234567812345678"
    assert one == pgproto.UUID(one.bytes)


def test_no_server():
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(asyncpg.connect(host="127.0.0.1", port=1, user="u", database="x", timeout=5))
